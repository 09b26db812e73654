"""The till's export: a card list and the receipts, as files in a folder. The till has no API and takes nothing back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

import orjson

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import Draft
from onevoice.sandbox.population.shopping import Bought
from onevoice.sandbox.records.writing import moment, pounds

_COLUMNS = (
    "card_no",
    "first_name",
    "last_name",
    "email",
    "phone",
    "street",
    "city",
    "postcode",
    "country",
    "birth_date",
    "issued_on",
    "changed_at",
)


def export(seed: int, folder: Path, cards: Iterable[Draft], orders: Iterable[Bought]) -> None:
    """Write `cards.csv` and `receipts.jsonl` into the folder, byte for byte the same for the same seed."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.joinpath("cards.csv").write_bytes(_card_list(seed, cards).encode())
    folder.joinpath("receipts.jsonl").write_bytes(_receipts(orders))


def _card_list(seed: int, cards: Iterable[Draft]) -> str:
    rng = stream(seed, "till cards")
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for draft in cards:
        home = draft.address
        writer.writerow(
            (
                draft.card,
                draft.given,
                draft.family,
                draft.email,
                draft.mobile or draft.landline,
                home.street if home else "",
                home.city if home else "",
                home.postcode if home else "",
                home.country if home else "",
                draft.birth,
                draft.created.isoformat(),
                moment(draft.changed, rng).isoformat(),
            )
        )
    return sheet.getvalue()


def _receipts(orders: Iterable[Bought]) -> bytes:
    lines = []
    for place, order in enumerate(orders, start=1):
        lines.append(
            orjson.dumps(
                {
                    "receipt_no": f"R{place:08d}",
                    "card_no": order.draft.card,
                    "sold_at": order.at.isoformat(),
                    "category": order.category,
                    "total": pounds(order.paid),
                    "list_total": pounds(order.listed),
                    "currency": "USD" if order.draft.person.country == "US" else "GBP",
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
        )
    return b"".join(lines)
