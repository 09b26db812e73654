"""How all records are written: times of day, names of countries."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time

COUNTRIES = {"GB": "United Kingdom", "US": "United States"}
TITLES = ("", "", "", "Ms", "Mr", "Dr", "Teacher", "Nurse", "Director", "Engineer")


def moment(day: date, rng: random.Random) -> datetime:
    """Some time of a working day, UTC."""
    return datetime.combine(day, time(rng.randint(7, 19), rng.randrange(60), rng.randrange(60)), tzinfo=UTC)


def pounds(pence: int) -> str:
    """An amount as the web shop writes it: 5990 is 59.90."""
    return f"{pence // 100}.{pence % 100:02d}"


def currency(country: str) -> str:
    """What is paid with in a country."""
    return "USD" if country == "US" else "GBP"
