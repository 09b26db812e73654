"""Arrow tables into DuckDB and back."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa


def create(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Write an Arrow table as a table of that name, in place of an earlier one."""
    connection.register("incoming", table)
    connection.execute(f"create or replace table {name} as select * from incoming")
    connection.unregister("incoming")


def fetch(connection: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()) -> pa.Table:
    """The rows of a query; `values` stand for its question marks."""
    return connection.sql(query, params=list(values)).to_arrow_table()


def numbers(count: int) -> pa.Int32Array:
    """0, 1, 2, ..."""
    return pa.array(range(count), pa.int32())
