"""What a change costs, and a look-up, in a store of many customer records.

python benchmarks/identity_incremental/run.py --data FOLDER [--records 1000000] [--changed 1000]

The store of a size is built once, by the hub's own steps, and kept in the folder; every measurement works on a copy of
it. Prints what each step took, how many records that had a profile id have another one now, and how long look-ups take.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, TypeVar

CHECKOUT = Path(__file__).parents[2]
sys.path.append(str(CHECKOUT / "benchmarks/identity_scale"))

from population import Population  # noqa: E402 - a neighbouring folder of scripts

from onevoice.model import Item, Ref  # noqa: E402
from onevoice.pipeline.hub import Hub, open_hub  # noqa: E402
from onevoice.pipeline.resolution.realtime import who_is  # noqa: E402
from onevoice.pipeline.resolution.resolve import resolve  # noqa: E402
from onevoice.pipeline.unify import unify  # noqa: E402
from onevoice.store import identities, pages  # noqa: E402
from onevoice.store.pages import PageChange  # noqa: E402

AT = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
PAGE = 10_000
SEED = 11
LOOKUPS = 2_000
Row = Mapping[str, Any]
T = TypeVar("T")


def population(records: int, kept_back: int) -> tuple[Iterator[Row], list[Row]]:
    """The base, and some records of the same people that come later."""
    later = set(random.Random(SEED).sample(range(records + kept_back), kept_back))
    arrivals: list[Row] = []

    def base() -> Iterator[Row]:
        for number, row in enumerate(Population(records + kept_back, SEED).records()):
            held = {name: value for name, value in row.items() if name != "person" and value}
            if number in later:
                arrivals.append(held)
            else:
                yield held

    return base(), arrivals


def store_page(hub: Hub, rows: Iterable[Row], gone: Iterable[str] = ()) -> None:
    """What a pull writes of a page."""
    change = PageChange()
    for row in rows:
        ref = Ref.parse(row["ref"])
        data = {name: value for name, value in row.items() if name not in ("ref", "updated_at")}
        change.records.append(_record(ref, data, datetime.fromisoformat(row["updated_at"]), deleted=False))
        change.items.append(Item(ref, "customer", data))
    change.records += [_record(Ref.parse(text), {}, hub.as_of, deleted=True) for text in gone]
    change.replaced_items = {record["ref"] for record in change.records}
    change.work = {("resolve", ref) for ref in change.replaced_items}
    with hub.store.begin() as connection:
        pages.save_page(connection, change, hub.as_of)


def _record(ref: Ref, data: Row, updated_at: datetime, *, deleted: bool) -> dict[str, Any]:
    named = {"ref": str(ref), "system": ref.system, "stream": ref.stream}
    held = {"raw": dict(data), "raw_hash": "", "updated_at": updated_at, "deleted": deleted}
    return {**named, **held, "mapping": "", "pulled_at": AT}


def build(folder: Path, records: int, kept_back: int) -> tuple[Path, list[Row]]:
    """The store of a size, made where it is not there yet; and the records that come later."""
    path, later = folder / f"base_{records}.sqlite", folder / f"later_{records}.json"
    if later.exists():
        return path, json.loads(later.read_text("utf-8"))
    folder.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    hub = opened(path)
    base, arrivals = population(records, kept_back)
    page: list[Row] = []
    for row in base:
        page.append(row)
        if len(page) == PAGE:
            store_page(hub, page)
            page = []
    store_page(hub, page)
    _, took = timed(resolve, hub)
    print(f"built: resolve of {records:,} records: {took}", flush=True)
    with hub.store.begin() as connection:  # golden records are made later, of the profiles that a change touches
        for step in ("unify", "plan"):
            pages.finish_work(connection, step, pages.load_work(connection, step))
    hub.store.close()
    later.write_text(json.dumps(arrivals), "utf-8")
    return path, arrivals


def opened(path: Path) -> Hub:
    """The shipped configuration over a store."""
    return open_hub(CHECKOUT, environment={}, database=f"sqlite:///{path}", as_of=AT)


def copied(path: Path) -> Hub:
    """A hub over a copy of a store."""
    copy = path.with_name(f"copy_{path.name}")
    shutil.copy(path, copy)
    hub = opened(copy)
    hub.as_of = AT + timedelta(hours=1)
    return hub


def edited(rng: random.Random, rows: Sequence[Row]) -> list[Row]:
    """The records after their owners moved, took another address, number or name, or put a slip right."""
    changes = [
        {"email": f"new.{rng.randrange(10**9)}@posteo.net"},
        {"phone": f"+4477{rng.randrange(10**8):08}"},
        {"street": f"{rng.randrange(1, 200)} Orchard Way", "city": "Brackford", "postcode": "BK4 9QT"},
        {"family_name": rng.choice(("Whitfield", "Okonjo", "Lindqvist", "Marlowe"))},
        {"birth_date": f"19{rng.randrange(40, 99)}-0{rng.randrange(1, 9)}-1{rng.randrange(0, 9)}"},
    ]
    return [{**row, **rng.choice(changes), "updated_at": AT.isoformat()} for row in rows]


def some_of(hub: Hub, rng: random.Random, number: int) -> list[Row]:
    """Records of the base as they are."""
    with hub.store.read() as connection:
        chosen = rng.sample(identities.all_customer_refs(connection), number)
        found = identities.load_customers(connection, chosen)
    return [{**row.data, "ref": ref, "updated_at": AT.isoformat()} for ref, row in sorted(found.items())]


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and of the processor: on a machine that others use too, the second is what to compare."""

    clock: float
    processor: float

    def __str__(self) -> str:
        return f"{self.clock:.2f} s, of the processor {self.processor:.2f}"


