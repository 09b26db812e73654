"""Reading an account: profiles in windows over their time of change, and single ones for read-back.

Klaviyo tells nobody of profiles that were deleted or merged away: they are missing from point reads, and that is all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from connectors._manifest import StreamEntry
from connectors._watermark import Span, finished, spans
from connectors.klaviyo.client import Client, Params
from connectors.klaviyo.jobs import patiently
from connectors.klaviyo.own_writes import OwnWrites
from connectors.klaviyo.profiles import PAGE, STAMP, SUPPRESSED, Shape, fetch_profiles, suppression_states
from onevoice.errors import ContractBroken
from onevoice.protocols import Json, Page, Record

_STEP = timedelta(seconds=1)
"""Times are compared by the second and both comparisons leave the bound out, so each bound is moved by one."""
_MOMENT = timedelta(milliseconds=1)
LAG_SECONDS = 5.0
"""How long a point read waits for lists to show what was written just now."""
OWN_FIELDS = ("email",)
_SUPPRESSED_AT = "subscriptions.email.marketing.suppression.timestamp"


class Reader:
    """Pages of profiles, and single records of both streams."""

    def __init__(self, client: Client, entries: Mapping[str, StreamEntry], own_writes: OwnWrites) -> None:
        self._client = client
        self._own_writes = own_writes
        self._entry = entries["profiles"]

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        """Yield the profiles that changed, then those that were suppressed since the last read."""
        if stream != "profiles":
            raise ContractBroken(
                f"{self._client.system}.{stream}: only profiles can be read", system=self._client.system, stream=stream
            )
        shape = Shape([*fields, *OWN_FIELDS])
        windows = spans(cursor, as_of - self._entry.settle, self._entry.lookback)
        for span in windows:
            for rows, reached in self._walk(shape, span):
                yield Page(rows, reached.cursor())
        last = windows[-1]
        behind_all = last.at(last.through + _MOMENT).cursor()
        for rows in self._suppressed(shape, last.since):
            yield Page(rows, behind_all)
        yield Page([], finished(last.through))

    def glance(
        self,
        stream: str,
        since: datetime,
        refusals: Mapping[str, Sequence[str]],
        fields: Sequence[str],
        as_of: datetime,
    ) -> Iterator[Record]:
        """Yield the profiles that were suppressed from `since` on, as the lists show them by now.

        Whoever unsubscribes from e-mail is suppressed with it. By consent itself Klaviyo does not filter: who
        unsubscribes from SMS only is met by the next read.
        """
        del stream, refusals, as_of  # only profiles are read, and suppressions are one filter
        for rows in self._suppressed(Shape([*fields, *OWN_FIELDS]), since - self._entry.settle):
            yield from rows

    def _walk(self, shape: Shape, span: Span) -> Iterator[tuple[Sequence[Record], Span]]:
        """Every profile whose time of change lies in the window, oldest first.

        A page's cursor points behind its last profile, so a profile that is edited meanwhile hides no other: it leaves
        for a later window.
        """
        low = span.stamp
        conditions = [f"greater-than({STAMP},{_second(low - _STEP)})"] if low else []
        conditions.append(f"less-than({STAMP},{_second(span.through + _STEP)})")
        for rows in self._found(shape, conditions, STAMP):
            inside = [(row, at) for row in rows if (at := _stamp(row)) <= span.through and (low is None or at >= low)]
            newest = max((at for _, at in inside), default=span.stamp)
            span = span.at(newest)
            yield [row for row, _ in inside], span

    def _suppressed(self, shape: Shape, since: datetime | None) -> Iterator[Sequence[Record]]:
        """Profiles that were suppressed since then: nobody promises that a bounce moves a profile's time of change, and
        an opt-out must not be missed. A first read has met them all."""
        if since is None or not shape.with_subscriptions:
            return
        conditions = [f"greater-or-equal({_SUPPRESSED_AT},{_second(since)})"]
        yield from self._found(shape, conditions, _SUPPRESSED_AT)

    def _found(self, shape: Shape, conditions: Sequence[str], sort: str) -> Iterator[Sequence[Record]]:
        params: Params = {"filter": ",".join(conditions), "sort": sort, "page[size]": PAGE, **shape.params()}
        for resources in self._client.pages("/api/profiles", params, stream="profiles"):
            yield [shape.record(resource) for resource in resources]

    def fetch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        """Yield the records as they are now, in the order of `keys`."""
        if stream == "suppressions":
            return self._fetch_suppressions(keys)
        return self._fetch_profiles(keys, Shape([*fields, *OWN_FIELDS]))

    def _fetch_profiles(self, keys: Sequence[str], shape: Shape) -> Iterator[Record]:
        """The newest version of each that can be had with a little patience."""
        found = {record.key: record for record in fetch_profiles(self._client, keys, shape)}
        behind = [key for key, record in found.items() if self._own_writes.is_behind(record)]

        def caught_up() -> bool:
            nonlocal behind
            while behind:  # a call at a time: while one of them is late, the others will be
                part, rest = behind[:PAGE], behind[PAGE:]
                found.update((record.key, record) for record in fetch_profiles(self._client, part, shape))
                late = [key for key in part if self._own_writes.is_behind(found[key])]
                behind = [*rest, *late]
                if late:
                    return False
            return True

        if behind:
            patiently(caught_up, LAG_SECONDS)
        for record in found.values():
            self._own_writes.settled(record)
        yield from (found[key] for key in keys)

    def _fetch_suppressions(self, keys: Sequence[str]) -> Iterator[Record]:
        """By e-mail address: whether it is suppressed. An address of no profile is unknown."""
        states = suppression_states(self._client, keys)
        for key in keys:
            yield Record(key, {SUPPRESSED: states[key]}) if key in states else Record(key, {}, deleted=True)


def _stamp(row: Record) -> datetime:
    if row.updated_at is None:
        raise ContractBroken("profiles: a profile without a time of change")
    return row.updated_at


def _second(value: datetime) -> str:
    """2026-11-22T09:00:00Z"""
    return f"{value:%Y-%m-%dT%H:%M:%S}Z"
