"""When two addresses or two numbers are one."""

from __future__ import annotations


def same_mailbox(address: str) -> str:
    """The mail box behind an address: trimmed, small letters, at Google without dots, tags and the longer domain."""
    local, _, domain = address.strip().lower().partition("@")
    if domain in {"gmail.com", "googlemail.com"}:
        return local.partition("+")[0].replace(".", "") + "@gmail.com"
    return f"{local}@{domain}"


def same_number(number: str) -> str:
    """The digits of a number with its country code; national numbers are British."""
    digits = "".join(c for c in number.replace("(0)", "") if c.isdigit())
    return "44" + digits[1:] if digits.startswith("0") else digits
