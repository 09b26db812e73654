"""A sandbox's state in a folder, so that it can be stopped and started again as if nothing had been."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from onevoice.sandbox.world import AS_OF, World, build_world

_WORLD = "world.json"


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
    for name, vendor in world.vendors.items():
        vendor.load(_read(folder / f"{name}.json"))
    for what, *said in kept["journal"]:
        world.truth.learn(what, *said)
    return world


def keep_world(world: World, folder: Path) -> None:
    """Write everything that cannot be built again from the seed."""
    folder.mkdir(parents=True, exist_ok=True)
    world.catch_up()
    for name, vendor in world.vendors.items():
        folder.joinpath(f"{name}.json").write_bytes(orjson.dumps(vendor.dump()))
    told = {
        "seed": world.seed,
        "people": world.people,
        "as_of": world.clock.now().isoformat(),
        "journal": world.truth.journal,
    }
    folder.joinpath(_WORLD).write_bytes(orjson.dumps(told))


def _read(path: Path) -> Any:
    return orjson.loads(path.read_bytes())
