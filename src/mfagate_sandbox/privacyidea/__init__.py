"""A real privacyIDEA server on this machine."""
