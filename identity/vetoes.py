"""What keeps two records apart however well the rest agrees: names, birth dates, person-unique values."""

from __future__ import annotations

from functools import lru_cache
from itertools import product

from identity.blocking import part_values
from identity.names import CLOSE, GENERATIONS, given_names_clash
from identity.records import NormalisedRecord
from identity.similarity import jaro_winkler, one_slip, slips
from onevoice.configfile.identity_file import IdentityFile


def veto(a: NormalisedRecord, b: NormalisedRecord, config: IdentityFile) -> str:
    """Why these two must not be one person, as half a sentence; empty when nothing forbids it.

    Agreement on a person-unique value overrides names and dates; two clearly different values of one forbid alone.
    """
    reason = clash(a, b, config)
    return reason if reason and proofs(a, config).isdisjoint(proofs(b, config)) else ""


def clash(a: NormalisedRecord, b: NormalisedRecord, config: IdentityFile) -> str:
    """The same without regard to proofs that lift a veto."""
    for field in config.person_unique:
        if _differ(unique_value(a, field), unique_value(b, field)):
            return f"a person has one {field.replace('_', ' ')} and these differ"
    if config.vetoes.given_name and givens_clash(a, b):
        return "the given names are clearly different"
    if config.vetoes.birth_date and dates_clash(a.birth_date, b.birth_date):
        return "the birth dates cannot be one person's"
    return ""


def proofs(record: NormalisedRecord, config: IdentityFile) -> frozenset[tuple[str, ...]]:
    """Values and combinations of values that lift vetoes between any two records, or groups, that share one."""
    found: set[tuple[str, ...]] = set()
    for fields in (*((field,) for field in config.person_unique), *config.vetoes.lifted_by):
        values = [_proof_values(record, field) for field in fields]
        found.update(("+".join(fields), *choice) for choice in product(*values))
    return frozenset(found)


_NEAR = "near_"


def _proof_values(record: NormalisedRecord, field: str) -> tuple[str, ...]:
    """Values of a field that prove; of `near_<field>` also each with one sign left out, as two that differ by one
    slip have one of these in common."""
    values = tuple(value for value in part_values(record, field.removeprefix(_NEAR)) if value)
    if not field.startswith(_NEAR):
        return values
    return tuple({value[:at] + value[at + 1 :] for value in values for at in range(len(value))}.union(values))


def unique_value(record: NormalisedRecord, field: str) -> str:
    """The record's value of a person-unique field."""
    return record.email if field == "email" else dict(record.text).get(field, "")


def _differ(a: str, b: str) -> bool:
    return bool(a and b) and a != b and slips(a, b) > 2


def givens_clash(a: NormalisedRecord, b: NormalisedRecord) -> bool:
    """Whether the given names clearly belong to two people, allowing for swapped order and further given names."""
    generations = GENERATIONS.intersection(a.givens), GENERATIONS.intersection(b.givens)
    if all(generations) and generations[0] != generations[1]:
        return True
    if not given_names_clash(a.given, b.given):
        return _further_names_clash(a, b)
    if a.given == b.family or b.given == a.family:  # one of them is swapped: its family name is the given name
        other, given = (a.family, b.given) if a.given == b.family else (b.family, a.given)
        return given_names_clash(other, given)
    if "".join(a.givens) == "".join(b.givens) or _family_alone(a, b) or _family_alone(b, a):
        return False
    if jaro_winkler(a.given, b.family) >= CLOSE and jaro_winkler(a.family, b.given) >= CLOSE:
        return False
    return not any(len(name) > 1 and name in b.givens for name in a.givens if name not in GENERATIONS)


def _further_names_clash(a: NormalisedRecord, b: NormalisedRecord) -> bool:
    """Whether both have further given names, written out, and none of one goes with any of the other's: brothers may
    share the first (Abdul Rahman, Abdul Karim)."""
    ones, others = (_further_names(record) for record in (a, b))
    if not ones or not others or a.given != b.given:
        return False
    return all(given_names_clash(one, other) for one in ones for other in others)


def _further_names(record: NormalisedRecord) -> list[str]:
    return [name for name in record.givens if len(name) > 1 and name != record.given and name not in GENERATIONS]


def _family_alone(a: NormalisedRecord, b: NormalisedRecord) -> bool:
    """Whether the given and the family name of the first are the other's family name of two words, torn apart."""
    return a.given + a.family == b.family or (a.given in b.families and a.family in b.families)


@lru_cache(maxsize=200_000)
def dates_clash(a: str, b: str) -> bool:
    """Whether two ISO dates differ by more than one slip, swapped day and month, or a day standing for a year."""
    if not a or not b or one_slip(a, b):
        return False
    if a[4:] == b[4:]:
        return abs(int(a[:4]) - int(b[:4])) not in (1, 10, 100)
    if a[:4] == b[:4]:
        return not ((a[5:7], a[8:]) == (b[8:], b[5:7]) or a.endswith("01-01") or b.endswith("01-01"))
    return True


def names_agree(a: NormalisedRecord, b: NormalisedRecord) -> bool:
    """Whether both full names are there and say the same person, initials not sufficing."""
    if not (len(a.given) > 1 and len(b.given) > 1 and a.family and b.family) or givens_clash(a, b):
        return False
    if (a.given, a.family) == (b.family, b.given):
        return True
    return _given_agrees(a, b) and (
        a.family == b.family or bool(set(a.families) & set(b.families)) or jaro_winkler(a.family, b.family) >= CLOSE
    )


def _given_agrees(a: NormalisedRecord, b: NormalisedRecord) -> bool:
    return bool(set(a.roots) & set(b.roots) or set(a.givens) & set(b.givens)) or jaro_winkler(a.given, b.given) >= CLOSE


def given_agrees(a: NormalisedRecord, b: NormalisedRecord) -> bool:
    """Whether both given names are there, written out, and compatible."""
    return len(a.given) > 1 and len(b.given) > 1 and not givens_clash(a, b) and _given_agrees(a, b)
