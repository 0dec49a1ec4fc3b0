"""What all providers share in arranging states: the table of them, test data, and asking the API for it."""

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
from mfagate.providers.states import NOT_ARRANGED, StateNotConfigured, StateUnavailable, StateValues

if TYPE_CHECKING:
    import requests

Arrangement = Callable[[], StateValues]

Key = str | tuple[str, str]
"""A state's name; with the parameter ``kind`` of the state, if it has one."""

_GOOD = (200, 201, 202)
_NOT_FOUND = 404


class TabledStates(ABC, Generic[Settings]):
    """States from a table of how each is arranged, on one target.

    ``send`` signs with the settings that it is handed, the integration's own by default.
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
        """What was made here and not removed; whoever runs the gate sets one that outlives this process."""

    @abstractmethod
    def arrangements(self) -> Mapping[Key, Arrangement]:
        """How each state is arranged."""

    def arrange(self, state: ProviderState) -> StateValues:
        """Put the provider into the state; the one before it may cease to hold.

        Raises:
            StateNotConfigured: A setting or an entry of ``test_data`` is missing.
            StateUnavailable: The provider refused; the message has its error code and text.
        """
        kind = state.params.get("kind")
        arrangement = self.arrangements().get(state.name if kind is None else (state.name, str(kind)))
        if arrangement is None:
            raise StateUnavailable(f"mfagate cannot put {self.title} into the state {state.name!r}.")
        try:
            return arrangement()
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            missing = f"{type(error).__name__}: {quoted(error, 120)}"
            raise StateUnavailable(f"{self.title}'s answer lacks a documented field ({missing}).") from error

    def answered(self, response: Response) -> None:
        """Look at the answer to the interaction itself; what it made is recorded, so that it is removed."""

    def close(self) -> None:
        """Remove what ``arrange`` created. What the provider does not remove stays in the ledger.

        Raises:
            ExceptionGroup: Defects in removing some of it; the rest was removed.
        """
        defects: list[Exception] = []
        for thing in self.ledger.things:
            try:
                self.remove(thing)
                self.ledger.removed(thing)
            except NOT_ARRANGED:
                continue
            except Exception as error:  # noqa: BLE001 - it must not keep the rest from being removed
                defects.append(error)
        if defects:
            raise ExceptionGroup("not everything could be removed", defects)

    @contextmanager
    def making(self, kind: str) -> Iterator[Mark]:
        """Make one thing under the mark's name while the context lasts; it is recorded before it is made.

        Raises:
            StateUnavailable: It cannot be recorded, so it must not be made.
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
        """Record what is about to be made, for :meth:`remove`.

        Raises:
            StateUnavailable: It cannot be recorded, so it must not be made.
        """
        try:
            self.ledger.making(thing)
        except NotRecorded as error:
            raise StateUnavailable(f"Objects that this run creates cannot be recorded: {error}") from None

    def remove(self, thing: Thing) -> None:
        """Remove one thing of the ledger of this or another run; one that is not there is removed already.

        Raises:
            StateUnavailable: The provider refused or failed.
        """
        raise StateUnavailable(f"{self.title} cannot remove the {thing}.")

    def marked(self) -> Iterable[tuple[Thing, Mark]]:
        """Find what carries the mark of any run in every place where this provider has room for one.

        Raises:
            StateNotConfigured: Nothing in the configuration allows for it.
            StateUnavailable: The provider refused or failed.
        """
        return ()

    def delete(self, path: str, settings: Settings | None = None) -> None:
        """Delete what may not be there.

        Raises:
            StateUnavailable: The provider refused or failed.
        """
        import requests

        response = self.answer(requests.Request("DELETE", path), settings)
        if response.status != _NOT_FOUND:
            self.content(f"DELETE {path}", response)

    def given(self, name: str) -> str:
        """An entry of ``test_data``.

        Raises:
            StateNotConfigured: There is none.
        """
        if not (value := self.test_data.get(name)):
            raise StateNotConfigured(f"test_data.{name}", f"test_data has no {name}.")
        return value

    def setting(self, name: str) -> str:
        """A setting's value.

        Raises:
            StateNotConfigured: It is not set.
        """
        if not (value := self.settings.secret(name)):
            raise StateNotConfigured(f"settings.{name}", f"The settings have no {name}.")
        return value

    def answer(self, request: requests.Request, settings: Settings | None = None) -> Response:
        """The answer to a request, whatever it is.

        Raises:
            StateUnavailable: None came.
        """
        exchange = self._send(request, settings)
        if exchange.response is None:
            message = exchange.failure.message if exchange.failure else "no answer"
            raise StateUnavailable(f"{request.method} {request.url}: {message}")
        return exchange.response

    def ask(self, method: str, path: str, settings: Settings | None = None, **request: Any) -> Any:
        """The JSON of a good answer; None where it has no body, as after a deletion.

        Raises:
            StateUnavailable: No answer, an error, or something else than the provider's JSON.
        """
        import requests

        return self.content(f"{method} {path}", self.answer(requests.Request(method, path, **request), settings))

    def content(self, asked: str, response: Response) -> Any:
        """What a good answer holds; ``asked`` begins the messages.

        Raises:
            StateUnavailable: It is none.
        """
        if error := self._provider.dialect.error_of(response):
            raise StateUnavailable(f"{asked}: error {quoted(error.code, LONGEST_CODE)}, {error.message.quoted()}")
        if response.status == 204:
            return None
        content = self.payload(response)
        if content is None:
            raise StateUnavailable(f"{asked}: status {response.status} without {self.title}'s JSON.")
        return content

    def payload(self, response: Response) -> Any:
        """The JSON of a good answer, else None: override where the provider wraps it."""
        try:
            return response.json() if response.status in _GOOD else None
        except ValueError:
            return None
