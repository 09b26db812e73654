"""What each kind of comparison looks at, as ordered levels in SQL over two normalised records `l` and `r`.

Every condition is symmetric: swapping the two records gives the same level (a test scores all kinds both ways).
The first level that holds counts; the last, unnamed in SQL, is everything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from onevoice.configfile.identity_file import Comparison


@dataclass(frozen=True, slots=True)
class Level:
    """One outcome of a comparison, and how it is told."""

    name: str
    condition: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A comparison: the columns it reads, when it says nothing, and its levels, strongest first."""

    columns: tuple[str, ...]
    silent: str
    levels: tuple[Level, ...]
    otherwise: Level


def _absent(*columns: str) -> str:
    return " or ".join(f"{column}_{side} is null" for column in columns for side in "lr")


def _like(one: str, other: str, cut: float) -> str:
    """Jaro-Winkler from `cut`; it depends on the order of its arguments now and then, so they are put in order."""
    return f"jaro_winkler_similarity(least({one}, {other}), greatest({one}, {other})) >= {cut}"


def _close(column: str, cut: float) -> str:
    return _like(f"{column}_l", f"{column}_r", cut)


def _slip(column: str, shortest: int) -> str:
    return (
        f"(least(length({column}_l), length({column}_r)) >= {shortest} "
        f"and damerau_levenshtein({column}_l, {column}_r) <= 1)"
    )


_SWAPPED = (
    f"({_like('given_l', 'family_r', 0.92)} and {_like('family_l', 'given_r', 0.92)} "
    f"and not {_like('given_l', 'given_r', 0.8)})"
)
_SAME_FAMILY = (
    f"coalesce(family_l = family_r or list_has_any(families_l, families_r) or {_close('family', 0.92)} "
    f"or {_SWAPPED}, false)"
)
_SAME_STREET = (
    f"(street_l = street_r or {_close('street', 0.9)}) and coalesce(house_l, '') = coalesce(house_r, '') "
    "and (coalesce(postcode_l = postcode_r, false) or coalesce(city_l = city_r, false))"
)
_NO_STREET = _absent("street")
_SHORT = "(length(given_l) = 1 or length(given_r) = 1)"

