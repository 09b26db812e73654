"""Edits by hand behind the hub's back, as people make them in the systems, and what the hub must write then.

Every kind takes a profile that no other edit of the same call touches, and only where the outcome is beyond doubt: all
records of the profile belong to one person, and the edit makes a difference to what stands on each expected record.
The kinds, and the records that the hub must write afterwards:

- clear_field: empties a field that the hub pushed; that record.
- untick_optout: un-ticks a native opt-out in Salesforce that the hub had set; that record.
- remove_tag: takes Shopify's tag against discounts off; leave_group: takes somebody out of the tills' group; that
  record.
- wrong_tier: writes another tier into `onevoice_tier`; wrong_points: other points on a Klaviyo profile; that record.
- raise_tier, lower_tier: changes the tier that decides in LoyaltyMemberTier; all records of the profile.
- complain: opens a complaint in Salesforce; all records of the profile.
- unsubscribe, unsubscribe_shop: opts the address of a contact out in HubSpot, of a customer in Shopify; all records of
  the profile but Square's, which send no mail.
- earn_points: posts points at the till; all records of the profile but Square's, which do not show them.
- stop_sms: opts a number out of SMS in Klaviyo; that profile.
- irrelevant: changes what nobody maps; none.
"""

from onevoice.sandbox.edits.any_field import read_field, write_field
from onevoice.sandbox.edits.hand import KINDS, Hand, NothingPushedError, answer

__all__ = ["KINDS", "Hand", "NothingPushedError", "answer", "read_field", "write_field"]
