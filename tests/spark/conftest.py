"""One Spark session for all tests of this folder; `make test-spark` runs them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session")
def session() -> Iterator[Any]:
    from pyspark.sql import SparkSession  # noqa: PLC0415  an extra

    os.environ["PYSPARK_PYTHON"] = sys.executable
    running = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    running.sparkContext.setLogLevel("ERROR")
    yield running
    running.stop()
