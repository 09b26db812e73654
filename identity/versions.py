"""Kept versions of a project's model: files beside the configuration, written once and never over one another.

A version is named as `model:` in config/identity.yaml names it (`models/person-2.yaml`, or `person.yaml` for a shipped
one), by its file's bare name, or by the beginning of its hash.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from identity.model import SHIPPED, Model, read_model, save_model
from onevoice.errors import IdentityError

FOLDER = "models"
"""Folder of model files inside the project's config folder."""
_SHORTEST_HASH = 4


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
    named = [one for one in versions if text in {one.name, Path(one.name).name, Path(one.name).stem}]
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
