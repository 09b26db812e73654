"""What may be repeated of a vendor's words: never a secret, never a customer's data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

_EMAIL = re.compile(r"[^\s\"'<>()\[\],;:=]+@[^\s\"'<>()\[\],;:=]+")
_DIGITS = re.compile(r"\+?\d[\d\s().-]{3,}\d")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}")
MAX_WORDS = 300

_LIBRARIES = ("simple_salesforce", "hubspot", "requests", "urllib3", "httpx", "httpcore")
_TELLING = ("url", "content", "auth_message", "body", "headers", "reason", "request", "response")


def without_personal_data(words: str, sent: Iterable[object] = ()) -> str:
    """A vendor's sentence with e-mail addresses, longer numbers and everything in `sent` blotted out."""
    for value in sorted({str(value) for value in sent if value not in (None, "", True, False)}, key=len, reverse=True):
        words = words.replace(value, "…")
    words = _DIGITS.sub("…", _EMAIL.sub("…", words))
    return words if len(words) <= MAX_WORDS else words[: MAX_WORDS - 1] + "…"


def vendor_code(value: object, otherwise: str = "UNKNOWN") -> str:
    """The vendor's error code if it looks like one."""
    text = str(value)
    return text if _CODE.fullmatch(text) else otherwise


def hush(error: BaseException) -> None:
    """Take addresses, bodies and headers out of an SDK's exception and of all it came from.

    Our errors are raised `from` the SDK's, and a log prints the whole chain: URLs hold e-mail addresses, bodies hold
    customers' data, and an OAuth URL may hold a token.
    """
    for link in _chain(error):
        if not type(link).__module__.startswith(_LIBRARIES):
            continue
        link.args = (type(link).__name__,)
        for name in _TELLING:
            # httpx answers RuntimeError where an exception has no request any more.
            with suppress(AttributeError, RuntimeError):
                if hasattr(link, name):
                    setattr(link, name, None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting: list[BaseException | None] = [error]
    met: set[int] = set()
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in met:
            continue
        met.add(id(link))
        yield link
        waiting += [link.__cause__, link.__context__]
