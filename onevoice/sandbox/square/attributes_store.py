"""Custom attributes: their definitions, and customers' values with stamps and versions of their own."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from onevoice.sandbox.square.body import Body
from onevoice.sandbox.square.customers_store import Customers
from onevoice.sandbox.square.errors import missing, refusal, refuse_stale
from onevoice.sandbox.square.seller import Seller
from onevoice.sandbox.state import Fields, VendorState

_TYPE = re.compile(r"https://developer-production-s\.squarecdn\.com/schemas/v1/common\.json#squareup\.common\.(\w+)")
_NUMBER = re.compile(r"-?\d{1,14}(\.\d{1,5})?")
_PHONE = re.compile(r"\+\d{9,16}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST_TEXT = 1_000


class Attributes:
    """The seller's definitions, and the values of customers."""

    def __init__(self, seller: Seller, customers: Customers) -> None:
        self._state = seller.state
        self._definitions = seller.table("custom_attribute_definitions")
        self._stamps = seller.table("custom_attributes")
        self._customers = customers

    def definition(self, key: str) -> Fields:
        """A definition by its key."""
        row = self._definitions.get(key)
        if row is None:
            raise missing("Custom attribute definition", key)
        return row

    def show_definition(self, key: str) -> dict[str, Any]:
        """A definition as an answer shows it; its versions begin at 1."""
        row = self.definition(key)
        return {**{name: value for name, value in row.items() if value is not None}, "version": row["version"] + 1}

    def keys(self, customer: str) -> list[str]:
        """The keys under which a customer has values, in order."""
        return sorted(self._values(customer))

    def show(self, customer: str, key: str, *, with_definition: bool) -> dict[str, Any]:
        """A customer's value as an answer shows it."""
        held = self._values(customer).get(key)
        if held is None:
            raise missing("Custom attribute", key)
        definition = self.definition(key)
        answer = {
            "key": key,
            "value": held["value"],
            "visibility": definition["visibility"],
            **self.stamps(customer, key, self._customers.table.rows[customer]),
        }
        return {**answer, "definition": self.show_definition(key)} if with_definition else answer

    def stamps(self, customer: str, key: str, profile: Mapping[str, Any]) -> dict[str, Any]:
        """Version, created_at and updated_at of a value; one that nobody changed is as old as the profile."""
        return _stamps(self._stamps.get(f"{customer}/{key}"), profile)

    def seen_stamps(self, customer: str, key: str, profile: Mapping[str, Any]) -> dict[str, Any]:
        """The same, as searches see it after the lag."""
        return _stamps(self._stamps.seen().get(f"{customer}/{key}"), profile)

    def put(self, customer: str, key: str, asked: Body) -> None:
        """Store a value that fits its definition; `asked` is a CustomAttribute."""
        profile = self._customers.writable(customer)
        definition = self.definition(key)
        asked.need("value")
        kind = attribute_type(definition["schema"], "schema")
        if not _FITS[kind](asked.fields["value"]):
            raise refusal("INVALID_VALUE", f"The value does not fit the type {kind}.", asked.path("value"))
        if key in self._values(customer):
            refuse_stale(asked.whole("version"), self.stamps(customer, key, profile)["version"])
        put_attribute(self._state, customer, key, asked.fields["value"], actor="api")

    def take(self, customer: str, key: str) -> None:
        """Take a customer's value away."""
        self._customers.writable(customer)
        if key not in self._values(customer):
            raise missing("Custom attribute", key)
        put_attribute(self._state, customer, key, None, actor="api")

    def forget(self, key: str) -> None:
        """Take a definition away, and its values with it."""
        self.definition(key)
        for customer, row in list(self._customers.table.rows.items()):
            if key in (row.get("custom_attributes") or {}):
                put_attribute(self._state, customer, key, None, actor="vendor")
        self._definitions.delete(key)

    def _values(self, customer: str) -> Fields:
        return self._customers.table.rows[customer].get("custom_attributes") or {}


def _stamps(row: Fields | None, profile: Mapping[str, Any]) -> dict[str, Any]:
    if row is None:
        return {"version": 1, "created_at": profile["created_at"], "updated_at": profile["created_at"]}
    return {"version": row["version"] + 1, "created_at": row["created_at"], "updated_at": row["updated_at"]}


def put_attribute(state: VendorState, customer: str, key: str, value: Any, actor: str) -> None:
    """Set a customer's value, None to take it away, and move its stamp. `actor` as for `Table.update`.

    Among the API writes it counts as a write of `custom_attributes.<key>`.
    """
    customers, stamps = state.tables["customers"], state.tables["custom_attributes"]
    held = customers.rows[customer].get("custom_attributes") or {}
    changed = {name: one for name, one in held.items() if name != key}
    place = f"{customer}/{key}"
    if value is not None:
        changed[key] = {"value": value}
        if place in stamps:
            stamps.update(place, {}, actor="vendor")
        elif key in held:
            created = customers.rows[customer]["created_at"]
            stamps.insert({"created_at": created, "version": 1}, key=place, actor="seed")
        else:
            stamps.insert({}, key=place, actor="seed")
    elif place in stamps:
        stamps.delete(place, actor=actor)
    elif key in held:
        state.note(stamps.spec.name, place, "(record)", None, "deleted", actor)
    # Written down by its value: the row of the profile holds all the others too.
    customers.update(customer, {"custom_attributes": changed}, actor="vendor" if actor == "api" else actor)
    if actor == "api":
        name = f"custom_attributes.{key}"
        state.api_writes.record("customers", customer, {name: value}, {name: held.get(key, {}).get("value")})


def attribute_type(schema: object, field: str) -> str:
    """The type that a definition's schema stands for: String, Number, ... (Selection is not served)."""
    known = _TYPE.fullmatch(str(schema.get("$ref", ""))) if isinstance(schema, Mapping) else None
    if known is None or known[1] not in _FITS:
        raise refusal("INVALID_VALUE", "The schema is none that custom attributes can have.", field)
    return known[1]


def _is_date(value: Any) -> bool:
    try:
        return isinstance(value, str) and len(value) == len("2026-11-22") and bool(date.fromisoformat(value))
    except ValueError:
        return False


_FITS: dict[str, Callable[[Any], bool]] = {
    "String": lambda value: isinstance(value, str) and len(value) <= _LONGEST_TEXT,
    "Email": lambda value: isinstance(value, str) and bool(_EMAIL.fullmatch(value)),
    "PhoneNumber": lambda value: isinstance(value, str) and bool(_PHONE.fullmatch(value)),
    "Address": lambda value: isinstance(value, dict),
    "Date": _is_date,
    "Boolean": lambda value: isinstance(value, bool),
    "Number": lambda value: isinstance(value, str) and bool(_NUMBER.fullmatch(value)) and Decimal(value).is_finite(),
}
"""Does a value fit a type? A Number travels as text."""
