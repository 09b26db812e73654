"""Pictures of the identity report. matplotlib is imported when one is drawn: loading it takes half a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from math import log2
from typing import TYPE_CHECKING

from identity.report.figures import Figures

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SIZE = (9.0, 4.2)
_DOTS_PER_INCH = 110
_INK, _GREEN, _BLUE, _ORANGE, _GREY = "#222222", "#3a7d44", "#2b6cb0", "#c05621", "#a0aec0"
_BIN = 1.0
"""Bits a bar of the histogram is wide."""
_BELOW_ONE = 0.7
"""Where a logarithmic axis begins, so that a bar of one is seen."""
_LARGEST = 20
"""Customers with more records share the last bar."""


def draw(figures: Figures) -> dict[str, bytes]:
    """File name -> PNG; precision and recall only where there are labels."""
    pictures: dict[str, Callable[[Axes, Figures], None]] = {
        "match-weights.png": _match_weights,
        "customer-sizes.png": _customer_sizes,
        "open-questions.png": _open_questions,
        "blocking.png": _blocking,
    }
    if figures.curve:
        pictures["precision-recall.png"] = _precision_recall
    return {name: _drawn(picture, figures) for name, picture in pictures.items()}


def _drawn(picture: Callable[[Axes, Figures], None], figures: Figures) -> bytes:
    from matplotlib.figure import Figure  # noqa: PLC0415 - see the top

    paper = Figure(figsize=_SIZE, dpi=_DOTS_PER_INCH, layout="constrained")
    axes = paper.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    picture(axes, figures)
    file = BytesIO()
    paper.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _match_weights(axes: Axes, figures: Figures) -> None:
    weights = figures.weights
    groups = {
        "decided by its weight": (weights.scored, _BLUE),
        "linked by a strong identifier": (weights.linked, _GREEN),
        "kept apart by a veto": (weights.vetoed, _ORANGE),
    }
    everything = [bits for held, _ in groups.values() for bits in held]
    low, high = (int(min(everything)) - 1, int(max(everything)) + 1) if everything else (-10, 10)
    axes.hist(
        [list(held) for held, _ in groups.values()],
        bins=[low + _BIN * step for step in range(int((high - low) / _BIN) + 2)],
        stacked=True,
        color=[colour for _, colour in groups.values()],
        label=[f"{name} ({len(held):,})" for name, (held, _) in groups.items()],
    )
    for name, chance in (("asked from here", figures.review), ("merged from here", figures.match)):
        bits = log2(chance / (1 - chance))
        axes.axvline(bits, color=_INK, linestyle="--", linewidth=1)
        axes.annotate(
            f" {name}: {chance:g}",
            (bits, 0.98),
            xycoords=("data", "axes fraction"),
            rotation=90,
            verticalalignment="top",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )
    axes.set(xlabel="match weight (bits; 0 is even odds, each bit doubles them)", ylabel="pairs of records")
    if everything:  # an axis of logarithms has no place for nothing
        axes.set_yscale("log")
        axes.set_ylim(bottom=_BELOW_ONE)
    _legend(axes)


def _customer_sizes(axes: Axes, figures: Figures) -> None:
    counts: dict[int, int] = {}
    for size, customers in figures.sizes.items():
        counts[min(size, _LARGEST)] = counts.get(min(size, _LARGEST), 0) + customers
    labels = [f"{size}+" if size == _LARGEST else str(size) for size in sorted(counts)]
    _bars(axes, dict(zip(labels, (counts[size] for size in sorted(counts)), strict=True)), _BLUE)
    axes.set(xlabel="records of a customer", ylabel="customers", yscale="log")
    axes.set_ylim(bottom=_BELOW_ONE)


def _open_questions(axes: Axes, figures: Figures) -> None:
    _bars(axes, figures.asked, _ORANGE)
    axes.set(xlabel="why a steward is asked", ylabel="open questions")


def _blocking(axes: Axes, figures: Figures) -> None:
    lines = list(reversed(figures.blocks))
    names = [line.line for line in lines]
    axes.barh(names, [line.records - line.dropped for line in lines], color=_BLUE, label="records that it compares")
    axes.barh(
        names,
        [line.dropped for line in lines],
        left=[line.records - line.dropped for line in lines],
        color=_GREY,
        label="records whose keys are left out: too many hold them",
    )
    axes.set(xlabel=f"of {figures.weights.records:,} records")
    _legend(axes)


def _precision_recall(axes: Axes, figures: Figures) -> None:
    cuts = [point.threshold for point in figures.curve]
    for name, colour in (("precision", _BLUE), ("recall", _GREEN)):
        axes.plot(cuts, [getattr(point.quality, name) for point in figures.curve], color=colour, label=name)
        between = [getattr(point.quality, f"{name}_between") for point in figures.curve]
        axes.fill_between(cuts, [low for low, _ in between], [high for _, high in between], color=colour, alpha=0.15)
    for chance in (figures.review, figures.match):
        axes.axvline(chance, color=_INK, linestyle="--", linewidth=1)
    axes.set(xlabel="match threshold (probability)", ylabel="share; the band holds it 95 times of 100")
    _legend(axes)


def _legend(axes: Axes) -> None:
    """Above the picture, where it hides nothing."""
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)


def _bars(axes: Axes, counts: Mapping[str, int], colour: str) -> None:
    bars = axes.bar(list(counts), list(counts.values()), color=colour)
    axes.bar_label(bars, [f"{count:,}" for count in counts.values()])
