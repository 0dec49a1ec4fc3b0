"""Compare the speed of contract matching in process and by Pact's Verifier.

    python benchmarks/matching.py [--seconds 3] [CONTRACT ...]

Without arguments it uses the contracts of this repository, or a synthetic one. The responses are the examples of the
contracts. Both sides match the same interactions and responses in the same run, so the ratio is meaningful even on a
busy machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from tests.contract import mutations, pacts, referee  # noqa: E402

from mfagate.cassettes import reader  # noqa: E402
from mfagate.contract import Interaction, load  # noqa: E402
from mfagate.core.exchange import Response  # noqa: E402

TARGET_RATIO = 50


class Pair(NamedTuple):
    """An interaction, as in the file and loaded, and a response to it."""

    raw: dict[str, Any]
    interaction: Interaction
    answer: Response


class Rate(NamedTuple):
    """The speed of one way of matching, in interactions per second."""

    label: str
    per_second: float


def pairs_of(contracts: Sequence[Path]) -> list[Pair]:
    """Return every interaction of the contracts with its example as the response."""
    return [
        Pair(raw, interaction, mutations.good_answer(raw["response"]))
        for path in contracts
        for raw, interaction in zip(
            json.loads(path.read_text(encoding="utf-8"))["interactions"], load(path).interactions, strict=True
        )
    ]


def rate(label: str, match: Callable[[], int], seconds: float) -> Rate:
    """Measure for at least ``seconds``; ``match`` returns how many interactions it matched."""
    matched = 0
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        matched += match()
    return Rate(label, matched / elapsed)


def loaded(pairs: Sequence[Pair], seconds: float) -> Rate:
    """Match in process, with a contract that is already loaded and compiled."""

    def match() -> int:
        for pair in pairs:
            pair.interaction.match(pair.answer)
        return len(pairs)

    match()
    return rate("in process, loaded", match, seconds)


def with_loading(contracts: Sequence[Path], seconds: float) -> Rate:
    """Do the work of `mfagate check`: read the contract and recordings from disk, compile, match."""

    def match() -> int:
        matched = 0
        for path in contracts:
            recordings = REPOSITORY / "cassettes" / path.parent.name
            for interaction in load(path).interactions:
                for exchange in reader.load(reader.path_for(recordings, interaction.description)).exchanges:
                    assert exchange.response is not None
                    interaction.match(exchange.response)
                    matched += 1
        return matched

    match()
    return rate("in process, loading", match, seconds)


def by_verifier(pairs: Sequence[Pair], seconds: float) -> Rate:
    """Run Pact's Verifier against a loopback provider, with all interactions in one file."""

    def match() -> int:
        return len(referee.verify([pair.raw for pair in pairs], [pair.answer for pair in pairs]))

    with silence():
        match()
        return rate("Pact's Verifier", match, seconds)


@contextmanager
def silence() -> Iterator[None]:
    """Discard what the Verifier prints directly to the file descriptor."""
    sys.stdout.flush()
    stdout = os.dup(1)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("contracts", nargs="*", type=Path, metavar="CONTRACT")
    parser.add_argument("--seconds", type=float, default=3.0, help="minimum duration of each measurement")
    arguments = parser.parse_args()
    contracts = arguments.contracts or sorted(REPOSITORY.glob("contracts/*/*.json"))
    with tempfile.TemporaryDirectory() as directory:
        contracts = contracts or [pacts.write(Path(directory))]
        pairs = pairs_of(contracts)
        print(f"{len(pairs)} interactions of {', '.join(path.name for path in contracts)}")
        rates = [loaded(pairs, arguments.seconds)]
        if not arguments.contracts:
            rates.append(with_loading(contracts, arguments.seconds))
        # The Verifier is last, because it leaves tracing enabled, which slows down everything after it.
        rates.append(by_verifier(pairs, arguments.seconds))
    for label, per_second in rates:  # the ratio compares the first with the last
        print(f"{label:20} {per_second:10,.0f} interactions/s {1e6 / per_second:10,.0f} µs each")
    print(f"ratio {rates[0].per_second / rates[-1].per_second:,.0f} (target: {TARGET_RATIO} or more)")


if __name__ == "__main__":
    main()
