"""Jobs: what Klaviyo takes now and does a little later.

A row of the table `jobs`: {type, created_at, starts_at, ends_at, completed_at: ISO texts, total, completed, failed,
skipped: numbers, work: {...} what is to be done (emptied when done), list: id or None, errors: import errors,
profiles: ids of the profiles it wrote, done: bool}.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from onevoice.sandbox.klaviyo.consent import Consent
from onevoice.sandbox.klaviyo.errors import ProfileError
from onevoice.sandbox.klaviyo.importing import import_error, upsert
from onevoice.sandbox.klaviyo.profiles_store import Profiles
from onevoice.sandbox.klaviyo.tables import klaviyo_stamp
from onevoice.sandbox.state import Fields, VendorState

IMPORT, SUBSCRIBE, UNSUBSCRIBE, SUPPRESS, UNSUPPRESS = (
    "profile-bulk-import-job",
    "profile-subscription-bulk-create-job",
    "profile-subscription-bulk-delete-job",
    "profile-suppression-bulk-create-job",
    "profile-suppression-bulk-delete-job",
)

QUEUE_SECONDS = 0.3
"""How long a job waits. Klaviyo names no time; with limits off the account is idle and works at once."""
WORK_SECONDS, WORK_SECONDS_A_THOUSAND = 0.3, 0.3
"""How long it takes, and how much longer for every thousand profiles."""
KEPT_DAYS = 7
"""When a finished import expires."""


class Jobs:
    """The account's jobs."""

    def __init__(self, state: VendorState, profiles: Profiles) -> None:
        self._state = state
        self._profiles = profiles
        self.consent = Consent(state, profiles)
        self.table = state.tables["jobs"]

    def take(self, kind: str, total: int, work: Mapping[str, Any], **more: Any) -> str:
        """Queue a job; its id."""
        now = self._state.clock.now()
        starts = ends = now
        if self._state.faults.limits_on:
            starts = now + timedelta(seconds=QUEUE_SECONDS)
            ends = starts + timedelta(seconds=WORK_SECONDS + WORK_SECONDS_A_THOUSAND * total / 1000)
        row: Fields = {
            "type": kind,
            "created_at": klaviyo_stamp(now),
            "starts_at": starts.isoformat(),
            "ends_at": ends.isoformat(),
            "completed_at": None,
            "total": total,
            "completed": 0,
            "failed": 0,
            "skipped": 0,
            "work": dict(work),
            "list": None,
            "errors": [],
            "profiles": [],
            "done": False,
        }
        return self.table.insert({**row, **more}, actor="vendor")

    def run_due(self) -> None:
        """Carry out every job whose time has come, in the order in which they end."""
        now = self._state.clock.now()
        due = [
            (row["ends_at"], key)
            for key, row in self.table.rows.items()
            if not row["done"] and datetime.fromisoformat(row["ends_at"]) <= now
        ]
        for _, key in sorted(due):
            self._carry_out(key)

    def status(self, row: Fields) -> str:
        """queued, processing, complete."""
        if row["done"]:
            return "complete"
        started = datetime.fromisoformat(row["starts_at"]) <= self._state.clock.now()
        return "processing" if started else "queued"

    def resource(self, key: str, row: Fields, base_url: str) -> Fields:
        """A job as answers show it."""
        kind, address = row["type"], f"{base_url}/api/{row['type']}s/{key}"
        attributes: Fields = {
            "status": self.status(row),
            "created_at": row["created_at"],
            "total_count": row["total"],
            "completed_count": row["completed"],
            "completed_at": row["completed_at"],
        }
        shown: Fields = {"type": kind, "id": key, "attributes": attributes, "links": {"self": address}}
        if kind != IMPORT:
            attributes["skipped_count"] = row["skipped"]
            return shown
        created = datetime.fromisoformat(row["created_at"])
        attributes |= {
            "failed_count": row["failed"],
            "expires_at": klaviyo_stamp(created + timedelta(days=KEPT_DAYS)),
            "started_at": None if attributes["status"] == "queued" else row["created_at"],
        }
        shown["relationships"] = {
            **{
                name: {"links": {"self": f"{address}/relationships/{name}", "related": f"{address}/{name}"}}
                for name in ("lists", "profiles")
            },
            "import-errors": {"links": {"related": f"{address}/import-errors"}},
        }
        return shown

    def _carry_out(self, key: str) -> None:
        row = self.table.rows[key]
        work: Mapping[str, Any] = row["work"]
        result: Fields = {}
        if row["type"] == IMPORT:
            result = self._import(row)
        elif row["type"] == SUBSCRIBE:
            self.consent.subscribe(work, row["list"])
        elif row["type"] == UNSUBSCRIBE:
            self.consent.unsubscribe(work, row["list"])
        elif row["type"] == SUPPRESS:
            result = self._counted(row, self.consent.suppress(work["emails"]))
        else:
            result = self._counted(row, self.consent.unsuppress(work["emails"]))
        completed_at = klaviyo_stamp(datetime.fromisoformat(row["ends_at"]))
        done = {"done": True, "work": {}, "completed": row["total"], "completed_at": completed_at}
        self.table.update(key, {**done, **result}, actor="vendor")

    def _import(self, row: Fields) -> Fields:
        """What was found wrong when the job was taken is left out; the rest is upserted."""
        written: list[str] = []
        errors = list(row["errors"])
        for one in row["work"]["profiles"]:
            try:
                written.append(upsert(self._profiles, one))
            except ProfileError as error:
                errors.append(import_error(one, error))
        if row["list"] and written:
            self.consent.join(row["list"], written)
        failed = {"failed": len(errors), "completed": row["total"] - len(errors)}
        return {"profiles": list(dict.fromkeys(written)), "errors": errors, **failed}

    def _counted(self, row: Fields, changed: int) -> Fields:
        return {"completed": changed, "skipped": row["total"] - changed}


def finish_due_jobs(state: VendorState) -> None:
    """Carry out what is due by the clock. The server does it before every answer; whoever reads the tables themselves
    calls this first."""
    Jobs(state, Profiles(state)).run_due()
