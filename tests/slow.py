"""The slow tests, each with its time: ``tests/slow.txt`` lists them, and the tox environment ``slow`` runs them.

``python -m tests.slow REPORT.xml`` writes the list from the JUnit report of a run of all tests.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

REPOSITORY = Path(__file__).parents[1]
LIST = Path(__file__).with_suffix(".txt")

SLOW_SECONDS = 6.0
"""A test function whose cases take longer than this together is slow."""


def slow_tests() -> Mapping[str, float]:
    """Return the seconds of each slow test, by its node id without parameters."""
    lines = (line.split() for line in LIST.read_text("utf-8").splitlines())
    return {name: float(seconds) for seconds, name in lines}


def times_in(report: Path) -> Iterator[tuple[str, float]]:
    """Yield the node id without parameters, and the seconds, of each test case in a JUnit report."""
    for case in ElementTree.parse(report).iter("testcase"):
        parts = case.attrib["classname"].split(".")
        depth = next(n for n in range(len(parts), 0, -1) if REPOSITORY.joinpath(*parts[:n]).with_suffix(".py").exists())
        name = "::".join(["/".join(parts[:depth]) + ".py", *parts[depth:], case.attrib["name"].partition("[")[0]])
        yield name, float(case.attrib["time"])


def main(report: Path) -> None:
    """Write the list anew."""
    total: defaultdict[str, float] = defaultdict(float)
    for name, seconds in times_in(report):
        total[name] += seconds
    slow = sorted(((seconds, name) for name, seconds in total.items() if seconds > SLOW_SECONDS), reverse=True)
    LIST.write_text("".join(f"{seconds:5.0f} {name}\n" for seconds, name in slow), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
