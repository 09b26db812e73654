"""`because:` sentences: text with {fact} in it, checked once and filled in for people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from string import Formatter
from typing import Any

from onevoice.configfile.words import did_you_mean
from onevoice.model import FOREVER
from onevoice.policy.facts import DERIVED, FACTS
from onevoice.policy.language import compile_term, names_in
from onevoice.policy.language.terms import AS_OF

UNTIL = "until"
"""The placeholder for the last day denied."""

_DERIVED = {name: compile_term(term) for name, term in DERIVED.items()}


def placeholders(sentence: str) -> frozenset[str]:
    """Names in a sentence; raises ValueError saying what is wrong with it."""
    try:
        pieces = list(Formatter().parse(sentence))
    except ValueError as error:
        raise ValueError("a { or } stands alone (write {{ or }} for the sign itself)") from error
    names = set()
    for _, name, spec, conversion in pieces:
        if name is None:
            continue
        if spec or conversion:
            raise ValueError(f"{{{name}}} takes no format (write the name alone)")
        if name not in FACTS and name != UNTIL:
            raise ValueError(f'"{name}" is not a fact{did_you_mean(name, [*FACTS, UNTIL])} (docs/rules.md lists them)')
        names.add(name)
    return frozenset(names)


def facts_shown(sentence: str) -> frozenset[str]:
    """Facts that have to be known to fill in a sentence."""
    names = placeholders(sentence) - {UNTIL, AS_OF}
    derived = {name: names_in(DERIVED[name]) for name in names & DERIVED.keys()}
    return (names - derived.keys()).union(*derived.values())


def filled(sentence: str, row: Mapping[str, Any], until: date) -> str:
    """The sentence about one customer."""
    known = {name: row.get(name) for name in FACTS} | {name: value(row) for name, value in _DERIVED.items()}
    return sentence.format_map({name: shown(value) for name, value in known.items()} | {UNTIL: shown(until)})


def shown(value: Any) -> str:
    """A fact's value as people write it."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value.day} {value:%b %Y, %H:%M} UTC"
    if isinstance(value, date):
        return "further notice" if value == FOREVER else f"{value.day} {value:%b %Y}"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value)
