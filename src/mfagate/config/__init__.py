"""``integrations.toml``: its model, its errors, and the declaration of provider settings."""
