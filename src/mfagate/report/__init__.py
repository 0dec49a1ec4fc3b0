"""Report formats, one module each: they turn a :class:`~mfagate.core.result.Report` into text."""
