"""What each kind of comparison looks at, as ordered levels: conditions over two normalised records.

The first level that holds counts; the last, without a condition, is everything else. Conditions are symmetric by how
they are built (identity/conditions), and DuckDB, Spark and the scorer of single pairs read the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from identity.conditions import (
    Alike,
    AtLeast,
    Condition,
    Crossed,
    DayAndMonthSwapped,
    EitherEnds,
    Equal,
    Flagged,
    Missing,
    Overlap,
    SameOrMissing,
    Slip,
    Text,
    YearsApart,
    columns_of,
)
from onevoice.configfile.identity_file import Comparison


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a comparison may come to, and how it is told."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Level(Outcome):
    """An outcome that has a condition."""

    condition: Condition


@dataclass(frozen=True, slots=True)
class Kind:
    """A comparison: when it says nothing, and its levels, strongest first."""

    silent: Condition
    levels: tuple[Level, ...]
    otherwise: Outcome

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the normalised table that it reads, sorted."""
        read = columns_of(self.silent).union(*(columns_of(level.condition) for level in self.levels))
        return tuple(sorted(read))

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """All levels, strongest first, and what is left."""
        return (*self.levels, self.otherwise)


def _equal(column: str) -> Equal:
    return Equal(Text(column))


_SWAPPED = Crossed("given", "family", 920) & ~Alike("given", 800)
_SAME_FAMILY = _equal("family") | Overlap("families") | Alike("core", 920) | _SWAPPED
_RARE_FAMILY = _SAME_FAMILY & ~Flagged("family_common")
_SAME_COMMON = "the family name is the same, one that many bear"
_SAME_PLACE = _equal("postcode") | (_equal("city") & (Missing(("postcode",)) | Slip("postcode", 4)))
_SAME_STREET = SameOrMissing("house") & _SAME_PLACE & Alike("street", 900)
_NO_STREET = Missing(("street",))
_FULL_GIVEN = AtLeast("given", 2)
_SAME_GIVEN = (_equal("given") | _equal("joined")) & _FULL_GIVEN

