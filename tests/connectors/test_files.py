"""Reading exports: every row is passed on or named with its line, and nothing is guessed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from connectors import open_connector
from onevoice.errors import ConfigError, ContractBroken, PermissionMissing, Unavailable
from onevoice.protocols import Page, Record

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)


@pytest.fixture
def till(tmp_path: Path, budget: Any) -> Any:
    """Open the folder with these options besides `cards.key`."""

    def opened(**options: str) -> Any:
        settings = {"folder": str(tmp_path), "cards.key": "card_no"}
        settings |= {name.replace("_", ".", 1): value for name, value in options.items()}
        return open_connector("files", "till", settings, budget)

    return opened


def read(source: Any, cursor: Any = None, stream: str = "cards") -> list[Page]:
    return list(source.read(stream, cursor, (), AS_OF))


def records(source: Any, stream: str = "cards") -> Sequence[Record]:
    return [record for page in read(source, None, stream) for record in page.records]


def test_csv_values_stay_text(till: Any, tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text("card_no,postcode,country,note\n012,01234,NO,\n", "utf-8")
    [record] = records(till())
    assert record.key == "012"
    assert record.data == {"card_no": "012", "postcode": "01234", "country": "NO", "note": ""}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_the_one_of_the_header(till: Any, tmp_path: Path, delimiter: str) -> None:
    text = f'card_no{delimiter}street\r\n1{delimiter}"Quay 3, ""left"""\r\n'
    (tmp_path / "cards.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert [dict(record.data) for record in records(till())] == [{"card_no": "1", "street": 'Quay 3, "left"'}]


def test_bad_rows_are_named_and_lose_no_other(till: Any, tmp_path: Path) -> None:
    text = 'card_no,name\n1,Ann\n2,Bo,extra\n,Cy\n4\n\n5,"D"x\n6,Eve\n'
    (tmp_path / "cards.csv").write_text(text, "utf-8")
    found = {record.key: record.data for record in records(till())}
    assert list(found) == ["1", "line:3", "line:4", "line:5", "line:7", "6"]
    assert found["line:3"]["_fault"] == "line 3: 3 columns where the header has 2"
    assert "no usable value in the key column card_no" in found["line:4"]["_fault"]
    assert "1 columns" in found["line:5"]["_fault"]
    assert "quoting is broken" in found["line:7"]["_fault"]
    assert not any(name in found[key]["_fault"] for key in found if "line" in key for name in ("Bo", "Cy"))


def test_json_lines_keep_their_types_and_name_bad_lines(till: Any, tmp_path: Path) -> None:
    lines = ['{"card_no": 7, "total": 12.5, "ok": true}', "[1]", '{"card_no": NaN}', "not json", '{"card_no": 1.5}', ""]
    (tmp_path / "cards.jsonl").write_text("\n".join(lines), "utf-8")
    first, *bad = records(till())
    assert (first.key, dict(first.data)) == ("7", {"card_no": 7, "total": 12.5, "ok": True})
    assert [record.key for record in bad] == ["line:2", "line:3", "line:4", "line:5"]
    assert all(record.data["_fault"] for record in bad)


def test_parquet_becomes_json(till: Any, tmp_path: Path) -> None:
    rows = [
        {"card_no": "1", "born": date(1990, 2, 3), "spent": Decimal("1.50"), "at": datetime(2026, 1, 2, tzinfo=UTC)}
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "cards.parquet")
    [record] = records(till())
    assert json.loads(json.dumps(record.data)) == {
        "card_no": "1",
        "born": "1990-02-03",
        "spent": "1.50",
        "at": "2026-01-02T00:00:00+00:00",
    }


def test_last_of_equal_keys_wins(till: Any, tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text("card_no,name\n1,old\n2,x\n1,new\n", "utf-8")
    assert [(record.key, record.data["name"]) for record in records(till())] == [("2", "x"), ("1", "new")]


def test_unchanged_content_is_not_read_again_and_changed_content_is(till: Any, tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    path.write_text("card_no,name\n1,Ann\n", "utf-8")
    cursor = read(till())[-1].cursor
    os.utime(path, (1, 1))
    assert read(till(), cursor) == []
    path.write_text("card_no,name\n1,Bea\n", "utf-8")
    assert [record.data["name"] for page in read(till(), cursor) for record in page.records] == ["Bea"]


def test_file_of_exactly_one_page_is_finished(till: Any, tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text("card_no\n" + "".join(f"{n}\n" for n in range(5000)), "utf-8")
    cursor = read(till())[-1].cursor
    assert cursor["done"]
    assert cursor["rows"] == 5000
    assert read(till(), cursor) == []


def test_crash_goes_on_after_the_page(till: Any, tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_text("card_no\n" + "".join(f"{n}\n" for n in range(11_000)), "utf-8")
    first = next(iter(till().read("cards", None, (), AS_OF)))
    rest = [record.key for page in read(till(), first.cursor) for record in page.records]
    assert rest == [str(n) for n in range(5000, 11_000)]


def test_file_that_changes_while_it_is_read_is_not_called_read(till: Any, tmp_path: Path) -> None:
    path = tmp_path / "cards.csv"
    path.write_text("card_no\n" + "".join(f"{n}\n" for n in range(6000)), "utf-8")
    reading = till().read("cards", None, (), AS_OF)
    next(reading)
    path.write_text("card_no\n" + "".join(f"{n}\n" for n in range(6001)), "utf-8")
    with pytest.raises(Unavailable, match="changed while it was read"):
        list(reading)


def test_time_of_a_row(till: Any, tmp_path: Path) -> None:
    text = "card_no,changed_at\n1,2026-01-02T03:04:05+01:00\n2,2026-01-02 03:04\n3,yesterday\n4,\n"
    (tmp_path / "cards.csv").write_text(text, "utf-8")
    times = [record.updated_at for record in records(till(cards_stamp="changed_at"))]
    assert times == [datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, 3, 4, tzinfo=UTC), None, None]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"card,name\n1,x\n", "cards.csv has no column card_no (it has: card, name)"),
        (b"", "no header line"),
        (b"card_no,name,name\n1,x,y\n", "line 1: a column has no name or the name of another one"),
        ("card_no,näme\n1,x\n".encode("latin-1"), "not UTF-8"),
        ("card_no\n1\n".encode("utf-16"), "not UTF-8"),
    ],
)
def test_unreadable_file_says_what_to_do(till: Any, tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "cards.csv").write_bytes(content)
    for act in (lambda: read(till()), lambda: till().check()):
        with pytest.raises(ContractBroken) as caught:
            act()
        assert said in str(caught.value)


def test_bad_bytes_far_down_name_their_place(till: Any, tmp_path: Path) -> None:
    (tmp_path / "cards.csv").write_bytes(b"card_no,name\n" + b"1,x\n" * 50_000 + b"2,\xe4\n")
    with pytest.raises(ContractBroken, match="not UTF-8"):
        read(till())


def test_broken_parquet_is_told(till: Any, tmp_path: Path) -> None:
    (tmp_path / "cards.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(ContractBroken, match="not Parquet"):
        read(till())


def test_check_names_what_is_missing_and_what_is_ignored(till: Any, tmp_path: Path) -> None:
    (tmp_path / "receipts.jsonl").write_text("{}\n", "utf-8")
    notes = till().check().notes
    assert notes == (
        "cards: there is no such file yet",
        "receipts: the file is not read, for no key column is named (receipts.key)",
    )


def test_stream_without_a_file_and_two_files_for_one_stream(till: Any, tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="there is no such file"):
        read(till())
    for name in ("cards.csv", "cards.jsonl"):
        (tmp_path / name).write_text("card_no\n", "utf-8")
    with pytest.raises(ContractBroken, match=r"cards\.csv, cards\.jsonl"):
        read(till())


def test_folder_that_is_not_there(budget: Any, tmp_path: Path) -> None:
    source = open_connector("files", "till", {"folder": str(tmp_path / "none"), "cards.key": "x"}, budget)
    with pytest.raises(PermissionMissing, match="folder cannot be read"):
        source.check()


def test_stamp_without_a_key_is_a_fault_of_configuration(budget: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"receipts\.key"):
        open_connector("files", "till", {"folder": str(tmp_path), "receipts.stamp": "x"}, budget)
