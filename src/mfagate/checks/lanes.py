"""Sort the interactions of a contract into lanes: those of one lane are sent in order, and lanes run at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from mfagate.contract import Interaction, ProviderState
from mfagate.providers.states import Lane


@dataclass(slots=True)
class Queue:
    """The interactions of one lane, in order, each with its position in the contract's order."""

    lane: Lane
    entries: list[tuple[int, Interaction]] = field(default_factory=list)


def queues(interactions: Iterable[Interaction], lane_of: Callable[[ProviderState], Lane | None]) -> Sequence[Queue]:
    """Return the queues in the order in which they begin: those that wait first, then the longest.

    Args:
        interactions: The interactions, in the order of the report.
        lane_of: Returns the lane of a state; None if it shares nothing.
    """
    numbered = list(enumerate(interactions))
    lanes = {number: _lanes(interaction, lane_of) for number, interaction in numbered}
    if any(len(several) > 1 for several in lanes.values()):
        # The states of one interaction share different things: no two interactions may run at once.
        return [Queue(Lane(), numbered)]
    shared: dict[str, Queue] = {}
    found: list[Queue] = []
    for number, interaction in numbered:
        if not lanes[number]:
            found.append(Queue(Lane(), [(number, interaction)]))
            continue
        (lane,) = lanes[number].values()
        queue = shared.get(lane.name)
        if queue is None or (lane.most is not None and len(queue.entries) >= lane.most):
            queue = shared[lane.name] = Queue(lane)
            found.append(queue)
        queue.entries.append((number, interaction))
    return sorted(found, key=lambda queue: (not queue.lane.waits, -len(queue.entries)))


def _lanes(interaction: Interaction, lane_of: Callable[[ProviderState], Lane | None]) -> dict[str, Lane]:
    lanes = (lane_of(state) for state in interaction.states)
    return {lane.name: lane for lane in lanes if lane is not None}
