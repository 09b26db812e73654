"""The sandbox's admin endpoint: the planted truth, and what the campaigns would send. The hub itself never asks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx

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

    def truth(self) -> Mapping[tuple[str, str, str], str]:
        """(system, stream, key) of every customer record -> person."""
        return {(row["system"], row["stream"], row["key"]): row["person"] for row in self._get("/truth")["records"]}

    def verdict(self, assignment: Sequence[Sequence[str]] = ()) -> Verdict:
        """Today's messages; `assignment` tells which profile the hub gave to records that no id is pushed to."""
        if assignment:
            self._post("/assignment", {"records": assignment})
        said = self._get("/messages")
        allowed = frozenset((row[0], row[1], row[2]) for row in map(_triple, self._get("/allowed")["allowed"]))
        return Verdict(said["messages"], said["summary"], allowed)

    def wrong_native_opt_outs(self) -> int:
        """Opt-outs set through an API on an address at which nobody opted out."""
        return int(self._get("/native-opt-outs")["wrong"])

    def calls(self) -> Mapping[str, Mapping[str, Any]]:
        """Per system: calls, write_calls, records_written, minimum_calls and what was refused, since the last reset."""
        return {name: said for name, said in self._get("/calls").items() if isinstance(said, dict)}

    def reset_calls(self) -> None:
        self._post("/calls/reset", {})

    def records_written(self) -> int:
        """Records changed through any system's API since the last reset."""
        return sum(int(said["records_written"]) for said in self.calls().values())

    def edit_by_hand(self, count: int, seed: int) -> Mapping[str, Any]:
        """Have people change fields in the systems behind the hub's back; says which, and what the hub must write."""
        return self._post("/edits", {"count": count, "seed": seed})

    def limits(self, *, on: bool) -> None:
        self._post("/limits", {"on": on})

    def faults(self, name: str) -> None:
        """Make a vendor misbehave: none, salesforce_down, hubspot_down, throttle, expire_tokens, reject_some."""
        self._post("/faults", {"name": name})

    def state(self) -> Any:
        """Everything the vendors hold, for comparing two runs."""
        return self._get("/state")

    def log(self) -> Any:
        """Faults and refusals met, and events that a second delivery would have made."""
        return self._get("/log")

    def _get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()

    def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._http.post(path, json=body).raise_for_status().json()


def _triple(row: Mapping[str, str] | Sequence[str]) -> tuple[str, str, str]:
    if isinstance(row, Mapping):
        return row["person"], row["family"], row["channel"]
    return row[0], row[1], row[2]
