"""Emulators of hosted providers, and the local privacyIDEA server: one package each."""
