"""The wording that every fault shares: the nearest allowed word, the list of allowed words, what was found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

MOST_LISTED = 30
"""Longest list of allowed words shown in full; beyond it only the nearest are worth reading."""


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """`, did you mean "email"?` for the nearest allowed word, else nothing; capitals do not count."""
    by_lower = {each.lower(): each for each in sorted(allowed)}
    near = get_close_matches(word.lower()[:100], by_lower, n=1, cutoff=0.6)
    return f', did you mean "{by_lower[near[0]]}"?' if near else ""


def one_of(word: str, allowed: Iterable[str]) -> str:
    """What is allowed instead of `word`: the nearest first, then the list."""
    choices = sorted(set(allowed))
    if not choices:
        return ""
    text = ", ".join(choices[:MOST_LISTED]) + (", ..." if len(choices) > MOST_LISTED else "")
    return f"{did_you_mean(word, choices)} (allowed: {text})"


def described(value: object) -> str:
    """What an admin wrote, in words."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'the text "{value if len(value) <= 60 else value[:57] + "..."}"'
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, Mapping):
        return "a mapping (`key: value` lines)"
    return "a list"
