"""Estimate a model's figures from unlabelled records: u from random pairs, m by expectation maximisation.

Never part of a sync. The rules that pick training pairs must not be made of what households share (e-mail, phone,
address): the pairs they find would teach the model that spouses are one person.

The same records give the same model, in whatever order they come. So DuckDB works on one thread here: with more,
the seed of its sampling means nothing, and sums come in another order each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import duckdb
import pyarrow as pa
from splink import DuckDBAPI, Linker

from identity.comparisons import kind_of
from identity.model import ComparisonFigures, LevelFigures, Model, splink_settings
from identity.records import NORMALISER_VERSION, NormalisedRecord
from identity.score import engine
from identity.tables import records_table
from onevoice.configfile.identity_file import Comparison, IdentityFile
from onevoice.errors import IdentityError

TRAINING_RULES: tuple[tuple[str, ...], ...] = (("birth_date",), ("cards[1]",), ("given", "postcode"))
"""Pairs that agree on all columns of one rule; each rule trains the comparisons that do not read its columns."""
PROOF_RULES: tuple[tuple[str, ...], ...] = (
    ("given", "family", "birth_date"),
    ("given", "family", "email"),
    ("given", "family", "phones[1]"),
    ("given", "family", "cards[1]"),
)
"""Pairs that agree on all columns of one rule are nearly always one person: their number tells the prior."""
PROOF_RECALL = 0.7
"""Share of all true pairs that the rules above find: the guess in Splink's own documentation. Were it half or twice
as high, every score would move by one bit."""
LEAST_RECORDS = 500
"""Fewer records make some hundred thousand random pairs at most: too few to see a coincidence of one in a thousand."""
COMMON_SHARE, COMMON_HOLDERS = 0.001, 20
"""A name is common when at least this share of the records bears it, and this many: a name that tells one household
must never stand in a model file."""
_SAMPLED_PAIRS = 2e6
_SEED = 7
_KNOWN_M = {("card", "different"): 0.25}
"""What one issuer's data cannot show: a customer with two cards is the very thing a hub is there to find."""
_LEAST_M, _LEAST_U = 0.002, 1e-5
"""No level is impossible, and one person's records differ in any given way now and then: an unseen level must not
outweigh everything else."""
_CHUNK = 50_000
"""Records that stand in memory as Python objects at one time."""
_NAMES = ("given", "family")


