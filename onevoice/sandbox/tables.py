"""The tables of the two vendors, empty."""

from __future__ import annotations

from functools import partial

from onevoice.sandbox.state import Clock, TableSpec, VendorState, hubspot_stamp, salesforce_id, salesforce_stamp

SALESFORCE_LAG_SECONDS = 2.0
HUBSPOT_LAG_SECONDS = 5.0

MARKETING = "10001"
"""HubSpot's one subscription type."""
OPTOUT_PROPERTY = f"hs_email_optout_{MARKETING}"

_PREFIXES = {
    "Organization": "00D",
    "Contact": "003",
    "Case": "500",
    "LoyaltyProgram": "0lp",
    "LoyaltyProgramMember": "0lM",
    "LoyaltyMemberCurrency": "0lc",
    "LoyaltyMemberTier": "0lt",
}
_LOGGED = {
    "Contact": {"HasOptedOutOfEmail"},
    "LoyaltyProgramMember": {"MemberStatus"},
    "LoyaltyMemberTier": {"Name", "TierExpirationDate"},
}


def salesforce_state(clock: Clock) -> VendorState:
    """A Salesforce org without records; every object has the system fields of its kind."""
    state = VendorState("salesforce", clock, SALESFORCE_LAG_SECONDS)
    for name, prefix in _PREFIXES.items():
        state.add_table(
            TableSpec(
                name=name,
                stamp_fields=("LastModifiedDate", "SystemModstamp"),
                created_field="CreatedDate",
                stamp_text=salesforce_stamp,
                new_id=partial(salesforce_id, prefix),
                logged_fields=frozenset(_LOGGED.get(name, ())),
            )
        )
    return state


def hubspot_state(clock: Clock) -> VendorState:
    """A HubSpot portal without records.

    `contacts` by record id (values are text, an empty property is left out or ''), `subscriptions` by lower-cased
    e-mail address ({status: 'SUBSCRIBED' | 'NOT_SUBSCRIBED', source, events: [...]}; an address without a row never
    said anything), `archived_contacts` by record id (as they were when archived; `archived_at`, and `merged_into` where
    a merge took them away), `lists` by list id ({name, listId, processingType, members: set of contact record ids}).
    """
    state = VendorState("hubspot", clock, HUBSPOT_LAG_SECONDS)
    state.add_table(
        TableSpec(
            name="contacts",
            stamp_fields=("lastmodifieddate",),
            created_field="createdate",
            stamp_text=hubspot_stamp,
            new_id=lambda serial: str(40_000_000_000 + serial * 7),
            logged_fields=frozenset({"hs_email_optout", OPTOUT_PROPERTY}),
        )
    )
    state.add_table(TableSpec(name="archived_contacts", stamp_fields=("archived_at",), stamp_text=hubspot_stamp))
    state.add_table(TableSpec(name="subscriptions", stamp_fields=("updatedAt",), logged_fields=frozenset({"status"})))
    state.add_table(
        TableSpec(
            name="lists", stamp_fields=("updatedAt",), created_field="createdAt", stamp_text=hubspot_stamp, new_id=str
        )
    )
    return state
