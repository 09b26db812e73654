"""Three customers' stories: what would have gone out, what goes out now, and why. (The people are made up.)"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onevoice.cli.demo.runner import Course
from onevoice.pipeline import Hub
from onevoice.pipeline.views import story

OFFERS: Mapping[str, str] = {
    "join": "an invitation to join the club",
    "discount": "a discount",
    "first_order": "a first-order offer",
    "win_back": "“we miss you”",
    "cart_reminder": "a reminder of an abandoned cart",
    "tier_perk": "a perk of a tier",
    "birthday": "a birthday reward",
    "newsletter": "the newsletter",
}
WRONG: Mapping[str, str] = {
    "K1": "is a member already",
    "K3": "bought a short while ago, or holds a high tier",
    "K4": "opted out of marketing",
    "K5": "holds another tier than the one named",
    "K7": "has a fresh cart: one person in two opposite segments",
    "K8": "has a complaint open or just closed",
    "K9": "holds no tier that has perks",
    "K13": "has bought those things since",
    "K16": "has ordered before",
}
"""The judge's classes in plain words; they speak of the person the message would have reached."""
ORDER = ("K13", "K1", "K8", "K4", "K3", "K16", "K9", "K5", "K7")
"""Which kinds of story come first: those that need records of several systems to be seen."""
STORIES = 3


@dataclass(frozen=True, slots=True)
class Story:
    """One customer before and after the first cycle."""

    name: str
    profile_id: str
    records: Sequence[str]
    before: Sequence[str]
    after: Sequence[str]
    why: Sequence[str]


def stories(run: Course, hub: Hub) -> list[Story]:
    """Customers whose contradictory messages are gone, each of another kind, the ones with most records first."""
    profile_of = {(system, stream, key): profile_id for system, stream, key, profile_id in run.partition}
    told = []
    for person in _chosen(run):
        sent = [said for said in run.before.messages if said["person"] == person]
        still = [said for said in run.cycles[0].verdict.messages if said["person"] == person]
        wrong = next(said for said in sent if said["contradictory"])
        known = story(hub, profile_of[wrong["system"], wrong["stream"], wrong["record"]])
        if known is None:
            continue
        families = {said["family"] for said in sent if said["contradictory"]}
        told.append(
            Story(
                name=_name(known["golden"]),
                profile_id=known["profile_id"],
                records=known["records"],
                before=list(_lines(sent)),
                after=list(_lines(still)),
                why=list(dict.fromkeys(_reason(denial) for denial in known["denials"] if denial["family"] in families)),
            )
        )
    return told


def _chosen(run: Course) -> Iterator[str]:
    """Persons with a contradictory message before and none after, one per kind."""
    still_wrong = {said["person"] for said in run.cycles[0].verdict.messages if said["contradictory"]}
    records = Counter(run.truth.values())
    candidates: dict[str, list[str]] = defaultdict(list)
    for said in run.before.messages:
        if said["contradictory"] and said["person"] not in still_wrong:
            candidates[said["class"]].append(said["person"])
    taken: list[str] = []
    for kind in ORDER:
        free = [person for person in candidates[kind] if person not in taken]
        if free and len(taken) < STORIES:
            taken.append(max(free, key=lambda person: (records[person], person)))
    yield from taken


def _lines(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for said in messages:
        tier = f" ({said['shown_tier']})" if said["shown_tier"] else ""
        wrong = f": wrong, {WRONG[said['class']]}" if said["contradictory"] else ""
        yield f"{said['system']} sends {OFFERS[said['family']]}{tier}{wrong}"


def _reason(denial: Mapping[str, Any]) -> str:
    until = "until further notice" if denial["until"].startswith("9999") else f"until {denial['until']}"
    return f"no {denial['family'].replace('_', ' ')} {until}: {denial['because']}"


def _name(golden: Mapping[str, Any]) -> str:
    return " ".join(str(golden[part]) for part in ("given_name", "family_name") if golden.get(part)) or "(no name)"
