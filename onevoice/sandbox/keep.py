"""A sandbox's state in a folder, so that it can be stopped and started again as if nothing had been."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson

from onevoice.sandbox.truth import Facts, Truth
from onevoice.sandbox.world import AS_OF, World, build_world

_WORLD, _VENDORS = "world.json", ("salesforce", "hubspot")


def open_world(seed: int, people: int, folder: Path | None) -> World:
    """The world of the seed; where the folder keeps one of the same seed and size, as it was when it was stopped."""
    kept = _read(folder / _WORLD) if folder and folder.joinpath(_WORLD).exists() else None
    if kept is None or folder is None:
        return build_world(seed, people)
    if (kept["seed"], kept["people"]) != (seed, people):
        raise ValueError(
            f"sandbox: the folder keeps seed {kept['seed']} with {kept['people']} people"
            f" (start it with these, or give another folder)"
        )
    world = build_world(seed, people, AS_OF)
    behind = datetime.fromisoformat(kept["as_of"]) - world.clock.now()
    world.clock.advance(max(0.0, behind.total_seconds()))
    for name in _VENDORS:
        getattr(world, name).load(_read(folder / f"{name}.json"))
    _learn(world.truth, kept["learned"])
    return world


def keep_world(world: World, folder: Path) -> None:
    """Write everything that cannot be built again from the seed."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _VENDORS:
        folder.joinpath(f"{name}.json").write_bytes(orjson.dumps(getattr(world, name).dump()))
    told = {
        "seed": world.seed,
        "people": world.people,
        "as_of": world.clock.now().isoformat(),
        "learned": _learned(world.truth, build_world(world.seed, world.people, AS_OF).truth),
    }
    folder.joinpath(_WORLD).write_bytes(orjson.dumps(told))


def _read(path: Path) -> Any:
    return orjson.loads(path.read_bytes())


def _learned(now: Truth, then: Truth) -> list[dict[str, Any]]:
    """What became true since the world began: edits by hand open complaints, opt people out, change tiers."""
    learned: list[dict[str, Any]] = []
    for person, (facts, before) in enumerate(zip(now.facts, then.facts, strict=True)):
        learned.extend(
            {"opt_out": [list(new.ref), new.address, new.on.isoformat()]}
            for new in facts.opt_outs[len(before.opt_outs) :]
        )
        learned.extend(
            {"complaint": [list(new.ref), new.key, new.opened.isoformat()]}
            for new in facts.complaints[len(before.complaints) :]
        )
        learned.extend({"tier": [person, *tier]} for tier in sorted(_tiers(facts) - _tiers(before)))
    return learned


def _tiers(facts: Facts) -> set[tuple[str, str, str]]:
    held = (tier for membership in facts.memberships for tier in membership.tiers)
    return {(tier.key, tier.name, tier.until.isoformat() if tier.until else "") for tier in held}


def _learn(truth: Truth, learned: list[dict[str, Any]]) -> None:
    for fact in learned:
        if "opt_out" in fact:
            ref, address, on = fact["opt_out"]
            truth.opt_out((ref[0], ref[1], ref[2]), address, date.fromisoformat(on))
        elif "complaint" in fact:
            ref, key, opened = fact["complaint"]
            truth.complain((ref[0], ref[1], ref[2]), key, date.fromisoformat(opened))
        else:
            person, key, name, until = fact["tier"]
            truth.change_tier(person, key, name, date.fromisoformat(until) if until else None)
