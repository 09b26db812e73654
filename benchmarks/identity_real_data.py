"""Identity on public data with truth: pairwise and B-cubed figures through the hub's own code.

    python benchmarks/identity_real_data.py --data FOLDER [--train]

FOLDER holds hub_20k, hard_cases, febrl3 and historical_persons as parquet. The truth column is read for judging only.
`--train` estimates the models anew (unsupervised) and writes them beside their configuration.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from ruamel.yaml import YAML

from identity import IdentityRecord, Resolver, cluster, load_model, normalise, save_model
from identity.evaluate import Quality, evaluate
from identity.train import TRAINING_RULES, train
from onevoice.configfile.identity_file import IdentityFile
from onevoice.model import Ref

HERE = Path(__file__).parent / "identity"
NAMES = ("hub_20k", "febrl3", "historical_persons")
_HUB = {
    "given_name": "first_name",
    "family_name": "last_name",
    "birth_date": "dob",
    "email": "email",
    "phone": "phone",
    "street": "street",
    "city": "city",
    "postcode": "postcode",
    "card_number": "loyalty_id",
}
_HISTORICAL = {
    "given_name": "full_name",
    "birth_date": "dob",
    "birth_place": "birth_place",
    "postcode": "postcode_fake",
    "gender": "gender",
    "occupation": "occupation",
}
TRAINING: Mapping[str, tuple[str, float, tuple[tuple[str, ...], ...]]] = {
    # The prior is that of a base of some fifty thousand customers with a few records each, not of this file.
    "hub_20k": ("hub_20k and hard_cases (synthetic), unlabelled", 5e-5, TRAINING_RULES),
    "febrl3": ("FEBRL 3, unlabelled", 5e-4, (("birth_date",), ("given", "family"))),
    "historical_persons": ("historical_persons, unlabelled", 4e-4, (("whole",), ("birth_date", "postcode"))),
}
"""Data -> what it says of itself, prior, rules that pick training pairs."""


@dataclass(frozen=True, slots=True)
class Result:
    """One data set resolved."""

    name: str
    records: int
    quality: Quality
    cases: Mapping[str, bool]
    """Hard case -> resolved as told."""
    seconds: float


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    yield from pq.read_table(path).to_pylist()


def _customer(row: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    return {name: row[column] for name, column in fields.items() if row[column]}


def _febrl(row: Mapping[str, Any]) -> dict[str, Any]:
    born = row["date_of_birth"] or ""
    data = {
        "given_name": row["given_name"],
        "family_name": row["surname"],
        "birth_date": f"{born[:4]}-{born[4:6]}-{born[6:8]}" if born else None,
        "street": " ".join(part for part in (row["street_number"], row["address_1"]) if part),
        "city": row["suburb"],
        "postcode": row["postcode"],
        "region": row["state"],
        "national_id": row["soc_sec_id"],
    }
    return {name: value for name, value in data.items() if value}


def load(name: str, data: Path) -> tuple[list[IdentityRecord], dict[Ref, str], dict[str, list[Ref]]]:
    """(records, truth by record, records by hard case); hard cases are mixed into hub_20k and judged apart."""
    records, truth, cases = [], {}, defaultdict(list)
    for row in _rows(data / f"{name}.parquet"):
        ref = Ref(row.get("source") or name, "customer", row["unique_id"])
        made = {
            "hub_20k": lambda r: _customer(r, _HUB),
            "febrl3": _febrl,
            "historical_persons": lambda r: _customer(r, _HISTORICAL),
        }[name](row)
        records.append(IdentityRecord(ref, made))
        truth[ref] = row["true_entity"]
    if name == "hub_20k":
        for row in _rows(data / "hard_cases.parquet"):
            ref = Ref(row["src"], "customer", row["unique_id"])
            records.append(IdentityRecord(ref, _customer(row, _HUB)))
            cases[row["case"]].append(ref)
            truth[ref] = row["entity"]
    return records, truth, dict(cases)


def configuration(name: str) -> IdentityFile:
    """The data set's own config/identity.yaml."""
    return IdentityFile.model_validate(YAML(typ="safe").load((HERE / name / "config/identity.yaml").read_text("utf-8")))


def measure(name: str, data: Path, *, retrain: bool = False) -> Result:
    """Resolve one data set and judge it."""
    config = configuration(name)
    folder = HERE / name / "config"
    records, truth, cases = load(name, data)
    if retrain:
        told, prior, rules = TRAINING[name]
        forms = [normalise(record, config) for record in records]
        made = train(forms, config, name=Path(config.model).stem, trained_on=told, prior=prior, rules=rules)
        save_model(made, folder / config.model)
    started = time.perf_counter()
    forms = [normalise(record, config) for record in records]
    edges = Resolver(config, load_model(config.model, folder)).score(forms, None)
    found = cluster({form.ref: form for form in forms}, edges, [], config)
    seconds = time.perf_counter() - started
    person = {ref: at for at, one in enumerate(found.clusters) for ref in one.members}
    hard = {ref for refs in cases.values() for ref in refs}
    quality = evaluate(person, {ref: who for ref, who in truth.items() if ref not in hard})
    right = {
        case: all((person[a] == person[b]) == (truth[a] == truth[b]) for a in refs for b in refs)
        for case, refs in sorted(cases.items())
    }
    return Result(name, len(records), quality, right, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--train", action="store_true")
    arguments = parser.parse_args()
    print("| data | records | precision | recall | F1 | B-cubed F1 | hard cases | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    for name in NAMES:
        result = measure(name, arguments.data, retrain=arguments.train)
        q = result.quality
        cases = f"{sum(result.cases.values())} of {len(result.cases)}" if result.cases else ""
        print(
            f"| {name} | {result.records:,} | {q.precision:.4f} | {q.recall:.4f} | {q.f1:.4f} | {q.b_cubed_f1:.4f} "
            f"| {cases} | {result.seconds:.1f} |"
        )


if __name__ == "__main__":
    main()
