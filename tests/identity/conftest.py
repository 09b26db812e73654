"""Records by hand, the shipped configuration, and the sandbox's population read straight from its state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from identity import IdentityRecord, Model, NormalisedRecord, load_model, normalise
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref
from onevoice.sandbox.world import World, build_world

ROOT = Path(__file__).parents[2]
Make = Callable[..., NormalisedRecord]
Held = dict[tuple[str, str, str], Mapping[str, Any]]
Population = tuple[list[IdentityRecord], dict[Ref, int], dict[str, list[Ref]]]


@pytest.fixture(scope="session")
def config() -> IdentityFile:
    raw = YAML(typ="safe").load((ROOT / "config/identity.yaml").read_text("utf-8"))
    return IdentityFile.model_validate(raw)


@pytest.fixture(scope="session")
def model() -> Model:
    return load_model("person.yaml")


@pytest.fixture(scope="session")
def make(config: IdentityFile) -> Make:
    """make("key", given_name=..., ...) -> normalised record."""

    def _make(key: str, *, updated_at: datetime | None = None, **data: Any) -> NormalisedRecord:
        return normalise(IdentityRecord(Ref("crm", "contacts", key), data, updated_at), config)

    return _make


@pytest.fixture(scope="session")
def population() -> Callable[[int, int], Population]:
    """population(seed, people) -> (records, person by record, hard cases), as the vendors hold them."""
    return _population


def _population(seed: int, people: int) -> Population:
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
