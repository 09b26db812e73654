"""What stewards decide: these two records are one person, or are not. Every way in calls these functions.

A decision is kept with who took it, when and why. It is taken back by withdrawing it, which keeps it too. It holds for
the two records, whatever else changes, and is applied when they are resolved next. A decision that contradicts others
in force is refused, so that what stewards have said can always be followed.
"""

from __future__ import annotations

from collections.abc import Sequence

from onevoice.errors import DecisionRefused
from onevoice.pipeline.hub import Hub
from onevoice.store import Connection, identities, pages, steward
from onevoice.store.steward import StewardDecision


def merge(hub: Hub, left: str, right: str, *, actor: str, reason: str) -> StewardDecision:
    """Decide that two records (`system/stream/key`) are one person.

    Raises DecisionRefused for a record that nobody knows, for records that are in one profile already (unless it is
    asked about the two), and where other decisions keep them apart.
    """
    with hub.store.writing() as connection:
        _known(connection, left, right)
        _not_said_yet(connection, left, right, same=True)
        against = _keep_apart(connection, left, right)
        if against:
            raise _contradicts(left, right, against, "apart")
        links = identities.load_links(connection, (left, right))
        if links[left] == links[right] and not _asked(connection, left, right):
            raise DecisionRefused(
                f"{left} and {right}: both are in profile {links[left]} already (there is nothing to merge)"
            )
        return _decide(hub, connection, (left, right), same=True, actor=actor, reason=reason)


def split(hub: Hub, left: str, right: str, *, actor: str, reason: str) -> StewardDecision:
    """Decide that two records (`system/stream/key`) are two people, whether or not they are in one profile now.

    Raises DecisionRefused for a record that nobody knows, and where other decisions join the two.
    """
    with hub.store.writing() as connection:
        _known(connection, left, right)
        _not_said_yet(connection, left, right, same=False)
        way = steward.joined_with(connection, left).get(right)
        if way is not None:
            raise _contradicts(left, right, way, "together")
        return _decide(hub, connection, (left, right), same=False, actor=actor, reason=reason)


def not_a_match(hub: Hub, item: int, *, actor: str, reason: str) -> StewardDecision:
    """Answer an open question of the review queue: its two records are two people.

    Raises DecisionRefused as `split` does, and where there is no such open question.
    """
    with hub.store.read() as connection:
        asked = steward.load_item(connection, item)
    if asked is None:
        raise DecisionRefused(f"review item {item}: there is none (`onevoice review list` shows them)")
    if asked.closed_at is not None:
        by = f"by decision {asked.answer}" if asked.answer else "because the evidence is another now"
        raise DecisionRefused(f"review item {item}: it is closed already, {by}")
    return split(hub, asked.left, asked.right, actor=actor, reason=reason)


def undo(hub: Hub, decision: int, *, actor: str, reason: str) -> StewardDecision:
    """Withdraw a decision; what it had answered is asked again. Raises DecisionRefused when there is none in force."""
    with hub.store.writing() as connection:
        said = steward.load_decision(connection, decision)
        if said is None:
            raise DecisionRefused(f"decision {decision}: there is none (`onevoice review decisions` lists them)")
        if not said.in_force:
            raise DecisionRefused(f"decision {decision}: {said.withdrawn_by} has withdrawn it already")
        steward.withdraw(connection, decision, *_signed(actor, reason), hub.as_of)
        steward.reopen_answered(connection, decision)
        pages.mark_work(connection, {(steward.DECIDED, ref) for ref in (said.left, said.right)})
        withdrawn = steward.load_decision(connection, decision)
        assert withdrawn is not None  # noqa: S101 - rows are never deleted
        return withdrawn


def decisions(hub: Hub) -> list[StewardDecision]:
    """Every decision that was ever taken, withdrawn ones too, oldest first."""
    with hub.store.read() as connection:
        return steward.all_decisions(connection)


def labels(connection: Connection) -> list[tuple[str, str, bool]]:
    """Decisions in force as labelled pairs, sorted: (left ref, right ref, whether they are one person)."""
    return identities.load_constraints(connection)


def _decide(
    hub: Hub, connection: Connection, pair: tuple[str, str], *, same: bool, actor: str, reason: str
) -> StewardDecision:
    actor, reason = _signed(actor, reason)
    said = steward.add_decision(connection, pair, same=same, actor=actor, reason=reason, at=hub.as_of)
    steward.close_items(connection, _answered(connection, said), said.id, hub.as_of)
    pages.mark_work(connection, {(steward.DECIDED, ref) for ref in pair})
    return said


def _signed(actor: str, reason: str) -> tuple[str, str]:
    if not actor.strip() or not reason.strip():
        raise DecisionRefused("a decision needs an actor and a reason (say who decides, and why)")
    return actor.strip(), reason.strip()


def _known(connection: Connection, left: str, right: str) -> None:
    links = identities.load_links(connection, (left, right))
    for ref in (left, right):
        if ref not in links:
            raise DecisionRefused(
                f"{ref}: no customer record that is resolved (write system/stream/key, or sync first)"
            )
    if left == right:
        raise DecisionRefused(f"{left}: a record is one person with itself (name two records)")


def _not_said_yet(connection: Connection, left: str, right: str, *, same: bool) -> None:
    said = [d for d in steward.in_force_on(connection, {left}) if {d.left, d.right} == {left, right}]
    if said and said[0].same == same:
        raise DecisionRefused(f"{left} and {right}: decision {said[0].id} says so already", [d.id for d in said])


def _keep_apart(connection: Connection, left: str, right: str) -> list[StewardDecision]:
    """Decisions in force that keep apart what would become one person."""
    here, there = steward.joined_with(connection, left), steward.joined_with(connection, right)
    return [
        said
        for said in steward.in_force_on(connection, {*here, *there})
        if not said.same and {said.left, said.right} & here.keys() and {said.left, said.right} & there.keys()
    ]


def _contradicts(left: str, right: str, against: Sequence[StewardDecision], how: str) -> DecisionRefused:
    numbers = [said.id for said in against]
    named = ", ".join(map(str, numbers))
    todo = "`onevoice review undo` withdraws one"
    return DecisionRefused(f"{left} and {right}: decision {named} says that they belong {how} ({todo})", numbers)


def _asked(connection: Connection, left: str, right: str) -> bool:
    """Whether an open question is about these two records."""
    return any({item.left, item.right} == {left, right} for item in steward.open_items_on(connection, {left}))


def _answered(connection: Connection, said: StewardDecision) -> list[int]:
    """Open questions that a decision answers: about its pair, or about another pair of the same two profiles."""
    links = identities.load_links(connection, (said.left, said.right))
    profiles = set(links.values())
    members = identities.load_members(connection, profiles)
    home = {ref: profile_id for profile_id, refs in members.items() for ref in refs}
    return [
        item.id
        for item in steward.open_items_on(connection, home)
        if {item.left, item.right} == {said.left, said.right}
        or (len(profiles) > 1 and {home.get(item.left), home.get(item.right)} == profiles)
    ]
