"""Recordings of a provider: read and write them, and remove their secrets."""
