"""The figures of `onevoice identity report`, from the store. Only reads."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from identity import Degree, NormalisedRecord, blocking_keys, in_use
from identity.links import LINK_WEIGHT, link_pairs
from identity.report.figures import BlockLine, Figures, Weights, curve
from identity.score import score_pairs
from identity.vetoes import veto
from onevoice.configfile.identity_file import Thresholds
from onevoice.errors import IdentityError
from onevoice.model import Ref
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.resolution.candidates import compared_with, degrees_of, load_forms
from onevoice.pipeline.resolution.pairs import judged_by_stewards
from onevoice.store import Connection, identities, steward

SAMPLE = 20_000
"""Records whose candidate pairs are shown: enough for a smooth picture, and a minute at most on any base."""
_EVERY_PAIR = 1e-6
"""Review threshold under which pairs are scored here: far below any that a person would set."""
_SCORED, _LINKED, _VETOED = "scored", "linked", "vetoed"

Forms = Mapping[str, NormalisedRecord]
Labelled = tuple[float | None, bool]
"""Weight in bits of a pair, None where no threshold merges it, and whether it is one person."""


@dataclass(frozen=True, slots=True)
class _Pair:
    left: str
    right: str
    bits: float
    decided: str
    """What decides: its score, a link, or a veto."""


def report_figures(hub: Hub, persons: Mapping[str, str] | None = None) -> Figures:
    """Everything that the report shows; labels come from `persons` (record -> person), else from stewards' decisions.

    Raises IdentityError when nothing is resolved yet.
    """
    config = hub.config.identity
    with hub.store.read() as connection:
        links = dict(identities.all_links(connection))
        if not links:
            raise IdentityError("report: the store holds no resolved customer records yet (run `onevoice sync` first)")
        sample = load_forms(connection, sorted(links, key=_chance)[:SAMPLE])
        standing = degrees_of(connection, sample.values(), config)
        asked = Counter(item.kind for item in steward.open_items(connection))
        labelled = _by_stewards(hub, connection) if persons is None else _by_file(hub, connection, persons)
        pairs = _candidates(hub, connection, sample)
    told = "pairs that stewards decided, who were asked because they were doubtful"
    return Figures(
        made_at=hub.as_of.isoformat(),
        model=config.model,
        version=hub.model.version,
        trained_on=hub.model.trained_on,
        records=len(links),
        match=config.thresholds.match,
        review=config.thresholds.review,
        weights=_weights(len(sample), pairs),
        sizes=Counter(Counter(links.values()).values()),
        asked=dict(sorted(asked.items())),
        blocks=_blocks(hub, sample, standing),
        labels=f"{len(labelled):,} {told if persons is None else 'pairs of the labelled records'}",
        curve=curve(labelled) if labelled else [],
    )


def _chance(ref: str) -> bytes:
    """An order of the records that has nothing to do with what they hold, and is the same every time."""
    return hashlib.blake2b(ref.encode(), digest_size=8).digest()


def _candidates(hub: Hub, connection: Connection, sample: Forms) -> list[_Pair]:
    """Candidate pairs that hold a record of the sample."""
    beside = compared_with(connection, sample.values(), hub.config.identity)
    forms = {**load_forms(connection, beside), **sample}
    return _judged(hub, connection, forms, {record.ref for record in sample.values()})


def _judged(hub: Hub, connection: Connection, forms: Forms, changed: Collection[Ref] | None) -> list[_Pair]:
    """Every candidate pair of the records, however low its weight; with `changed`, pairs that hold one of these."""
    config, records = hub.config.identity, list(forms.values())
    standing = degrees_of(connection, records, config)
    low = config.model_copy(update={"thresholds": Thresholds(match=config.thresholds.match, review=_EVERY_PAIR)})
    links = link_pairs(records, changed, config, standing)
    pairs = []
    for edge in score_pairs(records, changed, hub.model, low, standing):
        left, right = str(edge.left), str(edge.right)
        if links.pop((edge.left, edge.right), None):
            pairs.append(_Pair(left, right, max(edge.weight, LINK_WEIGHT), _LINKED))
        else:
            decided = _VETOED if veto(forms[left], forms[right], config) else _SCORED
            pairs.append(_Pair(left, right, edge.weight, decided))
    # What is left of the links joins pairs that the score leaves out: nothing but names agrees besides.
    return [*pairs, *(_Pair(str(left), str(right), LINK_WEIGHT, _LINKED) for left, right in links)]


def _weights(records: int, pairs: Sequence[_Pair]) -> Weights:
    by_kind: defaultdict[str, list[float]] = defaultdict(list)
    for pair in pairs:
        by_kind[pair.decided].append(pair.bits)
    return Weights(records, by_kind[_SCORED], by_kind[_LINKED], by_kind[_VETOED])


def _blocks(hub: Hub, sample: Forms, standing: Mapping[str, Degree]) -> list[BlockLine]:
    """What became of the keys of each line of `blocking`, in the order of the file."""
    config = hub.config.identity
    held, live, widest = Counter[str](), Counter[str](), Counter[str]()
    for record in sample.values():
        keys = blocking_keys(record, config)
        held.update({_line(key) for key in keys})
        live.update({_line(key) for key in keys if in_use(key, standing[key], config.guards)})
    for key, degree in standing.items():
        widest[_line(key)] = max(widest[_line(key)], degree.records)
    lines = ["+".join(parts) for parts in config.blocking]
    return [BlockLine(line.replace("+", " + "), held[line], held[line] - live[line], widest[line]) for line in lines]


def _line(key: str) -> str:
    return key.partition("=")[0]


def _by_stewards(hub: Hub, connection: Connection) -> list[Labelled]:
    return [
        (one.weight if one.link or one.by_score else None, same)
        for one, same in judged_by_stewards(hub, connection, hub.model)
    ]


def _by_file(hub: Hub, connection: Connection, persons: Mapping[str, str]) -> list[Labelled]:
    """Candidate pairs of the labelled records, and pairs of one person that are never compared."""
    forms = load_forms(connection, persons)
    pairs = _judged(hub, connection, forms, None)
    found = [
        (None if pair.decided == _VETOED else pair.bits, persons[pair.left] == persons[pair.right]) for pair in pairs
    ]
    seen = {frozenset((pair.left, pair.right)) for pair in pairs}
    records: defaultdict[str, list[str]] = defaultdict(list)
    for ref in forms:
        records[persons[ref]].append(ref)
    missed = sum(frozenset(pair) not in seen for refs in records.values() for pair in combinations(refs, 2))
    return [*found, *([(None, True)] * missed)]
