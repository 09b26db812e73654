"""The rule language: a boolean subset of SQL, checked, typed, and compiled to closures and to DuckDB."""

from onevoice.policy.language.closures import Evaluate, Row, compile_term
from onevoice.policy.language.duck import sql_of
from onevoice.policy.language.edges import Edge, edges_of, first_edge_after, first_edge_sql
from onevoice.policy.language.parse import Vocabulary, parse
from onevoice.policy.language.refused import Refused
from onevoice.policy.language.terms import Term, depends_on_day, names_in

__all__ = [
    "Edge",
    "Evaluate",
    "Refused",
    "Row",
    "Term",
    "Vocabulary",
    "compile_term",
    "depends_on_day",
    "edges_of",
    "first_edge_after",
    "first_edge_sql",
    "names_in",
    "parse",
    "sql_of",
]
