"""What is true of each person, and the verdict on a message.

The facts lie apart from the vendors' records, but every fact stands on one of them (`ref`), so that somebody who knew
who is who could find it there.
"""

from onevoice.sandbox.truth.contact_points import same_mailbox, same_number
from onevoice.sandbox.truth.facts import (
    EMAIL,
    RECEIPT,
    SMS,
    TIER_RANK,
    Account,
    Cart,
    Complaint,
    Facts,
    Membership,
    Order,
    Ref,
    Reward,
    Tier,
)
from onevoice.sandbox.truth.verdict import CLASSES, FAMILIES, NOT_PROMOTIONAL, Offer, Truth, Wrong

__all__ = [
    "CLASSES",
    "EMAIL",
    "FAMILIES",
    "NOT_PROMOTIONAL",
    "RECEIPT",
    "SMS",
    "TIER_RANK",
    "Account",
    "Cart",
    "Complaint",
    "Facts",
    "Membership",
    "Offer",
    "Order",
    "Ref",
    "Reward",
    "Tier",
    "Truth",
    "Wrong",
    "same_mailbox",
    "same_number",
]
