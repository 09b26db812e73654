"""One view of a customer's memberships: computed, reversible, never a ledger."""

from onevoice.loyalty.merge import merge_memberships, next_change
from onevoice.loyalty.statuses import canonical_status

__all__ = ["canonical_status", "merge_memberships", "next_change"]
