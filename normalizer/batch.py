"""Batch: files read and repaired by worker processes, the results in the order of the files."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path

from .cache import CleanCache, options_digest
from .document import Document, DocumentError, read_bytes
from .pipeline import Config, Normalizer, Outcome

# Files go to a worker in parcels of about this many bytes: small enough to share, large enough to be worth the way.
_PARCEL = 400_000
_MOST = 500
# Below this many bytes starting a worker costs more than it saves.
_WORTH = 4_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """One file to do: its name, its bytes, and the options for it."""

    name: str
    data: bytes
    config: Config
    encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one file. error: why it could not be done, '' if it was. known: found in the cache of clean files,
    with `findings` left to decide; nothing else is then given but its name.
    """

    name: str
    error: str = ""
    data: bytes = b""
    document: Document | None = None
    outcome: Outcome | None = None
    repaired: bytes = b""
    known: bool = False
    findings: int = 0


@dataclass(slots=True)
class _Parcel:
    """Files in order: those to be done, by a worker where there is a future, and those whose result is known."""

    items: list[Task | Result] = field(default_factory=list)
    future: Future[list[Result]] | None = None

    @property
    def tasks(self) -> list[Task]:
        return [item for item in self.items if isinstance(item, Task)]

    def done(self) -> bool:
        return self.future is None or self.future.done()


def _size(path: str) -> int:
    """Bytes of a file, 0 where that cannot be told."""
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return 0


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Batch:
    """Repairs any number of files. jobs: worker processes, 0 for as many as there are processors.

    cached: whether files known to be clean are passed over; listing: not those with something left to decide. read: gives the bytes of standard input.
    """

    def __init__(
        self, jobs: int = 1, cached: bool = False, listing: bool = True, read: Callable[[], bytes] | None = None
    ) -> None:
        self.jobs = jobs or processors()
        self.cached, self.listing = cached, listing
        self._read = read or (lambda: sys.stdin.buffer.read())
        self._normalizers: dict[Config, Normalizer] = {}
        self._caches: dict[tuple[Config, str | None], CleanCache] = {}

    def normalizer(self, config: Config) -> Normalizer:
        """The Normalizer of these options, made once. Raises what Normalizer raises."""
        if config not in self._normalizers:
            self._normalizers[config] = Normalizer(config)
        return self._normalizers[config]

    def run(self, files: Sequence[tuple[str, str, Config, str | None]]) -> Generator[Result, None, None]:
        """The result of each file, in order. files: path or -, the name to call it, options, encoding or None.

        Leaves no worker behind, whether it ends, is closed or is interrupted.
        """
        apart = self.jobs > 1 and sum(_size(path) for path, *_ in files) >= _WORTH
        waiting: deque[_Parcel] = deque()
        pool: ProcessPoolExecutor | None = None
        try:
            for parcel in self._parcels(files):
                if apart and parcel.tasks:
                    pool = pool or ProcessPoolExecutor(
                        self.jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_start
                    )
                    parcel.future = pool.submit(work, parcel.tasks)
                waiting.append(parcel)
                while waiting and (len(waiting) > 4 * self.jobs or waiting[0].done()):
                    yield from self._results(waiting.popleft())
            while waiting:
                yield from self._results(waiting.popleft())
        except BaseException:
            if pool is not None:
                _stop(pool)
            raise
        else:
            if pool is not None:
                pool.shutdown()
        finally:
            for cache in self._caches.values():
                cache.save()

    def _parcels(self, files: Iterable[tuple[str, str, Config, str | None]]) -> Iterator[_Parcel]:
        parcel, size = _Parcel(), 0
        for item in self._tasks(files):
            parcel.items.append(item)
            size += len(item.data)
            if size >= _PARCEL or len(parcel.items) >= _MOST:
                yield parcel
                parcel, size = _Parcel(), 0
        yield parcel

    def _tasks(self, files: Iterable[tuple[str, str, Config, str | None]]) -> Iterator[Task | Result]:
        """What is to be done, or is done already: a file that cannot be read, or is known to be clean."""
        for path, name, config, encoding in files:
            try:
                data = self._read() if path == "-" else read_bytes(Path(path))
            except DocumentError as error:
                yield Result(name, str(error))
                continue
            found = self._cache(config, encoding).findings(hashlib.sha256(data).digest()) if self.cached else None
            if found is None or (found and self.listing):
                yield Task(name, data, config, encoding)
            else:
                yield Result(name, known=True, findings=found)

    def _cache(self, config: Config, encoding: str | None) -> CleanCache:
        key = (config, encoding)
        if key not in self._caches:
            self._caches[key] = CleanCache(options_digest(self.normalizer(config), encoding))
        return self._caches[key]

    def _results(self, parcel: _Parcel) -> Iterator[Result]:
        done: Iterator[Result] | None = None
        if parcel.future is not None:
            # a worker may be killed, perhaps for want of memory: its files are then done here, one by one
            with contextlib.suppress(BrokenProcessPool):
                done = iter(parcel.future.result())
        for item in parcel.items:
            if isinstance(item, Result):
                yield item
            else:
                yield self._noted(item, next(done) if done else _one(item, self.normalizer(item.config)))

    def _noted(self, task: Task, result: Result) -> Result:
        outcome = result.outcome
        if self.cached and outcome is not None and not outcome.patch:
            self._cache(task.config, task.encoding).add(hashlib.sha256(task.data).digest(), len(outcome.findings))
        return result


_ready: dict[Config, Normalizer] = {}


def _start() -> None:
    """Ctrl-C is for the parent to handle; it stops its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def work(tasks: Sequence[Task]) -> list[Result]:
    """Does a parcel of files in a worker; rules and weights are loaded once a process."""
    results = []
    for task in tasks:
        if task.config not in _ready:
            _ready[task.config] = Normalizer(task.config)
        results.append(_one(task, _ready[task.config]))
    return results


def _one(task: Task, normalizer: Normalizer) -> Result:
    try:
        document = Document.decode(task.data, task.encoding, task.name)
        outcome = normalizer(document.text)
        repaired = document.encode(outcome.text) if outcome.patch else task.data
    except DocumentError as error:
        return Result(task.name, str(error))
    except Exception as error:  # a fault of ours in one file must not stop the others
        return Result(task.name, f"{task.name}: could not be done ({type(error).__name__}: {error}); please report it")
    return Result(task.name, "", task.data, document, outcome, repaired)


def _stop(pool: ProcessPoolExecutor) -> None:
    """Ends the workers at once; they have written nothing."""
    running = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in running:
        process.terminate()
    for process in running:
        process.join(5)
