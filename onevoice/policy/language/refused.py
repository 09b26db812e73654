"""The one error of the language."""

from __future__ import annotations


class Refused(Exception):
    """An expression is not part of the language; `offset` is the character it concerns, from 0."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
