"""Public data with truth, through the hub itself: files, mappings, store, resolution; pairwise and B-cubed figures.

    python benchmarks/identity_real_data.py --data FOLDER [--train]

FOLDER holds hub_20k, hard_cases, febrl3 and historical_persons as parquet. Each is a project in benchmarks/identity/,
whose mappings leave the truth column out; here it is read for judging only. `--train` estimates the models anew
(unsupervised, from the canonical records of the store) and writes them where the projects read them.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

import identity
from identity import normalise, save_model
from identity.evaluate import Quality, evaluate
from identity.train import TRAINING_RULES, train
from onevoice.errors import OnevoiceError
from onevoice.model import Ref
from onevoice.pipeline import Hub, open_hub, run_cycle
from onevoice.pipeline.views import identity_records, partition

PROJECTS = Path(__file__).parent / "identity"
SHIPPED = Path(identity.__file__).parent / "models"
SYSTEM = "public"
HARD = "hard_cases"
"""The stream that is mixed into hub_20k and judged apart."""
TRUTH: Mapping[str, Mapping[str, str]] = {
    "hub_20k": {"hub_20k": "true_entity", HARD: "entity"},
    "febrl3": {"febrl3": "true_entity"},
    "historical_persons": {"historical_persons": "true_entity"},
}
"""Project -> its streams, and the column of each that says who is who."""
TRAINING: Mapping[str, tuple[str, float, tuple[tuple[str, ...], ...]]] = {
    # The prior is that of a base of some fifty thousand customers with a few records each, not of this file.
    "hub_20k": ("hub_20k and hard_cases (synthetic), unlabelled", 5e-5, TRAINING_RULES),
    "febrl3": ("FEBRL 3, unlabelled", 5e-4, (("birth_date",), ("given", "family"))),
    "historical_persons": ("historical_persons, unlabelled", 4e-4, (("whole",), ("birth_date", "postcode"))),
}
"""Project -> what the model says of its data, prior, rules that pick training pairs."""

COLUMNS = (
    "data",
    "records",
    "P",
    "R",
    "F1",
    "B-cubed P",
    "B-cubed R",
    "B-cubed F1",
    "hard cases",
    "pull s",
    "resolve s",
)


@dataclass(frozen=True, slots=True)
class Result:
    """One project's records resolved and judged."""

    records: int
    quality: Quality
    cases: Mapping[str, bool]
    """Hard case -> resolved as told."""
    seconds: Mapping[str, float]
    """By stage."""


@contextmanager
def opened(name: str, data: Path) -> Iterator[Hub]:
    """The hub of one project on the files in `data`, with an empty store that is gone afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        hub = open_hub(
            PROJECTS / name,
            environment={f"ONEVOICE_{SYSTEM.upper()}_FOLDER": str(data)},
            database=f"sqlite:///{scratch}/hub.sqlite",
        )
        try:
            yield hub
        finally:
            hub.store.close()


def run(hub: Hub, *stages: str) -> Mapping[str, float]:
    """Seconds of each stage; OnevoiceError when a file was not read, or a row of it was not mapped."""
    report = run_cycle(hub, only=stages)
    if report.exit_code:
        raise OnevoiceError(f"{hub.root.name}: {report.as_dict()}")
    return report.seconds


def resolve(name: str, data: Path) -> tuple[Mapping[Ref, str], Mapping[str, float]]:
    """(record -> profile id, seconds by stage) of one project."""
    with opened(name, data) as hub:
        seconds = run(hub, "pull", "resolve")
        return {Ref(system, stream, key): profile for system, stream, key, profile in partition(hub)}, seconds


def estimate(name: str, data: Path) -> None:
    """Train the model of one project anew and write it where the project reads it."""
    trained_on, prior, rules = TRAINING[name]
    with opened(name, data) as hub:
        run(hub, "pull")
        config = hub.config.identity
        forms = [normalise(record, config) for record in identity_records(hub)]
    made = train(forms, config, name=Path(config.model).stem, trained_on=trained_on, prior=prior, rules=rules)
    own = PROJECTS / name / "config" / config.model
    save_model(made, own if own.is_file() else SHIPPED / config.model)


def told(name: str, data: Path) -> tuple[Mapping[Ref, str], Mapping[str, list[Ref]]]:
    """(record -> person as the files tell it, records by hard case)."""
    persons: dict[Ref, str] = {}
    cases: defaultdict[str, list[Ref]] = defaultdict(list)
    for stream, column in TRUTH[name].items():
        for row in pq.read_table(data / f"{stream}.parquet").to_pylist():
            ref = Ref(SYSTEM, stream, row["unique_id"])
            persons[ref] = row[column]
            if stream == HARD:
                cases[row["case"]].append(ref)
    return persons, dict(cases)


def measure(name: str, data: Path) -> Result:
    """Pull and resolve one project, and judge what came out."""
    found, seconds = resolve(name, data)
    truth, cases = told(name, data)
    # A row in which nothing is filled in makes no customer; to the judge it is somebody of its own.
    person = {ref: found.get(ref, str(ref)) for ref in truth}
    quality = evaluate(person, {ref: who for ref, who in truth.items() if ref.stream != HARD})
    right = {
        case: all((person[a] == person[b]) == (truth[a] == truth[b]) for a in refs for b in refs)
        for case, refs in sorted(cases.items())
    }
    return Result(len(truth), quality, right, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--train", action="store_true")
    arguments = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |")
    print(f"|{'---|' * len(COLUMNS)}")
    for name in TRUTH:
        if arguments.train:
            estimate(name, arguments.data)
        result = measure(name, arguments.data)
        q = result.quality
        shares = (q.precision, q.recall, q.f1, q.b_cubed_precision, q.b_cubed_recall, q.b_cubed_f1)
        cells = [
            name,
            f"{result.records:,}",
            *(f"{share:.4f}" for share in shares),
            f"{sum(result.cases.values())} of {len(result.cases)}" if result.cases else "",
            *(f"{result.seconds[stage]:.1f}" for stage in ("pull", "resolve")),
        ]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
