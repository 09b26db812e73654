"""The fact catalogue: what rules may ask of a customer, and how stored facts become the values that are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any

from onevoice.model import FieldType
from onevoice.policy.language import Vocabulary
from onevoice.policy.language.numbers import MOST_DECIMAL, MOST_INTEGER
from onevoice.policy.language.terms import AS_OF, Age, Fact

FACTS: Mapping[str, FieldType] = MappingProxyType(
    {
        "as_of": FieldType.DATE,
        "is_member": FieldType.BOOLEAN,
        "membership_status": FieldType.TEXT,
        "tier": FieldType.TEXT,
        "tier_rank": FieldType.INTEGER,
        "tier_until": FieldType.DATE,
        "has_perks": FieldType.BOOLEAN,
        "points": FieldType.DECIMAL,
        "points_next_expiry_on": FieldType.DATE,
        "memberships": FieldType.INTEGER,
        "orders_total": FieldType.INTEGER,
        "last_order_at": FieldType.DATETIME,
        "last_order_on": FieldType.DATE,
        "last_full_price_on": FieldType.DATE,
        "annual_spend": FieldType.DECIMAL,
        "cart_at": FieldType.DATETIME,
        "cart_on": FieldType.DATE,
        "cart_category": FieldType.TEXT,
        "bought_cart_on": FieldType.DATE,
        "open_cart_on": FieldType.DATE,
        "last_order_in_cart_category_at": FieldType.DATETIME,
        "open_complaint": FieldType.BOOLEAN,
        "complaint_closed_on": FieldType.DATE,
        "email_denied": FieldType.BOOLEAN,
        "sms_denied": FieldType.BOOLEAN,
        "birthday_reward_on": FieldType.DATE,
        "welcome_reward_on": FieldType.DATE,
        "birth_date": FieldType.DATE,
        "age": FieldType.INTEGER,
        "country": FieldType.TEXT,
    }
)
"""Facts by name. `..._on` is the day in the company's time zone. `as_of` is the day a rule is asked for; `age` is
always reckoned from birth_date and as_of. What is known not to be (no complaint, no membership) is false or 0, not left
out: a fact that is left out is unknown."""

DERIVED = MappingProxyType({"age": Age(FieldType.INTEGER, Fact(FieldType.DATE, "birth_date"))})

VOCABULARY = Vocabulary({name: kind for name, kind in FACTS.items() if name not in DERIVED}, DERIVED)
"""What the expressions of rules may name."""

_FOUR_DIGITS = Decimal("0.0001")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST_INTEGER:
        return value
    raise ValueError


def _decimal(value: Any) -> Decimal:
    if isinstance(value, int | str | Decimal) and not isinstance(value, bool):
        number = Decimal(value)
        if number.is_finite() and abs(number) <= MOST_DECIMAL:
            return number.quantize(_FOUR_DIGITS, ROUND_HALF_UP)
    raise ValueError


def _date(value: Any) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError


def _datetime(value: Any) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        return moment.astimezone(UTC)
    raise ValueError


_READERS: Mapping[FieldType, Callable[[Any], Any]] = {
    FieldType.TEXT: _text,
    FieldType.BOOLEAN: _boolean,
    FieldType.INTEGER: _integer,
    FieldType.DECIMAL: _decimal,
    FieldType.DATE: _date,
    FieldType.DATETIME: _datetime,
}


def fact_readers(names: Iterable[str]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """For each fact the function that makes a stored value (JSON, or already typed) the value rules compare."""
    return tuple((name, _READERS[FACTS[name]]) for name in sorted(names))


def typed_row(
    facts: Mapping[str, Any], as_of: date, readers: Iterable[tuple[str, Callable[[Any], Any]]]
) -> dict[str, Any]:
    """Typed facts with the day among them. Raises ValueError naming a fact whose value is not of its type."""
    row: dict[str, Any] = {AS_OF: as_of}
    for name, read in readers:
        value = facts.get(name)
        if value is not None:
            try:
                row[name] = read(value)
            except (ValueError, InvalidOperation, OverflowError) as error:
                raise ValueError(f"fact {name}: not {FACTS[name].value}, or too large") from error
    return row
