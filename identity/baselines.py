"""The two ways most people would do it, for comparison in reports: exact keys, and Splink with its usual settings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from identity.records import NormalisedRecord
from identity.score import engine
from identity.tables import records_table
from onevoice.model import Ref

_COLUMNS = ("given", "family", "birth_date", "email", "phones", "postcode", "cards")


def exact_keys(records: Sequence[NormalisedRecord]) -> dict[Ref, int]:
    """Union-find over equal e-mail, phone, card, and name with birth date; record -> cluster."""
    parent = list(range(len(records)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[tuple[str, ...], int] = {}
    for at, record in enumerate(records):
        keys: list[tuple[str, ...]] = [("card", card) for card in record.cards]
        keys.extend(("phone", phone) for phone in record.phones)
        if record.email:
            keys.append(("email", record.email))
        if record.given and record.family and record.birth_date:
            keys.append(("name", record.given, record.family, record.birth_date))
        for key in keys:
            other = first.setdefault(key, at)
            parent[root(at)] = root(other)
    return {record.ref: root(at) for at, record in enumerate(records)}


def splink_default(records: Sequence[NormalisedRecord], threshold: float = 0.95) -> dict[Ref, int]:
    """Splink's own comparisons as its demonstrations use them, trained on these records, connected components.

    The street is left out on purpose: scored beside the postcode it would join still more families, and this way is to
    be judged at its best.
    """
    ordered = sorted(records, key=lambda record: record.ref)
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="id",
        comparisons=[
            cl.NameComparison("given"),
            cl.NameComparison("family"),
            cl.LevenshteinAtThresholds("birth_date", [1, 2]),
            cl.EmailComparison("email"),
            cl.ExactMatch("phone"),
            cl.PostcodeComparison("postcode"),
            cl.ExactMatch("card"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("email"),
            block_on("phone"),
            block_on("card"),
            block_on("birth_date", "family"),
            block_on("given", "family"),
            block_on("family", "postcode"),
        ],
    )
    with engine() as connection:
        connection.register("records_in", records_table(ordered, _COLUMNS))
        connection.execute("create table records as select *, cards[1] as card, phones[1] as phone from records_in")
        api = DuckDBAPI(connection)
        linker = Linker(api.register("records"), settings, log_level=None)
        linker.training.estimate_probability_two_random_records_match([block_on("email"), block_on("card")], recall=0.7)
        linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=7)
        for rule in (block_on("given", "family"), block_on("birth_date")):
            linker.training.estimate_parameters_using_expectation_maximisation(rule)
        scored = linker.inference.predict(threshold_match_probability=threshold, warning_mode="never")
        pairs = connection.execute(f"select id_l, id_r from {scored.physical_name}").fetchall()  # noqa: S608 ours
    beside: defaultdict[int, list[int]] = defaultdict(list)
    for left, right in pairs:
        beside[left].append(right)
        beside[right].append(left)
    found: dict[Ref, int] = {}
    for at, record in enumerate(ordered):
        if record.ref in found:
            continue
        front = [at]
        while front:
            here = front.pop()
            if ordered[here].ref not in found:
                found[ordered[here].ref] = at
                front.extend(beside[here])
    return found