def timed(act: Callable[..., T], *args: Any) -> tuple[T, Took]:
    """What a call gives, and how long it takes."""
    clock, processor = perf_counter(), process_time()
    result = act(*args)
    return result, Took(perf_counter() - clock, process_time() - processor)


def links(hub: Hub) -> dict[str, str]:
    """Profile id by record."""
    with hub.store.read() as connection:
        return dict(identities.all_links(connection))


def measure(name: str, hub: Hub, rows: Sequence[Row], gone: Sequence[str] = ()) -> None:
    """Change records, run the steps, and print what it took."""
    before = links(hub)
    store_page(hub, rows, gone)
    counts, took = {}, {}
    for step in (resolve, unify):
        report, took[step.__name__] = timed(step, hub)
        counts[step.__name__] = dict(report.counts)
    after = links(hub)
    named = {row["ref"] for row in rows}
    moved = sum(after.get(ref, pid) != pid for ref, pid in before.items() if ref not in named and ref not in gone)
    whole = Took(sum(one.clock for one in took.values()), sum(one.processor for one in took.values()))
    share = 100 * moved / max(1, len(before))
    print(f"{name}: {whole}; other records with another id: {moved} ({share:.4f} %)", flush=True)
    for step, one in took.items():
        print(f"    {step}: {one}; {counts[step]}", flush=True)


def look_up(hub: Hub, rows: Sequence[Row], rng: random.Random) -> None:
    """Ask who somebody is, by all or by some of what a record holds."""
    took: list[Took] = []
    found = 0
    for _ in range(LOOKUPS):
        row = rng.choice(rows)
        fields = {n: v for n, v in row.items() if n not in ("ref", "updated_at") and (rng.random() < 0.8)}
        with hub.store.read() as connection:
            answer, one = timed(who_is, hub, connection, fields)
        took.append(one)
        found += answer.profile_id is not None
    for name in ("clock", "processor"):
        cuts = statistics.quantiles((1000 * getattr(each, name) for each in took), n=100)
        print(f"who_is by the {name}: p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms", flush=True)
    print(f"    {LOOKUPS:,} look-ups, {found:,} found", flush=True)


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder in which the stores are kept")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--changed", type=int, default=1_000)
    options = parser.parse_args()
    path, arrivals = build(options.data, options.records, 5_000)
    rng = random.Random(SEED)
    hub, number = copied(path), options.changed
    look_up(hub, arrivals, rng)
    measure("first small change", hub, arrivals[-50:])
    measure(f"{number:,} new records", hub, arrivals[:number])
    measure(f"{number:,} edited records", hub, edited(rng, some_of(hub, rng, number)))
    measure(f"{number:,} deleted records", hub, (), [row["ref"] for row in some_of(hub, rng, number)])
    look_up(hub, arrivals, rng)
    hub.store.close()


if __name__ == "__main__":
    main()
