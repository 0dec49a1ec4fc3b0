"""What redaction costs: a text, a secret more, and `mfagate check` with many integrations.

    python benchmarks/redaction.py [--integrations 1000]

Times are CPU times, and each is compared with a reference from the same run. The time to redact a text grows with its
length, but not with the number of secrets.
"""

from __future__ import annotations

import argparse
import random
import string
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from mfagate.app import gate
from mfagate.checks import Stage
from mfagate.config.load import load
from mfagate.providers import registry
from mfagate.secrets.redaction import Redactor

REPOSITORY = Path(__file__).parents[1]
_ALPHABET = string.ascii_letters + string.digits
_ROUNDS = 5

INTEGRATION = """\
[integrations.duo-{number}]
provider = "duo"
environment = "staging"
contract = "{repository}/contracts/duo/auth-service-duo.json"
cassettes = "{repository}/cassettes/duo"
[integrations.duo-{number}.settings]
host = "api-{number:08x}.duosecurity.com"
integration_key = "DI{number:018d}"
secret_key = "env:SKEY_{number}"
"""


def key(generate: random.Random) -> str:
    """Return a value like the secret key of a Duo application."""
    return "".join(generate.choices(_ALPHABET, k=40))


def known(number: int) -> Redactor:
    """Return a redactor with a number of keys."""
    generate = random.Random(number)
    return Redactor({f"key {at}": key(generate) for at in range(number)})


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of the fastest round."""
    taken = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return min(taken)


def texts() -> None:
    """Compare lengths of text, numbers of secrets, and kinds of text."""
    prose = "\n".join(path.read_text() for path in sorted((REPOSITORY / "docs").glob("how-to/*.md")))[:100_000]
    few, many = known(100), known(3000)
    plain = seconds(lambda: few.redact(prose))
    print(f"100,000 characters of documentation, 100 secrets     {plain * 1e3:8.1f} ms     1.00")
    for label, taken in [
        ("twice the text", seconds(lambda: few.redact(prose * 2))),
        ("3,000 secrets", seconds(lambda: many.redact(prose))),
        ("one line without escapes", seconds(lambda: few.redact("the provider answered " * 4546))),
        ("percent-encoded throughout", seconds(lambda: few.redact("%41%4a" * 16_667))),
        ("percent-encoded again and again", seconds(lambda: few.redact("%" + "25" * 50_000))),
        ("base64 throughout", seconds(lambda: few.redact("".join(random.Random(1).choices(_ALPHABET, k=100_000))))),
        ("hexadecimal throughout", seconds(lambda: few.redact("3a" * 50_000))),
    ]:
        print(f"  {label:50} {taken * 1e3:8.1f} ms {taken / plain:8.2f}")


def secrets() -> None:
    """Compare the cost of the first secrets with the cost of later ones."""
    generate = random.Random(3)
    redactor = Redactor()
    tracemalloc.start()
    first = 0.0
    for number in (1000, 2000, 3000):
        began = time.process_time()
        for at in range(1000):
            redactor.add(f"key {number + at}", key(generate))
        taken = time.process_time() - began
        first = first or taken
        memory = tracemalloc.get_traced_memory()[0] / number / 1024
        print(f"secrets up to {number}: {taken / first:17.2f} times the first thousand, {memory:5.1f} KiB a secret")
    tracemalloc.stop()


def checks(most: int) -> None:
    """Compare `mfagate check` with few and many integrations, each with its own key."""
    reference = 0.0
    for number in (most * 3 // 10, most):
        generate = random.Random(number)
        environ = {f"SKEY_{at}": key(generate) for at in range(number)}
        with TemporaryDirectory() as folder:
            path = Path(folder, "integrations.toml")
            text = "".join(INTEGRATION.format(number=at, repository=REPOSITORY) for at in range(number))
            path.write_text(text)
            configuration = load(path, registry.names())
            session_environ(environ)
            began = time.process_time()
            gate.run(gate.GatePlan(configuration, configuration.select(), Stage.CHECK))
            taken = (time.process_time() - began) / number
        reference = reference or taken
        print(f"check, {number:5} integrations: {taken * 1e3:8.1f} ms each {taken / reference:8.2f}")


def session_environ(environ: dict[str, str]) -> None:
    """Set the variables that the references of the configuration name."""
    import os

    os.environ.update(environ)


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--integrations", type=int, default=1000)
    arguments = parser.parse_args()
    texts()
    secrets()
    checks(arguments.integrations)


if __name__ == "__main__":
    main()
