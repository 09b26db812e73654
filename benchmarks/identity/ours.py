"""Onevoice on one data set, the way that customers go: files, mappings, store, resolution.

    python ours.py NAME DATA OUT [--train]

DATA holds the files that prepare.py wrote. OUT gets `people.parquet` (stream, unique_id, cluster), `columns.parquet`
(what the peers are given) and `seconds.json`: by stage, and `match` for matching alone, from canonical records to the
same customers, which is what the peers do. The store is empty at the start and gone afterwards. `--train` first
estimates the model anew, unsupervised, and writes it where the project reads it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from identity import IdentityRecord, NormalisedRecord, load_model, normalise, save_model
from identity.batch import resolve_all
from identity.prior import with_expected_prior
from identity.train import train
from onevoice.configfile.identity_file import IdentityFile
from onevoice.errors import OnevoiceError
from onevoice.pipeline import Hub, open_hub, run_cycle
from onevoice.pipeline.resolution.models import NoResolver
from onevoice.pipeline.resolution.people import ResolvesPeople
from onevoice.pipeline.views import identity_records, partition

sys.path.insert(0, str(Path(__file__).parent))
from datasets import SETS

PROJECTS = Path(__file__).parent
SYSTEM = "public"


@contextmanager
def opened(name: str, data: Path, people: ResolvesPeople | None = None) -> Iterator[Hub]:
    """The hub of one project on the files in `data`, with an empty store that is gone afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        hub = open_hub(
            PROJECTS / name,
            environment={f"ONEVOICE_{SYSTEM.upper()}_FOLDER": str(data)},
            database=f"sqlite:///{scratch}/hub.sqlite",
            people=people,
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


def resolve(name: str, data: Path, out: Path) -> None:
    """Pull and resolve one project; write its people, the peers' columns and the seconds."""
    with opened(name, data) as hub:
        seconds = dict(run(hub, "pull", "resolve"))
        found = {(stream, key): profile for _, stream, key, profile in partition(hub)}
        records, config = identity_records(hub), hub.config.identity
    model = load_model(config.model, PROJECTS / name / "config")
    started = perf_counter()
    alone = resolve_all(records, config, model)
    seconds["match"] = perf_counter() - started
    if len(alone.members["cluster"].unique()) != len(set(found.values())):
        raise OnevoiceError(f"{name}: matching alone found another number of customers than the hub")
    streams, keys = zip(*found, strict=True)
    people = {"stream": streams, "unique_id": keys, "cluster": list(found.values())}
    pq.write_table(pa.table(people), out / "people.parquet")
    pq.write_table(columns(name, records, config), out / "columns.parquet")
    (out / "seconds.json").write_text(json.dumps(seconds))


def columns(name: str, records: Sequence[IdentityRecord], config: IdentityFile) -> pa.Table:
    """What the peers are given: `id` (stream/key) and the columns of the data set, normalised as for our matching."""
    forms = [normalise(record, config) for record in records]
    made: dict[str, list[str | None]] = {"id": [f"{form.ref.stream}/{form.ref.key}" for form in forms]}
    for column in SETS[name].columns:
        made[column] = [_column(form, column) or None for form in forms]
    return pa.table({column: pa.array(values, pa.string()) for column, values in made.items()})


def _column(form: NormalisedRecord, column: str) -> str:
    several = {"phone": form.phones, "card": form.cards}
    if column in several:
        return next(iter(several[column]), "")
    return getattr(form, column) if column in form.__slots__ else dict(form.text).get(column, "")


def estimate(name: str, data: Path) -> None:
    """Train the model of one project anew and write it where the project reads it."""
    with opened(name, data, NoResolver()) as hub:
        run(hub, "pull")
        records, config = identity_records(hub), hub.config.identity
    told: dict[str, Any] = {"name": Path(config.model).stem, "trained_on": f"{SETS[name].title}, unlabelled"}
    forms = [normalise(record, config) for record in records]
    model = train(forms, config, prior=1 / len(records), rules=SETS[name].training, **told)
    save_model(with_expected_prior(model, records, config), PROJECTS / name / "config" / config.model)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(SETS))
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--train", action="store_true")
    told = parser.parse_args()
    if told.train and SETS[told.name].training:
        estimate(told.name, told.data)
    resolve(told.name, told.data, told.out)


if __name__ == "__main__":
    main()
