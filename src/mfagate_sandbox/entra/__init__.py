"""An emulator of Microsoft Entra's login host and of Microsoft Graph."""
