"""Kept versions of a project's model: files beside the configuration, written once and never over one another.

A version is named as `model:` in config/identity.yaml names it (`models/person-2.yaml`, or `person.yaml` for a shipped
one), by its file's bare name, or by the beginning of its hash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf
from pathlib import Path

from identity.model import SHIPPED, Model, read_model, save_model
from onevoice.errors import IdentityError

FOLDER = "models"
"""Folder of model files inside the project's config folder."""
_SHORTEST_HASH = 4
_VISIBLE = 0.01
"""Bits."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A model file, and what it holds; None with a sentence when it cannot be read."""

    name: str
    shipped: bool
    model: Model | None
    fault: str = ""


def kept_versions(config: Path) -> list[Kept]:
    """Every model file of a project, its own before the shipped ones, sorted by name."""
    own = sorted(f"{FOLDER}/{path.name}" for path in (config / FOLDER).glob("*.yaml"))
    shipped = sorted(path.name for path in SHIPPED.iterdir() if path.name.endswith(".yaml"))
    return [*(_kept(name, config) for name in own), *(_kept(name, None) for name in shipped)]


def _kept(name: str, config: Path | None) -> Kept:
    try:
        return Kept(name, config is None, read_model(name, config))
    except IdentityError as error:
        return Kept(name, config is None, None, str(error))


def keep(model: Model, after: str, config: Path) -> str:
    """Write the model as the next version after the model file `after`; return its name.

    After `person.yaml` comes `models/person-1.yaml`, then `models/person-2.yaml`: one above the highest that is kept.
    """
    stem = re.sub(r"-\d+$", "", Path(after).stem)
    folder = config / FOLDER
    folder.mkdir(exist_ok=True)
    numbers = [
        int(found[1]) for path in folder.iterdir() if (found := re.fullmatch(rf"{re.escape(stem)}-(\d+)", path.stem))
    ]
    name = f"{stem}-{max(numbers, default=0) + 1}"
    save_model(model.model_copy(update={"name": name}), folder / f"{name}.yaml")
    return f"{FOLDER}/{name}.yaml"


def find_version(text: str, config: Path) -> Kept:
    """The kept version that `text` means; IdentityError when there is none, more than one, or it cannot be read."""
    versions = kept_versions(config)
    named = [one for one in versions if text == one.name]
    named += [one for one in versions if text in {Path(one.name).name, Path(one.name).stem}]
    hashed = [
        one for one in versions if len(text) >= _SHORTEST_HASH and one.model and one.model.version.startswith(text)
    ]
    found = named[:1] or hashed
    if len({one.model.version for one in found if one.model}) > 1:
        raise IdentityError(f"{text}: several versions begin so: {', '.join(one.name for one in found)} (write more)")
    if not found:
        known = ", ".join(one.name for one in versions)
        raise IdentityError(f"{text}: no such model version (there are {known})")
    if found[0].model is None:
        raise IdentityError(found[0].fault)
    return found[0]


@dataclass(frozen=True, slots=True)
class Moved:
    """One level's calibrated weight in two models, in bits; None where a model does not have it."""

    comparison: str
    level: str
    before: float | None
    after: float | None


def moved_weights(before: Model, after: Model) -> list[Moved]:
    """Every level whose weight differs by a hundredth of a bit or more, the largest change first; new and dropped
    levels before all others, and the prior as a level of its own."""
    old, new = _weights(before), _weights(after)
    found = [Moved(*place, old.get(place), new.get(place)) for place in sorted(old.keys() | new.keys())]
    return sorted((one for one in found if _size(one) >= _VISIBLE), key=lambda one: -_size(one))


def doubts(model: Model) -> list[str]:
    """What a person should look at before the model is used, in sentences."""
    told = []
    for figures in model.comparisons:
        name = figures.comparison.name
        last = next(reversed(figures.levels))
        if figures.levels[last].weight > 0:
            told.append(
                f"{name}: that it is {last.replace('_', ' ')} speaks for a match ({figures.levels[last].weight:+.1f} "
                "bits). The pairs it was trained on are not one person each: do not use this model."
            )
    unseen: dict[str, list[str]] = {}
    for place in model.unseen:
        comparison, _, level = place.rpartition(".")
        unseen.setdefault(comparison, []).append(level.replace("_", " "))
    told += [
        f"{comparison}: the records show too few pairs that are {', '.join(levels)}. The figures are those of the "
        "model that was in use, or the least there are."
        for comparison, levels in unseen.items()
    ]
    return told


def _weights(model: Model) -> dict[tuple[str, str], float]:
    found = {
        (figures.comparison.name, level): weight
        for figures in model.comparisons
        for level, weight in zip(figures.levels, model.weights[figures.comparison.name], strict=True)
    }
    return {("prior", ""): model.prior_weight, **found}


def _size(one: Moved) -> float:
    return inf if one.before is None or one.after is None else abs(one.after - one.before)
