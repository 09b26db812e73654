"""Arithmetic of loyalty points: what an order earns, and when what is held expires."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from onevoice.sandbox.square.tables import square_stamp

Deadlines = list[dict[str, Any]]
"""[{points, expires_at}], earliest first."""
_MONTHS = re.compile(r"P(\d+)M")


def earned(program: Mapping[str, Any], order: Mapping[str, Any]) -> int:
    """Points for an order by the rule that gives most; only rules on what was spent are known here."""
    spent = (order.get("total_money") or {}).get("amount") or 0
    rules = [rule for rule in program.get("accrual_rules") or () if rule["accrual_type"] == "SPEND"]
    return max((spent // rule["spend_data"]["amount_money"]["amount"] * rule["points"] for rule in rules), default=0)


def next_deadlines(
    program: Mapping[str, Any], before: Sequence[Mapping[str, Any]], points: int, balance: int, now: datetime
) -> Deadlines | None:
    """The deadlines after `points` came or went and left `balance`; None when nothing expires.

    What goes is taken from what expires first, so that the deadlines add up to the balance (Square: LoyaltyAccount).
    """
    deadlines: Deadlines = sorted((dict(one) for one in before), key=lambda one: str(one["expires_at"]))
    expiry = _expiry(program, now)
    if expiry is None and not deadlines:
        return None
    if points > 0 and expiry is not None:
        same = [one for one in deadlines if one["expires_at"] == expiry]
        if same:
            same[0]["points"] += points
        else:
            deadlines.append({"points": points, "expires_at": expiry})
    excess = sum(one["points"] for one in deadlines) - max(balance, 0)
    for one in deadlines:
        taken = max(0, min(excess, one["points"]))
        one["points"] -= taken
        excess -= taken
    return [one for one in deadlines if one["points"]] or None


def _expiry(program: Mapping[str, Any], now: datetime) -> str | None:
    """Points last through the month they expire in: those of 6 July 2020 with P12M go on 1 August 2021."""
    policy = program.get("expiration_policy")
    if not policy:
        return None
    months = _MONTHS.fullmatch(policy["expiration_duration"])
    if months is None:
        return None
    month = now.year * 12 + now.month + int(months[1])
    return square_stamp(datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC))
