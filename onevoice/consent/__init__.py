"""What customers allowed and forbade: an event log resolved to a state at one day."""

from onevoice.consent.contact_points import contact_point
from onevoice.consent.permission import allowed_points, channel_denied, may_contact
from onevoice.consent.resolve import next_change, point_states, resolve_consent

__all__ = [
    "allowed_points",
    "channel_denied",
    "contact_point",
    "may_contact",
    "next_change",
    "point_states",
    "resolve_consent",
]
