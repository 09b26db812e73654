"""The tables of a Square seller, empty."""

from __future__ import annotations

import hashlib
import uuid
from base64 import b32encode
from collections.abc import Callable
from datetime import UTC, datetime

from onevoice.sandbox.state import Clock, TableSpec, VendorState

SQUARE_LAG_SECONDS = 30.0
"""Square: changed customer profiles reach lists and searches "in well under 30 seconds", sometimes later (Customers
API, SearchCustomers). Nothing of the kind is said of orders and loyalty: those are seen at once."""
_NAMESPACE = uuid.UUID("6f6e6576-6f69-4365-8000-737175617265")


def square_stamp(moment: datetime) -> str:
    """As Square writes datetimes: 2026-11-20T08:00:00.123Z."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _code(length: int, kind: str) -> Callable[[int], str]:
    """Ids like JDKYHBWT1D4F8MFH63DBMEN8Y4: capitals and digits, in no order."""

    def new_id(serial: int) -> str:
        digest = hashlib.blake2b(f"{kind} {serial}".encode(), digest_size=20).digest()
        return b32encode(digest).decode()[:length]

    return new_id


def _uuid(kind: str) -> Callable[[int], str]:
    """Ids like 79b807d2-d786-46a9-933b-918028d7a8c5."""
    return lambda serial: str(uuid.uuid5(_NAMESPACE, f"{kind} {serial}"))


_IDS: dict[str, Callable[[int], str]] = {
    "customers": _code(26, "customer"),
    "custom_attributes": str,
    "merged_customers": str,
    "groups": _code(26, "group"),
    "custom_attribute_definitions": str,
    "locations": _code(13, "location"),
    "orders": _code(26, "order"),
    "loyalty_programs": _uuid("program"),
    "loyalty_accounts": _uuid("account"),
    "loyalty_events": _uuid("event"),
}
_WITHOUT_UPDATES = frozenset({"locations", "loyalty_events"})
"""Objects of which the API tells no updated_at."""
_VERSIONED = frozenset({"customers", "custom_attributes", "custom_attribute_definitions"})


def square_state(clock: Clock) -> VendorState:
    """A Square seller without records. Rows are the API's own objects; `id` may be left out, the key counts.

    - `customers` by customer id: the Customer object (given_name, family_name, email_address, phone_number, birthday,
      address{}, preferences{email_unsubscribed}, reference_id, note, creation_source, group_ids []), and
      custom_attributes {key: {"value": ...}}, which the API only shows under their own addresses. `version` is counted
      by the table. A change of custom_attributes alone does not touch the profile's stamp or version.
    - `custom_attributes` by "customer id/key": stamps and version of those values; without a row, the profile's own.
    - `merged_customers` by the id that is gone: {merged_into}.
    - `groups` by group id: {name}.
    - `custom_attribute_definitions` by key: {key, name, description, visibility, schema}.
    - `locations` by location id: the Location object. `orders` by order id: the Order object; one that a till took
      while offline arrives with its own created_at in the past (insert it without a stamp: updated_at is then now).
    - `loyalty_programs` by program id (the first is `main`): {status, terminology{one, other}, location_ids [],
      accrual_rules [{accrual_type: "SPEND", points, spend_data{amount_money{}, tax_mode}}],
      expiration_policy{expiration_duration: "P12M"}}.
    - `loyalty_accounts` by account id: {program_id, customer_id, mapping{id, phone_number, created_at}, balance,
      lifetime_points, enrolled_at, expiring_point_deadlines [{points, expires_at}]}; the deadlines' points add up to
      the balance.
    - `loyalty_events` by event id: {type, loyalty_account_id, source, location_id, and one of accumulate_points{},
      adjust_points{}, expire_points{}, ... }.

    Money is {amount, currency}, the amount in pence. Datetimes are RFC 3339 text.
    """
    state = VendorState("square", clock, SQUARE_LAG_SECONDS)
    for name, new_id in _IDS.items():
        profile = name == "customers"
        state.add_table(
            TableSpec(
                name=name,
                stamp_fields=() if name in _WITHOUT_UPDATES else ("updated_at",),
                created_field="created_at",
                stamp_text=square_stamp,
                new_id=new_id,
                logged_fields=frozenset({"preferences"} if profile else ()),
                version_field="version" if name in _VERSIONED else "",
                unstamped_fields=frozenset({"custom_attributes"} if profile else ()),
            )
        )
    return state
