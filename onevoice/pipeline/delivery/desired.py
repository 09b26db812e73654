"""Desired: the values that a vendor's record should hold of a profile. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from onevoice.configfile.push_sources import EMAIL
from onevoice.mapping import PushField
from onevoice.model import FOREVER
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.policy import Refusal
from onevoice.store.outboxes import OutboxRow
from onevoice.store.pages import DestinationState
from onevoice.store.profiles import DecisionRow, ProfileRow
from onevoice.store.schema import PENDING

OPT_OUTS, SUPPRESSIONS, STATUS = 0, 1, 2
"""Urgency of a write: an opt-out leaves before everything else."""
STAMP = "decided_at"


@dataclass(frozen=True, slots=True)
class HubView:
    """What the hub says about one customer record: its profile, what was decided, and its own contact points."""

    profile: ProfileRow
    decision: DecisionRow
    points: Mapping[str, str]
    """Channel -> the address or number that this record holds, under the name of its mailbox or line."""
    marketing: frozenset[str]
    """Families that need consent: an opted-out address takes none of them."""
    today: date
    elsewhere: frozenset[str] = frozenset()
    """Families that a customer gets once, and that another record of this one carries."""

    def refusal(self, channel: str) -> Refusal | None:
        """Why the very address or number that this record holds must not be written to; None when it may be."""
        point = self.points.get(channel)
        known: Mapping[str, Any] = self.profile.consent["points"].get(point, {})
        no = known.get(f"{channel}/marketing")
        if no is None:
            allowed = self.profile.consent.get("allowed", {}).get(channel)
            return Refusal.NOT_ASKED_FOR if point and allowed is not None and point not in allowed else None
        return Refusal.OPTED_OUT if no.get("opted_out") else Refusal.UNDELIVERABLE

    @property
    def refused(self) -> Mapping[str, Refusal]:
        """By channel, why this record's own contact point must not be written to."""
        return {channel: no for channel in self.points if (no := self.refusal(channel)) is not None}

    def value(self, source: str) -> Any:
        """The value behind a push source such as `status.club.tier`, None when there is none."""
        head, _, rest = source.partition(".")
        return _READERS[head](self, rest)

    def until(self, place: str) -> date | None:
        """Last day on which a family must not be sent to this record; `place` is `family` (by e-mail) or
        `family.channel`."""
        family, _, channel = place.partition(".")
        channel = channel or EMAIL
        if family in self.elsewhere or (family in self.marketing and self.refusal(channel) is not None):
            return FOREVER
        found = [d["until"] for d in self.decision.denials if (d["family"], d["channel"]) == (family, channel)]
        return date.fromisoformat(found[0]) if found else None


def _status(view: HubView, rest: str) -> Any:
    programme, _, field = rest.partition(".")
    value = view.profile.status.get(programme, {}).get(field)
    if value is None:
        return None
    if field in {"tier_until", "member_since", "points_next_expiry_on"}:
        return date.fromisoformat(value)
    return Decimal(value) if field == "points" else value


def _opt_out(view: HubView, channel: str) -> Any:
    return view.refusal(channel) is Refusal.OPTED_OUT


_READERS: Mapping[str, Callable[[HubView, str], Any]] = {
    "profile": lambda view, _: view.profile.profile_id,
    "status": _status,
    "suppress": lambda view, family: view.until(family),
    "suppressed": lambda view, family: (until := view.until(family)) is not None and until >= view.today,
    "opt_out": _opt_out,
    "golden": lambda view, field: view.profile.golden.get(field),
}


@dataclass(frozen=True, slots=True)
class Unwritable:
    """A value of the hub that cannot be written to a field, and why; the reason names no person."""

    value: Any
    reason: str