def train(
    records: Iterable[NormalisedRecord],
    config: IdentityFile,
    *,
    name: str,
    trained_on: str,
    prior: float | None = None,
    rules: Sequence[Sequence[str]] = TRAINING_RULES,
    borrow: Model | None = None,
) -> Model:
    """A model for `config.comparisons`, its figures with six significant digits.

    `prior` is the chance that two records drawn at random are one person; left out, it is counted from pairs that
    agree on a full name and a proof. What the records do not show at all (cards, where nobody has one) keeps the
    figures of `borrow`. Raise IdentityError when there are too few records to learn from, when no two of them are
    one person beyond doubt, or when one of the comparisons could neither be trained nor borrowed.
    """
    with engine() as connection:
        connection.execute("set threads = 1")
        count = _load(connection, records, _columns_read(config, rules))
        if count < LEAST_RECORDS:
            raise IdentityError(
                f"train: {count} customer records are too few to learn from ({LEAST_RECORDS} at least; "
                "pull more, or stay with the model in use)"
            )
        common = _mark_common(connection, count, config)
        chance = _rounded(_prior(connection, count) if prior is None else prior)
        estimated = _estimate(connection, config, chance, rules)
    lent = {figures.comparison: figures.levels for figures in borrow.comparisons} if borrow else {}
    told = [
        _told(comparison, seen, lent.get(comparison))
        for comparison, seen in zip(config.comparisons, estimated, strict=True)
    ]
    return Model(
        name=name,
        normaliser=NORMALISER_VERSION,
        trained_on=trained_on,
        records=count,
        unseen=tuple(level for _, unseen in told for level in unseen),
        prior=chance,
        common=common,
        comparisons=tuple(figures for figures, _ in told),
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """Figures of one level as the records show them; None where no pair came to it."""

    m: float | None
    u: float | None

    @property
    def nowhere(self) -> bool:
        return self.m is None and self.u is None

    def figures(self, least_m: float) -> LevelFigures:
        return LevelFigures(m=_rounded(max(self.m or 0.0, least_m)), u=_rounded(max(self.u or 0.0, _LEAST_U)))


def _told(
    comparison: Comparison, seen: Sequence[_Seen], lent: Mapping[str, LevelFigures] | None
) -> tuple[ComparisonFigures, list[str]]:
    """The figures of one comparison, and its levels that the records do not show: of these, those that are lent."""
    untrained = all(level.m is None for level in seen)
    if untrained and lent is None:
        raise IdentityError(
            f"{comparison.name}: there are no pairs to learn it from (map its fields, take it out of `comparisons`, or "
            "name a model that has it)"
        )
    names = [outcome.name for outcome in kind_of(comparison).outcomes]
    unseen = [name for name, level in zip(names, seen, strict=True) if untrained or level.nowhere]
    levels = {
        name: lent[name] if lent and name in unseen else level.figures(_KNOWN_M.get((comparison.name, name), _LEAST_M))
        for name, level in zip(names, seen, strict=True)
    }
    figures = ComparisonFigures(kind=comparison.kind, field=comparison.field, levels=levels)
    return figures, [f"{comparison.name}.{name}" for name in unseen]


def _columns_read(config: IdentityFile, rules: Iterable[Sequence[str]]) -> list[str]:
    """Columns of comparisons, of rules that pick pairs, and names; without those that are made of common names."""
    picked = {column.partition("[")[0] for rule in (*rules, *PROOF_RULES) for column in rule}
    read = {column for comparison in config.comparisons for column in kind_of(comparison).columns}
    return sorted((picked | read | set(_NAMES)) - {f"{column}_common" for column in _NAMES})


def _load(connection: duckdb.DuckDBPyConnection, records: Iterable[NormalisedRecord], columns: Sequence[str]) -> int:
    """Write the table `records`, numbered in the order of their refs; return how many there are."""
    for at, chunk in enumerate(_chunks(records)):
        table = records_table(chunk, columns).drop_columns("id")
        refs = pa.array([f"{r.ref.system}\n{r.ref.stream}\n{r.ref.key}" for r in chunk], pa.string())
        connection.register("chunk", table.append_column("ref", refs))
        connection.execute("insert into loaded from chunk" if at else "create table loaded as from chunk")
        connection.unregister("chunk")
    if not connection.execute("select 1 from duckdb_tables() where table_name = 'loaded'").fetchall():
        return 0
    connection.execute(
        "create table records as select (row_number() over (order by ref) - 1)::int as id, * exclude (ref) "
        "from loaded order by id"
    )
    connection.execute("drop table loaded")
    return int(connection.execute("select count(*) from records").fetchall()[0][0])


def _chunks(records: Iterable[NormalisedRecord]) -> Iterator[list[NormalisedRecord]]:
    waiting = iter(records)
    while chunk := list(islice(waiting, _CHUNK)):
        yield chunk


def _mark_common(connection: duckdb.DuckDBPyConnection, count: int, config: IdentityFile) -> dict[str, tuple[str, ...]]:
    """Add the columns of common names that the comparisons read; return the names that they stand for."""
    least = max(COMMON_HOLDERS, count * COMMON_SHARE)
    read = {column for comparison in config.comparisons for column in kind_of(comparison).columns}
    found: dict[str, tuple[str, ...]] = {}
    for column in _NAMES:
        if f"{column}_common" in read:
            rows = connection.execute(
                f"select {column} from records where length({column}) > 1 group by 1 having count(*) >= ? order by 1",  # noqa: S608 ours
                [least],
            ).fetchall()
            found[column] = tuple(name for (name,) in rows)
            connection.execute(f"alter table records add column {column}_common boolean")
            connection.execute(
                f"update records set {column}_common = coalesce(list_contains(?::varchar[], {column}), false)",  # noqa: S608 ours
                [list(found[column])],
            )
    return found


def _prior(connection: duckdb.DuckDBPyConnection, count: int) -> float:
    """Pairs that are one person beyond doubt, made up for those the rules miss, as a share of all pairs."""
    parts = [f"select l.id as a, r.id as b from {_joined(rule)}" for rule in PROOF_RULES]  # noqa: S608 ours
    pairs = int(connection.execute(f"select count(*) from ({' union '.join(parts)})").fetchall()[0][0])  # noqa: S608 ours
    if not pairs:
        raise IdentityError(
            "train: no two records agree on a full name and a birth date, e-mail, phone or card, so there is "
            "nothing to learn from (map more fields, or stay with the model in use)"
        )
    return min(pairs / PROOF_RECALL / (count * (count - 1) / 2), 0.5)


def _estimate(
    connection: duckdb.DuckDBPyConnection, config: IdentityFile, prior: float, rules: Sequence[Sequence[str]]
) -> list[list[_Seen]]:
    """m and u by comparison and level."""
    api = DuckDBAPI(connection)
    linker = Linker(api.register("records"), splink_settings(list(config.comparisons), prior), log_level="ERROR")
    linker.training.estimate_u_using_random_sampling(max_pairs=_SAMPLED_PAIRS, seed=_SEED)
    for rule in rules:
        if connection.execute(f"select 1 from {_joined(rule)} limit 1").fetchall():  # noqa: S608 ours
            linker.training.estimate_parameters_using_expectation_maximisation(_agree(rule))
    return [
        [
            _Seen(level.get("m_probability"), level.get("u_probability"))
            for level in trained["comparison_levels"]
            if not level.get("is_null_level")
        ]
        for trained in linker.misc.save_model_to_json()["comparisons"]
    ]


def _agree(rule: Sequence[str]) -> str:
    return " and ".join(f"l.{column} = r.{column}" for column in rule)


def _joined(rule: Sequence[str]) -> str:
    return f"records l join records r on l.id < r.id and {_agree(rule)}"


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")
