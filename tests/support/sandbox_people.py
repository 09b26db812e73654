"""The sandbox's population as the vendors hold it, read straight from its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity import IdentityRecord
from onevoice.model import Ref
from onevoice.sandbox.world import World, build_world

Held = dict[tuple[str, str, str], Mapping[str, Any]]
Population = tuple[list[IdentityRecord], dict[Ref, int], dict[str, list[Ref]]]


def population(seed: int, people: int) -> Population:
    """(records, person by record, hard cases)."""
    world = build_world(seed, people)
    cards: dict[str, str] = {
        row["ContactId"]: row["MembershipNumber"]
        for row in world.salesforce.tables["LoyaltyProgramMember"].rows.values()
    }
    held: Held = {}
    for key, row in world.salesforce.tables["Contact"].rows.items():
        names = ("FirstName", "LastName", "Birthdate", "Email", "MailingStreet", "MailingCity", "MailingPostalCode")
        held["salesforce", "Contact", key] = {
            **dict(zip(_FIELDS, (row[name] for name in names), strict=True)),
            "phone": [row["MobilePhone"] or "", row["Phone"] or ""],
            "country": row["MailingCountry"],
            "card_number": cards.get(key),
        }
    for key, row in world.hubspot.tables["contacts"].rows.items():
        names = ("firstname", "lastname", "date_of_birth", "email", "address", "city", "zip")
        held["hubspot", "contacts", key] = {
            **dict(zip(_FIELDS, (row[name] for name in names), strict=True)),
            "phone": [row["mobilephone"] or "", row["phone"] or ""],
            "country": row["country"],
            "card_number": row["loyalty_number"],
        }
    for draft in world.cards:
        place = draft.address
        held[draft.ref] = {
            "given_name": draft.given,
            "family_name": draft.family,
            "birth_date": draft.birth,
            "email": draft.email,
            "phone": [draft.mobile, draft.landline],
            "street": place and place.street,
            "city": place and place.city,
            "postcode": place and place.postcode,
            "country": place and place.country,
            "card_number": draft.card,
        }
    held.update(_of_channels(world))
    records = [
        IdentityRecord(Ref(*ref), {name: value for name, value in data.items() if value}) for ref, data in held.items()
    ]
    truth = {Ref(*ref): person for ref, person in world.truth.person_of.items()}
    cases = {case: [Ref(*ref) for ref in refs] for case, refs in world.truth.hard_cases.items()}
    return records, truth, cases


def _of_channels(world: World) -> Held:
    """Customers of the web shop and of the tills, and the sender's profiles."""
    held: Held = {}
    for key, row in world.shopify.tables["customers"].rows.items():
        place = row["address"] or {}
        values = (
            row["firstName"],
            row["lastName"],
            "",
            row["email"],
            *(place.get(n) for n in ("address1", "city", "zip")),
        )
        held["shopify", "customers", key] = {
            **dict(zip(_FIELDS, values, strict=True)),
            "phone": [row["phone"] or ""],
            "country": place.get("countryCodeV2"),
        }
    for key, row in world.square.tables["customers"].rows.items():
        place = row.get("address", {})
        names = ("given_name", "family_name", "birthday", "email_address")
        places = ("address_line_1", "locality", "postal_code")
        values = (*(row.get(name) for name in names), *(place.get(name) for name in places))
        held["square", "customers", key] = {
            **dict(zip(_FIELDS, values, strict=True)),
            "phone": [row.get("phone_number", "")],
            "country": place.get("country"),
        }
    for key, row in world.klaviyo.tables["profiles"].rows.items():
        held["klaviyo", "profiles", key] = {
            "given_name": row["first_name"],
            "family_name": row["last_name"],
            "birth_date": row["properties"].get("birth_date"),
            "email": row["email"],
            "phone": [row["phone_number"] or ""],
        }
    return held


_FIELDS = ("given_name", "family_name", "birth_date", "email", "street", "city", "postcode")
