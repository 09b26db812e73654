"""Suppressing e-mail addresses: the one native opt-out that is set from here, and never lifted.

By address, for it is the address that opted out: whose profile it is may have changed since. Klaviyo makes a new
profile for an address that it does not know, so each is looked up first. That look also makes a repeat harmless: an
address that is suppressed already, for whatever reason, is not sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.klaviyo.client import Client
from connectors.klaviyo.jobs import (
    OVER,
    Resource,
    known_or_not,
    patiently,
    sent_without_refused,
    unknown,
    watched,
)
from connectors.klaviyo.own_writes import OwnWrites
from connectors.klaviyo.profiles import SUPPRESSED, suppression_states
from onevoice.protocols import Outcome, Write, WriteResult

PATH = "/api/profile-suppression-bulk-create-jobs"
STREAM = "suppressions"
READ_BACK_SECONDS = 10.0
"""How long an address is looked at after its job: lists of profiles may be some seconds behind."""


class Suppressions:
    """`email_suppressed: true` for e-mail addresses."""

    def __init__(self, client: Client, own_writes: OwnWrites) -> None:
        self._client = client
        self._own_writes = own_writes

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Suppress at most 100 addresses; one result per write."""
        results = {write.key: fault for write in writes if (fault := _unsendable(write))}
        askable = [write for write in writes if write.key not in results]
        states = suppression_states(self._client, [write.key for write in askable])
        for write in askable:
            if write.key not in states:
                results[write.key] = WriteResult(
                    write.key, Outcome.REJECTED, "NO_PROFILE", "no profile has this address"
                )
            elif states[write.key]:
                results[write.key] = WriteResult(write.key, Outcome.UNCHANGED)
        left = [write for write in askable if write.key not in results]
        return [*results.values(), *(sent_without_refused(left, self._send) if left else ())]

    def _send(self, writes: Sequence[Write]) -> Iterator[WriteResult]:
        body = {
            "data": {
                "type": "profile-suppression-bulk-create-job",
                "attributes": {"profiles": {"data": [_profile(write) for write in writes]}},
            }
        }
        job = self._client.post(PATH, body, stream=STREAM)["data"]
        yield from known_or_not(writes, lambda: self._settled(job, writes))

    def _settled(self, job: Resource, writes: Sequence[Write]) -> Iterator[WriteResult]:
        """The job counts what it did and does not say which: where it did not do all, the profiles themselves tell."""
        attributes = watched(self._client, PATH, job, STREAM)
        if attributes["status"] not in OVER:
            yield from unknown(writes, "JOB_NOT_OVER", "the suppression job did not end in time")
            return
        if attributes.get("completed_count") == len(writes):
            self._own_writes.suppressed(write.key for write in writes)
            yield from (WriteResult(write.key, Outcome.ACCEPTED) for write in writes)
            return
        there = self._suppressed_of(writes)
        for write in writes:
            if write.key in there:
                yield WriteResult(write.key, Outcome.ACCEPTED)
            else:
                yield from unknown([write], "NOT_SEEN", "the job is over, and the address is not suppressed")

    def _suppressed_of(self, writes: Sequence[Write]) -> set[str]:
        """The keys of those that are suppressed; looked for until all are, or patience ends."""
        there: set[str] = set()

        def all_there() -> bool:
            left = [write.key for write in writes if write.key not in there]
            there.update(key for key, suppressed in suppression_states(self._client, left).items() if suppressed)
            return len(there) == len(writes)

        patiently(all_there, READ_BACK_SECONDS)
        return there


def _unsendable(write: Write) -> WriteResult | None:
    if write.fields == {SUPPRESSED: True} and "@" in write.key:
        return None
    words = f"an e-mail address can only be suppressed ({SUPPRESSED}: true)"
    return WriteResult(write.key, Outcome.REJECTED, "NOT_ALLOWED", words)


def _profile(write: Write) -> Mapping[str, Any]:
    return {"type": "profile", "attributes": {"email": write.key}}
