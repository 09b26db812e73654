"""Customer records put straight into a store, as a pull leaves them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from onevoice.model import Item, Ref
from onevoice.pipeline import Hub
from onevoice.store import pages
from onevoice.store.pages import PageChange

GIVEN = ("Ann", "Anna", "A.", "Arthur", "Emma", "Ella", "Robert", "Bob", "Priya")
FAMILY = ("Lister", "Listner", "Okafor", "Raman", "Whitfield", "Berg")


def put_customers(hub: Hub, rows: Mapping[str, Mapping[str, Any]], gone: Iterable[str] = ()) -> None:
    """Store canonical customers by ref, in place of what was there, and delete others; both become work."""
    change = PageChange()
    for text, data in [*rows.items(), *((text, {}) for text in gone)]:
        ref = Ref.parse(text)
        named = {"ref": text, "system": ref.system, "stream": ref.stream}
        held = {"raw": dict(data), "raw_hash": "", "updated_at": hub.as_of, "deleted": text in set(gone)}
        change.records.append({**named, **held, "mapping": "", "pulled_at": hub.as_of})
        change.items += [Item(ref, "customer", data)] if data else []
    change.replaced_items = {record["ref"] for record in change.records}
    change.work = {("resolve", ref) for ref in change.replaced_items}
    with hub.store.begin() as connection:
        pages.save_page(connection, change, hub.as_of)


def person_like(rng: random.Random) -> dict[str, Any]:
    """Canonical fields of somebody of a small town, where much is shared and little is told."""
    house = rng.randrange(4)
    given, family = rng.choice(GIVEN), rng.choice(FAMILY)
    whole = {
        "given_name": given,
        "family_name": family,
        "birth_date": rng.choice(("1980-02-03", "1980-03-02", "1951-12-24")),
        "email": rng.choice((f"{given[:3].lower()}.{family.lower()}@posteo.net", f"home{house}@posteo.net")),
        "phone": rng.choice((f"+44770090066{house}", "+441632960001")),
        "street": f"{house} High Street",
        "city": "Leeds",
        "postcode": "LS1 1AA",
        "card_number": f"LC1000{house}",
    }
    return {name: value for name, value in whole.items() if name.endswith("name") or rng.random() < 0.5}
