"""The golden record: which of several records' values stands, and why. Nothing is destroyed; losers are kept aside."""

from identity.survive.choose import survive
from identity.survive.golden import Circumstances, Golden, Provenance

__all__ = ["Circumstances", "Golden", "Provenance", "survive"]
