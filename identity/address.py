"""Postal addresses: house number, street name and postcode in one spelling."""

from __future__ import annotations

import re
from functools import lru_cache

from anyascii import anyascii

_KINDS = {
    "street": "st",
    "str": "st",
    "saint": "st",
    "road": "rd",
    "avenue": "ave",
    "av": "ave",
    "close": "cl",
    "court": "ct",
    "crescent": "cres",
    "cr": "cres",
    "drive": "dr",
    "drv": "dr",
    "gardens": "gdns",
    "grove": "gr",
    "lane": "ln",
    "place": "pl",
    "square": "sq",
    "terrace": "terr",
    "tce": "terr",
    "boulevard": "blvd",
    "parade": "pde",
    "circuit": "cct",
    "highway": "hwy",
    "way": "wy",
    "north": "n",
    "south": "s",
    "east": "e",
    "west": "w",
    "mount": "mt",
}
"""Words that are written out or cut short at will."""
_UNITS = frozenset(["flat", "apartment", "apt", "unit", "suite", "no", "room"])
_WORDS = re.compile(r"[a-z0-9]+")
_RANGE = re.compile(r"\b(\d+)\s?-\s?\d+[a-z]?\b")
"""12-14: a house with several numbers goes by the first."""
_NUMBER = re.compile(r"^\d+[a-z]?$")


@lru_cache(maxsize=400_000)
def street(text: str) -> tuple[str, str]:
    """(house number, street name) of one address line; the last number before the name is the house's."""
    house = ""
    name: list[str] = []
    for word in _WORDS.findall(_RANGE.sub(r"\1", anyascii(text).lower().replace("'", ""))):
        if word in _UNITS:
            continue
        if _NUMBER.match(word) and not (name and house):
            house = word
        else:
            name.append(_KINDS.get(word, word))
    return house, " ".join(name)


@lru_cache(maxsize=400_000)
def postcode(text: str) -> str:
    """Letters and digits in upper case; empty when it is nothing but zeros."""
    code = "".join(_WORDS.findall(anyascii(text).lower())).upper()
    return code if code.strip("0") else ""


@lru_cache(maxsize=400_000)
def plain(text: str) -> str:
    """Any short text in lower-case a-z and digits with single spaces."""
    return " ".join(_WORDS.findall(anyascii(text).lower()))
