"""Customer profiles found, checked, written, merged: what every endpoint on them is made of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from onevoice.sandbox.square.body import Body, shown
from onevoice.sandbox.square.errors import missing, refusal, refuse_stale
from onevoice.sandbox.square.seller import Seller
from onevoice.sandbox.state import Fields, VendorState

PUBLIC = ("given_name", "family_name", "company_name", "email_address", "phone_number")
"""A profile has at least one of these; lists and searches pass over those that have none."""
_TEXTS = {
    "given_name": 300,
    "family_name": 300,
    "company_name": 500,
    "nickname": 100,
    "email_address": 254,
    "phone_number": None,
    "reference_id": 100,
    "note": None,
    "birthday": None,
}
"""Fields that clients set, with their longest text. `preferences` is not among them: Square lets no client set it."""
WRITABLE = (*_TEXTS, "address", "tax_ids")
_ADDRESS = (
    *(f"address_line_{n}" for n in (1, 2, 3)),
    *("locality", "sublocality", "sublocality_2", "sublocality_3", "postal_code", "country"),
    *(f"administrative_district_level_{n}" for n in (1, 2, 3)),
)
_IGNORED = ("first_name", "last_name")
_COUNTRY = re.compile(r"[A-Z]{2}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_BIRTHDAY = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})")


class Customers:
    """The seller's customer profiles."""

    def __init__(self, seller: Seller) -> None:
        self._seller = seller
        self.table = seller.table("customers")

    def find(self, key: str) -> str:
        """The id of a profile to read; an id that went in a merge leads to the profile that came of it."""
        while key not in self.table:
            merged = self._seller.table("merged_customers").get(key)
            if merged is None:
                raise missing("Customer", key)
            key = merged["merged_into"]
        return key

    def writable(self, key: str) -> Fields:
        """The profile that a write names; it must be named by its own id, also after a merge."""
        row = self.table.get(key)
        if row is None:
            raise missing("Customer", key)
        self._seller.limits.refuse_rejected(key)
        return row

    def show(self, key: str, row: Fields | None = None) -> dict[str, Any]:
        """A profile as an answer shows it."""
        row = self.table.rows[key] if row is None else row
        profile = shown(row, key, ("custom_attributes",))
        profile["preferences"] = {"email_unsubscribed": False, **profile.get("preferences", {})}
        if profile.get("address"):
            profile["address"] = {name: value for name, value in profile["address"].items() if value is not None}
        if not profile.get("group_ids"):
            profile.pop("group_ids", None)
        return profile

    def create(self, asked: Body) -> str:
        """Store a new profile and return its id."""
        changes = self._changes(asked, {})
        if not any(changes.get(name) for name in PUBLIC):
            raise refusal("BAD_REQUEST", f"At least one of {', '.join(PUBLIC)} is required for a customer.")
        row = {name: value for name, value in changes.items() if value is not None}
        return self.table.insert({**row, "creation_source": "THIRD_PARTY"})

    def update(self, key: str, asked: Body) -> None:
        """Store changes: what is not named stays, null takes away."""
        before = self.writable(key)
        refuse_stale(asked.whole("version"), before["version"])
        self.table.update(key, self._changes(asked, before))

    def delete(self, key: str, version: int | None) -> None:
        """Take a profile away."""
        refuse_stale(version, self.writable(key)["version"])
        self.table.delete(key)

    def _changes(self, asked: Body, before: Fields) -> Fields:
        changes: Fields = {}
        for name in set(WRITABLE).intersection(asked.fields):
            if not asked.has(name):
                changes[name] = None
            elif name == "address":
                changes[name] = {**(before.get(name) or {}), **_address(asked.inner(name))}
            elif name == "tax_ids":
                changes[name] = {"eu_vat": asked.inner(name).only("eu_vat").text("eu_vat", 20)}
            else:
                changes[name] = _checked(asked, name)
        return changes


def _checked(asked: Body, name: str) -> str:
    value = asked.text(name, _TEXTS[name])
    if name == "email_address" and not _EMAIL.fullmatch(value):
        raise refusal("INVALID_EMAIL_ADDRESS", "Expected email_address to be a valid email address.", asked.path(name))
    if name == "phone_number" and not 9 <= sum(letter.isdigit() for letter in value) <= 16:
        raise refusal("INVALID_PHONE_NUMBER", "Expected phone_number to be a valid phone number.", asked.path(name))
    return _birthday(value, asked.path(name)) if name == "birthday" else value


def _address(asked: Body) -> Fields:
    """The parts that are named; null takes one away. Names in an address are ignored, as Square says."""
    parts = {name: asked.text(name) or None for name in asked.only(*_ADDRESS, *_IGNORED).fields if name not in _IGNORED}
    if parts.get("country") and not _COUNTRY.fullmatch(str(parts["country"])):
        raise refusal("INVALID_ENUM_VALUE", "Expected a country of two letters.", asked.path("country"))
    return dict(parts)


def _birthday(value: str, field: str) -> str:
    """As Square keeps it: the year is 0000 where none was given."""
    parts = _BIRTHDAY.fullmatch(value)
    year, month, day = parts.groups() if parts else ("", "0", "0")
    try:
        date(int(year or 0) or 2000, int(month), int(day))
    except ValueError:
        raise refusal("INVALID_VALUE", "Expected birthday as YYYY-MM-DD or MM-DD.", field) from None
    return f"{year or '0000'}-{month}-{day}"


def merge_customers(state: VendorState, keys: Sequence[str]) -> str:
    """Make one profile of several, as Square and its sellers do, and return its new id.

    The old ids are gone from lists and searches, refused by writes, and lead to the new profile when read by id
    (Square's developer forum, thread 10676). The first profile's values win; groups and custom attributes are united.
    Loyalty accounts follow; orders keep the customer id they were made with (thread 174).
    """
    customers, merged, values = (state.tables[name] for name in ("customers", "merged_customers", "custom_attributes"))
    rows = [customers.rows[key] for key in keys]
    united: Fields = {}
    for row in reversed(rows):
        united.update({name: value for name, value in row.items() if value is not None})
    united["group_ids"] = sorted({group for row in rows for group in row.get("group_ids") or ()})
    attributes = [row.get("custom_attributes") or {} for row in reversed(rows)]
    united["custom_attributes"] = {key: value for one in attributes for key, value in one.items()}
    for name in ("id", "version", "created_at"):
        united.pop(name, None)
    new = customers.insert({**united, "creation_source": "MERGE"}, actor="vendor")
    for key in keys:
        customers.delete(key, actor="vendor")
        merged.insert({"merged_into": new}, key=key, actor="vendor")
        for place in [place for place in values.rows if place.startswith(f"{key}/")]:
            values.delete(place, actor="vendor")
    accounts = state.tables["loyalty_accounts"]
    for account, row in list(accounts.rows.items()):
        if row.get("customer_id") in keys:
            accounts.update(account, {"customer_id": new}, actor="vendor")
    return new
