"""How likely two records drawn at random are one person: as many matches as the model itself expects among all pairs.

That depends on how many records a base has: each of a million has more strangers than each of ten thousand, and hardly
more doubles. A prior that is too high for its base makes one person of namesakes.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log2

import pyarrow as pa
import pyarrow.compute as pc

from identity.batch import resolve_all
from identity.model import Model
from identity.records import IdentityRecord
from onevoice.configfile.identity_file import IdentityFile

_FLOOR = 1e-4
"""Pairs less probable than this add nothing to the expected number of matches."""
_STILL = 0.001
"""A prior that moves by no more than this share is at rest."""


def with_expected_prior(model: Model, records: pa.Table | Iterable[IdentityRecord], config: IdentityFile) -> Model:
    """The model with the share of matches that it expects among all pairs of these records, with three digits.

    Another prior makes other scores, and these another share, so both are told again until they agree; a link on a
    strong identifier is a match whatever the prior. Without any pair worth a look, the model stays as it is.
    """
    wide = config.model_copy(update={"thresholds": config.thresholds.model_copy(update={"review": _FLOOR})})
    found = resolve_all(records, wide, model)
    scored = pc.equal(found.edges["kind"], "score")
    weights = found.edges["weight"].filter(scored)
    linked = pc.sum(found.edges["probability"].filter(pc.invert(scored))).as_py() or 0.0
    pairs = len(found.refs) * (len(found.refs) - 1) / 2
    prior = model.prior
    while found.edges.num_rows:
        moved = pc.add(weights, _bits(prior) - _bits(model.prior))
        chances = pc.divide(1.0, pc.add(1.0, pc.power(2.0, pc.negate(moved))))
        expected = (linked + (pc.sum(chances).as_py() or 0.0)) / pairs
        if abs(expected / prior - 1) < _STILL:
            break
        prior = expected
    return model.model_copy(update={"prior": float(f"{prior:.3g}")})


def _bits(prior: float) -> float:
    return log2(prior / (1 - prior))
