"""Reading loyalty accounts. Square cannot be asked which of them changed.

So a first read takes all of them, and a later one asks the ledger of points and the seller's events which accounts to
look at. Where that would cost more calls than taking all of them again, and once a day in any case (an account can be
edited without an event), all are taken again.

The cursor is {"through", "swept_at", "accounts"}: up to when changes are known, when all were last taken, how many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors._http import Refused
from connectors._manifest import StreamEntry
from connectors._watermark import iso, moment
from connectors.square.client import NOT_FOUND, Client, Row, quoted, side_by_side
from connectors.square.walk import span_filter, stamp
from onevoice.errors import ContractBroken, PermissionMissing
from onevoice.protocols import Json, Page, Record

SWEEP_PAGE = 200
LEDGER_PAGE = 30
EVENTS_PAGE = 100
EVERY = timedelta(days=1)
"""How old a complete reading may grow."""
EVENTS = ("loyalty.account.created", "loyalty.account.updated", "loyalty.account.deleted")
"""Enrolments and edits leave no entry in the ledger of points; the seller's events know them."""


class LoyaltyAccounts:
    """The stream `loyalty_accounts`."""

    def __init__(self, client: Client, entry: StreamEntry) -> None:
        self._client = client
        self._entry = entry

    def read(self, cursor: Json | None, as_of: datetime) -> Iterator[Page]:
        """Yield all accounts, or those that changed."""
        upper = as_of - self._entry.settle
        known = _known(cursor)
        changed = self._changed(*known, upper) if known else None
        if known is None or changed is None:
            yield from self._sweep(upper, cursor)
            return
        through, swept_at, accounts = known
        yield Page(list(self.fetch(changed)), _cursor(max(upper, through), swept_at, accounts))

    def fetch(self, keys: Sequence[str]) -> Iterator[Record]:
        """Yield the accounts as they are now, in the order of `keys`; a call each."""
        yield from side_by_side(self._one, keys)

    def _sweep(self, upper: datetime, before: Json | None) -> Iterator[Page]:
        """All accounts. Square sorts them by time of creation and takes no time to begin at, so a crash begins anew:
        until the end, the cursor is the one from before."""
        accounts = 0
        for rows in self._client.found(
            "/loyalty/accounts/search", {"limit": SWEEP_PAGE}, "loyalty_accounts", stream="loyalty_accounts"
        ):
            accounts += len(rows)
            yield Page([_record(row) for row in rows], before or _cursor(None, None, 0))
        yield Page([], _cursor(upper, upper, accounts))

    def _changed(self, through: datetime, swept_at: datetime, accounts: int, upper: datetime) -> Sequence[str] | None:
        """Ids of the accounts to look at; None when it is time, or cheaper, to take all."""
        if upper - swept_at >= EVERY:
            return None
        affordable = accounts // SWEEP_PAGE + 1
        changed: set[str] = set()
        for calls, ids in enumerate(self._told(through - self._entry.lookback, upper), start=1):
            changed.update(ids)
            if calls + len(changed) > affordable:
                return None
        return sorted(changed)

    def _told(self, since: datetime, through: datetime) -> Iterator[set[str]]:
        """Ids of accounts in the ledger of points, then in the seller's events, a set per call."""
        when = span_filter(since, through)
        ledger: dict[str, Any] = {
            "limit": LEDGER_PAGE,
            "query": {"filter": {"date_time_filter": {"created_at": when}}},
        }
        for rows in self._client.found("/loyalty/events/search", ledger, "events", stream="loyalty_accounts"):
            yield {str(row["loyalty_account_id"]) for row in rows}
        events = {"limit": EVENTS_PAGE, "query": {"filter": {"event_types": list(EVENTS), "created_at": when}}}
        try:
            for rows in self._client.found("/events", events, "events", stream="loyalty_accounts"):
                yield {str(row["data"]["id"]) for row in rows if row.get("type") in EVENTS}
        except (PermissionMissing, Refused):
            return  # once a day all accounts are taken anyway

    def _one(self, key: str) -> Record:
        try:
            answer = self._client.call("read", "GET", f"/loyalty/accounts/{quoted(key)}", stream="loyalty_accounts")
        except Refused as exc:
            if exc.status != NOT_FOUND:
                raise
            return Record(key, {}, deleted=True)
        return _record(answer["loyalty_account"])


def _record(row: Row) -> Record:
    return Record(str(row["id"]), row, stamp(row, "updated_at"))


def _cursor(through: datetime | None, swept_at: datetime | None, accounts: int) -> Json:
    return {
        "through": through and iso(through),
        "swept_at": swept_at and iso(swept_at),
        "accounts": accounts,
    }


def _known(cursor: Json | None) -> tuple[datetime, datetime, int] | None:
    """What a finished read left behind; None when there was none."""
    if cursor is None:
        return None
    try:
        if cursor["through"] is None or cursor["swept_at"] is None:
            return None
        return moment(cursor["through"]), moment(cursor["swept_at"]), int(cursor["accounts"])
    except (KeyError, TypeError, ValueError) as exc:
        raise ContractBroken("cursor: it is not one of this connector's (reset the stream to read it anew)") from exc
