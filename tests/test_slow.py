"""The table of long proofs, tests/slow.toml."""

from __future__ import annotations

import pytest

from .support.slow import STALE, Proof, proofs, stale

PROOF = Proof("tests/a.py::test_*", 5, "many cases", ["*[[]0]"])


@pytest.mark.parametrize(
    ("test_id", "expected"),
    [("tests/a.py::test_x[1]", True), ("tests/a.py::test_x[0]", False), ("tests/b.py::test_x[1]", False)],
)
def test_a_proof_is_slow_unless_it_is_a_sample_for_the_main_job(test_id: str, expected: bool) -> None:
    assert PROOF.is_slow(test_id) is expected


def test_a_pattern_that_fits_no_test_is_found() -> None:
    assert stale([PROOF], ["tests/a.py::test_x[0]"]) == []
    assert stale([PROOF], ["tests/b.py::test_x[0]"]) == ["tests/a.py::test_*", "*[[]0]"]
    assert stale([PROOF], ["tests/a.py::test_x[1]"]) == ["*[[]0]"]


def test_every_entry_of_the_table_fits_a_test(request: pytest.FixtureRequest) -> None:
    """This needs all tests: it proves nothing if some files are selected."""
    assert request.config.stash.get(STALE, []) == []
    assert all(proof.seconds >= 5 and proof.why for proof in proofs())
