"""``mfagate scan``: find possible secrets in recordings of any program."""
