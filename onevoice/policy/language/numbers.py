"""No overflow: what a number in a rule can at most become is known before the rule runs."""

from __future__ import annotations

from decimal import Decimal

from onevoice.model import FieldType
from onevoice.policy.language import terms
from onevoice.policy.language.refused import Refused
from onevoice.policy.language.terms import Term

SCALE = 10_000
"""Decimals are kept to four digits after the point; DuckDB reckons with them as whole numbers of ten-thousandths."""
MOST_INTEGER = 10**12
MOST_DECIMAL = 10**12
"""Largest amount either way that a fact may have."""
LARGEST = 10**30
"""Far below the largest 128-bit number, with the scale."""


def check_numbers(term: Term, offset: int) -> None:
    """Raise Refused when some product in the term could grow beyond what every engine can hold."""
    for part in terms.walk(term):
        if isinstance(part, terms.Arithmetic) and _most(part) > LARGEST:
            raise Refused(offset, "these products can grow too large (multiply fewer facts)")


def _most(term: Term) -> int:
    """Largest absolute value of a numeric term."""
    if isinstance(term, terms.Constant):
        return int(abs(Decimal(str(term.value)))) + 1
    if isinstance(term, terms.Arithmetic):
        left, right = _most(term.left), _most(term.right)
        return left * right if term.op == "*" else left + right
    if isinstance(term, terms.Coalesce):
        return max(map(_most, term.items))
    if isinstance(term, terms.Case):
        values = [value for _, value in term.branches]
        return max(map(_most, values if term.otherwise is None else [*values, term.otherwise]))
    return MOST_DECIMAL if term.type is FieldType.DECIMAL else MOST_INTEGER
