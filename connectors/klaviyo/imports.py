"""Writing custom properties: bulk import jobs by profile id.

A job's answer says only that it was accepted. Once it is over it names the records that failed, and counts those that
it wrote. Where both together are not all, there is a list of what it wrote: a record that stands in neither list is
unknown. Properties merge by key: what is not sent stays, null clears. Nothing that identifies a profile is ever sent
beside its id, so that a profile that is gone cannot come into being again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from connectors._outcomes import deferred
from connectors.klaviyo.client import RECORD_ID, Client
from connectors.klaviyo.jobs import (
    COMPLETE,
    OVER,
    Resource,
    known_or_not,
    named_by,
    patiently,
    rejection,
    sent_without_refused,
    unknown,
    watched,
)
from connectors.klaviyo.own_writes import OwnWrites
from connectors.klaviyo.profiles import PAGE, PROPERTIES, Shape, fetch_profiles, moment
from onevoice.errors import ConfigError, ConnectorError
from onevoice.protocols import Outcome, Write, WriteResult

PATH = "/api/profile-bulk-import-jobs"
STREAM = "profiles"
_PROPERTY = re.compile(re.escape(PROPERTIES) + r"[^$].*")
"""Names with a dollar are Klaviyo's own: among them are identifiers and consent."""
MOST_BYTES = 4_900_000
"""Of the profiles of one job; Klaviyo takes 5 MB of a whole body."""
LIST_SECONDS = 5.0
"""How long a profile is looked for among those that a finished job wrote."""
_ONLY_PROPERTIES = "only custom properties are written (properties.<name>)"


class Imports:
    """Absolute values of custom properties for existing profiles."""

    def __init__(self, client: Client, own_writes: OwnWrites) -> None:
        self._client = client
        self._own_writes = own_writes

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Send one job, or as many as its size takes; None clears a property."""
        refused = {write.key: fault for write in writes if (fault := _unsendable(write))}
        results = list(refused.values())
        parts = _parts([write for write in writes if write.key not in refused])
        for place, part in enumerate(parts):
            try:
                results += sent_without_refused(part, self._send)
            except ConnectorError as exc:
                if place == 0:
                    raise
                # What is known of the earlier parts must not be lost.
                results += [deferred(write.key, exc) for write in part]
        return results

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
        yield from known_or_not(writes, lambda: self._settled(job, writes))

    def _settled(self, job: Resource, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """What the job's own lists say of each record: an error, or that it was written."""
        attributes = watched(self._client, PATH, job, STREAM)
        if attributes["status"] not in OVER:
            return unknown(writes, "JOB_NOT_OVER", "the import job did not end in time")
        errors = self._errors(job, writes) if attributes.get("failed_count") != 0 else {}
        others = {write.key: write for write in writes if write.key not in errors}
        counted = attributes["status"] == COMPLETE and attributes.get("completed_count") == len(others)
        missing = {} if counted else self._unmentioned(job, others)
        results = [rejection(write, errors[write.key]) for write in writes if write.key in errors]
        written = [write for write in others.values() if write.key not in missing]
        self._own_writes.imported(written, moment(str(attributes["created_at"])))
        results += [WriteResult(write.key, Outcome.ACCEPTED) for write in written]
        return [*results, *self._looked_up(missing)]

    def _errors(self, job: Resource, writes: Sequence[Write]) -> Mapping[str, Resource]:
        """Key -> what the job says against that record."""
        keys = {write.key for write in writes}
        found: dict[str, Resource] = {}
        for page in self._client.pages(f"{PATH}/{job['id']}/import-errors", {"page[size]": PAGE}, stream=STREAM):
            for resource in page:
                error = resource["attributes"]
                payload = error.get("original_payload") or {}
                key = str(payload.get("id") or "")
                found[key if key in keys else named_by(error, writes)] = error
        return found

    def _unmentioned(self, job: Resource, writes: Mapping[str, Write]) -> Mapping[str, Write]:
        """Those of the writes whose profile is not among the ones that the job says it wrote."""
        path = f"{PATH}/{job['id']}/relationships/profiles"
        missing = dict(writes)

        def all_there() -> bool:
            for page in self._client.pages(path, {"page[size]": PAGE}, stream=STREAM):
                for resource in page:
                    missing.pop(str(resource["id"]), None)
            return not missing

        patiently(all_there, LIST_SECONDS)
        return missing

    def _looked_up(self, writes: Mapping[str, Write]) -> Iterator[WriteResult]:
        """Of records that a job says nothing about: those that are gone, and those of which nobody knows."""
        for record in fetch_profiles(self._client, list(writes), Shape([])):
            if record.deleted:
                yield WriteResult(record.key, Outcome.REJECTED, "PROFILE_GONE", "no profile has this id any more")
            else:
                yield from unknown([writes[record.key]], "NOT_MENTIONED", "the job says nothing about this record")


def _parts(writes: Sequence[Write]) -> Sequence[Sequence[Write]]:
    """The writes in as few jobs as their size allows."""
    parts: list[list[Write]] = []
    room = 0
    for write in writes:
        size = len(json.dumps(_profile(write), ensure_ascii=False, default=str).encode())
        if not parts or size > room:
            parts.append([])
            room = MOST_BYTES
        parts[-1].append(write)
        room -= size
    return parts


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