_GIVEN = (
    Level("equal", "the given names are equal", _SAME_GIVEN & ~Flagged("given_common")),
    Level("common", "the given names are equal, a name that many bear", _SAME_GIVEN),
    Level("swapped", "given and family name are swapped", _SWAPPED),
    Level(
        "typo", "the given names differ by a slip", ~Flagged("known_given") & (Alike("given", 900) | Slip("given", 4))
    ),
    Level("short_form", "one given name is a short form of the other", Overlap("roots")),
    Level("shared", "they share one of several given names", Overlap("givens") & _FULL_GIVEN),
    Level("initial", "one given name is the initial of the other", ~_FULL_GIVEN & Overlap("starts")),
)
_FAMILY = (
    Level("equal", "the family names are equal", _equal("family") & ~Flagged("family_common")),
    Level("common", "the family names are equal, a name that many bear", _equal("family")),
    Level("swapped", "given and family name are swapped", _SWAPPED),
    Level("shared", "they share one of several family names", Overlap("families")),
    Level("typo", "the family names differ by a slip", Alike("family", 920) | Slip("family", 4)),
    Level("close", "the family names resemble each other", Alike("family", 800)),
)
_SAME_YEAR = Equal(Text("birth_date", "start", 4))
_DATE_NEAR = (
    Slip("birth_date", 1)
    | (Equal(Text("birth_date", "end", 6)) & YearsApart("birth_date", (1, 10, 100)))
    | (_SAME_YEAR & (DayAndMonthSwapped("birth_date") | EitherEnds("birth_date", "01-01")))
)
_MAIL_NEAR = _equal("email_fixed") | (
    Equal(Text("email", "domain")) & Slip("email", 18) & Equal(Text("email", "digits"))
)

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "given_name": Kind(Missing(("given",)), _GIVEN, Outcome("different", "the given names differ")),
        "family_name": Kind(Missing(("family",)), _FAMILY, Outcome("different", "the family names differ")),
        "family_and_address": Kind(
            Missing(("family",)),
            (
                Level("both", "family name and address are the same (weighed once)", _SAME_FAMILY & _SAME_STREET),
                Level("address", "the address is the same, the family name is not", _SAME_STREET),
                Level("family", "the family name is the same, an address is missing", _RARE_FAMILY & _NO_STREET),
                Level("moved", "the family name is the same, the address is not", _RARE_FAMILY),
                Level("common_family", f"{_SAME_COMMON}, an address is missing", _SAME_FAMILY & _NO_STREET),
                Level("common_moved", f"{_SAME_COMMON}, the address is not", _SAME_FAMILY),
                Level("family_differs", "the family name differs, an address is missing", _NO_STREET),
            ),
            Outcome("neither", "family name and address differ"),
        ),
        "full_name": Kind(
            Missing(("whole",)),
            (
                Level("equal", "the full names are equal", _equal("whole")),
                Level("ends", "first and last name are equal", (_equal("given") & _equal("family")) | _SWAPPED),
                Level("typo", "the full names differ by a slip", Alike("whole", 950)),
                Level("shared", "they share at least two names", Overlap("words", 2)),
                Level("close", "the full names resemble each other", Alike("whole", 880)),
                Level("one", "they share one name", Overlap("words")),
            ),
            Outcome("different", "the full names differ"),
        ),
        "address": Kind(
            _NO_STREET,
            (
                Level("equal", "the address is the same", _SAME_STREET),
                Level("street", "the street is the same, the number or the place is not", Alike("street", 920)),
                Level("place", "only the postcode is the same", _equal("postcode")),
            ),
            Outcome("different", "the addresses differ"),
        ),
        "birth_date": Kind(
            Missing(("birth_date",)),
            (
                Level("equal", "the birth dates are equal", _equal("birth_date")),
                Level("near", "the birth dates differ by a slip", _DATE_NEAR),
                Level("year", "only the birth year is the same", _SAME_YEAR),
            ),
            Outcome("different", "the birth dates differ"),
        ),
        "postcode": Kind(
            Missing(("postcode",)),
            (
                Level("equal", "the postcodes are equal", _equal("postcode")),
                Level("near", "the postcodes differ by a slip", Slip("postcode", 5)),
                Level(
                    "district",
                    "the postcodes begin alike",
                    AtLeast("postcode", 5) & Equal(Text("postcode", "without_end", 3)),
                ),
            ),
            Outcome("different", "the postcodes differ"),
        ),
        "email": Kind(
            Missing(("email",)),
            (
                Level("equal", "the e-mail addresses are equal", _equal("email")),
                Level("near", "the e-mail addresses differ by a slip", _MAIL_NEAR),
            ),
            Outcome("different", "the e-mail addresses differ"),
        ),
        "phone": Kind(
            Missing(("phones",)),
            (Level("equal", "they share a phone number", Overlap("phones")),),
            Outcome("different", "the phone numbers differ"),
        ),
        "card": Kind(
            Missing(("cards",)),
            (Level("equal", "they hold the same card", Overlap("cards")),),
            Outcome("different", "they hold different cards"),
        ),
    }
)

_LIST_COLUMNS = frozenset({"givens", "roots", "starts", "families", "phones", "cards", "words"})


def kind_of(comparison: Comparison) -> Kind:
    """The kind with its field filled in."""
    if comparison.field is None:
        return KINDS[comparison.kind]
    column, told = f"x_{comparison.field}", comparison.field.replace("_", " ")
    levels = [Level("equal", f"the {told} is equal", _equal(column))]
    if comparison.kind == "code":
        levels.append(Level("near", f"the {told} differs by a slip", Slip(column, 5)))
    if comparison.kind == "text":
        levels.append(Level("near", f"the {told} is nearly equal", Alike(column, 900)))
        levels.append(Level("start", f"the {told} begins alike", Equal(Text(column, "start", 3))))
    return Kind(Missing((column,)), tuple(levels), Outcome("different", f"the {told} differs"))


def is_list(column: str) -> bool:
    """Whether a column of the normalised table holds several texts."""
    return column in _LIST_COLUMNS
