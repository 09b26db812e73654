"""Klaviyo's asynchronous jobs: a bulk call is only accepted, and has to be watched until it is over.

What both kinds of job share: packing, watching, and telling whose fault a refusal was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tenacity import nap

from connectors._http import Refused
from connectors._outcomes import deferred
from connectors._words import vendor_code, without_personal_data
from connectors.klaviyo.client import Client
from onevoice.errors import ConnectorError
from onevoice.protocols import DeferReason, Outcome, Write, WriteResult

Resource = Mapping[str, Any]

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 5.0
JOB_SECONDS = 120.0
"""How long a job is watched; a thousand profiles take Klaviyo some seconds."""
COMPLETE = "complete"
OVER = frozenset({COMPLETE, "cancelled"})
_PASSING = frozenset({"internal_error", "throttled"})
"""Codes of a single record's error that a later try may not meet again."""
_PLACE = re.compile(r"/data/attributes/profiles/data/(\d+)(/.*)?")
"""Where in a job's body an error lies; the number counts the profiles from 0."""


def patiently(look: Callable[[], bool], patience: float) -> bool:
    """Look until it is so, with growing pauses; False when it was not so for `patience` seconds."""
    pause, waited = FIRST_PAUSE, 0.0
    while not look():
        if waited >= patience:
            return False
        nap.sleep(pause)
        waited += pause
        pause = min(LONGEST_PAUSE, pause * 2)
    return True


def watched(client: Client, path: str, job: Resource, stream: str) -> Resource:
    """The attributes of an accepted job once it is over, or as they were when patience ran out."""
    latest = job

    def over() -> bool:
        nonlocal latest
        if latest["attributes"]["status"] not in OVER:
            latest = client.get(f"{path}/{job['id']}", stream=stream)["data"]
        return latest["attributes"]["status"] in OVER

    patiently(over, JOB_SECONDS)
    attributes: Resource = latest["attributes"]
    return attributes


def sent_without_refused(
    writes: Sequence[Write], send: Callable[[Sequence[Write]], Iterable[WriteResult]]
) -> Sequence[WriteResult]:
    """One result per write. Where Klaviyo refuses a whole job and says for whose sake, those are rejected and the rest
    is sent again; where it does not say, the refusal is raised."""
    try:
        return list(send(writes))
    except Refused as exc:
        errors = (exc.body or {}).get("errors") or ()
        named = {key: error for error in errors if (key := named_by(error, writes))}
        if not named:
            raise
    rest = [write for write in writes if write.key not in named]
    rejected = [rejection(write, named[write.key]) for write in writes if write.key in named]
    try:
        return [*rejected, *(sent_without_refused(rest, send) if rest else ())]
    except ConnectorError as exc:  # what is known of the others must not be lost
        return [*rejected, *(deferred(write.key, exc) for write in rest)]


def known_or_not(writes: Sequence[Write], settled: Callable[[], Iterable[WriteResult]]) -> Sequence[WriteResult]:
    """The results of an accepted job; all unknown where they cannot be had: the job goes its way without us."""
    try:
        return list(settled())
    except ConnectorError as exc:
        return unknown(writes, type(exc).__name__, f"a job was accepted, and then: {exc}")
    except (KeyError, TypeError, AttributeError, ValueError):
        return unknown(
            writes, "ANSWER_ODD", "a job was accepted, and what is said of it has another form than documented"
        )


def named_by(error: Resource, writes: Sequence[Write]) -> str:
    """The key of the write that an error is about, by the place in the body that it points to; "" when it is none."""
    found = _PLACE.fullmatch(str((error.get("source") or {}).get("pointer") or ""))
    place = int(found[1]) if found else len(writes)
    return writes[place].key if place < len(writes) else ""


def rejection(write: Write, error: Resource) -> WriteResult:
    """What Klaviyo says against one record."""
    words = " ".join(str(error.get(name) or "") for name in ("title", "detail")).strip()
    shown = without_personal_data(words, [write.key, *write.fields.values()])
    code = vendor_code(error.get("code"))
    if code in _PASSING:
        return WriteResult(write.key, Outcome.DEFERRED, code, shown, DeferReason.RETRYABLE)
    return WriteResult(write.key, Outcome.REJECTED, code, shown)


def unknown(writes: Iterable[Write], code: str, words: str) -> Sequence[WriteResult]:
    """Records of a job that was accepted and of which nobody knows what became."""
    return [WriteResult(write.key, Outcome.DEFERRED, code, words, DeferReason.AMBIGUOUS) for write in writes]