def changed_fields(
    view: HubView, fields: Sequence[PushField], state: DestinationState, unwritable: dict[str, Unwritable]
) -> dict[str, Any]:
    """Vendor values that differ from what the record holds; empty when it is in step.

    A suppression whose day has passed means nothing any more, so it is left where it stands. An irreversible field is
    only ever set, and never taken back. A value for which the vendor has no word clears the field, and one that cannot
    even be worked out leaves it alone; both are put into `unwritable`.
    """
    changes: dict[str, Any] = {}
    for field in fields:
        if field.is_stamp or field.mode == "compare":
            continue
        try:
            wanted = view.value(field.source)
            encoded, fault = field.encode_or_say(wanted)
        except (ArithmeticError, LookupError, TypeError, ValueError) as exc:
            unwritable[field.name] = Unwritable(None, f"cannot be worked out ({type(exc).__name__})")
            continue
        if fault:
            unwritable[field.name] = Unwritable(wanted, fault)
        if field.irreversible and not wanted:
            continue
        if wanted is None and field.blank == "keep":
            continue
        there = state.sent.get(field.name)
        if field.owner == "vendor" and there is not None:
            continue  # the vendor's own value stands; the hub only fills a blank
        if _stands(field, encoded, state) or _agrees(field, wanted, encoded, there, view.today):
            continue
        changes[field.name] = encoded
    return changes


def _agrees(field: PushField, wanted: Any, encoded: Any, there: Any, today: date) -> bool:
    """Whether what the vendor holds says the same as the hub; where there is nothing to say, nothing or a day past."""
    if field.decode_observed(encoded) == there:
        return True
    nothing = wanted is None or wanted is False or wanted == ""  # a balance of 0 is something to say
    return nothing and (there is None or _is_over(field, there, today))


def _stands(field: PushField, encoded: Any, state: DestinationState) -> bool:
    """Whether the vendor's first value of an adopted field stands: until the hub's own value changes."""
    if field.mode != "adopt":
        return False
    if field.name in state.adopted:
        return state.adopted[field.name] is not None and state.adopted[field.name] == _mark(field, encoded)
    return state.sent.get(field.name) is not None


def adopted_now(view: HubView, fields: Sequence[PushField], state: DestinationState) -> dict[str, Any]:
    """What is to be remembered of adopted fields: the hub's own value at the time, None for those that it writes.

    It writes a field from the acknowledgement of its first value on, or from when its own value changed into the very
    one that stands there.
    """
    found: dict[str, str | None] = {}
    for field in fields:
        there = state.sent.get(field.name)
        if field.mode != "adopt" or there is None:
            continue
        encoded = field.encode(view.value(field.source))
        mark = _mark(field, encoded)
        if field.name not in state.adopted:
            found[field.name] = mark
        elif state.adopted[field.name] not in {None, mark} and field.decode_observed(encoded) == there:
            found[field.name] = None
    return found


def differing(view: HubView, fields: Sequence[PushField], state: DestinationState) -> list[str]:
    """Fields that are only compared, and in which the vendor holds another value than the hub."""
    found = []
    for field in fields:
        if field.mode != "compare":
            continue
        wanted = view.value(field.source)
        if wanted is None and field.blank == "keep":
            continue
        if not _agrees(field, wanted, field.encode(wanted), state.observed.get(field.name), view.today):
            found.append(field.name)
    return found


def _mark(field: PushField, encoded: Any) -> str:
    """The hub's own value, in a form in which "none" differs from "not adopted"."""
    return field.decode_observed(encoded) or ""


def write_of(ref: str, target: PushTarget, values: Mapping[str, Any], state: str = PENDING) -> OutboxRow:
    """An open write of these vendor values."""
    irreversible = any(field.irreversible for field in target.fields if field.name in values)
    return OutboxRow(ref, values, _urgency(target.fields, values), irreversible, state=state)


def _urgency(fields: Sequence[PushField], values: Mapping[str, Any]) -> int:
    """How soon a write has to leave."""
    heads = {field.source.partition(".")[0] for field in fields if field.name in values}
    if "opt_out" in heads:
        return OPT_OUTS
    return SUPPRESSIONS if heads & {"suppress", "suppressed"} else STATUS


def _is_over(field: PushField, there: Any, today: date) -> bool:
    """True for an until-date in the past."""
    return field.source.startswith("suppress.") and str(there)[:10] < today.isoformat()
