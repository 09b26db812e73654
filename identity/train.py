"""Estimate a model's figures from unlabelled records: u from random pairs, m by expectation maximisation.

Never part of a sync. The rules that pick training pairs must not be made of what households share (e-mail, phone,
address): the pairs they find would teach the model that spouses are one person.
"""

from __future__ import annotations

from collections.abc import Sequence

from splink import DuckDBAPI, Linker

from identity.comparisons import kind_of
from identity.model import ComparisonFigures, LevelFigures, Model, splink_settings
from identity.records import NORMALISER_VERSION, NormalisedRecord
from identity.score import engine
from identity.tables import records_table
from onevoice.configfile.identity_file import IdentityFile
from onevoice.errors import IdentityError

TRAINING_RULES: tuple[tuple[str, ...], ...] = (("birth_date",), ("cards[1]",), ("given", "postcode"))
"""Pairs that agree on all columns of one rule; each rule trains the comparisons that do not read its columns."""
_SAMPLED_PAIRS = 2e6
_SEED = 7
_KNOWN_M = {("card", "different"): 0.25}
"""What one issuer's data cannot show: a customer with two cards is the very thing a hub is there to find."""
_LEAST_M, _LEAST_U = 0.002, 1e-5
"""No level is impossible, and one person's records differ in any given way now and then: an unseen level must not
outweigh everything else."""


def train(
    records: Sequence[NormalisedRecord],
    config: IdentityFile,
    *,
    name: str,
    trained_on: str,
    prior: float,
    rules: Sequence[Sequence[str]] = TRAINING_RULES,
) -> Model:
    """A model for `config.comparisons`; `prior` is the chance that two records drawn at random are one person.

    Raise IdentityError when no rule could train one of the comparisons.
    """
    comparisons = list(config.comparisons)
    columns = sorted({column for comparison in comparisons for column in kind_of(comparison).columns})
    with engine() as connection:
        connection.register("records_in", records_table(sorted(records, key=lambda r: r.ref), columns))
        connection.execute("create table records as select * from records_in")
        api = DuckDBAPI(connection)
        linker = Linker(api.register("records"), splink_settings(comparisons, prior), log_level=None)
        linker.training.estimate_u_using_random_sampling(max_pairs=_SAMPLED_PAIRS, seed=_SEED)
        for rule in rules:
            if any(column.partition("[")[0] not in columns for column in rule):
                continue
            condition = " and ".join(f"l.{column} = r.{column}" for column in rule)
            linker.training.estimate_parameters_using_expectation_maximisation(condition)
        saved = linker.misc.save_model_to_json()
    figures = []
    for comparison, trained in zip(comparisons, saved["comparisons"], strict=True):
        kind = kind_of(comparison)
        levels = [level for level in trained["comparison_levels"] if not level.get("is_null_level")]
        if not any("m_probability" in level for level in levels):
            raise IdentityError(f"{comparison.name}: no training rule reaches it (add a rule without its columns)")
        figures.append(
            ComparisonFigures(
                kind=comparison.kind,
                field=comparison.field,
                levels={
                    told.name: LevelFigures(
                        m=max(
                            level.get("m_probability", _LEAST_M), _KNOWN_M.get((comparison.name, told.name), _LEAST_M)
                        ),
                        u=max(level.get("u_probability", _LEAST_U), _LEAST_U),
                    )
                    for told, level in zip((*kind.levels, kind.otherwise), levels, strict=True)
                },
            )
        )
    return Model(
        name=name,
        normaliser=NORMALISER_VERSION,
        trained_on=trained_on,
        prior=prior,
        comparisons=tuple(figures),
    )
