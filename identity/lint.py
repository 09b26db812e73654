"""What `onevoice lint` says about the matching model and the engine of a project."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from identity.model import load_model, require_fit
from identity.spark.session import SPARK_MISSING
from onevoice.configfile import ProjectConfig
from onevoice.errors import Fault, IdentityError

_FILE, _PATH = "config/identity.yaml", ("model",)
_TELLING = ("given_name", "full_name")
"""Comparisons of what tells the people of one household apart."""


def check_engine(project: ProjectConfig) -> Iterator[Fault]:
    """The engine that is asked for is installed."""
    if project.identity.engine == "spark" and find_spec("pyspark") is None:
        yield project.fault(_FILE, ("engine",), "not installed", SPARK_MISSING)


def check_model(project: ProjectConfig) -> Iterator[Fault]:
    """The model can be read, fits the comparisons, and takes no difference of given names for a sign of one person.

    A model learns the last from pairs that households make: it then merges couples and siblings.
    """
    config = project.identity
    try:
        model = load_model(config.model, project.root / "config")
        require_fit(model, config)
    except IdentityError as error:
        yield project.fault(_FILE, _PATH, "unusable model", str(error))
        return
    for figures in model.comparisons:
        weight = model.weights[figures.comparison.name][-1]
        if figures.kind in _TELLING and weight > 0:
            message = (
                f"{config.model}: {figures.kind} counts {weight:+.1f} bits for one person where the names differ, so "
                "households are merged (train it on pairs that no household makes, or use another model)"
            )
            yield project.fault(_FILE, _PATH, "doubtful model", message)
