"""Why something happened to a profile id, as half a sentence that names the records behind it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from identity import LineageEvent

_DECIDED = "by a steward's decision"


@dataclass(frozen=True, slots=True)
class News:
    """What made a run look at records."""

    changed: Collection[str]
    """Their comparable form is another, or how widely their values are shared."""
    removed: Collection[str]
    decided: Collection[str]
    """A steward took or withdrew a decision on them."""


class Causes:
    """What one run knows about the causes of its events."""

    def __init__(
        self,
        before: Mapping[str, str],
        after: Mapping[str, str],
        constraints: Iterable[tuple[str, str, bool]],
        news: News,
    ) -> None:
        """`before` and `after`: profile id by record; a record that is gone is in `before` alone."""
        self._before = before
        self._news = news
        self._joins: dict[str, str] = {}
        self._parts: dict[frozenset[str | None], str] = {}
        for left, right, same in sorted(constraints):
            if not same:
                parted = frozenset((after.get(left), after.get(right)))
                self._parts.setdefault(parted, f"{left} is not {right} {_DECIDED}")
            elif before.get(left) != before.get(right):
                for ref in (left, right):
                    self._joins.setdefault(before.get(ref, ""), f"{left} = {right} {_DECIDED}")

    @cached_property
    def _former(self) -> Mapping[str, Sequence[str]]:
        """Records by the profile they were in; made when the first profile is parted, since most runs part none."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for ref in sorted(self._before):
            found[self._before[ref]].append(ref)
        return found

    def of(self, event: LineageEvent) -> str:
        """The cause of one event; what nothing here explains keeps the record that the event names."""
        if event.kind == "merged" and " = " not in event.cause:  # no match joined them
            return self._joins.get(event.profile_id, event.cause)
        if event.kind in ("split", "restored", "moved") and event.other_id:
            decided = self._parts.get(frozenset((event.profile_id, event.other_id)), "")
            return decided or self._new_evidence(event.other_id) or event.cause
        return event.cause

    def _new_evidence(self, profile_id: str) -> str:
        """What became of the records that a profile had."""
        former = self._former.get(profile_id, ())
        for told, refs in (
            ("{} was deleted", self._news.removed),
            ("a steward's decision on {} was withdrawn", self._news.decided),
            ("the evidence about {} changed", self._news.changed),
        ):
            found = next((ref for ref in former if ref in refs), None)
            if found is not None:
                return told.format(found)
        return ""
