"""Work for Okta's own client, on a sandbox."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from okta.client import Client

from mfagate.sandbox import Running

Work = Callable[[Any], Awaitable[Any]]


def run(running: Running, work: Work, **config: Any) -> Any:
    """Let a client of the sandbox do some work; options that are ``None`` are left out."""
    config = {"orgUrl": running.endpoint, **config}

    async def do() -> Any:
        async with _session(running) as session:
            client = Client({name: value for name, value in config.items() if value is not None})
            client.get_request_executor().set_session(session)
            return await work(client)

    return asyncio.run(do())


@asynccontextmanager
async def _session(running: Running) -> AsyncIterator[aiohttp.ClientSession]:
    # The client's own option for a context does not work: it copies what cannot be copied.
    context = ssl.create_default_context(cafile=running.ca_bundle)
    sockets: list[socket.socket] = []

    def opened(address: Any) -> socket.socket:
        sockets.append(socket.socket(*address[:3]))
        return sockets[-1]

    connector = aiohttp.TCPConnector(ssl=context, socket_factory=opened)
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session
    # A connection which the server closes is on its way out for a while, and nothing of aiohttp's waits for it.
    while any(each.fileno() != -1 for each in sockets):
        await asyncio.sleep(0.01)
