"""Ten known bugs, each planted by a patch: the simulation must find every one of them.

They are bugs that open systems have had. A patch of a text asserts that the text is there, so that a mutant never
becomes a harmless one unnoticed.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from onevoice.pipeline import pull
from onevoice.pipeline.delivery import batch, plan, push
from onevoice.protocols import Outcome, Write, WriteResult
from onevoice.store import outboxes, pages
from onevoice.store.engine import delete_in
from onevoice.store.schema import outbox
from simulated.vendors import HUB

Mutant = Callable[[], AbstractContextManager[Any]]


def _rewritten(owner: Any, name: str, *changes: tuple[str, str]) -> AbstractContextManager[Any]:
    """A function with other text in it."""
    function = getattr(owner, name)
    text = textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        assert old in text, f"{function.__qualname__} does not say {old!r} any more: plant the mutant anew"
        text = text.replace(old, new)
    module = inspect.getmodule(function)
    scope: dict[str, Any] = {}
    exec(compile("from __future__ import annotations\n" + text, f"<mutant of {name}>", "exec"), vars(module), scope)
    return patch.object(owner, name, scope[name])


@contextmanager
def fingerprint_before_delivery() -> Iterator[None]:
    """What is to be sent counts as sent as soon as it is planned."""
    real = plan.outboxes.replace_outbox

    def replace_outbox(connection: Any, planned: Any, rows: Sequence[Any], at: Any, **named: Any) -> None:
        real(connection, planned, rows, at, **named)
        states = pages.load_destinations(connection, [row.ref for row in rows])
        targets = {row.ref: dict(row.fields) for row in rows}
        moved = {
            ref: replace(state, sent={**state.sent, **{n: _text(v) for n, v in targets[ref].items()}})
            for ref, state in states.items()
        }
        pages.save_destinations(connection, moved)

    with patch.object(plan.outboxes, "replace_outbox", replace_outbox):
        yield


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)


@contextmanager
def cursor_before_load() -> Iterator[None]:
    """The watermark is moved before the page behind it is stored."""
    real = pull.store_page

    def store_page(
        hub: Any, system: str, stream: str, records: Any, cursor: Any, fields: Any, **named: Any
    ) -> dict[str, int]:
        if cursor is not None:
            with hub.store.begin() as connection:
                pages.move_cursor(connection, system, stream, cursor, fields, hub.as_of)
        return real(hub, system, stream, records, None, fields, **named)

    with patch.object(pull, "store_page", store_page):
        yield


@contextmanager
def any_row_success() -> Iterator[None]:
    """A batch counts as done when one of its rows was."""
    real = push.settle_batch

    def settle_batch(hub: Any, target: Any, owner: str, results: Mapping[str, Any], left: Any) -> Any:
        if any(result.outcome is Outcome.ACCEPTED for _, result in results.values()):
            results = {ref: (row, WriteResult(r.key, Outcome.ACCEPTED)) for ref, (row, r) in results.items()}
        return real(hub, target, owner, results, left)

    with patch.object(push, "settle_batch", settle_batch):
        yield


@contextmanager
def author_filter() -> Iterator[None]:
    """Records that the hub's own user changed last are passed over."""
    real = pull.store_page

    def store_page(
        hub: Any, system: str, stream: str, records: Any, cursor: Any, fields: Any, **named: Any
    ) -> dict[str, int]:
        others = [record for record in records if record.data.get("changed_by") != HUB]
        return real(hub, system, stream, others, cursor, fields, **named)

    with patch.object(pull, "store_page", store_page):
        yield


@contextmanager
def single_shadow() -> Iterator[None]:
    """One value is kept for what was sent and what was seen."""

    def ingest(state: Any, seen: Mapping[str, Any], flying: Mapping[str, Any]) -> Any:
        if state is None:
            return pages.DestinationState(dict(seen), dict(seen))
        changed = {n: v for n, v in seen.items() if state.sent.get(n) != v and (n not in flying or flying[n] != v)}
        if not changed:
            return None
        return replace(state, sent={**state.sent, **changed}, observed={**state.observed, **changed})

    with patch.object(pull, "ingest", ingest):
        yield


@contextmanager
def increment_writes() -> Iterator[None]:
    """Points are added to what is there."""
    real = batch.Sender._write

    def _write(self: Any, target: Any, writes: Sequence[Write]) -> Any:
        names = {field.name for field in target.fields if field.source.endswith(".points")}
        refs = {f"{target.system}/{target.stream}/{write.key}": write for write in writes}
        with self.hub.store.read() as connection:
            states = pages.load_destinations(connection, refs)
        return real(self, target, [_adding(write, names, states.get(ref)) for ref, write in refs.items()])

    with patch.object(batch.Sender, "_write", _write):
        yield


def _adding(write: Write, names: set[str], state: Any) -> Write:
    fields = dict(write.fields)
    for name in names & fields.keys():
        there = float(state.sent.get(name) or 0) if state is not None else 0.0
        if fields[name] is not None and not isinstance(fields[name], Mapping):
            fields[name] = {"increment": float(fields[name]) - there}
    return Write(write.key, fields)


@contextmanager
def index_matched_results() -> Iterator[None]:
    """Results are matched to writes by their place in the answer."""

    def settle(_system: str, _stream: str, writes: Sequence[Write], results: Sequence[WriteResult]) -> Any:
        pairs = zip(writes, results, strict=True)
        return {write.key: replace(result, key=write.key) for write, result in pairs}

    with patch.object(batch, "settle", settle):
        yield


@contextmanager
def no_in_flight_echo() -> Iterator[None]:
    """A value that comes back before its answer was stored is taken for somebody else's."""
    real = pull.pages.load_before

    def load_before(*given: Any, **named: Any) -> Any:
        return replace(real(*given, **named), in_flight={})

    with patch.object(pull.pages, "load_before", load_before):
        yield


def unsorted_locks() -> AbstractContextManager[Any]:
    """Rows are written in the order in which they come."""
    return _rewritten(pages, "mark_work", ("sorted(set(marks))", "sorted(set(marks), key=lambda mark: mark[1][::-1])"))


def deferred_lost() -> AbstractContextManager[Any]:
    """A write that was put off is forgotten."""
    return patch.object(outboxes, "release", _forget)


def _forget(connection: Any, refs: Any, _owner: str, *, ambiguous: bool) -> None:
    if not ambiguous:
        delete_in(connection, outbox, outbox.c.ref, refs)


MUTANTS: Mapping[str, Mutant] = {
    made.__name__: made
    for made in (
        fingerprint_before_delivery,
        cursor_before_load,
        any_row_success,
        author_filter,
        single_shadow,
        increment_writes,
        index_matched_results,
        no_in_flight_echo,
        unsorted_locks,
        deferred_lost,
    )
}

CAUGHT_BY: Mapping[str, tuple[int, ...]] = {
    "fingerprint_before_delivery": (1, 19, 20, 23, 33),
    "cursor_before_load": (6, 10, 30, 31, 33),
    "any_row_success": (5, 12, 14, 17, 18),
    "author_filter": (0, 5, 7, 12, 23),
    "single_shadow": (0, 2, 3, 5, 6),
    "increment_writes": (5, 7, 8, 17, 24),
    "index_matched_results": (5, 12, 17, 18, 38),
    "no_in_flight_echo": (42, 62),
    "unsorted_locks": (0, 1, 2, 3, 4),
    "deferred_lost": (34, 36, 62, 69, 84),
}
"""Seeds that find each. What a seed does hangs on every operation of the pipeline, so several are kept; where none is
left, `run.py --mutant NAME` finds others."""
