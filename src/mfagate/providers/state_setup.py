"""What all providers share in setting up states: the table of states, test data, and calls to the API."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic

from mfagate.contract import ProviderState
from mfagate.core.exchange import Response
from mfagate.core.foreign import quoted
from mfagate.leftovers.ledger import Ledger, NotRecorded, Thing
from mfagate.leftovers.marks import Mark
from mfagate.providers.errors import LONGEST_CODE
from mfagate.providers.probes import Send, Settings
from mfagate.providers.provider import Provider
from mfagate.providers.states import NOT_ARRANGED, Lane, StateNotConfigured, StateUnavailable, StateValues

if TYPE_CHECKING:
    import requests

Arrangement = Callable[[], StateValues]

Key = str | tuple[str, str]
"""A state's name; with the parameter ``kind`` of the state, if it has one."""

_GOOD = (200, 201, 202)
_NOT_FOUND = 404


class TabledStates(ABC, Generic[Settings]):
    """Sets up provider states on one target, from a table with a function for each state.

    ``send`` signs with the settings that it receives, by default the integration's own.
    """

    def __init__(
        self, provider: Provider[Settings], send: Send[Settings], settings: Settings, test_data: Mapping[str, str]
    ) -> None:
        self.title = provider.title
        self.settings = settings
        self._provider = provider
        self._send = send
        self.test_data = test_data
        self.ledger = Ledger()
        """Objects that were created and not yet removed; the gate sets a ledger that is kept on disk."""

    @abstractmethod
    def arrangements(self) -> Mapping[Key, Arrangement]:
        """Return the function that sets up each state."""

    def arrange(self, state: ProviderState) -> StateValues:
        """Put the provider into the state; the previous state may no longer hold.

        Raises:
            StateNotConfigured: A setting or an entry of ``test_data`` is missing.
            StateUnavailable: The provider refused; the message has its error code and text.
        """
        kind = state.params.get("kind")
        arrangement = self.arrangements().get(state.name if kind is None else (state.name, str(kind)))
        if arrangement is None:
            raise StateUnavailable(f"mfagate cannot put {self.title} into the state {str(state.name)!r}.")
        try:
            return arrangement()
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            missing = f"{type(error).__name__}: {quoted(error, 120)}"
            raise StateUnavailable(f"{self.title}'s answer lacks a documented field ({missing}).") from error

    def lane(self, state: ProviderState) -> Lane | None:
        """Return the lane of a state; None if it shares nothing, so that each of its interactions has a lane.

        Every lane gets its own instance of this class. By default, all states share one lane.
        """
        return Lane()

    def answered(self, response: Response) -> None:
        """Record what the answer to the interaction created, so that it is removed later."""

    def close(self) -> None:
        """Remove what ``arrange`` created. What cannot be removed stays in the ledger.

        Raises:
            ExceptionGroup: Some removals failed because of a defect; the rest was removed.
        """
        defects: list[Exception] = []
        for thing in self.ledger.things:
            try:
                self.remove(thing)
                self.ledger.removed(thing)
            except NOT_ARRANGED:
                continue
            except Exception as error:  # noqa: BLE001 - the rest must still be removed
                defects.append(error)
        if defects:
            raise ExceptionGroup("not everything could be removed", defects)

    @contextmanager
    def making(self, kind: str) -> Iterator[Mark]:
        """Record one object under the mark's name, and create it inside the context.

        Raises:
            StateUnavailable: The object cannot be recorded, so it must not be created.
        """
        mark = self.ledger.mark()
        thing = Thing(kind, mark.name)
        self.record(thing)
        try:
            yield mark
        except StateNotConfigured:  # Raised before a request is sent.
            self.ledger.removed(thing)
            raise
        self.ledger.made(thing)

    def record(self, thing: Thing) -> None:
        """Record an object before it is created, for :meth:`remove`.

        Raises:
            StateUnavailable: The object cannot be recorded, so it must not be created.
        """
        try:
            self.ledger.making(thing)
        except NotRecorded as error:
            raise StateUnavailable(f"Objects that this run creates cannot be recorded: {error}") from None

    def remove(self, thing: Thing) -> None:
        """Remove one object of this or another run; an object that does not exist counts as removed.

        Raises:
            StateUnavailable: The provider refused or failed.
        """
        raise StateUnavailable(f"{self.title} cannot remove the {thing}.")

    def marked(self) -> Iterable[tuple[Thing, Mark]]:
        """Find all objects on this target that carry the mark of any run.

        Raises:
            StateNotConfigured: The configuration does not allow it.
            StateUnavailable: The provider refused or failed.
        """
        return ()

    def delete(self, path: str, settings: Settings | None = None) -> None:
        """Delete a resource that may already be gone.

        Raises:
            StateUnavailable: The provider refused or failed.
        """
        import requests

        response = self.answer(requests.Request("DELETE", path), settings)
        if response.status != _NOT_FOUND:
            self.content(f"DELETE {path}", response)

    def given(self, name: str) -> str:
        """Return an entry of ``test_data``.

        Raises:
            StateNotConfigured: The entry is missing.
        """
        if not (value := self.test_data.get(name)):
            raise StateNotConfigured(f"test_data.{name}", f"test_data has no {name}.")
        return value

    def setting(self, name: str) -> str:
        """Return the value of a setting.

        Raises:
            StateNotConfigured: It is not set.
        """
        if not (value := self.settings.secret(name)):
            raise StateNotConfigured(f"settings.{name}", f"The settings have no {name}.")
        return value

    def answer(self, request: requests.Request, settings: Settings | None = None) -> Response:
        """Return the answer to a request, even if it is an error.

        Raises:
            StateUnavailable: No answer arrived.
        """
        exchange = self._send(request, settings)
        if exchange.response is None:
            message = exchange.failure.message if exchange.failure else "no answer"
            raise StateUnavailable(f"{request.method} {request.url}: {message}")
        return exchange.response

    def ask(self, method: str, path: str, settings: Settings | None = None, **request: Any) -> Any:
        """Return the JSON of a successful answer; None if it has no body, as after a deletion.

        Raises:
            StateUnavailable: No answer arrived, or it is an error or not the provider's JSON.
        """
        import requests

        return self.content(f"{method} {path}", self.answer(requests.Request(method, path, **request), settings))

    def content(self, request_line: str, response: Response) -> Any:
        """Return the content of a successful answer; error messages begin with ``request_line``.

        Raises:
            StateUnavailable: The answer is not successful.
        """
        if error := self._provider.dialect.error_of(response):
            raise StateUnavailable(
                f"{request_line}: error {quoted(error.code, LONGEST_CODE)}, {error.message.quoted()}"
            )
        if response.status == 204:
            return None
        content = self.payload(response)
        if content is None:
            raise StateUnavailable(f"{request_line}: status {response.status} without {self.title}'s JSON.")
        return content

    def payload(self, response: Response) -> Any:
        """Return the JSON of a successful answer, or None. Override it if the provider uses an envelope."""
        try:
            return response.json() if response.status in _GOOD else None
        except ValueError:
            return None
