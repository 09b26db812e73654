"""Versions of the matching model over the hub's own records: train, calibrate, list, compare, use.

A version is a file that is written once. Training and calibrating write a new one and change nothing else; which one
is in use stands in config/identity.yaml, and the next sync resolves everybody with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode

from identity import Clustering, Constraint, Edge, IdentityRecord, Model, normalise
from identity.calibrate import Band, Fit, calibrate, reliability
from identity.model import load_model, read_model, require_fit
from identity.versions import Kept, Moved, doubts, find_version, keep, kept_versions, moved_weights
from onevoice.errors import ConfigError, IdentityError
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.resolution.pairs import judged_by_stewards
from onevoice.pipeline.unify import identity_record
from onevoice.store import identities

IDENTITY_FILE = "config/identity.yaml"
MERGED, ASKED, APART = "merged", "asked", "apart"
_CHUNK = 20_000
"""Records that are loaded at one time."""


class NoResolver:
    """Stands where the resolver would be while models are looked after: one that is out of date can be replaced."""

    def edges(self, *_: object, **__: object) -> list[Edge]:
        """Never does: raises IdentityError."""
        raise IdentityError(_NOT_HERE)

    def cluster(self, *_: object, **__: object) -> Clustering:
        """Never does: raises IdentityError."""
        raise IdentityError(_NOT_HERE)


_NOT_HERE = "identity: this command does not resolve (run `onevoice sync`)"


@dataclass(frozen=True, slots=True)
class Made:
    """A version that was made, and how it differs from the one in use."""

    version: Kept
    in_use: str
    new: bool
    """Whether a file was written; otherwise a kept version scores exactly so already."""
    moved: Sequence[Moved]
    doubts: Sequence[str]


def train(hub: Hub) -> Made:
    """Estimate a model from every customer record of the store, and keep it as a new version.

    Raises IdentityError when the store has too few records to learn from.
    """
    # Splink takes half a second to import, and only training needs it here.
    from identity.prior import with_expected_prior  # noqa: PLC0415
    from identity.train import train as estimate  # noqa: PLC0415

    config = hub.config.identity
    forms = (normalise(record, config) for record in customer_records(hub))
    systems = ", ".join(sorted(hub.config.hub.systems))
    made = estimate(forms, config, name="new", trained_on=f"customers of {systems}, unlabelled", borrow=_in_use(hub))
    return _keep(hub, with_expected_prior(made, customer_records(hub), config))


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A fit to stewards' decisions, and the version that carries it."""

    fit: Fit
    left_out: int
    """Decisions on pairs that no weight decides: a link, a veto, or nothing but names."""
    before: Sequence[Band]
    after: Sequence[Band]
    made: Made | None
    """None when the weights already fit the decisions at least as well."""


def calibrate_model(hub: Hub) -> Calibrated:
    """Fit the weights of the model in use to stewards' decisions, and keep it as a new version if that helps.

    Raises IdentityError below the number of decisions that two figures need.
    """
    raw = hub.model.model_copy(update={"calibration": None})
    with hub.store.read() as connection:
        decided = judged_by_stewards(hub, connection, raw)
    judged = [(one.edge.weight, same) for one, same in decided if one.by_score]
    fit = calibrate(judged)
    made = None
    if fit.helps:
        made = _keep(hub, raw.model_copy(update={"calibration": fit.calibration}))
    return Calibrated(
        fit,
        len(decided) - len(judged),
        reliability(judged),
        reliability(judged, fit.calibration.slope, fit.calibration.offset),
        made,
    )


def _keep(hub: Hub, model: Model) -> Made:
    config, in_use = hub.root / "config", hub.config.identity.model
    model = model.model_copy(update={"trained_at": hub.as_of})
    same = [one for one in kept_versions(config) if one.model and one.model.version == model.version]
    version = same[0] if same else find_version(keep(model, in_use, config), config)
    before = _in_use(hub)
    moved = moved_weights(before, model) if before else []
    return Made(version, in_use, not same, moved, doubts(model))


def _in_use(hub: Hub) -> Model | None:
    """The model in use, also one of another normaliser; None when it is missing or cannot be read."""
    try:
        return read_model(hub.config.identity.model, hub.root / "config")
    except IdentityError:
        return None


@dataclass(frozen=True, slots=True)
class Listed:
    """A kept version, and whether the configuration names it."""

    version: Kept
    in_use: bool
    doubts: Sequence[str]


def versions(hub: Hub) -> list[Listed]:
    """Every kept version, the project's own before the shipped ones."""
    return [
        Listed(one, one.name == hub.config.identity.model, doubts(one.model) if one.model else ())
        for one in kept_versions(hub.root / "config")
    ]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the hub's records would come to under two versions; nothing is changed."""

    before: Kept
    after: Kept
    records: int
    verdicts: dict[tuple[str, str], int]
    """(verdict before, after) -> pairs, of `merged`, `asked` and `apart`; pairs with one verdict are left out."""
    same_verdict: int
    """Pairs with an edge under either, whose verdict stays."""
    profiles_before: int
    profiles_after: int
    profiles_changed: int
    """Profiles of before that would gain or lose a record."""
    examples: Sequence[tuple[str, str, str, str]]
    """(ref, ref, verdict before, after) of the pairs that change most clearly, for `onevoice explain`."""


