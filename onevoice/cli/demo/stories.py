"""Three customers' stories: what would have gone out, what goes out now, and why. (The people are made up.)"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onevoice.cli.demo.judge import RecordKey, Verdict
from onevoice.cli.terminal import until_words
from onevoice.pipeline import Hub
from onevoice.pipeline.views import story

OFFERS: Mapping[str, str] = {
    "join": "an invitation to join the club",
    "discount": "a discount",
    "first_order": "a first-order offer",
    "win_back": "“we miss you”",
    "cart_reminder": "a reminder of an abandoned cart",
    "tier_perk": "a perk of the tier {shown}",
    "birthday": "a birthday reward",
    "newsletter": "the newsletter",
    "welcome": "a welcome code",
    "points_balance": "“you have {shown} points”",
    "points_expiry": "“your points expire on {shown}”",
    "tier_nudge": "“not far to Gold”",
}
WAYS: Mapping[str, str] = {"email": "sends", "sms": "texts", "receipt": "prints on the receipt"}
"""What a system does with a message, by its channel."""
CHANNELS: Mapping[str, str] = {"email": "", "sms": " by SMS", "receipt": " on receipts"}
WRONG: Mapping[str, str] = {
    "K1": "is a member already",
    "K2": "bought at full price a few days ago",
    "K3": "bought a short while ago, or holds a high tier",
    "K4": "opted out of marketing",
    "K5": "holds another tier than the one named",
    "K6": "has another number of points than the one named",
    "K7": "has a fresh cart: one person in two opposite segments",
    "K8": "has a complaint open or just closed",
    "K9": "holds no tier that has perks",
    "K10": "had that reward already",
    "K13": "has bought those things since",
    "K16": "has ordered before",
    "K18": "has no points that expire then",
    "K19": "holds Gold already",
    "K25": "cannot be reached there: the address bounced or called it spam",
}
"""The judge's classes in plain words; they speak of the person the message would have reached."""
ORDER = ("K13", "K1", "K2", "K8", "K10", "K6", "K18", "K4", "K3", "K16", "K19", "K9", "K5", "K7", "K25")
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


def stories(
    before: Verdict, after: Verdict, truth: Mapping[RecordKey, str], profiles: Mapping[RecordKey, str], hub: Hub
) -> list[Story]:
    """Customers whose contradictory messages are gone, each of another kind, the ones with most records first."""
    told = []
    for person in _chosen(before, after, truth):
        sent = [said for said in before.messages if said["person"] == person]
        wrong = next(said for said in sent if said["contradictory"])
        known = story(hub, profiles[wrong["system"], wrong["stream"], wrong["record"]])
        if known is None:
            continue
        offers = {(said["family"], said["channel"]) for said in sent if said["contradictory"]}
        told.append(
            Story(
                name=_name(known["golden"]),
                profile_id=known["profile_id"],
                records=known["records"],
                before=_lines(sent),
                after=_lines([said for said in after.messages if said["person"] == person]),
                why=list(
                    dict.fromkeys(
                        _reason(denial)
                        for denial in known["denials"]
                        if (denial["family"], denial["channel"]) in offers
                    )
                ),
            )
        )
    return told


def _chosen(before: Verdict, after: Verdict, truth: Mapping[RecordKey, str]) -> list[str]:
    """Persons with a contradictory message before and none after, one per kind."""
    still_wrong = {said["person"] for said in after.messages if said["contradictory"]}
    records = Counter(truth.values())
    candidates: dict[str, list[str]] = defaultdict(list)
    for said in before.messages:
        if said["contradictory"] and said["person"] not in still_wrong:
            candidates[said["class"]].append(said["person"])
    taken: list[str] = []
    for kind in ORDER:
        free = [person for person in candidates[kind] if person not in taken]
        if free and len(taken) < STORIES:
            taken.append(max(free, key=lambda person: (records[person], person)))
    return taken


def _lines(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line per message, wrong ones first; the same message to two records of a person is one line."""
    lines: dict[str, None] = {}
    for said in sorted(messages, key=lambda said: (not said["contradictory"], said["system"], said["family"])):
        offer = OFFERS[said["family"]].format(shown=said["shown"])
        wrong = f": wrong, {WRONG[said['class']]}" if said["contradictory"] else ""
        lines[f"{said['system']} {WAYS[said['channel']]} {offer}{wrong}"] = None
    return list(lines)


def _reason(denial: Mapping[str, Any]) -> str:
    offer = denial["family"].replace("_", " ") + CHANNELS[denial["channel"]]
    return f"no {offer} until {until_words(denial['until'])}: {denial['because']}"


def _name(golden: Mapping[str, Any]) -> str:
    return " ".join(str(golden[part]) for part in ("given_name", "family_name") if golden.get(part)) or "(no name)"
