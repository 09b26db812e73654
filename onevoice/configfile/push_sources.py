"""What the hub can push: the dotted names after `from:` in `push:`, with their types.

profile.id                     our id of the customer
decided_at                     when anything that is pushed last changed
golden.<customer field>        the surviving value
status.<programme>.<field>     merged loyalty status: tier, tier_until, points, member_since, status
suppress.<family>              last day on which the family must not be sent by e-mail; FOREVER when no date ends it
suppress.<family>.<channel>    the same for another channel
suppressed.<family>[.<channel>] whether it must not be sent today
opt_out.<channel>              true only for the very contact point that opted out
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from onevoice.model import KINDS, FieldType

STATUS_FIELDS: Mapping[str, FieldType] = {
    "tier": FieldType.TEXT,
    "tier_until": FieldType.DATE,
    "points": FieldType.DECIMAL,
    "points_next_expiry_on": FieldType.DATE,
    "member_since": FieldType.DATE,
    "status": FieldType.TEXT,
}

DECIDED_AT = "decided_at"
EMAIL = "email"


def push_sources(
    programmes: Iterable[str],
    families: Mapping[str, Iterable[str]],
    channels: Iterable[str],
    custom: Mapping[str, FieldType],
) -> Mapping[str, FieldType]:
    """Every source that these programmes, families, channels of consent and custom attributes give, with its type."""
    places = [_place(family, channel) for family, own in families.items() for channel in own]
    return {
        "profile.id": FieldType.TEXT,
        DECIDED_AT: FieldType.DATETIME,
        **{f"golden.{name}": type_ for name, type_ in {**KINDS["customer"], **custom}.items()},
        **{f"status.{each}.{name}": type_ for each in programmes for name, type_ in STATUS_FIELDS.items()},
        **{f"suppress.{place}": FieldType.DATE for place in places},
        **{f"suppressed.{place}": FieldType.BOOLEAN for place in places},
        **{f"opt_out.{channel}": FieldType.BOOLEAN for channel in channels},
    }


def _place(family: str, channel: str) -> str:
    """How a family on a channel is named: e-mail goes without saying."""
    return family if channel == EMAIL else f"{family}.{channel}"
