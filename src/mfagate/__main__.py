"""``python -m mfagate``."""

from mfagate.cli import main

main()
