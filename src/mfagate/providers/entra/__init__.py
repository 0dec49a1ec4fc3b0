"""Microsoft Entra ID: tokens of its login host, and users' authentication methods in Microsoft Graph."""
