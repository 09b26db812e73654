"""The sandbox's admin endpoint: the planted truth, and what the campaigns would send. The hub itself never asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

RecordKey = tuple[str, str, str]
"""(system, stream, key) of a customer record."""
Allowed = frozenset[tuple[str, str, str]]
"""Distinct (person, family, channel) that the truth allows and some system sends."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would go out at one moment, as the truth judges it."""

    messages: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any]
    allowed: Allowed


class Judge:
    """Speaks to one sandbox; every answer is about its present virtual time."""

    def __init__(self, admin: str) -> None:
        self._http = httpx.Client(base_url=admin, timeout=600)

    def close(self) -> None:
        self._http.close()

    def now(self) -> datetime:
        return datetime.fromisoformat(self._get("/clock")["as_of"])

    def advance(self, seconds: int) -> None:
        """Let virtual time pass, so that what was written shows up in the vendors' lagging indexes."""
        self._post("/clock", {"advance_seconds": seconds})

    def truth(self) -> Mapping[RecordKey, str]:
        """(system, stream, key) of every customer record -> person."""
        return {(row["system"], row["stream"], row["key"]): row["person"] for row in self._get("/truth")["records"]}

    def verdict(self, assignment: Sequence[Sequence[str]] = ()) -> Verdict:
        """Today's messages; `assignment` tells which profile the hub gave to records that no id is pushed to."""
        if assignment:
            self._post("/assignment", {"records": assignment})
        said = self._get("/messages")
        allowed = frozenset((row[0], row[1], row[2]) for row in self._get("/allowed")["allowed"])
        return Verdict(said["messages"], said["summary"], allowed)

    def wrong_native_opt_outs(self) -> int:
        """Opt-outs set through an API on an address at which nobody opted out."""
        return int(self._get("/native-opt-outs")["wrong"])

    def calls(self) -> Mapping[str, Mapping[str, Any]]:
        """Per system: calls, write_calls, records_written, minimum_calls and what was refused, since the last reset."""
        return {name: said for name, said in self._get("/calls").items() if isinstance(said, dict)}

    def reset_calls(self) -> None:
        self._post("/calls/reset", {})

    def edit_by_hand(self, count: int, seed: int) -> Mapping[str, Any]:
        """Have people change fields in the systems behind the hub's back; says which, and what the hub must write."""
        made: Mapping[str, Any] = self._post("/edits", {"count": count, "seed": seed})
        return made

    def _get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._http.post(path, json=body).raise_for_status().json()
