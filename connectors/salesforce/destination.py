"""Writing to an org: sObject Collections by record id, every record with its own result."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from connectors._words import vendor_code, without_personal_data
from connectors.salesforce.client import Client
from connectors.salesforce.soql import FIELD, RECORD_ID, same_record
from onevoice.errors import Ambiguous, ContractBroken
from onevoice.protocols import DeferReason, Outcome, Write, WriteResult

RETRYABLE = frozenset(
    {
        "UNABLE_TO_LOCK_ROW",
        "SERVER_UNAVAILABLE",
        "REQUEST_RUNNING_TOO_LONG",
        "QUERY_TIMEOUT",
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    }
)
"""Error codes of a single record that a later try may not meet again."""


class Writer:
    """Absolute values for existing records."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def write(self, stream: str, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Send one batch of at most 200 records, allOrNone off; None clears a field."""
        refused = {write.key: fault for write in writes if (fault := _unsendable(write))}
        sendable = [write for write in writes if write.key not in refused]
        results = list(refused.values())
        if sendable:
            results += self._settle(stream, sendable, self._send(stream, sendable))
        return results

    def _send(self, stream: str, writes: Sequence[Write]) -> object:
        records = [{"attributes": {"type": stream}, "id": write.key, **write.fields} for write in writes]
        body = json.dumps({"allOrNone": False, "records": records})
        return self._client.call(
            "write", lambda sf: sf.restful("composite/sobjects", method="PATCH", data=body), stream=stream, write=True
        )

    def _settle(self, stream: str, writes: Sequence[Write], answer: object) -> list[WriteResult]:
        """Results come in the order of the request; the count and every id that is given are checked."""
        where = f"{self._client.system}.{stream}"
        if not isinstance(answer, list) or len(answer) != len(writes):
            raise Ambiguous(
                f"{where}: the answer has not one result per record", system=self._client.system, stream=stream
            )
        for write, item in zip(writes, answer, strict=True):
            if item.get("id") and not same_record(item["id"], write.key):
                raise ContractBroken(
                    f"{where}: results are not in the order of the request", system=self._client.system, stream=stream
                )
        results = [_result(write, item) for write, item in zip(writes, answer, strict=True)]
        if any(result.reason is DeferReason.THROTTLED for result in results):
            self._client.slow_down("write")
        return results


def _result(write: Write, item: Mapping[str, Any]) -> WriteResult:
    if item.get("success") is True:
        return WriteResult(write.key, Outcome.ACCEPTED)
    errors = item.get("errors") or [{}]
    code = vendor_code(errors[0].get("statusCode"))
    names = ", ".join(name for error in errors for name in error.get("fields") or ())
    words = without_personal_data(str(errors[0].get("message", "")), write.fields.values())
    message = f"{names}: {words}" if names else words
    if code == "REQUEST_LIMIT_EXCEEDED":
        return WriteResult(write.key, Outcome.DEFERRED, code, message, DeferReason.THROTTLED)
    if code in RETRYABLE:
        return WriteResult(write.key, Outcome.DEFERRED, code, message, DeferReason.RETRYABLE)
    return WriteResult(write.key, Outcome.REJECTED, code, message)


def _unsendable(write: Write) -> WriteResult | None:
    """A record that must not be sent: a bad one would be read as a path or fail all its neighbours."""
    if not RECORD_ID.fullmatch(write.key):
        return WriteResult(write.key, Outcome.REJECTED, "MALFORMED_ID", "the key is not a Salesforce record id")
    wrong = [name for name in write.fields if not FIELD.fullmatch(name) or name.lower() in {"id", "attributes"}]
    if wrong:
        return WriteResult(write.key, Outcome.REJECTED, "INVALID_FIELD", f"{len(wrong)} names are not those of fields")
    return None
