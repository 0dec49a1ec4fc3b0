"""Generate every mutant of a project, in a stable order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from mfagate.mutation import harmless, structure
from mfagate.mutation.copy import holds
from mfagate.mutation.layout import MutatedProject, targets_in
from mfagate.mutation.model import EditTarget, Mutant, expected_causes
from mfagate.mutation.structure import Edited
from mfagate.mutation.values import address_edits, edits


def mutants_of(project: MutatedProject, *, seed: int = 0) -> Iterator[Mutant]:
    """Yield each mutant once; the same seed and values give the same mutants.

    An id is ``INTEGRATION.SETTING/OPERATOR``, with a number if the operator edits the setting in several ways.
    """
    numbers: Counter[str] = Counter()
    for name in project.integrations:
        for edited in _edits(project, name, seed):
            if edited.copy == project.original:
                continue  # Nothing changed: the line endings are Windows' already, say.
            operator, target = edited.operator, edited.target
            setting = f"settings.{target.field.name}" if edited.setting is None else edited.setting
            base = f"{name}.{setting}/{operator.name}".replace("./", "/")
            numbers[base] += 1
            keys = filter(None, setting.split("."))
            yield Mutant(
                id=base if numbers[base] == 1 else f"{base}/{numbers[base]}",
                operator=operator,
                integration=name,
                setting=f"{name}.{setting}".removesuffix("."),
                location=target.location if edited.setting is None else project.integrations[name].locate(*keys),
                copy=edited.copy,
                expected=expected_causes(operator, address=target.address) if operator.harmful else frozenset(),
            )


def _edits(project: MutatedProject, integration: str, seed: int) -> Iterator[Edited]:
    targets = list(targets_in(project.targets, integration))
    for target in targets:
        yield from _of_target(project, target, Random(f"{seed}/{target.name}"))  # noqa: S311 - no secret is made of it
    yield from structure.variants(project, integration)
    if targets:
        rng = Random(f"{seed}/{integration}")  # noqa: S311
        yield from structure.expectations(project, targets[0], rng)
        yield from structure.client(project, targets[0])
        yield from structure.table(project, targets[0])
        yield from harmless.of_file(project, targets[0])


def _of_target(project: MutatedProject, target: EditTarget, rng: Random) -> Iterator[Edited]:
    for operator, value in (*edits(target, rng), *address_edits(target)):
        if holds(target.reference, value):
            yield Edited(operator, target, project.original.with_value(target.keys, target.reference, value))
    yield from structure.mixed_up(project, target)
    yield from structure.keys(project, target, rng)
    yield from structure.types(project, target)
    yield from structure.kubernetes(project, target)
    yield from structure.references(project, target)
    yield from harmless.of_target(project, target)
