"""The first wall: only these words and signs may occur in an expression. Everything else is refused where it stands."""

from __future__ import annotations

import re

from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from onevoice.policy.language.refused import Refused

MAX_LENGTH = 4000
"""Longest expression in characters: ten times what a person writes."""
MAX_TOKENS = 400
MAX_DEPTH = 30
"""Deepest nesting of brackets and CASE: keeps every later walk far from the stack limit."""

_ALLOWED = frozenset(
    {
        TokenType.VAR,
        TokenType.IDENTIFIER,
        TokenType.STRING,
        TokenType.NUMBER,
        TokenType.L_PAREN,
        TokenType.R_PAREN,
        TokenType.COMMA,
        TokenType.EQ,
        TokenType.NEQ,
        TokenType.GT,
        TokenType.GTE,
        TokenType.LT,
        TokenType.LTE,
        TokenType.PLUS,
        TokenType.DASH,
        TokenType.STAR,
        TokenType.AND,
        TokenType.OR,
        TokenType.NOT,
        TokenType.IS,
        TokenType.NULL,
        TokenType.IN,
        TokenType.BETWEEN,
        TokenType.LIKE,
        TokenType.CASE,
        TokenType.WHEN,
        TokenType.THEN,
        TokenType.ELSE,
        TokenType.END,
        TokenType.INTERVAL,
        TokenType.TRUE,
        TokenType.FALSE,
        TokenType.DATE,
        TokenType.ALIAS,
    }
)

_COMPARISONS = frozenset(
    {TokenType.EQ, TokenType.NEQ, TokenType.GT, TokenType.GTE, TokenType.LT, TokenType.LTE, TokenType.LIKE}
)

_DIVISION = "division is not allowed: databases disagree on division by nought (compare with a product instead)"
_CLOCK = "a rule knows no clock (use as_of, the day the rule is asked for)"

_REASONS = {
    TokenType.SEMICOLON: "a rule is one condition; a second statement is not allowed (remove the semicolon)",
    TokenType.SLASH: _DIVISION,
    TokenType.DIV: _DIVISION,
    TokenType.MOD: "the remainder sign % is not part of the rule language",
    TokenType.SELECT: "a query inside a rule is not allowed (ask for a fact instead)",
    TokenType.EXISTS: "a query inside a rule is not allowed (ask for a fact instead)",
    TokenType.DOT: "facts have no table before them (write the fact alone, or put a name with a dot in double quotes)",
    TokenType.DCOLON: "the sign :: is not part of the rule language (write CAST(... AS DATE))",
    TokenType.DPIPE: "texts cannot be joined in a rule",
    TokenType.PARAMETER: "parameters are not allowed (write the value)",
    TokenType.PLACEHOLDER: "parameters are not allowed (write the value)",
    TokenType.COLON: "parameters are not allowed (write the value)",
    TokenType.ILIKE: "ILIKE is not part of the rule language (write LOWER(...) LIKE ...)",
    TokenType.CURRENT_DATE: _CLOCK,
    TokenType.CURRENT_TIMESTAMP: _CLOCK,
    TokenType.CURRENT_DATETIME: _CLOCK,
    TokenType.CURRENT_TIME: _CLOCK,
}


def checked_tokens(text: str) -> list[Token]:
    """The tokens of an expression, all of them allowed; raises Refused at the first that is not."""
    if not text.strip():
        raise Refused(0, "nothing is written here (write a condition)")
    if len(text) > MAX_LENGTH:
        raise Refused(MAX_LENGTH, f"longer than {MAX_LENGTH:,} characters (split the rule)")
    control = re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text)
    if control:
        raise Refused(control.start(), "a control character (remove it)")
    try:
        tokens = Tokenizer(dialect="duckdb").tokenize(text)
    except TokenError as error:
        raise Refused(_open_quote(text), "a quote or a comment is opened and never closed") from error
    if len(tokens) > MAX_TOKENS:
        raise Refused(tokens[MAX_TOKENS].start, f"more than {MAX_TOKENS} words and signs (split the rule)")
    _check_each(tokens)
    return tokens


def _check_each(tokens: list[Token]) -> None:
    depth = 0
    for place, token in enumerate(tokens):
        if token.token_type not in _ALLOWED:
            raise Refused(token.start, _reason(token))
        if token.token_type is TokenType.VAR and not re.fullmatch(r"[^\W\d]\w*", token.text):
            raise Refused(token.start, "parameters and signs are not allowed here (write the value, or a fact)")
        if token.comments:
            raise Refused(token.start, "comments are not allowed inside a rule (write a # comment of the file)")
        if token.token_type in {TokenType.L_PAREN, TokenType.CASE}:
            depth += 1
            if depth > MAX_DEPTH:
                raise Refused(token.start, f"nested more than {MAX_DEPTH} levels deep (write it flatter)")
        elif token.token_type in {TokenType.R_PAREN, TokenType.END}:
            depth -= 1
        elif token.token_type is TokenType.NULL:
            _check_null(tokens, place)


def _check_null(tokens: list[Token], place: int) -> None:
    """NULL may only follow IS or IS NOT: a comparison with NULL is never true."""
    before = tokens[place - 1].token_type if place else None
    if before is TokenType.NOT and place > 1:
        before = tokens[place - 2].token_type
    if before is TokenType.IS:
        return
    if before in _COMPARISONS:
        raise Refused(tokens[place].start, "a comparison with NULL is never true (write IS NULL or IS NOT NULL)")
    raise Refused(tokens[place].start, "NULL may only be used in IS NULL and IS NOT NULL")


def _reason(token: Token) -> str:
    reason = _REASONS.get(token.token_type)
    if reason:
        return reason
    if re.fullmatch(r"\w+", token.text):
        return f"the word {token.text} is not part of the rule language (put it in double quotes if it names a field)"
    return f"the sign {token.text} is not part of the rule language"


def _open_quote(text: str) -> int:
    """Where the quote or comment begins that is never closed."""
    opened: str | None = None
    start = 0
    place = 0
    while place < len(text):
        if opened is None and text.startswith("/*", place):
            opened, start = "*/", place
        elif opened is None and text[place] in "'\"":
            opened, start = text[place], place
        elif opened is not None and text.startswith(opened, place):
            opened = None
        place += 1
    return start
