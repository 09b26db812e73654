"""The properties of contacts: HubSpot's own, the web shop integration's, and those created through the API.

Created ones live in `VendorState.schema`, so that they survive a restart.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from onevoice.sandbox.state import VendorState, hubspot_stamp
from onevoice.sandbox.tables import OPTOUT_PROPERTY

CONTACT_TYPES = frozenset({"contacts", "contact", "0-1"})
"""Names under which the API knows the contacts object type."""
_DEFINITIONS, _GROUPS = "contacts", "contact_groups"
"""Keys in VendorState.schema."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property. `type` is string, number, date, datetime, enumeration or bool."""

    name: str
    type: str
    label: str
    field_type: str = "text"
    group: str = "contactinformation"
    description: str = ""
    read_only: bool = False
    own: bool = False
    """Made by the company or an integration, not by HubSpot."""
    unique: bool = False
    options: tuple[str, ...] = ()
    """Allowed values of an enumeration."""
    option_labels: tuple[str, ...] = ()


_TRUTH = ("true", "false")
_HUBSPOT = (
    Property("hs_object_id", "number", "Record ID", "number", read_only=True, unique=True),
    Property("email", "string", "Email", unique=True),
    Property("firstname", "string", "First Name"),
    Property("lastname", "string", "Last Name"),
    Property("phone", "string", "Phone Number", "phonenumber"),
    Property("mobilephone", "string", "Mobile Phone Number", "phonenumber"),
    Property("address", "string", "Street Address"),
    Property("city", "string", "City"),
    Property("zip", "string", "Postal Code"),
    Property("state", "string", "State/Region"),
    Property("country", "string", "Country/Region"),
    Property("jobtitle", "string", "Job Title"),
    Property("date_of_birth", "string", "Date of birth"),
    Property("createdate", "datetime", "Create Date", "date", read_only=True),
    Property("lastmodifieddate", "datetime", "Last Modified Date", "date", read_only=True),
    Property("hs_merged_object_ids", "enumeration", "Merged record IDs", "checkbox", read_only=True),
    Property("hs_email_optout", "bool", "Unsubscribed from all email", "booleancheckbox", read_only=True),
    Property(OPTOUT_PROPERTY, "bool", "Opted out of email: Marketing", "booleancheckbox", read_only=True),
)
_SHOP = "web_shop"
_INTEGRATION = (
    Property("loyalty_number", "string", "Loyalty number", group=_SHOP, own=True),
    Property("loyalty_member", "bool", "Loyalty member", "booleancheckbox", _SHOP, own=True),
    Property("loyalty_tier", "string", "Loyalty tier", group=_SHOP, own=True),
    Property("loyalty_points", "number", "Loyalty points", "number", _SHOP, own=True),
    Property("birthday_reward_on", "date", "Birthday reward given on", "date", _SHOP, own=True),
    Property("welcome_reward_on", "date", "Welcome reward given on", "date", _SHOP, own=True),
    Property("web_orders", "number", "Web orders", "number", _SHOP, own=True),
    Property("web_last_order_at", "datetime", "Last web order", "date", _SHOP, own=True),
    Property("web_last_order_category", "string", "Category of the last web order", group=_SHOP, own=True),
    Property("cart_abandoned_at", "datetime", "Cart left at", "date", _SHOP, own=True),
    Property("cart_category", "string", "Category of the cart left", group=_SHOP, own=True),
)
_STANDARD = {known.name: known for known in (*_HUBSPOT, *_INTEGRATION)}
_STANDARD_GROUPS = {"contactinformation": "Contact information", "emailinformation": "Email information", _SHOP: "Shop"}


class Properties:
    """The portal's contact properties and their groups, as they are now."""

    def __init__(self, state: VendorState) -> None:
        self._state = state
        self._created: dict[str, Property] = {}
        self._at = -1

    def all(self) -> dict[str, Property]:
        """By name."""
        kept = self._state.schema.get(_DEFINITIONS, {})
        if len(kept) != self._at:
            self._created = {name: _loaded(one) for name, one in kept.items()}
            self._at = len(kept)
        return {**_STANDARD, **self._created}

    def find(self, name: str) -> Property | None:
        """One property, or None."""
        return _STANDARD.get(name) or self.all().get(name)

    def put(self, one: Property) -> None:
        """Create a property, or change one that was created through the API."""
        self._state.schema.setdefault(_DEFINITIONS, {})[one.name] = asdict(one)
        self._at = -1

    def remove(self, name: str) -> None:
        """Archive a property that was created through the API; KeyError for any other."""
        del self._state.schema.get(_DEFINITIONS, {})[name]
        self._at = -1

    def is_created(self, name: str) -> bool:
        """Whether a property was created through the API."""
        return name in self._state.schema.get(_DEFINITIONS, {})

    def groups(self) -> dict[str, str]:
        """Property groups: name -> label."""
        created = self._state.schema.get(_GROUPS, {})
        return {**_STANDARD_GROUPS, **{name: kept["label"] for name, kept in created.items()}}

    def put_group(self, name: str, label: str) -> None:
        """Create a property group."""
        self._state.schema.setdefault(_GROUPS, {})[name] = {"label": label}

    def shown(self, one: Property) -> dict[str, Any]:
        """As the properties API gives it."""
        labels = one.option_labels or one.options
        values = one.options or (_TRUTH if one.type == "bool" else ())
        stamp = hubspot_stamp(self._state.clock.now())
        return {
            "name": one.name,
            "label": one.label,
            "type": one.type,
            "fieldType": one.field_type,
            "description": one.description,
            "groupName": one.group,
            "options": [
                {"label": label, "value": value, "displayOrder": place, "hidden": False}
                for place, (value, label) in enumerate(zip(values, labels or values, strict=True))
            ],
            "displayOrder": -1,
            "hasUniqueValue": one.unique,
            "hidden": False,
            "formField": not one.read_only,
            "calculated": False,
            "externalOptions": False,
            "hubspotDefined": not one.own,
            "archived": False,
            "createdAt": stamp,
            "updatedAt": stamp,
            "modificationMetadata": {
                "archivable": one.own,
                "readOnlyDefinition": not one.own,
                "readOnlyValue": one.read_only,
                "readOnlyOptions": not one.own,
            },
        }


def _loaded(kept: dict[str, Any]) -> Property:
    return Property(**{**kept, "options": tuple(kept["options"]), "option_labels": tuple(kept["option_labels"])})
