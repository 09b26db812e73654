"""Why two records are, or are not, one customer, in sentences without personal data."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from identity.blocking import part_values
from identity.comparisons import kind_of
from identity.conditions import DUCKDB
from identity.links import LINK_WEIGHT, link_holds
from identity.model import Model
from identity.records import NormalisedRecord
from identity.score import engine, probability
from identity.tables import records_table
from identity.vetoes import veto
from onevoice.configfile.identity_file import IdentityFile


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of an explanation."""

    field: str
    weight: float | None
    """Bits for (+) or against (-); None for a rule that decides by itself."""
    sentence: str


def explain_pair(a: NormalisedRecord, b: NormalisedRecord, model: Model, config: IdentityFile) -> list[Reason]:
    """Every comparison's outcome and weight, then links and vetoes, then the verdict."""
    reasons = [Reason("prior", model.prior_weight, "two records are rarely one person")]
    outcomes = _outcomes(records_table([a, b], model.columns), model)
    for figures, outcome in zip(model.comparisons, outcomes, strict=True):
        kind, name = kind_of(figures.comparison), figures.comparison.name
        if outcome is None:
            reasons.append(Reason(name, 0.0, "nothing to compare"))
        else:
            told = kind.outcomes[outcome]
            reasons.append(Reason(name, figures.levels[told.name].weight, told.sentence))
    total = sum(reason.weight or 0.0 for reason in reasons)
    for link in config.links:
        field = link.field
        if _shares(a, b, field) and link_holds(a, b, link, config):
            total = max(total, LINK_WEIGHT)
            reasons.append(Reason(field, None, f"the same {field.replace('_', ' ')} links them, as the names agree"))
    forbidden = veto(a, b, config)
    if forbidden:
        reasons.append(Reason("veto", None, f"kept apart: {forbidden}"))
    reasons.append(Reason("verdict", total, _verdict(total, bool(forbidden), config)))
    return reasons


def _verdict(weight: float, forbidden: bool, config: IdentityFile) -> str:
    chance = probability(weight)
    if forbidden:
        return "not merged"
    if chance >= config.thresholds.match:
        return f"merged, {chance:.1%} sure"
    if chance >= config.thresholds.review:
        return f"a steward is asked, {chance:.1%} sure"
    return f"not merged, {chance:.1%} sure"


def _shares(a: NormalisedRecord, b: NormalisedRecord, field: str) -> bool:
    return not ({*part_values(a, field)} - {""}).isdisjoint(part_values(b, field))


def _outcomes(table: pa.Table, model: Model) -> list[int | None]:
    """Position of the level each comparison comes to; None where it is silent."""
    columns = ", ".join(f"l.{name} as {name}_l, r.{name} as {name}_r" for name in table.column_names)
    cases = []
    for figures in model.comparisons:
        kind = kind_of(figures.comparison)
        levels = " ".join(f"when {DUCKDB.render(level.condition)} then {at}" for at, level in enumerate(kind.levels))
        cases.append(f"case when {DUCKDB.render(kind.silent)} then null {levels} else {len(kind.levels)} end")
    with engine() as connection:
        connection.register("pair", table)
        sql = f"select {', '.join(cases)} from (select {columns} from pair l, pair r where l.id = 0 and r.id = 1)"  # noqa: S608 all names are ours
        return list(connection.execute(sql).fetchall()[0])
