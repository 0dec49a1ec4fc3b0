"""Every mutant of a project, in a stable order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from mfagate.mutation import harmless, structure
from mfagate.mutation.copy import holds
from mfagate.mutation.layout import MutatedProject, places_in
from mfagate.mutation.model import EditTarget, Mutant, expected_causes
from mfagate.mutation.structure import Edited
from mfagate.mutation.values import address_edits, edits


def mutants_of(project: MutatedProject, *, seed: int = 0) -> Iterator[Mutant]:
    """Each mutant once; the same seed gives the same ones for the same values.

    An id is ``INTEGRATION.SETTING/OPERATOR``, with a number where one operator edits
    a setting in several ways.
    """
    numbers: Counter[str] = Counter()
    for name in project.integrations:
        for edited in _edits(project, name, seed):
            if edited.copy == project.original:
                continue  # no edit at all: lines that are Windows' already, tables whose order is left alone
            operator, place = edited.operator, edited.place
            setting = f"settings.{place.field.name}" if edited.setting is None else edited.setting
            base = f"{name}.{setting}/{operator.name}".replace("./", "/")
            numbers[base] += 1
            yield Mutant(
                id=base if numbers[base] == 1 else f"{base}/{numbers[base]}",
                operator=operator,
                integration=name,
                setting=f"{name}.{setting}".removesuffix("."),
                location=place.location
                if edited.setting is None
                else project.integrations[name].locate(*filter(None, edited.setting.split("."))),
                copy=edited.copy,
                expected=expected_causes(operator, address=place.address) if operator.harmful else frozenset(),
            )


def _edits(project: MutatedProject, integration: str, seed: int) -> Iterator[Edited]:
    places = list(places_in(project.places, integration))
    for place in places:
        yield from _of_place(project, place, Random(f"{seed}/{place.name}"))  # noqa: S311 - no secret is made of it
    yield from structure.variants(project, integration)
    if places:
        rng = Random(f"{seed}/{integration}")  # noqa: S311
        yield from structure.expectations(project, places[0], rng)
        yield from structure.client(project, places[0])
        yield from structure.table(project, places[0])
        yield from harmless.of_file(project, places[0])


def _of_place(project: MutatedProject, place: EditTarget, rng: Random) -> Iterator[Edited]:
    for operator, value in (*edits(place, rng), *address_edits(place)):
        if holds(place.reference, value):
            yield Edited(operator, place, project.original.with_value(place.keys, place.reference, value))
    yield from structure.mixed_up(project, place)
    yield from structure.keys(project, place, rng)
    yield from structure.types(project, place)
    yield from structure.kubernetes(project, place)
    yield from structure.references(project, place)
    yield from harmless.of_place(project, place)
