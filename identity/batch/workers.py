"""Two processes for what Python itself has to do, where a base is large enough to pay for starting them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Protocol, TypeVar

_PROCESSES = 2
_WORTH = 200_000
"""Records from which on a run has processes of its own."""

T = TypeVar("T")
R = TypeVar("R")


class Each(Protocol):
    """Maps a function over tasks, in their order."""

    def __call__(self, function: Callable[[T], R], tasks: Sequence[T], /) -> Iterator[R]:
        """The result for each task."""


@contextmanager
def workers(records: int) -> Iterator[Each]:
    """How a run over so many records maps functions over tasks: here, or in processes that end with it."""
    if records < _WORTH:
        yield map
        return
    with ProcessPoolExecutor(_PROCESSES, get_context("spawn"), gc.disable) as pool:
        yield pool.map
