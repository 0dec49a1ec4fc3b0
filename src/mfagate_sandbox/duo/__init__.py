"""An emulator of Duo's Auth API, and of the part of the Admin API that provider states use."""
