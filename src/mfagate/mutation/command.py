"""``mfagate mutate``: choose the mutants, run them, and report the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from mfagate.config.model import Configuration, Integration
from mfagate.mutation import report
from mfagate.mutation.generate import mutants_of
from mfagate.mutation.layout import NotMutable
from mfagate.mutation.model import Mutant, MutantResult
from mfagate.mutation.run import Runner, opened

Progress = Callable[[str, int, int], object]
"""Called with the current activity, the number of finished steps, and the number of all steps."""


@dataclass(frozen=True, slots=True)
class CommandOutput:
    """What the command writes: ``text`` for people, and ``json`` as the complete document."""

    text: str
    json: str
    exit_code: int


def run(
    configuration: Configuration,
    integrations: Sequence[Integration],
    *,
    kinds: Sequence[str] = (),
    live: bool = True,
    seed: int = 0,
    verbose: bool = False,
    progress: Progress = lambda doing, done, of: None,
) -> CommandOutput:
    """Run every mutant of the chosen classes; of all classes if none is chosen.

    Raises:
        NotMutable: The unedited configuration does not pass on sandboxes, or there is nothing to edit.
        SandboxError: A sandbox did not start.
    """
    started = time.perf_counter()
    progress("starting sandboxes", 0, 1)
    with opened(configuration, integrations) as project:
        runner = Runner(project, live=live)
        progress("checking the unedited copy", 0, 1)
        runner.confirm()
        chosen = _chosen(mutants_of(project, seed=seed), kinds)
        done = 0

        def count(_: MutantResult) -> None:
            nonlocal done
            done += 1
            progress("edits", done, len(chosen))

        results = runner.run(chosen, count)
    seconds = time.perf_counter() - started
    return CommandOutput(
        report.console(results, live=live, verbose=verbose),
        report.as_json(results, live=live, seed=seed, seconds=seconds),
        1 if report.survivors(results) or report.refused(results) else 0,
    )


def listed(
    configuration: Configuration, integrations: Sequence[Integration], *, kinds: Sequence[str] = (), seed: int = 0
) -> str:
    """Return one line for each edit. This starts the sandboxes, because their values are edited.

    Raises:
        NotMutable: The configuration cannot be moved to sandboxes, or there is nothing to edit.
        SandboxError: A sandbox did not start.
    """
    with opened(configuration, integrations) as project:
        chosen = _chosen(mutants_of(project, seed=seed), kinds)
    return "".join(f"{mutant.id}  {mutant.operator.sentence}\n" for mutant in chosen)


def _chosen(mutants: Iterable[Mutant], kinds: Sequence[str]) -> list[Mutant]:
    chosen = [mutant for mutant in mutants if not kinds or mutant.operator.kind in kinds]
    if not chosen:
        which = f" of the class {' or '.join(kinds)}" if kinds else ""
        raise NotMutable(f"no edit{which} applies to the chosen integrations, so nothing would be tried")
    return chosen
