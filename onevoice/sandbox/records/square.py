"""The stores' tills of a world: customers, orders, and the loyalty accounts that keep the points.

Nothing here is drawn that a verdict depends on.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from onevoice.sandbox.chance import stream
from onevoice.sandbox.population.drafts import Draft
from onevoice.sandbox.population.permissions import Permissions
from onevoice.sandbox.population.points import Holding
from onevoice.sandbox.population.trade import Sale
from onevoice.sandbox.records.writing import currency, moment
from onevoice.sandbox.square.events import MERCHANT
from onevoice.sandbox.square.tables import square_stamp
from onevoice.sandbox.state import VendorState
from onevoice.sandbox.truth import EMAIL, Account, Truth

_STORES = ("High Street", "Riverside", "Station Road")


class SquareRecords:
    """Writes the seller."""

    def __init__(self, seed: int, state: VendorState, truth: Truth, permissions: Permissions, as_of: date) -> None:
        self._rng = stream(seed, "square records")
        self._state = state
        self._truth = truth
        self._permissions = permissions
        self._as_of = as_of
        opened = moment(as_of - timedelta(days=3000), self._rng)
        self._stores = [
            state.tables["locations"].insert(
                {
                    "name": name,
                    "merchant_id": MERCHANT,
                    "status": "ACTIVE",
                    "country": "GB",
                    "currency": "GBP",
                    "timezone": "Europe/London",
                },
                opened,
                actor="seed",
            )
            for name in _STORES
        ]
        self._programme = state.tables["loyalty_programs"].insert(
            {
                "status": "ACTIVE",
                "terminology": {"one": "point", "other": "points"},
                "reward_tiers": [],
                "expiration_policy": {"expiration_duration": "P12M"},
                "accrual_rules": [
                    {
                        "accrual_type": "SPEND",
                        "points": 1,
                        "spend_data": {
                            "amount_money": {"amount": 100, "currency": "GBP"},
                            "tax_mode": "AFTER_TAX",
                        },
                    }
                ],
                "location_ids": self._stores,
            },
            opened,
            actor="seed",
        )

    def customer(self, draft: Draft) -> None:
        """One customer."""
        rng, home = self._rng, draft.address
        made = moment(draft.created, rng)
        fields: dict[str, Any] = {
            "given_name": draft.given,
            "family_name": draft.family,
            "email_address": draft.email,
            "phone_number": draft.mobile,
            "birthday": draft.birth,
            "address": {
                "address_line_1": home.street,
                "locality": home.city,
                "postal_code": home.postcode,
                "administrative_district_level_1": home.region,
                "country": home.country,
            }
            if home
            else {},
        }
        fields = {name: value for name, value in fields.items() if value}
        fields |= {
            "preferences": {"email_unsubscribed": (id(draft), EMAIL) in self._permissions.refusals},
            "creation_source": "LOYALTY" if rng.random() < 0.5 else "DIRECTORY",
            "group_ids": [],
            "custom_attributes": {},
            "created_at": square_stamp(made),
        }
        stamp = max(made, moment(draft.changed, rng))
        self._state.tables["customers"].insert(fields, stamp, draft.key, actor="seed")

    def order(self, sale: Sale) -> None:
        """One order of one line."""
        store = self._rng.choice(self._stores)
        fields = order_fields(sale.draft.key, store, sale.at, sale.category, sale.listed, sale.paid, sale.draft)
        fields["state"] = "CANCELED" if sale.cancelled else "COMPLETED"
        self._state.tables["orders"].insert(fields, sale.arrived, actor="seed")

    def account(self, holding: Holding) -> None:
        """One loyalty account, with the events that its points come from."""
        draft = holding.draft
        enrolled = moment(holding.enrolled, self._rng)
        fields = {
            "program_id": self._programme,
            "customer_id": draft.key,
            "mapping": {"phone_number": draft.mobile, "created_at": square_stamp(enrolled)},
            "balance": holding.balance,
            "lifetime_points": holding.lifetime,
            "enrolled_at": square_stamp(enrolled),
            "created_at": square_stamp(enrolled),
            "expiring_point_deadlines": [
                {"points": points, "expires_at": square_stamp(_midnight(on))} for points, on in holding.deadlines
            ],
        }
        stamp = max(enrolled, moment(self._as_of - timedelta(days=self._rng.randint(2, 40)), self._rng))
        key = self._state.tables["loyalty_accounts"].insert(fields, stamp, actor="seed")
        if holding.balance > 0:
            event = points_event(key, self._programme, self._stores[0], holding.balance)
            self._state.tables["loyalty_events"].insert(
                {**event, "created_at": square_stamp(stamp)}, stamp, actor="seed"
            )
        self._truth.open_account(Account(draft.ref, key, holding.balance, list(holding.deadlines)))


def order_fields(
    customer: str, store: str, at: datetime, category: str, listed: int, paid: int, draft: Draft | None = None
) -> dict[str, Any]:
    """An Order of one line, paid at the till; prices in pence."""
    money = currency(draft.person.country) if draft else "GBP"

    def amount(pence: int) -> dict[str, Any]:
        return {"amount": pence, "currency": money}

    return {
        "customer_id": customer,
        "location_id": store,
        "created_at": square_stamp(at),
        "closed_at": square_stamp(at),
        "state": "COMPLETED",
        "line_items": [
            {
                "uid": "line-1",
                "name": category.capitalize(),
                "quantity": "1",
                "metadata": {"category": category},
                "base_price_money": amount(listed),
                "gross_sales_money": amount(listed),
                "total_discount_money": amount(listed - paid),
                "total_money": amount(paid),
            }
        ],
        "total_discount_money": amount(listed - paid),
        "total_money": amount(paid),
    }


def points_event(account: str, programme: str, store: str, points: int) -> dict[str, Any]:
    """What the log of loyalty events says when points are earned."""
    return {
        "type": "ACCUMULATE_POINTS",
        "loyalty_account_id": account,
        "source": "SQUARE",
        "location_id": store,
        "accumulate_points": {"loyalty_program_id": programme, "points": points},
    }


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
