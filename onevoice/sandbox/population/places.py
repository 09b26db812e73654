"""Where people live: towns, streets and post codes that do not exist, telephone numbers kept for fiction."""

from __future__ import annotations

import random
from dataclasses import dataclass

_TOWN_HEADS = [
    "Ash",
    "Brad",
    "Clay",
    "Dun",
    "Elm",
    "Fair",
    "Glen",
    "Hart",
    "King",
    "Lang",
    "Mill",
    "New",
    "North",
    "Oak",
    "Pem",
    "Quarry",
    "Red",
    "Sel",
    "Stan",
    "Stone",
    "Thorn",
    "West",
    "Whit",
    "York",
    "Crom",
    "Barn",
    "Otter",
    "Lark",
    "Hazel",
    "Wy",
]
_TOWN_TAILS = [
    "bridge",
    "bury",
    "by",
    "combe",
    "field",
    "ford",
    "ham",
    "ley",
    "mouth",
    "port",
    "stead",
    "ton",
    "wick",
    "worth",
]
_STREET_HEADS = [
    "Abbey",
    "Acacia",
    "Alma",
    "Bank",
    "Beech",
    "Bridge",
    "Castle",
    "Cedar",
    "Chapel",
    "Church",
    "Clarence",
    "Coronation",
    "Cross",
    "Dale",
    "Derby",
    "Elm",
    "Farm",
    "Fern",
    "Field",
    "Forest",
    "George",
    "Glebe",
    "Grange",
    "Green",
    "Grove",
    "Hawthorn",
    "Hazel",
    "High",
    "Hill",
    "Holly",
    "Jubilee",
    "King",
    "Lake",
    "Larch",
    "Laurel",
    "Lime",
    "Maple",
    "Manor",
    "Market",
    "Meadow",
    "Mill",
    "New",
    "Nelson",
    "Oak",
    "Orchard",
    "Palmerston",
    "Park",
    "Pine",
    "Poplar",
    "Priory",
    "Quarry",
    "Queen",
    "Ridge",
    "River",
    "Rose",
    "School",
    "Sycamore",
    "Spring",
    "Station",
    "Tanner",
    "Tower",
    "Union",
    "Valley",
    "Victoria",
    "Walnut",
    "Water",
    "Well",
    "West",
    "Willow",
    "Windsor",
    "Wood",
    "York",
]
_STREET_TAILS = [
    "Road",
    "Street",
    "Avenue",
    "Close",
    "Lane",
    "Drive",
    "Crescent",
    "Gardens",
    "Grove",
    "Terrace",
    "Way",
    "Place",
    "Court",
    "Rise",
]
STREET_SHORT = {
    "Road": "Rd",
    "Street": "St",
    "Avenue": "Ave",
    "Close": "Cl",
    "Lane": "Ln",
    "Drive": "Dr",
    "Crescent": "Cres",
    "Gardens": "Gdns",
    "Terrace": "Terr",
    "Place": "Pl",
    "Court": "Ct",
}
# No British post code area begins with Q, V or X.
_AREAS = [first + second for first in "QVX" for second in "ABDEFGHJLNPRSTUWXYZ"]
_INWARD = "ABDEFGHJLNPQRSTUWXYZ"
_STATES = ["OH", "TX", "CA", "NY", "WA", "IL", "PA", "GA", "NC", "OR"]
# Ofcom keeps 1,000 numbers of each of these areas for drama.
_FICTION_AREAS = [
    "01632 960",
    "0113 496 0",
    "0114 496 0",
    "0115 496 0",
    "0116 496 0",
    "0117 496 0",
    "0118 496 0",
    "0121 496 0",
    "0131 496 0",
    "0141 496 0",
    "0151 496 0",
    "0161 496 0",
    "020 7946 0",
    "0191 498 0",
    "028 9649 6",
    "029 2018 0",
]


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; `region` is the US state, empty in Britain. `country` is ISO 3166-1 alpha-2."""

    street: str
    city: str
    postcode: str
    region: str
    country: str


class Numbers:
    """Hands out telephone numbers, each once, in an order that a seed decides."""

    def __init__(self, rng: random.Random) -> None:
        self._mobile = rng.randrange(100_000)
        self._landline = rng.randrange(16_000)
        self._american = rng.randrange(60_000)

    def mobile(self, country: str) -> str:
        """A number of its own, national digits only: 07700 9nnnnn, then the ranges after it, or 555-01nn."""
        if country == "US":
            return self._us()
        self._mobile += 1
        block, place = divmod(self._mobile, 100_000)
        return f"0770{block % 10}9{place * 61_803 % 100_000:05d}"

    def landline(self, country: str) -> str:
        """As `mobile`, for a household."""
        if country == "US":
            return self._us()
        self._landline += 1
        place = self._landline * 6_181 % 16_000
        return f"{_FICTION_AREAS[place // 1000]}{place % 1000:03d}".replace(" ", "")

    def _us(self) -> str:
        self._american += 1
        place = self._american * 7_919 % 60_000
        return f"{201 + place // 100}55501{place % 100:02d}"


class Gazetteer:
    """The towns of one world. Streets are shared by neighbours, and about twenty doors share a post code."""

    def __init__(self, rng: random.Random, people: int) -> None:
        heads = [head + tail for head in _TOWN_HEADS for tail in _TOWN_TAILS]
        rng.shuffle(heads)
        self._towns = heads[: min(len(heads), max(15, people // 120))]
        self._rng = rng

    def address(self, country: str = "GB") -> Address:
        """Some door in some town."""
        rng = self._rng
        town = rng.randrange(len(self._towns))
        street = rng.randrange(len(_STREET_HEADS)) * len(_STREET_TAILS) + rng.randrange(len(_STREET_TAILS))
        number = min(rng.randint(1, 160), rng.randint(1, 160))
        head, tail = divmod(street, len(_STREET_TAILS))
        name = f"{number} {_STREET_HEADS[head]} {_STREET_TAILS[tail]}"
        if country == "US":
            return Address(name, self._towns[town], f"00{town % 4 + 1}{street % 90 + 10:02d}", _STATES[town % 10], "US")
        unit = street * 8 + number // 20
        area = _AREAS[town % len(_AREAS)]
        inward = f"{unit % 9 + 1}{_INWARD[unit // 9 % 20]}{_INWARD[unit // 180 % 20]}"
        return Address(name, self._towns[town], f"{area}{town // len(_AREAS) + unit % 7 + 1} {inward}", "", "GB")
