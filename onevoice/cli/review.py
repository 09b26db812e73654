"""Commands for stewards: which records may be one customer, side by side, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onevoice.cli.session import Actor, Whole, operator, session_of
from onevoice.cli.sync import AsJson, run_showing
from onevoice.cli.terminal import out, print_json, table

if TYPE_CHECKING:
    from onevoice.cli.masks import Masks
    from onevoice.pipeline import Hub
    from onevoice.pipeline.resolution.review import Asked, Pair, Side
    from onevoice.store.steward import KeptQuestion, StewardDecision

review = typer.Typer(help="Which records are one customer: questions for a steward, and what was decided.")

ELSEWHERE = ("pull", "push", "verify")
"""Stages that talk to systems."""

Record = Annotated[str, typer.Argument(help="A record as system/stream/key.")]
Item = Annotated[int, typer.Argument(help="The question, as `onevoice review list` numbers it.")]
Reason = Annotated[str, typer.Option(help="Why, for whoever reads it later.")]
Now = Annotated[bool, typer.Option("--now", help="Apply it at once, here; the next sync writes it to the systems.")]

KINDS: Mapping[str, str] = {
    "grey": "one customer?",
    "veto": "one customer, against a veto?",
    "guard": "one customer, over a limit?",
    "contradiction": "which decision is right?",
    "split": "rightly split?",
    "accounts": "rightly merged?",
}
"""What a steward is asked, by kind of question."""


@review.command("list")
def list_questions(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=0, help="Questions to show.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show what a steward is asked, first where a wrong answer costs most.

    Impact is 10 for each open contradiction, 5 for each loyalty member and 5 for each rank of their tiers, 1 for 1,000
    points, 1 for 100 of spend in twelve months, and 2 for each system that the hub writes to about them.
    """
    from onevoice.pipeline.resolution.review import queue

    hub = session_of(context).hub()
    asked = queue(hub)
    shown = asked[:limit]
    if as_json:
        print_json({"open": len(asked), "items": [_asked_json(one) for one in shown]})
        return
    if not asked:
        out.print("Nothing is open.")
        return
    masks = _masks(hub, whole=False)
    rows = table(f"{len(asked):,} open, by impact", "#item", "#impact", "question", "records", "because", "since (UTC)")
    for one in shown:
        item = one.item
        pair = f"{masks.text(item.left)}  {masks.text(item.right)}"
        since = f"{item.opened_at:%Y-%m-%d %H:%M}"
        rows.add_row(str(item.id), f"{one.impact.score:,}", KINDS[item.kind], pair, item.reason, since)
    out.print(rows)


@review.command()
def show(context: typer.Context, item: Item, whole: Whole = False, as_json: AsJson = False) -> None:
    """Show the two records of a question side by side, and what speaks for and against one customer."""
    from onevoice.pipeline.resolution.review import question

    hub = session_of(context).hub()
    asked, pair = question(hub, item)
    masks = _masks(hub, whole=whole)
    if as_json:
        print_json({"item": asdict(asked), **pair_json(pair, masks)})
    else:
        _print_question(asked)
        print_pair(pair, masks)


@review.command()
def merge(
    context: typer.Context,
    left: Record,
    right: Record,
    reason: Reason,
    actor: Actor = None,
    now: Now = False,
    as_json: AsJson = False,
) -> None:
    """Decide that two records are one customer, whatever the evidence says."""
    from onevoice.pipeline.resolution import steward

    hub = session_of(context).hub()
    _tell(hub, steward.merge(hub, left, right, actor=operator(actor), reason=reason), now=now, as_json=as_json)


@review.command()
def split(
    context: typer.Context,
    left: Record,
    right: Record,
    reason: Reason,
    actor: Actor = None,
    now: Now = False,
    as_json: AsJson = False,
) -> None:
    """Decide that two records are two customers, whatever the evidence says."""
    from onevoice.pipeline.resolution import steward

    hub = session_of(context).hub()
    _tell(hub, steward.split(hub, left, right, actor=operator(actor), reason=reason), now=now, as_json=as_json)


@review.command("not-a-match")
def not_a_match(
    context: typer.Context,
    item: Item,
    reason: Reason,
    actor: Actor = None,
    now: Now = False,
    as_json: AsJson = False,
) -> None:
    """Answer a question: its two records are two customers."""
    from onevoice.pipeline.resolution import steward

    hub = session_of(context).hub()
    _tell(hub, steward.not_a_match(hub, item, actor=operator(actor), reason=reason), now=now, as_json=as_json)


