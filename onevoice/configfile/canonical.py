"""What a canonical item must hold beyond its types: the words of closed lists, and the fields nothing works without."""

from __future__ import annotations

from collections.abc import Mapping

from onevoice.model import Effect, Origin

WORDS: Mapping[tuple[str, str], frozenset[str]] = {
    ("consent", "effect"): frozenset(Effect),
    ("consent", "origin"): frozenset(Origin),
}
"""Closed lists: (kind, field) -> the words it may hold (onevoice.model: Effect, Origin)."""

ESSENTIAL: Mapping[str, tuple[str, ...]] = {
    "consent": ("channel", "purpose", "effect"),
    "membership": ("programme", "status"),
    "tier_hold": ("tier",),
    "balance": ("wallet", "available"),
    "cart": ("abandoned_at",),
    "point_expiry": ("points", "expires_on"),
    "reward": ("kind", "granted_on"),
    "visit": ("at",),
}
"""Fields without which an item of the kind says nothing; a record that leaves one blank is set aside."""

OWNED_ELSEWHERE = frozenset({"tier_hold", "balance", "point_expiry"})
"""Kinds that belong to a membership, so that `owner` must say which record holds it."""
