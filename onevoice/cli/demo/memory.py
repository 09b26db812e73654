"""Peak memory of this process and its children, leaving out one child (the sandbox) and all of its own."""

from __future__ import annotations

import threading
from typing import Self

import psutil

INTERVAL = 0.25
"""Seconds between two looks."""


class PeakMemory:
    """Samples resident memory in a thread while the block runs; `megabytes` is the highest sum seen."""

    def __init__(self, without: int) -> None:
        self._without = without
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peak-memory", daemon=True)
        self._peak = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def megabytes(self) -> float:
        return round(self._peak / 2**20, 1)

    def _watch(self) -> None:
        while True:
            self._peak = max(self._peak, self._resident())
            if self._stop.wait(INTERVAL):
                return

    def _resident(self) -> int:
        """Bytes resident in the tree; pages that two processes share count twice, so it errs on the high side."""
        waiting = [psutil.Process()]
        total = 0
        while waiting:
            process = waiting.pop()
            if process.pid == self._without:
                continue
            try:
                total += process.memory_info().rss
                waiting += process.children()
            except psutil.NoSuchProcess:
                continue
        return total
