"""A Spark session for one run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from onevoice.errors import IdentityError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SPARK_MISSING = (
    "engine: spark needs pyspark, which is not installed (pip install 'onevoice[spark]', or set engine: duckdb)"
)


@contextmanager
def spark_session() -> Iterator[SparkSession]:
    """The session that is running, else one of our own, which ends with the block.

    Where it runs is said the way Spark itself is told, by spark-defaults.conf or PYSPARK_SUBMIT_ARGS; else it takes
    all processors of this machine. Workers need Onevoice installed, for the Python that PYSPARK_PYTHON names; where it
    names none, this one. Raise IdentityError without pyspark or Java.
    """
    try:
        from pyspark.errors import PySparkRuntimeError  # noqa: PLC0415  an extra
        from pyspark.sql import SparkSession  # noqa: PLC0415
    except ImportError as error:
        raise IdentityError(f"config/identity.yaml: {SPARK_MISSING}") from error
    running = SparkSession.getActiveSession()
    if running is not None:
        yield running
        return
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    try:
        session = SparkSession.builder.appName("onevoice identity").getOrCreate()
    except PySparkRuntimeError as error:
        raise IdentityError(
            "config/identity.yaml: engine: spark could not start Spark (it needs Java 17 or newer: set JAVA_HOME, "
            "or set engine: duckdb)"
        ) from error
    try:
        yield session
    finally:
        session.stop()