@review.command()
def undo(
    context: typer.Context,
    decision: Annotated[int, typer.Argument(help="The decision, as `onevoice review decisions` numbers it.")],
    reason: Reason,
    actor: Actor = None,
    now: Now = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw a decision: the evidence counts again, and what it had answered is asked again."""
    from onevoice.pipeline.resolution import steward

    hub = session_of(context).hub()
    _tell(hub, steward.undo(hub, decision, actor=operator(actor), reason=reason), now=now, as_json=as_json)


@review.command()
def decisions(context: typer.Context, as_json: AsJson = False) -> None:
    """List every decision of a steward: who took it, when and why, and who withdrew it."""
    from onevoice.pipeline.resolution import steward

    hub = session_of(context).hub()
    found = steward.decisions(hub)
    if as_json:
        print_json([asdict(one) for one in found])
        return
    if not found:
        out.print("Nothing was decided yet.")
        return
    masks = _masks(hub, whole=False)
    rows = table("Decisions of stewards", "#decision", "records", "are", "by", "at (UTC)", "because", "withdrawn")
    for one in found:
        pair = f"{masks.text(one.left)}  {masks.text(one.right)}"
        at = f"{one.at:%Y-%m-%d %H:%M}"
        rows.add_row(str(one.id), pair, _verdict(one), one.actor, at, one.reason, _withdrawal(one))
    out.print(rows)


def pair_json(pair: Pair, masks: Masks) -> dict[str, Any]:
    """Two records side by side as a document."""
    return {
        "records": [_side_json(side, masks) for side in (pair.left, pair.right)],
        "reasons": [asdict(reason) for reason in pair.reasons],
        "decisions": [asdict(one) for one in pair.decisions],
        "chain": [
            {"left": masks.text(link.left), "right": masks.text(link.right), "because": link.words, "doubt": link.doubt}
            for link in pair.chain
        ],
    }


def print_pair(pair: Pair, masks: Masks) -> None:
    """Two records side by side, then what speaks for and against one customer, then what was decided."""
    sides = [(side, masks.item("customer", side.customer)) for side in (pair.left, pair.right)]
    rows = table("Records", "", *(masks.text(side.ref) for side, _ in sides))
    for name in sorted({name for _, held in sides for name, value in held.items() if value is not None}):
        rows.add_row(name, *(_text(held.get(name)) for _, held in sides))
    rows.add_row("cards", *(", ".join(_cards(side, masks)) for side, _ in sides))
    rows.add_row("changed (UTC)", *(f"{s.updated_at:%Y-%m-%d %H:%M}" if s.updated_at else "" for s, _ in sides))
    rows.add_row("profile", *(f"{side.profile_id}, records {side.records}" for side, _ in sides))
    weighed = table("What speaks for one customer (+) and against (-)", "field", "#bits", "")
    for reason in pair.reasons:
        weight = "" if reason.weight is None else f"{reason.weight:+.1f}"
        weighed.add_row(reason.field, weight, reason.sentence)
    out.print(rows, "", weighed)
    for at, link in enumerate(pair.chain):
        way = f"{masks.text(link.left)} and {masks.text(link.right)}: {link.words}"
        out.print(f"{'One profile by way of' if at == 0 else 'and of'} {way}")
    for one in pair.decisions:
        refs = f"{masks.text(one.left)} and {masks.text(one.right)}"
        gone = _withdrawal(one)
        ending = f"; withdrawn {gone}" if gone else ""
        out.print(f"Decision {one.id}: {refs} are {_verdict(one)} ({one.actor}: {one.reason}){ending}")


def _print_question(item: KeptQuestion) -> None:
    state = "open" if item.closed_at is None else f"closed {item.closed_at:%Y-%m-%d %H:%M} UTC"
    if item.answer is not None:
        state += f" by decision {item.answer}"
    since = f"{item.opened_at:%Y-%m-%d %H:%M}"
    out.print(f"[bold]Item {item.id}[/bold]: {KINDS[item.kind]} Because {item.reason}. Since {since} UTC, {state}.")


def _tell(hub: Hub, said: StewardDecision, *, now: bool, as_json: bool) -> None:
    """Say what was decided, then apply it where that is wanted."""
    if as_json:
        print_json(asdict(said))
    else:
        masks = _masks(hub, whole=False)
        refs = f"{masks.text(said.left)} and {masks.text(said.right)}"
        what = f"{refs} are {_verdict(said)}" if said.in_force else f"withdrawn; the evidence about {refs} counts again"
        out.print(f"Decision {said.id}: {what} ({'applied now' if now else 'the next sync applies it'})")
    if now:
        raise typer.Exit(run_showing(hub, skip=ELSEWHERE).exit_code)


def _verdict(said: StewardDecision) -> str:
    return "one customer" if said.same else "two customers"


def _withdrawal(said: StewardDecision) -> str:
    if said.withdrawn_at is None:
        return ""
    return f"{said.withdrawn_at:%Y-%m-%d %H:%M} by {said.withdrawn_by}: {said.withdrawn_reason}"


def _masks(hub: Hub, *, whole: bool) -> Masks:
    from onevoice.cli.masks import Masks

    return Masks(hub.config.mappings, whole=whole)


def _cards(side: Side, masks: Masks) -> Sequence[str]:
    return [masks.item("customer", {"card_number": card})["card_number"] for card in side.cards]


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _side_json(side: Side, masks: Masks) -> dict[str, Any]:
    return {
        "ref": masks.text(side.ref),
        "profile_id": side.profile_id,
        "profile_records": side.records,
        "updated_at": side.updated_at,
        "customer": masks.item("customer", side.customer),
        "cards": _cards(side, masks),
    }


def _asked_json(one: Asked) -> dict[str, Any]:
    impact = {"score": one.impact.score, **asdict(one.impact)}
    return {**asdict(one.item), "profiles": list(one.profiles), "impact": impact}
