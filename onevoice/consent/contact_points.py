"""One name per mailbox and line: what an address or number is known by wherever somebody said no to it."""

from __future__ import annotations

GOOGLE = frozenset({"gmail.com", "googlemail.com"})


def contact_point(value: str) -> str:
    """The name of the mailbox behind an address, or of the line behind a number (which has one form already).

    Google delivers an address with and without dots, with any tag after a plus, and under both of its domains to one
    mailbox (its help pages, "Dots don't matter in Gmail addresses"). Other providers say no such thing.
    """
    local, at, domain = value.strip().lower().partition("@")
    mailbox = local.partition("+")[0].replace(".", "")
    return mailbox + "@gmail.com" if mailbox and domain in GOOGLE else local + at + domain
