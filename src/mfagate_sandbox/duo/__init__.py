"""An emulator of Duo's Auth API and of what states need of the Admin API."""
