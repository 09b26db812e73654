"""The contract suite: rules that every connector keeps, checked against a vendor that answers (a sandbox will do).

For each connector write a `Rig`: how to open it, and how to make things happen at the vendor behind its back. Then run
every rule of `RULES` with a fresh rig; a rule raises AssertionError with a sentence. A connector that only reads is
asked no questions about writing; any other exemption from a rule is a waiver, and says why.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from onevoice.errors import AuthFailed, ConnectorError, Throttled
from onevoice.protocols import Field, Json, Outcome, Page, Write, WriteResult, settle

CHEAP_CALLS = 4
"""What `check` may cost, signing in included."""


class Rig(Protocol):
    """A vendor with records in `stream`, all old and more than one page of them, and ways to touch it."""

    kind: str
    stream: str
    fields: Sequence[str]
    """Vendor fields to read."""
    private: Sequence[str]
    """Secrets and personal data that no error may show."""

    def open(self, *, bad_credential: bool = False) -> Any:
        """A connector of this kind, new, as after a restart of the process."""

    def settled(self) -> datetime:
        """Let everything that happened settle, and return the `as_of` of a read that must see it."""

    def keys(self) -> set[str]:
        """The keys of all records that the vendor has now."""

    def edit(self, key: str) -> None:
        """Change a record at the vendor."""

    def delete(self, key: str) -> None:
        """Delete a record at the vendor."""

    def throttle(self, *, on: bool) -> None:
        """Make the vendor refuse most calls as too many, or stop that."""

    def calls(self) -> int:
        """How many calls the vendor was asked so far."""

    def good(self, key: str, serial: int) -> Write:
        """A write that the vendor takes; another serial gives other values."""

    def bad(self, key: str) -> Write:
        """A write that the vendor takes from nobody."""

    def cleared(self, key: str) -> Write:
        """A write that clears what `good` set."""

    def holds(self, write: Write) -> bool:
        """Whether the vendor has exactly these values."""

    def new_field(self) -> Field:
        """A field that the vendor does not have yet."""


Rule = Callable[[Rig], None]


def check_costs_little(rig: Rig) -> None:
    """`check` works with a good credential, names the account, and asks the vendor next to nothing."""
    before = rig.calls()
    answer = rig.open().check()
    _must(bool(answer.account), "check names no account")
    _must(
        rig.calls() - before <= CHEAP_CALLS, f"check made {rig.calls() - before} calls, at most {CHEAP_CALLS} are cheap"
    )


def check_refuses_a_bad_credential(rig: Rig) -> None:
    """`check` raises AuthFailed."""
    error = _error(lambda: rig.open(bad_credential=True).check())
    _must(isinstance(error, AuthFailed), f"a bad credential gave {type(error).__name__}, not AuthFailed")


def read_ends_and_gives_everything(rig: Rig) -> None:
    """A first read yields every record, in pages with plain cursors, and ends."""
    pages = _pages(rig, None)
    records = [record for page in pages for record in page.records if not record.deleted]
    _must({record.key for record in records} == rig.keys(), "a first read did not give exactly the records there are")
    _must(len(pages) > 1, "the rig has too few records to make two pages")
    for page in pages:
        _must(json.loads(json.dumps(page.cursor)) == page.cursor, "a cursor does not survive JSON")
    naive = [record for record in records if record.updated_at and record.updated_at.tzinfo is None]
    _must(not naive, "a record's time has no offset")


def read_goes_on_after_a_crash(rig: Rig) -> None:
    """From the cursor of any page on, a new process reads all that was not in the pages up to it."""
    pages = _pages(rig, None)
    for at in sorted({0, len(pages) // 2, len(pages) - 1}):
        before = {record.key for page in pages[: at + 1] for record in page.records}
        after = {record.key for page in _pages(rig, _stored(pages[at].cursor)) for record in page.records}
        _must(before | after >= rig.keys(), f"going on after page {at + 1} of {len(pages)} lost records")
        if at < len(pages) - 2:
            _must(not before <= after, f"going on after page {at + 1} of {len(pages)} began at the beginning")


def quiet_read_gives_nothing(rig: Rig) -> None:
    """Where nothing changed since long before the last read, the next one yields no record."""
    cursor = _pages(rig, None)[-1].cursor
    _must(not [record for page in _pages(rig, _stored(cursor)) for record in page.records], "a quiet read gave records")


def later_change_comes_back(rig: Rig) -> None:
    """A record that is edited after the last page is in the next read."""
    cursor = _pages(rig, None)[-1].cursor
    key = min(rig.keys())
    rig.edit(key)
    again = {record.key for page in _pages(rig, _stored(cursor)) for record in page.records}
    _must(key in again, "an edit after the last page was not read")


def deleted_records_surface(rig: Rig) -> None:
    """A record that is deleted after the last page comes as deleted."""
    cursor = _pages(rig, None)[-1].cursor
    key = max(rig.keys())
    rig.delete(key)
    gone = {record.key for page in _pages(rig, _stored(cursor)) for record in page.records if record.deleted}
    _must(key in gone, "a deleted record did not come as deleted")


def fetch_tells_what_is_there(rig: Rig) -> None:
    """A point read gives the records asked for as they are, and one that is gone as deleted."""
    alive, gone, *_ = sorted(rig.keys())
    rig.delete(gone)
    found = {record.key: record for record in rig.open().fetch(rig.stream, [alive, gone], rig.fields)}
    _must(found.keys() == {alive, gone}, "a point read did not answer for exactly the keys asked for")
    _must(
        not found[alive].deleted and found[gone].deleted, "a point read took a live record for a deleted one, or back"
    )


def every_write_has_its_result(rig: Rig) -> None:
    """A batch is written, each write has one result, and the vendor holds the values."""
    writes = [rig.good(key, 1) for key in sorted(rig.keys())[:5]]
    results = _write(rig, writes)
    _must(all(result.outcome is Outcome.ACCEPTED for result in results.values()), "a good write was not accepted")
    _must(all(rig.holds(write) for write in writes), "an accepted write did not arrive")


def bad_record_does_not_fail_its_batch(rig: Rig) -> None:
    """One record that the vendor refuses is rejected with a code; its neighbours arrive."""
    keys = sorted(rig.keys())[:7]
    writes = [rig.bad(key) if place == 3 else rig.good(key, 2) for place, key in enumerate(keys)]
    results = _write(rig, writes)
    for place, (key, write) in enumerate(zip(keys, writes, strict=True)):
        if place == 3:
            _must(results[key].outcome is Outcome.REJECTED and bool(results[key].code), "a bad record was not rejected")
        else:
            _must(results[key].outcome is Outcome.ACCEPTED and rig.holds(write), "a bad record failed its neighbours")


def same_write_twice_changes_nothing(rig: Rig) -> None:
    """A batch that is sent again is accepted or unchanged, and makes no second record."""
    before = rig.keys()
    writes = [rig.good(key, 3) for key in sorted(before)[:5]]
    for _ in range(2):
        results = _write(rig, writes)
        fine = {Outcome.ACCEPTED, Outcome.UNCHANGED}
        _must(all(result.outcome in fine for result in results.values()), "a repeated write was not accepted")
    _must(rig.keys() == before, "a repeated write made a second record")


def null_clears(rig: Rig) -> None:
    """None empties a field that had a value."""
    key = min(rig.keys())
    _write(rig, [rig.good(key, 4)])
    cleared = rig.cleared(key)
    _write(rig, [cleared])
    _must(rig.holds(cleared), "None did not clear a field")


def throttling_is_told_or_waited_out(rig: Rig) -> None:
    """A vendor that refuses calls as too many leads to Throttled or to a slower, complete read; never to a loss."""
    rig.throttle(on=True)
    try:
        pages = _pages(rig, None)
    except Throttled:
        return
    finally:
        rig.throttle(on=False)
    read = {record.key for page in pages for record in page.records}
    _must(read >= rig.keys(), "a throttled read lost records")


def provision_is_idempotent(rig: Rig) -> None:
    """A dry run names what is missing and makes nothing; a real run makes it; another finds nothing to do."""
    field = rig.new_field()
    connector = rig.open()
    planned = connector.provision([field], dry_run=True)
    _must(any(field.name in sentence for sentence in planned), "a dry run does not name the missing field")
    _must(len(rig.open().provision([field], dry_run=True)) == len(planned), "a dry run made something")
    _must(len(connector.provision([field], dry_run=False)) == len(planned), "provisioning did not do what it planned")
    _must(not rig.open().provision([field], dry_run=False), "provisioning made a field twice")


def errors_keep_secrets(rig: Rig) -> None:
    """No secret and no personal data stands in an error, in what it was raised from, or in a rejection."""
    texts = [_whole(_error(lambda: rig.open(bad_credential=True).check()))]
    connector = rig.open()
    if hasattr(connector, "write"):
        results = connector.write(rig.stream, [rig.bad(min(rig.keys()))])
        texts += [f"{result.code} {result.message}" for result in results]
    rig.throttle(on=True)
    try:
        _pages(rig, None)
    except ConnectorError as error:
        texts.append(_whole(error))
    finally:
        rig.throttle(on=False)
    shown = [secret for secret in rig.private for text in texts if secret in text]
    _must(not shown, f"{len(shown)} secrets or personal values stand in error texts")


_READING: Sequence[Rule] = (
    check_costs_little,
    check_refuses_a_bad_credential,
    read_ends_and_gives_everything,
    read_goes_on_after_a_crash,
    quiet_read_gives_nothing,
    later_change_comes_back,
    deleted_records_surface,
    throttling_is_told_or_waited_out,
    errors_keep_secrets,
)
_WRITING: Sequence[Rule] = (
    fetch_tells_what_is_there,
    every_write_has_its_result,
    bad_record_does_not_fail_its_batch,
    same_write_twice_changes_nothing,
    null_clears,
    provision_is_idempotent,
)
RULES: Mapping[str, Sequence[Rule]] = {"source": _READING, "destination": _WRITING}
"""The rules by the direction they concern, as manifests name it."""


def _pages(rig: Rig, cursor: Json | None) -> list[Page]:
    """All pages of a read by a new connector."""
    return list(rig.open().read(rig.stream, cursor, rig.fields, rig.settled()))


def _write(rig: Rig, writes: Sequence[Write]) -> Mapping[str, WriteResult]:
    return settle(rig.kind, rig.stream, writes, rig.open().write(rig.stream, writes))


def _stored(cursor: Json) -> Json:
    """The cursor as it comes back from a store."""
    restored: Json = json.loads(json.dumps(cursor))
    return restored


def _error(act: Callable[[], Any]) -> ConnectorError:
    try:
        act()
    except ConnectorError as error:
        return error
    raise AssertionError("the call succeeded where it must fail")


def _whole(error: BaseException) -> str:
    """As a log would print it, with everything it was raised from."""
    return "".join(traceback.format_exception(error))


def _must(fact: bool, sentence: str) -> None:
    if not fact:
        raise AssertionError(sentence)
