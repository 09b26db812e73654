"""How records look in answers: resource objects of profiles, lists and jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onevoice.sandbox.klaviyo.documents import chosen
from onevoice.sandbox.klaviyo.profiles_store import COORDINATES, PLACE, TEXTS
from onevoice.sandbox.klaviyo.tables import NEVER
from onevoice.sandbox.state import Fields

SUBSCRIBED, UNSUBSCRIBED = "SUBSCRIBED", "UNSUBSCRIBED"

_CHANNELS = tuple(f"subscriptions.{channel}" for channel in ("email", "sms", "mobile_push"))
_PROFILE = {
    *TEXTS,
    *("id", "created", "updated", "last_event_date", "location", "properties", "subscriptions"),
    *(f"location.{name}" for name in (*PLACE, *COORDINATES)),
    *(*_CHANNELS, *(f"{channel}.marketing" for channel in _CHANNELS)),
}


def is_profile_field(name: str) -> bool:
    """Whether fields[profile] may name it. Single facts of a consent may not: the answer would lack parts that the API
    description requires."""
    return name in _PROFILE


def is_joined_profile_field(name: str) -> bool:
    """Whether fields[profile] may name it where profiles of a list are asked for."""
    return name == "joined_group_at" or is_profile_field(name)


def profile_attributes(row: Fields, *, subscriptions: bool) -> Fields:
    """Everything that an answer may say of a profile."""
    place = row.get("location") or {}
    shown: Fields = {
        **{name: row.get(name) for name in TEXTS},
        "created": row.get("created"),
        "updated": row.get("updated"),
        "last_event_date": None,
        "location": {
            **{name: place.get(name) for name in PLACE},
            **{name: place[name] for name in COORDINATES if place.get(name) is not None},
        },
        "properties": row.get("properties") or {},
    }
    if subscriptions:
        shown["subscriptions"] = _subscriptions(row)
    return shown


def profile_resource(key: str, attributes: Mapping[str, Any], names: Sequence[str], base_url: str) -> Fields:
    """A profile, of whose attributes those at `names` are shown; all when none is named."""
    address = f"{base_url}/api/profiles/{key}"
    return {
        "type": "profile",
        "id": key,
        "attributes": chosen(attributes, names),
        "relationships": {"lists": _related(address, "lists")},
        "links": {"self": address},
    }


def can_receive_email(row: Fields) -> bool:
    """Klaviyo computes it: an address without any suppression, whatever its consent says, short of a no."""
    email = row.get("email_marketing") or {}
    return bool(row.get("email")) and not email.get("suppression") and email.get("consent") != UNSUBSCRIBED


def can_receive_sms(row: Fields) -> bool:
    """A number, and a yes."""
    return bool(row.get("phone_number")) and (row.get("sms_marketing") or {}).get("consent") == SUBSCRIBED


def _subscriptions(row: Fields) -> Fields:
    email, sms = row.get("email_marketing") or {}, row.get("sms_marketing") or {}
    return {
        "email": {
            "marketing": {
                "can_receive_email_marketing": can_receive_email(row),
                **_consent(email),
                "custom_method_detail": email.get("custom_method_detail"),
                "double_optin": email.get("double_optin"),
                "suppression": list(email.get("suppression") or ()),
                "list_suppressions": list(email.get("list_suppressions") or ()),
            }
        },
        "sms": {"marketing": {"can_receive_sms_marketing": can_receive_sms(row), **_consent(sms)}},
        "mobile_push": {
            "marketing": {"can_receive_push_marketing": False, "consent": NEVER, "consent_timestamp": None}
        },
    }


def _consent(said: Mapping[str, Any]) -> Fields:
    return {
        "consent": said.get("consent") or NEVER,
        "consent_timestamp": said.get("consent_timestamp"),
        "last_updated": said.get("last_updated"),
        "method": said.get("method"),
        "method_detail": said.get("method_detail"),
    }


def list_resource(key: str, row: Fields, names: Sequence[str], base_url: str) -> Fields:
    """A list; `profile_count` only where it is named."""
    address = f"{base_url}/api/lists/{key}"
    attributes = {name: row.get(name) for name in ("name", "created", "updated", "opt_in_process")}
    if "profile_count" in names:
        attributes["profile_count"] = len(row.get("joined") or {})
    return {
        "type": "list",
        "id": key,
        "attributes": chosen(attributes, names),
        "relationships": {"profiles": _related(address, "profiles")},
        "links": {"self": address},
    }


def _related(address: str, name: str) -> Fields:
    return {"links": {"self": f"{address}/relationships/{name}", "related": f"{address}/{name}"}}