_GIVEN = (
    Level("equal", "given_l = given_r and length(given_l) > 1", "the given names are equal"),
    Level("swapped", _SWAPPED, "given and family name are swapped"),
    Level(
        "typo",
        f"not (known_given_l and known_given_r) and ({_close('given', 0.9)} or {_slip('given', 4)})",
        "the given names differ by a slip",
    ),
    Level("short_form", "list_has_any(roots_l, roots_r)", "one given name is a short form of the other"),
    Level("shared", "list_has_any(givens_l, givens_r) and not " + _SHORT, "they share one of several given names"),
    Level(
        "initial",
        f"{_SHORT} and list_has_any(starts_l, starts_r)",
        "one given name is the initial of the other",
    ),
)
_FAMILY = (
    Level("equal", "family_l = family_r", "the family names are equal"),
    Level("swapped", _SWAPPED, "given and family name are swapped"),
    Level("shared", "list_has_any(families_l, families_r)", "they share one of several family names"),
    Level("typo", f"{_close('family', 0.92)} or {_slip('family', 4)}", "the family names differ by a slip"),
    Level("close", _close("family", 0.8), "the family names resemble each other"),
)
_YEARS_APART = "abs(left(birth_date_l, 4)::int - left(birth_date_r, 4)::int)"
_DATE_NEAR = (
    "damerau_levenshtein(birth_date_l, birth_date_r) <= 1 "
    f"or (right(birth_date_l, 6) = right(birth_date_r, 6) and {_YEARS_APART} in (1, 10, 100)) "
    "or (left(birth_date_l, 4) = left(birth_date_r, 4) and "
    "(birth_date_l[6:7] = birth_date_r[9:10] and birth_date_l[9:10] = birth_date_r[6:7] "
    "or right(birth_date_l, 5) = '01-01' or right(birth_date_r, 5) = '01-01'))"
)
_MAIL_NEAR = (
    "email_fixed_l = email_fixed_r or (split_part(email_l, '@', 2) = split_part(email_r, '@', 2) "
    "and least(length(email_l), length(email_r)) >= 18 and damerau_levenshtein(email_l, email_r) <= 1 "
    "and regexp_replace(email_l, '[^0-9]', '', 'g') = regexp_replace(email_r, '[^0-9]', '', 'g'))"
)

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "given_name": Kind(
            ("given", "givens", "roots", "starts", "known_given", "family"),
            _absent("given"),
            _GIVEN,
            Level("different", "", "the given names differ"),
        ),
        "family_name": Kind(
            ("family", "families", "given"),
            _absent("family"),
            _FAMILY,
            Level("different", "", "the family names differ"),
        ),
        "family_and_address": Kind(
            ("family", "families", "given", "street", "house", "postcode", "city"),
            _absent("family"),
            (
                Level(
                    "both",
                    f"{_SAME_FAMILY} and ({_SAME_STREET})",
                    "family name and address are the same (weighed once)",
                ),
                Level("address", _SAME_STREET, "the address is the same, the family name is not"),
                Level(
                    "family",
                    f"{_SAME_FAMILY} and ({_NO_STREET})",
                    "the family name is the same, an address is missing",
                ),
                Level("moved", _SAME_FAMILY, "the family name is the same, the address is not"),
                Level("family_differs", _NO_STREET, "the family name differs, an address is missing"),
            ),
            Level("neither", "", "family name and address differ"),
        ),
        "full_name": Kind(
            ("given", "family", "whole", "words"),
            _absent("whole"),
            (
                Level("equal", "whole_l = whole_r", "the full names are equal"),
                Level(
                    "ends",
                    "given_l = given_r and family_l = family_r or " + _SWAPPED,
                    "first and last name are equal",
                ),
                Level("typo", _close("whole", 0.95), "the full names differ by a slip"),
                Level(
                    "shared",
                    "len(list_intersect(words_l, words_r)) >= 2",
                    "they share at least two names",
                ),
                Level("close", _close("whole", 0.88), "the full names resemble each other"),
                Level("one", "list_has_any(words_l, words_r)", "they share one name"),
            ),
            Level("different", "", "the full names differ"),
        ),
        "address": Kind(
            ("street", "house", "postcode", "city"),
            _absent("street"),
            (
                Level("equal", _SAME_STREET, "the address is the same"),
                Level(
                    "street",
                    f"street_l = street_r or {_close('street', 0.92)}",
                    "the street is the same, the number or the place is not",
                ),
                Level("place", "postcode_l = postcode_r", "only the postcode is the same"),
            ),
            Level("different", "", "the addresses differ"),
        ),
        "birth_date": Kind(
            ("birth_date",),
            _absent("birth_date"),
            (
                Level("equal", "birth_date_l = birth_date_r", "the birth dates are equal"),
                Level("near", _DATE_NEAR, "the birth dates differ by a slip"),
                Level("year", "left(birth_date_l, 4) = left(birth_date_r, 4)", "only the birth year is the same"),
            ),
            Level("different", "", "the birth dates differ"),
        ),
        "postcode": Kind(
            ("postcode",),
            _absent("postcode"),
            (
                Level("equal", "postcode_l = postcode_r", "the postcodes are equal"),
                Level("near", _slip("postcode", 5), "the postcodes differ by a slip"),
                Level(
                    "district",
                    "length(postcode_l) > 4 and length(postcode_r) > 4 and left(postcode_l, -3) = left(postcode_r, -3)",
                    "the postcodes begin alike",
                ),
            ),
            Level("different", "", "the postcodes differ"),
        ),
        "email": Kind(
            ("email", "email_fixed"),
            _absent("email"),
            (
                Level("equal", "email_l = email_r", "the e-mail addresses are equal"),
                Level("near", _MAIL_NEAR, "the e-mail addresses differ by a slip"),
            ),
            Level("different", "", "the e-mail addresses differ"),
        ),
        "phone": Kind(
            ("phones",),
            _absent("phones"),
            (Level("equal", "list_has_any(phones_l, phones_r)", "they share a phone number"),),
            Level("different", "", "the phone numbers differ"),
        ),
        "card": Kind(
            ("cards",),
            _absent("cards"),
            (Level("equal", "list_has_any(cards_l, cards_r)", "they hold the same card"),),
            Level("different", "", "they hold different cards"),
        ),
    }
)

_LIST_COLUMNS = frozenset({"givens", "roots", "starts", "families", "phones", "cards", "words"})


def kind_of(comparison: Comparison) -> Kind:
    """The kind with its field filled in."""
    if comparison.field is None:
        return KINDS[comparison.kind]
    column, told = f"x_{comparison.field}", comparison.field.replace("_", " ")
    levels = [Level("equal", f"{column}_l = {column}_r", f"the {told} is equal")]
    if comparison.kind == "code":
        levels.append(Level("near", _slip(column, 5), f"the {told} differs by a slip"))
    if comparison.kind == "text":
        levels.append(Level("near", _close(column, 0.9), f"the {told} is nearly equal"))
        levels.append(Level("start", f"left({column}_l, 3) = left({column}_r, 3)", f"the {told} begins alike"))
    return Kind((column,), _absent(column), tuple(levels), Level("different", "", f"the {told} differs"))


def is_list(column: str) -> bool:
    """Whether a column of the normalised table holds several texts."""
    return column in _LIST_COLUMNS
