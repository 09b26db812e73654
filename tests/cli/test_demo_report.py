"""How the demo's figures are found."""

from __future__ import annotations

from typing import Any

from onevoice.cli.demo import report
from onevoice.cli.demo.judge import Verdict


def verdict(*messages: tuple[str, str | None, str | None], allowed: set[tuple[str, str, str]] | None = None) -> Verdict:
    """A verdict on (family, class, cause) messages; no class means that nothing is wrong with it."""
    said: list[dict[str, Any]] = [
        {"system": "hubspot", "family": family, "contradictory": kind is not None, "class": kind, "cause": cause}
        for family, kind, cause in messages
    ]
    return Verdict(said, {}, frozenset(allowed or set()))


def test_messages_are_counted_by_class_and_what_is_left_by_cause() -> None:
    before = verdict(("join", "K1", "not_identity"), ("join", "K1", "not_identity"), ("discount", None, None))
    after = verdict(("join", "K1", "identity_miss"), ("discount", None, None))
    found = report.messages(before, after)
    assert (found.before.sent, found.before.contradictory, found.before.by_class) == (3, 2, {"K1": 2})
    assert (found.after.sent, found.after.contradictory) == (2, 1)
    assert (found.before.by_system, found.after.by_system) == ({"hubspot": 2}, {"hubspot": 1})
    assert [left.model_dump(by_alias=True) for left in found.left] == [
        {"class": "K1", "cause": "identity_miss", "count": 1}
    ]


def test_over_suppression_is_what_was_allowed_and_goes_out_no_more() -> None:
    before = verdict(allowed={("P1", "join", "email"), ("P2", "join", "email"), ("P3", "discount", "email")})
    after = verdict(allowed={("P1", "join", "email"), ("P3", "discount", "email"), ("P4", "newsletter", "email")})
    found = report.over_suppressed(before, after)
    assert (found.allowed, found.pairs, found.rate) == (3, 1, round(1 / 3, 6))


def test_nothing_allowed_is_no_division_by_zero() -> None:
    assert report.over_suppressed(verdict(), verdict()).rate == 0


def test_changes_name_every_class_of_either_side() -> None:
    found = report.changes({"K1": 5, "K3": 2}, {"K3": 1, "K8": 1})
    assert {name: (change.before, change.after) for name, change in found.items()} == {
        "K1": (5, 0),
        "K3": (2, 1),
        "K8": (0, 1),
    }
