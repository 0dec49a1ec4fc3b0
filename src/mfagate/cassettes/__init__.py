"""Recordings of a provider: reading, writing, and removing what is secret."""
