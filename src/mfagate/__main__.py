"""The command ``mfagate``, also as ``python -m mfagate``."""

from __future__ import annotations

import sys
from typing import NoReturn

from mfagate.core.extras import missing, needs


def main() -> NoReturn:
    """Run the command line, or say how to install it: without the extra ``gate`` there is the monitor alone."""
    if missing("gate"):
        print(f"Error: {needs('the command mfagate', 'gate')}", file=sys.stderr)
        sys.exit(2)
    from mfagate import cli

    cli.main()


if __name__ == "__main__":
    main()
