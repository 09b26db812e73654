"""The tables of a Klaviyo account, empty."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from onevoice.sandbox.state import Clock, TableSpec, VendorState

LAG_SECONDS = 3.0
"""How long the filters and sorts of GET /api/profiles take to see a change; a read by id sees it at once. Klaviyo
promises nothing about it (developers.klaviyo.com, "Bulk Import Profiles API": updates are processed asynchronously)."""

NEVER = "NEVER_SUBSCRIBED"
"""Consent of a profile that was never asked."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def klaviyo_state(clock: Clock) -> VendorState:
    """A Klaviyo account without records. A record's id is its key; rows need not repeat it.

    `profiles` by profile id:
        email, phone_number (E.164), external_id: text or None, each unique in the account whatever its capitals;
        first_name, last_name, organization, locale, title, image: text or None;
        location: {address1, address2, city, country, region, zip, timezone, ip: text or None}, any of them;
        properties: custom properties, JSON values, those without a value left out;
        email_marketing: {consent: SUBSCRIBED | UNSUBSCRIBED | NEVER_SUBSCRIBED, consent_timestamp, last_updated,
            method, method_detail, custom_method_detail: text or None, double_optin: bool or None,
            suppression: [{reason: HARD_BOUNCE | INVALID_EMAIL | SPAM_COMPLAINT | UNSUBSCRIBE | USER_SUPPRESSED,
            timestamp}], list_suppressions: [{list_id, reason, timestamp}]}, any of them;
        sms_marketing: {consent, consent_timestamp, last_updated, method, method_detail}, any of them;
        created, updated: set by the table. Whatever is missing was never set.
    `lists` by list id: name, opt_in_process (single_opt_in | double_opt_in), joined: {profile id: since when}, created,
        updated.
    `jobs` by job id: see jobs.py; only the server makes them.

    Every time is text, whole seconds, with offset: 2026-11-22T09:00:00+00:00.
    """
    state = VendorState("klaviyo", clock, LAG_SECONDS)
    state.add_table(
        TableSpec(
            name="profiles",
            stamp_fields=("updated",),
            created_field="created",
            stamp_text=klaviyo_stamp,
            new_id=profile_id,
            logged_fields=frozenset({"email_marketing", "sms_marketing"}),
        )
    )
    state.add_table(
        TableSpec(
            name="lists",
            stamp_fields=("updated",),
            created_field="created",
            stamp_text=klaviyo_stamp,
            new_id=list_id,
        )
    )
    state.add_table(TableSpec(name="jobs", new_id=job_id))
    return state


def klaviyo_stamp(moment: datetime) -> str:
    """As Klaviyo writes datetimes: 2026-11-22T09:00:00+00:00. It keeps whole seconds only."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}+00:00"


def profile_id(serial: int) -> str:
    """26 characters that rise with the serial number, as Klaviyo's do."""
    return _rising("01JD", serial, "profile")


def job_id(serial: int) -> str:
    """26 characters that rise with the serial number."""
    return _rising("01KA", serial, "job")


def list_id(serial: int) -> str:
    """Six letters and digits without order."""
    return hashlib.sha256(f"list {serial}".encode()).hexdigest()[:5].upper() + "L"


def _rising(prefix: str, serial: int, kind: str) -> str:
    tail = hashlib.sha256(f"{kind} {serial}".encode()).digest()[:13]
    return prefix + _in_base_32(serial).rjust(9, "0") + "".join(_CROCKFORD[byte % 32] for byte in tail)


def _in_base_32(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number, 32)
        text = _CROCKFORD[rest] + text
    return text
