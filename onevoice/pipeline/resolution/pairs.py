"""Pairs of records, judged as resolution judges them: their weight, and what decides without one."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from identity import Degree, Edge, Model, NormalisedRecord
from identity.blocking import is_shared
from identity.links import LINK_WEIGHT, link_pairs
from identity.native import NativeScorer
from identity.score import probability
from identity.vetoes import veto
from onevoice.configfile.identity_file import IdentityFile
from onevoice.pipeline.hub import Hub
from onevoice.pipeline.resolution import steward
from onevoice.pipeline.resolution.candidates import degrees_of, load_forms
from onevoice.store import Connection


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a model and the rules say of two records, whatever stewards said and whatever others they belong with."""

    edge: Edge
    """Its score, without links."""
    link: str
    """Field that links them by itself; empty when none does."""
    veto: str
    """Why they must not be one person, as half a sentence; empty when nothing forbids it."""
    supported: bool
    """Whether more than names speaks for a match; without that a score counts for nothing."""

    @property
    def by_score(self) -> bool:
        """Whether the weight alone decides."""
        return self.supported and not self.link and not self.veto

    @property
    def weight(self) -> float:
        """Bits, with the link."""
        return max(self.edge.weight, LINK_WEIGHT) if self.link else self.edge.weight

    def merged(self, threshold: float) -> bool:
        """Whether the two would be merged at a match threshold."""
        return not self.veto and (bool(self.link) or self.supported) and probability(self.weight) >= threshold


def judge(hub: Hub, connection: Connection, pairs: Collection[tuple[str, str]], model: Model) -> list[Judgement]:
    """Judge pairs of refs, in their order; pairs with a record that is gone or not resolved are left out."""
    config = hub.config.identity
    forms = load_forms(connection, {ref for pair in pairs for ref in pair})
    standing = degrees_of(connection, forms.values(), config)
    shared = [key for key, degree in standing.items() if is_shared(key, degree, config.guards)]
    scorer = NativeScorer(model, config)
    return [
        _judged(scorer.edge(forms[left], forms[right], shared), forms[left], forms[right], model, config, standing)
        for left, right in pairs
        if left in forms and right in forms
    ]


def _judged(
    edge: Edge,
    left: NormalisedRecord,
    right: NormalisedRecord,
    model: Model,
    config: IdentityFile,
    standing: Mapping[str, Degree],
) -> Judgement:
    links = link_pairs((left, right), None, config, standing)
    supported = any(edge.per_field[name] > floor for name, floor in model.support.items())
    return Judgement(edge, "".join(links.values()), veto(left, right, config), supported)


def judged_by_stewards(hub: Hub, connection: Connection, model: Model) -> list[tuple[Judgement, bool]]:
    """What a model says of every pair that stewards decided, and whether they said that it is one person."""
    labels = {(left, right): same for left, right, same in steward.labels(connection)}
    found = judge(hub, connection, labels, model)
    return [(one, labels[str(one.edge.left), str(one.edge.right)]) for one in found]
