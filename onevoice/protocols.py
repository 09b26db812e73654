"""The connector contract: what a source and a destination promise. No base class, no registration.

Raise or return: what is known per record is returned; when nothing is known (transport, auth, throttle, the
whole batch) an error of `onevoice.errors` is raised. Writes carry absolute values, never increments, so a batch
may always be sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from onevoice.errors import ContractBroken

Json = Mapping[str, Any]
"""A JSON object as Python: text, int, float, bool, None, lists and objects of these."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of record of one system."""

    name: str
    key: str
    """Vendor field that identifies a record for ever."""
    reads: bool = True
    writes: bool = False
    snapshot: bool = False
    """Every read yields the whole set: a key that is missing from a complete read is no longer in it."""
    max_batch: int = 1
    """Most records one write call carries at the vendor (its documented limit)."""
    reread: int = 0
    """Records that are read again in every cycle, in turn: the vendor does not promise that a read of changes shows
    every one."""


@dataclass(frozen=True, slots=True)
class Record:
    """One vendor record as it was read. `data` is the vendor's own field names and values."""

    key: str
    data: Json
    updated_at: datetime | None = None
    """The vendor's own stamp, aware, UTC."""
    deleted: bool = False
    merged_into: str = ""
    """Of a deleted record: the key of the record of the same stream into which the vendor merged it."""


@dataclass(frozen=True, slots=True)
class Page:
    """A group of records and the durable watermark that is reached once they are stored.

    `cursor` must be resumable next week: vendor page tokens stay inside `read`.
    """

    records: Sequence[Record]
    cursor: Json
    anew: bool = False
    """The first page of a set that is read whole, from its beginning, because it is another one than before."""


@dataclass(frozen=True, slots=True)
class Write:
    """Absolute values for one existing vendor record; None clears a field."""

    key: str
    fields: Json


class Outcome(StrEnum):
    """What became of one write. Every write gets exactly one."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"
    DEFERRED = "deferred"


class DeferReason(StrEnum):
    """Why a write has to be tried again."""

    THROTTLED = "throttled"
    RETRYABLE = "retryable"
    AUTH = "auth"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class WriteResult:
    """The settled outcome of one write, matched to it by `key`, never by position."""

    key: str
    outcome: Outcome
    code: str = ""
    """The vendor's own error code."""
    message: str = ""
    """The vendor's own words, without personal data."""
    reason: DeferReason | None = None
    """Set exactly when the outcome is DEFERRED."""
    version: datetime | None = None
    """The vendor's own stamp of the record after the write, where its answer tells."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field that pushing needs at the vendor."""

    stream: str
    name: str
    type: str
    """One of text, integer, decimal, boolean, date, datetime."""
    label: str


@dataclass(frozen=True, slots=True)
class Check:
    """The answer of `check`: what was verified, and what an admin should know."""

    account: str
    """The account as the vendor names it (portal id, organisation id)."""
    notes: Sequence[str] = ()
    """Things missing or odd that do not stop work, as sentences."""


class Budget(Protocol):
    """Rate budget handed to a connector; it owns waiting."""

    def acquire(self, kind: str, *, urgent: bool = False, cost: int = 1) -> None:
        """Wait until one call of this kind may be made; `cost` is what it takes of limits that count points."""

    def observe(self, kind: str, *, remaining: int | None = None, limit: int | None = None) -> None:
        """Take note of what the vendor says is left in the current window."""

    def throttled(self, kind: str, retry_after: float | None) -> None:
        """Take note of a refusal: cut the rate, hold until the vendor's own time."""


@runtime_checkable
class TellsQuotas(Protocol):
    """A budget that knows what the vendor said of its quotas."""

    def quotas(self) -> Mapping[str, tuple[int, int]]:
        """What is left of each, and of how many, by name of limit; a quota of which nothing was heard is left out."""


@runtime_checkable
class Source(Protocol):
    """A system that can be read."""

    system: str

    @property
    def streams(self) -> Mapping[str, Stream]:
        """Streams by name."""

    def check(self) -> Check:
        """Prove cheaply that the credential works; raise AuthFailed or PermissionMissing otherwise."""

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        """Yield every record changed after `cursor` and settled by `as_of`, in pages; None reads all.

        `fields` are the vendor fields that mappings use; a connector adds the ones it needs itself.
        """


@runtime_checkable
class Destination(Protocol):
    """A system that can be written."""

    system: str

    @property
    def streams(self) -> Mapping[str, Stream]:
        """Streams by name."""

    def write(self, stream: str, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Write one batch (at most `max_batch`) and return exactly one result per write."""


@runtime_checkable
class Fetches(Protocol):
    """A system that answers for single records: read-back, webhooks."""

    def fetch(self, stream: str, keys: Sequence[str], fields: Sequence[str]) -> Iterator[Record]:
        """Yield the records as they are now; a key that does not exist yields Record(deleted=True)."""


@runtime_checkable
class Glances(Protocol):
    """A system that can be asked who refused just now: in a call or two, without a watermark, and without a promise."""

    def glance(
        self,
        stream: str,
        since: datetime,
        refusals: Mapping[str, Sequence[str]],
        fields: Sequence[str],
        as_of: datetime,
    ) -> Iterator[Record]:
        """Yield records changed from `since` to `as_of` in which a field of `refusals` holds one of its words.

        Begins so much earlier as the system may show changes late. What the system cannot filter by is either left to
        the next read or comes whole, whichever costs few calls: the connector says so.
        """


@runtime_checkable
class Provisions(Protocol):
    """A system in which the fields that pushing needs can be created."""

    def provision(self, fields: Sequence[Field], *, dry_run: bool) -> Sequence[str]:
        """Create what is missing, idempotently; return one sentence per thing created (or that would be)."""


def settle(
    system: str, stream: str, writes: Sequence[Write], results: Iterable[WriteResult]
) -> Mapping[str, WriteResult]:
    """Match results to writes by key; raise ContractBroken unless every write has exactly one."""
    by_key: dict[str, WriteResult] = {}
    for result in results:
        if result.key in by_key:
            raise ContractBroken(
                f"{system}.{stream}: two results for one write (report this connector)", system=system, stream=stream
            )
        if (result.outcome is Outcome.DEFERRED) != (result.reason is not None):
            raise ContractBroken(
                f"{system}.{stream}: a deferred result needs a reason and no other has one (report this connector)",
                system=system,
                stream=stream,
            )
        by_key[result.key] = result
    expected = {write.key for write in writes}
    if expected != by_key.keys():
        missing, extra = len(expected - by_key.keys()), len(by_key.keys() - expected)
        raise ContractBroken(
            f"{system}.{stream}: {missing} writes without a result, {extra} results without a write "
            "(report this connector)",
            system=system,
            stream=stream,
        )
    return by_key
