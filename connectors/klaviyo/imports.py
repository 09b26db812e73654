"""Writing custom properties: bulk import jobs by profile id.

A job's answer says only that it was accepted. Its list of errors names records that were refused; of all others nothing
is said, so that every one is read back and compared before it counts as written. Properties merge by key: what is not
sent stays, null clears. Nothing that identifies a profile is ever sent beside its id, so that a profile that is gone
cannot come into being again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from connectors._watermark import moment
from connectors.klaviyo.client import RECORD_ID, Client
from connectors.klaviyo.jobs import (
    COMPLETE,
    READ_BACK_SECONDS,
    Resource,
    named_by,
    patiently,
    rejection,
    sent_without_refused,
    unknown,
    watched,
)
from connectors.klaviyo.profiles import PAGE, PROPERTIES, Shape, fetch_profiles
from onevoice.errors import ConfigError, ConnectorError
from onevoice.protocols import DeferReason, Outcome, Record, Write, WriteResult

PATH = "/api/profile-bulk-import-jobs"
STREAM = "profiles"
_PROPERTY = re.compile(re.escape(PROPERTIES) + r"[^$].*")
"""Names with a dollar are Klaviyo's own: among them are identifiers and consent."""
_ONLY_PROPERTIES = "only custom properties are written (properties.<name>)"


class Imports:
    """Absolute values of custom properties for existing profiles."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Send one job; None clears a property."""
        refused = {write.key: fault for write in writes if (fault := _unsendable(write))}
        sendable = [write for write in writes if write.key not in refused]
        return [*refused.values(), *(sent_without_refused(sendable, self._send) if sendable else ())]

    def provision(self, names: Sequence[str]) -> Sequence[str]:
        """Nothing has to be made; ConfigError when a name is none of a custom property."""
        foreign = _foreign(names)
        if foreign:
            raise ConfigError(f"{self._client.system}: {_ONLY_PROPERTIES}, not {', '.join(foreign)}")
        return ()

    def _send(self, writes: Sequence[Write]) -> Iterator[WriteResult]:
        body = {
            "data": {
                "type": "profile-bulk-import-job",
                "attributes": {"profiles": {"data": [_profile(write) for write in writes]}},
            }
        }
        job = self._client.post(PATH, body, stream=STREAM)["data"]
        try:
            yield from self._settled(job, writes)
        except ConnectorError as exc:
            yield from unknown(writes, type(exc).__name__, f"a job was accepted, and then: {exc}")

    def _settled(self, job: Resource, writes: Sequence[Write]) -> Sequence[WriteResult]:
        attributes = watched(self._client, PATH, job, STREAM)
        over = attributes["status"] == COMPLETE
        errors = self._errors(job, writes) if attributes.get("failed_count") != 0 else {}
        others = [write for write in writes if write.key not in errors]
        kept, last_seen = self._read_back(others, patience=READ_BACK_SECONDS if over else 0.0)
        began = moment(str(attributes["created_at"])).replace(microsecond=0)
        results = [rejection(write, errors[write.key]) for write in writes if write.key in errors]
        results += [WriteResult(key, Outcome.ACCEPTED) for key in kept]
        missing = [write for write in others if write.key not in kept]
        if not over:
            return [*results, *unknown(missing, "JOB_NOT_COMPLETE", "the import job did not end in time")]
        return [*results, *(_not_kept(write, last_seen.get(write.key), began) for write in missing)]

    def _errors(self, job: Resource, writes: Sequence[Write]) -> Mapping[str, Resource]:
        """Key -> what the job says against that record."""
        keys = {write.key for write in writes}
        found: dict[str, Resource] = {}
        path = f"{PATH}/{job['id']}/import-errors"
        for page in self._client.pages(path, {"page[size]": PAGE}, stream=STREAM):
            for resource in page:
                error = resource["attributes"]
                payload = error.get("original_payload") or {}
                key = str(payload.get("id") or "")
                found[key if key in keys else named_by(error, writes)] = error
        return found

    def _read_back(self, writes: Sequence[Write], *, patience: float) -> tuple[set[str], Mapping[str, Record]]:
        """The keys of writes whose every value is there, and the others as they were seen last."""
        shape = Shape(name for write in writes for name in write.fields)
        open_writes = {write.key: write for write in writes}
        last_seen: dict[str, Record] = {}

        def all_there() -> bool:
            for record in fetch_profiles(self._client, list(open_writes), shape):
                last_seen[record.key] = record
                if not record.deleted and not _lost(open_writes[record.key], record):
                    del open_writes[record.key]
            return not open_writes

        patiently(all_there, patience)
        return {write.key for write in writes} - open_writes.keys(), last_seen


def _unsendable(write: Write) -> WriteResult | None:
    """What must not leave: it would fail the whole job, or touch what is not ours."""
    if not RECORD_ID.fullmatch(write.key):
        return WriteResult(write.key, Outcome.REJECTED, "MALFORMED_ID", "the key is not a Klaviyo profile id")
    foreign = _foreign(write.fields)
    if foreign:
        words = f"{_ONLY_PROPERTIES}, not {', '.join(foreign)}"
        return WriteResult(write.key, Outcome.REJECTED, "NOT_ALLOWED", words)
    return None


def _foreign(names: Iterable[str]) -> list[str]:
    """Those of these fields that are no custom property."""
    return sorted(name for name in names if not _PROPERTY.fullmatch(name))


def _profile(write: Write) -> Mapping[str, Any]:
    properties = {name.removeprefix(PROPERTIES): value for name, value in write.fields.items()}
    return {"type": "profile", "id": write.key, "attributes": {"properties": properties}}


def _lost(write: Write, record: Record) -> list[str]:
    """Names of the fields that do not hold what was sent."""
    there = record.data.get("properties") or {}
    return [name for name, value in write.fields.items() if there.get(name.removeprefix(PROPERTIES)) != value]


def _not_kept(write: Write, record: Record | None, began: datetime) -> WriteResult:
    """Of a complete job that names no error, and whose values are not there all the same."""
    if record is None or record.deleted:
        return WriteResult(write.key, Outcome.REJECTED, "PROFILE_GONE", "no profile has this id any more")
    if record.updated_at is not None and record.updated_at < began:
        words = "the job is complete, and the profile is still the one from before"
        return WriteResult(write.key, Outcome.DEFERRED, "NOT_SEEN_YET", words, DeferReason.RETRYABLE)
    words = f"not kept as sent: {', '.join(sorted(_lost(write, record)))}"
    return WriteResult(write.key, Outcome.REJECTED, "VALUE_NOT_KEPT", words)
