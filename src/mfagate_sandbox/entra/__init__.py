"""An emulator of Entra's login host and of Microsoft Graph."""
