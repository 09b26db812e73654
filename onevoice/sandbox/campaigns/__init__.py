"""The marketing side of the systems: who gets which message today, chosen by each system's own fields alone.

A campaign knows nothing of the other systems, of the truth, or of who is who. What a hub wrote it honours:
`onevoice_no_<family>_until` and its like on the record (HubSpot's newsletter looks at a static list instead, Shopify's
discount at a tag, the tills' invitation to join at a customer group), what the hub says of tier, points and their next
expiry, and the vendor's native opt-outs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from onevoice.sandbox.campaigns.hubspot import NEWSLETTER_LIST, hubspot_messages
from onevoice.sandbox.campaigns.klaviyo import klaviyo_messages
from onevoice.sandbox.campaigns.salesforce import salesforce_messages
from onevoice.sandbox.campaigns.selecting import Message
from onevoice.sandbox.campaigns.shopify import shopify_messages
from onevoice.sandbox.campaigns.square import square_messages
from onevoice.sandbox.state import VendorState

__all__ = ["NEWSLETTER_LIST", "STREAMS", "Message", "all_messages"]

STREAMS = {
    "salesforce": "Contact",
    "hubspot": "contacts",
    "shopify": "customers",
    "square": "customers",
    "klaviyo": "profiles",
}
"""System -> the table of the records that its messages go to."""
_SENDERS = {
    "salesforce": salesforce_messages,
    "hubspot": hubspot_messages,
    "shopify": shopify_messages,
    "square": square_messages,
    "klaviyo": klaviyo_messages,
}


def all_messages(vendors: Mapping[str, VendorState], day: date) -> Iterator[Message]:
    """Every message that would go out on that day, system by system."""
    for name, messages in _SENDERS.items():
        yield from messages(vendors[name], day)