def compare_versions(hub: Hub, before: str, after: str, examples: int = 10) -> Comparison:
    """Resolve every record under both versions, with stewards' decisions, and tell the differences.

    Raises IdentityError when there is no such version, one does not fit the configuration, or the store is empty.
    """
    kept = [find_version(text, hub.root / "config") for text in (before, after)]
    one, other = (resolved(hub, fitting(hub, version)) for version in kept)
    pairs = one.scored | other.scored
    changed = {
        pair: (one.verdict(pair), other.verdict(pair)) for pair in pairs if one.verdict(pair) != other.verdict(pair)
    }
    clearest = sorted(changed, key=lambda pair: (ASKED in changed[pair], pair))[:examples]
    return Comparison(
        before=kept[0],
        after=kept[1],
        records=len(one.customer),
        verdicts=dict(sorted(Counter(changed.values()).items())),
        same_verdict=len(pairs) - len(changed),
        profiles_before=len(set(one.customer.values())),
        profiles_after=len(set(other.customer.values())),
        profiles_changed=_changed(one.customer, other.customer),
        examples=[(*pair, *changed[pair]) for pair in clearest],
    )


@dataclass(frozen=True, slots=True)
class Resolved:
    """What all records come to under one model, in memory."""

    scored: AbstractSet[tuple[str, str]]
    """Pairs of refs that a steward is asked about at least."""
    customer: Mapping[str, int]
    """Number of its customer, by ref."""

    def verdict(self, pair: tuple[str, str]) -> str:
        """Merged: one customer, be it by way of others. Asked: not merged, and a steward is asked, or said no."""
        left, right = pair
        if self.customer[left] == self.customer[right]:
            return MERGED
        return ASKED if pair in self.scored else APART


def resolved(hub: Hub, model: Model) -> Resolved:
    """Resolve every record of the store anew under a model, with stewards' decisions; nothing is written."""
    from identity.batch import resolve_all  # noqa: PLC0415 - loads Splink

    records = list(customer_records(hub))
    there = {record.ref for record in records}
    with hub.store.read() as connection:
        said = [
            (Ref.parse(left), Ref.parse(right), same) for left, right, same in identities.load_constraints(connection)
        ]
    constraints = [
        Constraint(left, right, "must" if same else "cannot")
        for left, right, same in said
        if left in there and right in there
    ]
    found = resolve_all(records, hub.config.identity, model, constraints)
    edges = (found.edges.column(name).to_pylist() for name in ("left", "right"))
    members = (found.members.column(name).to_pylist() for name in ("ref", "cluster"))
    return Resolved(frozenset(zip(*edges, strict=True)), dict(zip(*members, strict=True)))


def _changed(before: Mapping[str, int], after: Mapping[str, int]) -> int:
    """Clusters of `before` that are no cluster of `after`."""
    sizes_before, sizes_after = Counter(before.values()), Counter(after.values())
    joint = Counter((before[ref], after[ref]) for ref in before)
    kept = sum(count == sizes_before[one] == sizes_after[other] for (one, other), count in joint.items())
    return len(sizes_before) - kept


def fitting(hub: Hub, version: Kept) -> Model:
    """The model of a version, ready to score; IdentityError when it cannot under this configuration and release."""
    model = load_model(version.name, hub.root / "config")
    require_fit(model, hub.config.identity)
    return model


def use(hub: Hub, text: str) -> tuple[str, str]:
    """Name a kept version in config/identity.yaml, and leave everything else there as it is; (before, after).

    Raises IdentityError when there is no such version or it does not fit the configuration.
    """
    version = find_version(text, hub.root / "config")
    fitting(hub, version)
    before = hub.config.identity.model
    if version.name != before:
        _write_model_name((hub.root / IDENTITY_FILE).resolve(), version.name)
    return before, version.name


def _write_model_name(path: Path, name: str) -> None:
    """Replace the value of `model:` where it stands, so that comments and layout stay, in one step."""
    text = path.read_text("utf-8")
    root = YAML(typ="safe", pure=True).compose(text)
    values = [value for key, value in root.value if key.value == "model"] if isinstance(root, MappingNode) else []
    if not values:
        raise ConfigError(f"{IDENTITY_FILE}: `model:` is missing (run `onevoice lint`)")
    start, end = values[0].start_mark.index, values[0].end_mark.index
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text[:start] + name + text[end:], "utf-8")
    beside.chmod(path.stat().st_mode)
    beside.replace(path)


def customer_records(hub: Hub) -> Iterator[IdentityRecord]:
    """Every customer record in canonical form, in the order of refs; IdentityError when there is none."""
    with hub.store.read() as connection:
        refs = identities.all_customer_refs(connection)
        if not refs:
            raise IdentityError(
                "identity: the store holds no customer records yet (pull some: `onevoice plan`, or `onevoice sync`)"
            )
        for at in range(0, len(refs), _CHUNK):
            rows = identities.load_customers(connection, refs[at : at + _CHUNK])
            yield from (identity_record(rows[ref]) for ref in sorted(rows))
