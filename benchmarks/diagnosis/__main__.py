"""Measure how often the gate detects a fault, names the right cause, and passes healthy runs.

    python -m benchmarks.diagnosis [--provider NAME] [--suite NAME] [--healthy 84] [--write]

Each run is a complete gate on the local sandbox of a provider with one fault. With --write the results replace
docs/reference/scoreboard.md and docs/reference/scoreboard.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial

from mfagate.core.files import write_atomically

from . import cases, scoreboard
from .gate_run import REPOSITORY, providers
from .runs import all_rows, mutated

EDITS = "edits"

SUITES = {
    "faults": cases.on_the_way,
    "provider faults": cases.of_the_provider,
    "fields": cases.of_fields,
}


def main() -> int:
    """Run the matrix and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", action="append", choices=providers(), help="only this provider; may be repeated")
    parser.add_argument(
        "--suite", action="append", choices=[*SUITES, EDITS, cases.HEALTHY], help="only this suite; may be repeated"
    )
    parser.add_argument("--healthy", type=int, default=84, metavar="N", help="healthy runs of each provider")
    parser.add_argument("--write", action="store_true", help="replace the page and the JSON file in docs")
    asked = parser.parse_args()
    os.chdir(REPOSITORY)
    chosen = asked.suite or [*SUITES, EDITS, cases.HEALTHY]
    suites: dict[str, Callable[[str], Iterator[cases.Case]]] = {
        **SUITES,
        cases.HEALTHY: partial(cases.healthy, runs=asked.healthy),
    }
    names = asked.provider or providers()
    matrix = [case for name in names for suite in chosen if suite in suites for case in suites[suite](name)]
    rows = list(all_rows(matrix))
    if EDITS in chosen:
        rows += [row for name in names for row in mutated(name)]
    rows.sort(key=lambda row: (row.case.suite, row.case.provider, row.case.name))
    page = scoreboard.as_markdown(rows, "python -m benchmarks.diagnosis --write")
    print(page)
    if asked.write:
        write_atomically(REPOSITORY / "docs/reference/scoreboard.md", page)
        text = json.dumps(scoreboard.as_json(rows), indent=2) + "\n"
        write_atomically(REPOSITORY / "docs/reference/scoreboard.json", text)
    return 1 if scoreboard.misses(rows) else 0


if __name__ == "__main__":
    sys.exit(main())
