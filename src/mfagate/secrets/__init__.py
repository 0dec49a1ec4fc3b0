"""Secret references, the stores that resolve them, and the redaction of every output."""
