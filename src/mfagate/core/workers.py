"""A bounded pool of threads, which works with fewer threads if this machine cannot start more."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, InvalidStateError
from contextvars import copy_context
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

Done = TypeVar("Done")

_Job = Callable[[], None]

_MOST_TRIES = 50


def _fail(future: Future[Any], error: BaseException) -> None:
    """Store the error for the thread that waits for the result. Retry while there is no memory for it."""
    for _ in range(_MOST_TRIES):
        try:
            future.set_exception(error)
        except MemoryError:
            time.sleep(0.1)
        except InvalidStateError:
            return
        else:
            return


class Workers(Executor):
    """Run jobs in at most ``most`` daemon threads, started one by one as jobs come.

    ``ThreadPoolExecutor`` loses a job if its thread cannot be started. Here an existing thread runs the job, or the
    caller of ``submit`` if there is no thread.
    """

    def __init__(self, most: int, name: str = "mfagate") -> None:
        self._most = most
        self._name = name
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lock = Lock()
        self._started = 0

    def submit(self, fn: Callable[..., Done], /, *args: Any, **kwargs: Any) -> Future[Done]:
        """Run the job in a thread, as soon as a thread is free, with the context variables of the caller."""
        future: Future[Done] = Future()
        context = copy_context()

        def job() -> None:
            try:
                if future.set_running_or_notify_cancel():
                    future.set_result(context.run(fn, *args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - raised again by ``Future.result``
                _fail(future, error)

        if self._has_thread():
            self._jobs.put(job)
        else:
            job()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads when they are free; with ``cancel_futures``, drop jobs that have not begun."""
        while cancel_futures and not self._jobs.empty():
            self._jobs.get()
        for _ in range(self._started):
            self._jobs.put(None)

    def _has_thread(self) -> bool:
        with self._lock:
            if self._started < self._most:
                try:
                    Thread(target=self._work, name=f"{self._name} {self._started}", daemon=True).start()
                except (RuntimeError, MemoryError):
                    return self._started > 0
                self._started += 1
            return True

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def at_once(jobs: Sequence[Callable[[], Done]], most: int) -> list[Done]:
    """Run the jobs in at most ``most`` threads, and return their results in order. A single job needs no thread.

    Raises:
        BaseException: The first error of a job, in order, as soon as the jobs before it are done.
    """
    if len(jobs) < 2:
        return [job() for job in jobs]
    pool = Workers(min(most, len(jobs)))
    try:
        return [future.result() for future in [pool.submit(job) for job in jobs]]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
