"""Recognise errors that mean that this machine ran out of a resource.

If the machine runs out of file descriptors, memory, threads or processes, no provider, contract or setting is at fault.
The error codes are those of errno(3).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

_SHORT_OF = {
    errno.EMFILE: "file descriptors (the limit of this process)",
    errno.ENFILE: "file descriptors (the limit of this machine)",
    errno.ENOMEM: "memory",
    errno.ENOBUFS: "memory for network buffers",
}
_NO_THREAD = "can't start new thread"
_MOST = 20


def shortage_of(error: BaseException) -> str | None:
    """Return what this machine ran out of; None if neither the error nor its causes say so."""
    return next((found for one in _chain(error) if (found := _shortage(one)) is not None), None)


def out_of_descriptors() -> OSError | None:
    """Return the error of opening one more descriptor, or None if there is one to be had.

    Use it after errors of libraries that hide why they could not open something.
    """
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        return error
    return None


def _shortage(error: BaseException) -> str | None:
    if isinstance(error, MemoryError):
        return "memory"
    if isinstance(error, BlockingIOError) and error.errno == errno.EAGAIN:
        return "processes"  # Our sockets and files block, so this error can only come from fork(2).
    if isinstance(error, OSError):
        return _SHORT_OF.get(error.errno or 0)
    return "threads" if isinstance(error, RuntimeError) and _NO_THREAD in str(error) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST:
        one = waiting.pop(0)
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [other for other in (one.__cause__, one.__context__) if other is not None]
