"""Long proofs, which run in a job of their own: tests/slow.toml lists them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

STALE = pytest.StashKey[list[str]]()
"""The patterns of the table that fit no test, known when all tests were collected."""

TABLE = Path(__file__).parents[1] / "slow.toml"


@dataclass(frozen=True)
class Proof:
    """Tests that take long, with the time that each of them takes."""

    tests: str
    seconds: float
    why: str
    main: Sequence[str]
    """Patterns of those tests that run in the main job nevertheless."""

    def is_slow(self, test_id: str) -> bool:
        """Return whether a test belongs in the slow job."""
        return fnmatchcase(test_id, self.tests) and not any(fnmatchcase(test_id, pattern) for pattern in self.main)


def proofs() -> list[Proof]:
    """Return the proofs of the table."""
    return [Proof(**entry) for entry in tomllib.loads(TABLE.read_text("utf-8"))["proof"]]


def stale(known: Iterable[Proof], test_ids: Sequence[str]) -> list[str]:
    """Return the patterns that fit none of these tests: a test has moved, or its name has changed."""
    found = []
    for proof in known:
        fitting = [test_id for test_id in test_ids if fnmatchcase(test_id, proof.tests)]
        if not fitting:
            found.append(proof.tests)
        found += [pattern for pattern in proof.main if not any(fnmatchcase(test_id, pattern) for test_id in fitting)]
    return found
