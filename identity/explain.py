"""Why two records are, or are not, one customer, in sentences without personal data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from identity.blocking import IDENTIFIERS, blocking_keys, count_degrees, in_use, is_shared, part_values
from identity.cluster import cluster
from identity.comparisons import kind_of
from identity.links import link_holds, with_links
from identity.model import Model
from identity.native import NativeScorer
from identity.records import Clustering, Degree, Edge, NormalisedRecord
from identity.score import DIGITS
from identity.vetoes import clash, proofs
from onevoice.configfile.identity_file import IdentityFile

_SUREST = 0.999
"""Nothing is told to be surer: no evidence makes certain, and rounding must not."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of an explanation."""

    field: str
    weight: float | None
    """Bits for (+) or against (-); None for a rule that decides by itself."""
    sentence: str


def explain_pair(
    a: NormalisedRecord,
    b: NormalisedRecord,
    model: Model,
    config: IdentityFile,
    degrees: Mapping[str, Degree] | None = None,
) -> list[Reason]:
    """Every comparison's outcome and weight, then guards, links and vetoes, then the verdict.

    `degrees`: of the two records' keys, counted over the whole base; left out, the two are the whole base.
    What the other records of their customers do (a limit on records, a steward's word) is not looked at.
    """
    known = count_degrees((a, b), config) if degrees is None else degrees
    shared = frozenset(key for key in _identifiers(a) | _identifiers(b) if _is_shared(key, known, config))
    scorer = NativeScorer(model, config)
    scored = scorer.edge(a, b, shared)
    links = list(_links(a, b, known, config))
    edge = with_links([scored], {(scored.left, scored.right): links[0]} if links else {})[0]
    obstacle = _not_compared(a, b, known, config) or _not_supported(edge, model)
    reasons = [
        Reason("prior", model.prior_weight, "two records are rarely one person"),
        *_outcomes(model, edge, scorer.levels(a, b, shared)),
        *_left_out(a, b, shared, known, config),
        *(Reason(field, None, f"the same {_words(field)} links them, as the names agree") for field in links),
        *_vetoes(a, b, config),
    ]
    if obstacle:
        return [*reasons, obstacle, Reason("verdict", edge.weight, "not merged")]
    counts = edge.probability >= config.thresholds.review
    found = cluster({a.ref: a, b.ref: b}, [edge] if counts else [], [], config)
    reasons.extend(Reason(item.kind, None, item.reason) for item in found.review if item.kind != "veto")
    return [*reasons, Reason("verdict", edge.weight, _verdict(edge, found))]


def _verdict(edge: Edge, found: Clustering) -> str:
    sure = f"{min(edge.probability, _SUREST):.1%} sure"
    if len(found.clusters) == 1:
        return f"merged, {sure}"
    return f"not merged, a steward is asked, {sure}" if found.review else f"not merged, {sure}"


def _outcomes(model: Model, edge: Edge, levels: tuple[int | None, ...]) -> Iterator[Reason]:
    for figures, level in zip(model.comparisons, levels, strict=True):
        name = figures.comparison.name
        told = "nothing to compare" if level is None else kind_of(figures.comparison).outcomes[level].sentence
        yield Reason(name, edge.per_field[name], told)


def _left_out(
    a: NormalisedRecord,
    b: NormalisedRecord,
    shared: frozenset[str],
    degrees: Mapping[str, Degree],
    config: IdentityFile,
) -> Iterator[Reason]:
    """Values that too many people use: they say nothing."""
    both = _identifiers(a) & _identifiers(b)
    for key in sorted(shared):
        field = key.partition("=")[0]
        whose = "they share is" if key in both else "of one of them is"
        yield Reason(
            field,
            None,
            f"the {_words(field)} {whose} left out: {degrees[key].surnames} surnames use it, "
            f"more than guards.max_surnames, {config.guards.max_surnames}",
        )


def _not_compared(
    a: NormalisedRecord, b: NormalisedRecord, degrees: Mapping[str, Degree], config: IdentityFile
) -> Reason | None:
    """Why the two are never compared; None when they are."""
    both = set(blocking_keys(a, config)).intersection(blocking_keys(b, config))
    if any(key in degrees and in_use(key, degrees[key], config.guards) for key in both):
        return None
    if not both:
        return Reason("blocking", None, "never compared: they agree on all parts of no line of blocking")
    lines = ", ".join(sorted({key.partition("=")[0] for key in both}))
    return Reason("blocking", None, f"never compared: too many records or surnames agree on {lines}")


def _links(
    a: NormalisedRecord, b: NormalisedRecord, degrees: Mapping[str, Degree], config: IdentityFile
) -> Iterator[str]:
    """Fields that link the two without any score."""
    for link in config.links:
        keys = _keys(a, link.field) & _keys(b, link.field)
        used = any(key in degrees and in_use(key, degrees[key], config.guards) for key in keys)
        if used and link_holds(a, b, link, config):
            yield link.field


def _not_supported(edge: Edge, model: Model) -> Reason | None:
    floors = {name: round(floor, DIGITS) for name, floor in model.support.items()}
    if edge.kind != "score" or any(edge.per_field[name] > floor for name, floor in floors.items()):
        return None
    return Reason("support", None, "nothing but names, or what a name brings with it, speaks for one person")


def _vetoes(a: NormalisedRecord, b: NormalisedRecord, config: IdentityFile) -> Iterator[Reason]:
    forbidden = clash(a, b, config)
    if forbidden:
        lifted = not proofs(a, config).isdisjoint(proofs(b, config))
        told = f"{forbidden}, but values that prove one person are equal" if lifted else f"kept apart: {forbidden}"
        yield Reason("veto", None, told)


def _is_shared(key: str, degrees: Mapping[str, Degree], config: IdentityFile) -> bool:
    return key in degrees and is_shared(key, degrees[key], config.guards)


def _identifiers(record: NormalisedRecord) -> frozenset[str]:
    return frozenset().union(*(_keys(record, field) for field in IDENTIFIERS))


def _keys(record: NormalisedRecord, field: str) -> frozenset[str]:
    return frozenset(f"{field}={value}" for value in part_values(record, field) if value)


def _words(field: str) -> str:
    return field.replace("_", " ")
