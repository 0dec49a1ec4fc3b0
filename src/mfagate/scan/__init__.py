"""``mfagate scan``: find what could be a secret in recordings of any program."""
