"""How good matching is, measured on labels: a file that says who is who, or what stewards decided. Only reads."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from identity.evaluate import PairQuality, Quality, Uncertainty, evaluate, evaluate_pairs, uncertainty
from identity.versions import find_version
from onevoice.errors import ConfigError, IdentityError
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.resolution.models import fitting, resolved
from onevoice.pipeline.resolution.pairs import judged_by_stewards
from onevoice.store import identities

_REF, _PERSON = "ref", "person"


@dataclass(frozen=True, slots=True)
class OnLabels:
    """Quality on a file that says which person each record is."""

    quality: Quality
    uncertainty: Uncertainty
    unknown: int
    """Labelled records that the hub does not hold, or has not resolved."""


def read_labels(path: Path) -> dict[str, str]:
    """Record -> person, of a CSV file with the columns `ref` (system/stream/key) and `person` (any name for one).

    Raises ConfigError with the line when a column is missing, a ref is not one, or a record has two persons.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        missing = {_REF, _PERSON} - set(rows.fieldnames or ())
        if missing:
            raise ConfigError(f"{path}:1: no column {' and '.join(sorted(missing))} (the columns are ref and person)")
        persons: dict[str, str] = {}
        for row in rows:
            ref, person = (row[_REF] or "").strip(), (row[_PERSON] or "").strip()
            if ref.count("/") < 2 or not person:
                raise ConfigError(f"{path}:{rows.line_num}: write the record as system/stream/key, and its person")
            if persons.setdefault(ref, person) != person:
                raise ConfigError(f"{path}:{rows.line_num}: this record has another person further up (keep one)")
    return persons


def evaluate_labels(hub: Hub, persons: Mapping[str, str], version: str | None = None) -> OnLabels:
    """Judge the customers that the store holds, or those that another version would make, by a labelled file.

    Raises IdentityError when the store knows none of the labelled records.
    """
    if version is None:
        with hub.store.read() as connection:
            found: Mapping[str, object] = identities.load_links(connection, persons)
    else:
        model = fitting(hub, find_version(version, hub.root / "config"))
        found = resolved(hub, model).customer
    known = persons.keys() & found.keys()
    if not known:
        raise IdentityError(
            "evaluate: the store knows none of the labelled records (write them as system/stream/key, and sync first)"
        )
    return OnLabels(evaluate(found, persons), uncertainty(found, persons), len(persons) - len(known))


def evaluate_decisions(hub: Hub, version: str | None = None) -> PairQuality:
    """Judge a model's own verdicts on the pairs that stewards decided, as if they had not.

    Raises IdentityError when there is no decision.
    """
    model = hub.model if version is None else fitting(hub, find_version(version, hub.root / "config"))
    with hub.store.read() as connection:
        judged = judged_by_stewards(hub, connection, model)
    if not judged:
        raise IdentityError(
            "evaluate: stewards have decided nothing yet (decide pairs with `onevoice review`, or give a labelled file "
            "with --labels)"
        )
    match = hub.config.identity.thresholds.match
    return evaluate_pairs((one.merged(match), same) for one, same in judged)
