"""The edits of one call: kinds in turn, a profile of its own for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from typing import Any

from onevoice.sandbox.edits import events, own_fields
from onevoice.sandbox.edits.scene import Edit, Scene
from onevoice.sandbox.judge import Judge
from onevoice.sandbox.truth import Ref

_MAKERS: dict[str, Callable[[Scene, list[Ref]], Edit | None]] = {
    make.__name__: make
    for make in (
        own_fields.clear_field,
        own_fields.untick_optout,
        events.raise_tier,
        events.unsubscribe,
        own_fields.remove_tag,
        events.complain,
        own_fields.irrelevant,
        own_fields.wrong_tier,
        events.earn_points,
        events.unsubscribe_shop,
        own_fields.leave_group,
        events.lower_tier,
        own_fields.wrong_points,
        events.stop_sms,
    )
}
KINDS = tuple(_MAKERS)
_MEASURED = frozenset({"clear_field", "remove_tag", "leave_group", "wrong_points"})
"""Kinds that contradict when they let a wrong message out."""


class NothingPushedError(Exception):
    """No profile id stands on any vendor record yet, so there is nothing to edit behind anybody's back."""


class Hand:
    """Makes the edits of one call."""

    def __init__(self, judge: Judge, seed: int) -> None:
        self._judge = judge
        self._scene = Scene(judge.world, judge.day(), seed)
        self._used: set[str] = set()
        if not self._scene.profiles:
            raise NothingPushedError("edits: no record carries a profile id (let a cycle of the hub push first)")
        self._order = self._scene.of_one_person()

    def make(self, count: int) -> list[Edit]:
        """Make `count` edits, the kinds in turn; a kind without a fitting profile leaves its turn to the next."""
        wrong_before = self._wrong()
        edits: list[Edit] = []
        idle = 0
        for kind in cycle(KINDS):
            if len(edits) >= count or idle >= len(KINDS):
                break
            edit = self._one(kind)
            idle = 0 if edit else idle + 1
            if edit:
                edits.append(edit)
        wrong_now = self._wrong() - wrong_before
        return [replace(edit, contradicts=edit.ref in wrong_now) if edit.kind in _MEASURED else edit for edit in edits]

    def _wrong(self) -> set[Ref]:
        return {entry.message.ref for entry in self._judge.today() if entry.wrong}

    def _one(self, kind: str) -> Edit | None:
        for profile in self._order:
            if profile not in self._used:
                edit = _MAKERS[kind](self._scene, self._scene.profiles[profile])
                if edit:
                    self._used.add(profile)
                    return edit
        return None


def answer(edits: list[Edit]) -> dict[str, Any]:
    """The edits as POST /edits tells them."""
    expected = sorted({ref for edit in edits for ref in edit.expected})
    return {
        "edits": [
            {
                "kind": edit.kind,
                "system": edit.ref[0],
                "stream": edit.ref[1],
                "key": edit.ref[2],
                "field": edit.field,
                "contradicts": edit.contradicts,
            }
            for edit in edits
        ],
        "expected_records": [list(ref) for ref in expected],
    }
