"""Who read what: a row per answer, written behind the readers' backs so that no read waits for the store's writer."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Mapping
from typing import Any

from onevoice.errors import OnevoiceError
from onevoice.store import Store, lookups

MOST_WAITING = 50_000
"""Rows that may wait while a sync holds the store: minutes of reads. Beyond, reads are refused: none goes unnoted."""
BATCH = 2_000
PAUSE = 1.0
"""Seconds between two writes: one short transaction each, which a sync hardly feels."""

log = logging.getLogger("onevoice.api")


class Audit:
    """Collects rows in memory and writes them in batches. What waits when a process is killed is lost: a second's."""

    def __init__(self, store: Store, pause: float = PAUSE) -> None:
        self._store = store
        self._pause = pause
        self._waiting: queue.Queue[Mapping[str, Any]] = queue.Queue(MOST_WAITING)
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_full(self) -> bool:
        """Whether another read could not be noted."""
        return self._waiting.full()

    def note(self, row: Mapping[str, Any]) -> None:
        """Note a read; rows in the column names of `read_audit`."""
        try:
            self._waiting.put_nowait(row)
        except queue.Full:
            log.error("audit: a read could not be noted (the store takes no writes)")  # noqa: TRY400 - no trace is needed

    def start(self) -> None:
        """Begin to write."""
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        batch: list[Mapping[str, Any]] = []
        while True:
            stopping = self._stopped.wait(self._pause)
            batch = self._write(batch)
            if stopping:
                if batch:
                    log.error("audit: %d reads could not be noted before the end", len(batch))
                return

    def _write(self, batch: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Write everything that waits; returns what could not be written yet."""
        while batch or not self._waiting.empty():
            while len(batch) < BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                lookups.note_reads(self._store, batch)
            except OnevoiceError as exc:
                log.warning("%s", exc)
                return batch
            batch = []
        return batch
