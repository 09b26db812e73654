"""The guard: before the first write at any system it is known whether all of the push may happen.

A push that would change an unusual share of a stream's records waits for a person. Whoever approves a plan approves its
very writes: the record, the fields and the values. What is planned beside them by the time of the push still counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from onevoice.errors import GuardStopped
from onevoice.pipeline.delivery.planfile import Fingerprint, configuration, fingerprint, insist
from onevoice.pipeline.delivery.targets import PushTarget
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.report import Job, Report, Stage
from onevoice.store import acts, approvals, outboxes
from onevoice.store.acts import Act
from onevoice.store.approvals import Approval
from onevoice.store.outboxes import OutboxRow


@dataclass(frozen=True, slots=True)
class Excess:
    """A stream of which more records would change than the guard lets through."""

    system: str
    stream: str
    planned: int
    total: int

    def __str__(self) -> str:
        return f"{self.system}.{self.stream}: {self.planned:,} of {self.total:,} records would change"


def guarded(hub: Hub, stage: Stage) -> Stage:
    """The push stage as it is; or, where it must not happen, one job in its place that tells why and writes nothing."""
    try:
        if hub.limits.plan is not None:
            insist(hub, hub.limits.plan)
            return stage
        sentence = _objection(hub)
    except GuardStopped as exc:
        sentence = str(exc)
    return Stage(stage.name, (Job("guard", None, lambda: Report(stopped=sentence)),)) if sentence else stage


def excesses(hub: Hub, approved: Collection[str] = ()) -> list[Excess]:
    """Streams of this run that are over the guard's share; writes whose hash was approved do not count."""
    guard = hub.config.hub.guard
    found = []
    with hub.store.read() as connection:
        covered = _covered(hub, approved) if approved else frozenset()
        for target in hub.targets_written:
            total = outboxes.count_records(connection, target.system, target.per)
            planned = outboxes.count_open(connection, target.system, target.stream, _counted(hub, target, covered))
            planned = min(planned, hub.limits.records or planned)
            if planned > max(guard.mass_change_share * total, guard.always_allowed):
                found.append(Excess(target.system, target.stream, planned, total))
    return found


def approve(hub: Hub, plan: str, actor: str, reason: str = "") -> int:
    """Approve the plan with this hash; the number of its writes. GuardStopped when another one is planned by now."""
    made = fingerprint(hub)
    if made.plan != plan:
        raise GuardStopped(
            f"approve {plan}: this is not what is planned now, which is {made.plan} ({len(made.writes):,} writes); "
            "nothing was approved (look at `onevoice plan`)"
        )
    with hub.store.begin() as connection:
        given = Approval(plan, made.configuration, frozenset(made.writes.values()), actor, hub.as_of)
        approvals.give(connection, given)
        acts.note(connection, Act("approve", plan, actor, hub.as_of, reason, {"writes": len(made.writes)}))
    return len(made.writes)


def chosen(hub: Hub, target: PushTarget, pilot: Collection[str] | None) -> Callable[[OutboxRow], bool] | None:
    """Which writes hold anything that this run may send; None: all. `pilot` are the only records written to, if any."""
    if pilot is None and not hub.restricts(target):
        return None
    return lambda row: (pilot is None or row.ref in pilot) and bool(hub.sendable(target, row.fields))


def _objection(hub: Hub) -> str | None:
    """Why this push must not happen; None when it may."""
    with hub.store.read() as connection:
        standing = approvals.standing(connection)
    if not excesses(hub):
        if standing:  # what they were given for is done
            with hub.store.begin() as connection:
                approvals.close(connection, hub.as_of)
        return None
    if hub.limits.first:
        return None
    valid = [one for one in standing if one.configuration == configuration(hub)]
    approved = {digest for one in valid for digest in one.writes}
    over = excesses(hub, approved)
    if over:
        return _sentence(hub, over, fingerprint(hub))
    with hub.store.begin() as connection:
        approvals.note_use(connection, [one.plan for one in valid], hub.run_id)
    return None


def _sentence(hub: Hub, over: Collection[Excess], made: Fingerprint) -> str:
    guard = hub.config.hub.guard
    return (
        f"{'; '.join(map(str, over))}: more than config/hub.yaml guard allows "
        f"(mass_change_share {guard.mass_change_share:.0%}, always_allowed {guard.always_allowed:,}). "
        f"No system was written to. Look at `onevoice plan`; if it is right: `onevoice sync --approve {made.plan}`, "
        f"or `onevoice approve {made.plan}` for the next scheduled sync (--first for the first one of all)"
    )


def _covered(hub: Hub, approved: Collection[str]) -> frozenset[str]:
    """Records whose planned write is approved."""
    return frozenset(ref for ref, digest in fingerprint(hub).writes.items() if digest in approved)


def _counted(hub: Hub, target: PushTarget, covered: Collection[str]) -> Callable[[OutboxRow], bool] | None:
    """Which open writes of a stream count for the guard; None: all."""
    pilot = hub.limits.pilot
    fits = chosen(hub, target, pilot.destinations(hub, target.system) if pilot else None)
    if not covered:
        return fits
    return lambda row: row.ref not in covered and (fits is None or fits(row))
