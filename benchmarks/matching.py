"""How fast contracts are matched, in process and by Pact's Verifier, side by side.

    python benchmarks/matching.py [--seconds 3] [CONTRACT ...]

Without arguments: the contracts of this repository, else a synthetic one. The answers
are the examples of the contracts. Both sides judge the same interactions and answers in
the same run, so the ratio holds on a loaded machine where the figures do not.
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
    """An interaction, in the file and loaded, and an answer to it."""

    raw: dict[str, Any]
    interaction: Interaction
    answer: Response


class Rate(NamedTuple):
    """Judgements a second of one way to judge."""

    label: str
    per_second: float


def pairs_of(contracts: Sequence[Path]) -> list[Pair]:
    """Every interaction of the contracts with its example as answer."""
    return [
        Pair(raw, interaction, mutations.good_answer(raw["response"]))
        for path in contracts
        for raw, interaction in zip(
            json.loads(path.read_text(encoding="utf-8"))["interactions"], load(path).interactions, strict=True
        )
    ]


def rate(label: str, judge: Callable[[], int], seconds: float) -> Rate:
    """Judgements a second, over at least ``seconds``; ``judge`` returns how many it made."""
    judged = 0
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        judged += judge()
    return Rate(label, judged / elapsed)


def loaded(pairs: Sequence[Pair], seconds: float) -> Rate:
    """Matching in process, the contract loaded and compiled before."""

    def judge() -> int:
        for pair in pairs:
            pair.interaction.match(pair.answer)
        return len(pairs)

    judge()
    return rate("in process, loaded", judge, seconds)


def with_loading(contracts: Sequence[Path], seconds: float) -> Rate:
    """As `mfagate check` does it: read contract and recordings from disk, compile, match."""

    def judge() -> int:
        judged = 0
        for path in contracts:
            recordings = REPOSITORY / "cassettes" / path.parent.name
            for interaction in load(path).interactions:
                for exchange in reader.load(reader.path_for(recordings, interaction.description)).exchanges:
                    assert exchange.response is not None
                    interaction.match(exchange.response)
                    judged += 1
        return judged

    judge()
    return rate("in process, loading", judge, seconds)


def by_verifier(pairs: Sequence[Pair], seconds: float) -> Rate:
    """Pact's Verifier against a loopback provider that answers at once, all interactions in one file."""

    def judge() -> int:
        return len(referee.verify([pair.raw for pair in pairs], [pair.answer for pair in pairs]))

    with silence():
        judge()
        return rate("Pact's Verifier", judge, seconds)


@contextmanager
def silence() -> Iterator[None]:
    """Keep out of the table what the Verifier prints past Python, to the file descriptor."""
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
    parser.add_argument("--seconds", type=float, default=3.0, help="measure each way at least so long")
    arguments = parser.parse_args()
    contracts = arguments.contracts or sorted(REPOSITORY.glob("contracts/*/*.json"))
    with tempfile.TemporaryDirectory() as directory:
        contracts = contracts or [pacts.write(Path(directory))]
        pairs = pairs_of(contracts)
        print(f"{len(pairs)} interactions of {', '.join(path.name for path in contracts)}")
        rates = [loaded(pairs, arguments.seconds)]
        if not arguments.contracts:
            rates.append(with_loading(contracts, arguments.seconds))
        # Last: the Verifier leaves the core's tracing on, which slows down what comes after it.
        rates.append(by_verifier(pairs, arguments.seconds))
    for label, per_second in rates:  # the ratio is of the first to the last
        print(f"{label:20} {per_second:10,.0f} interactions/s {1e6 / per_second:10,.0f} µs each")
    print(f"ratio {rates[0].per_second / rates[-1].per_second:,.0f} (target: {TARGET_RATIO} or more)")


if __name__ == "__main__":
    main()
