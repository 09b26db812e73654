"""The identity report as one HTML page: its pictures are in it, and it asks nothing of anybody."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from importlib.resources import files
from string import Template

from identity.report.figures import Figures

_SHOWN = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Thresholds that the table shows; the picture has all."""


def page_of(figures: Figures, pictures: Mapping[str, bytes]) -> str:
    """The page, with the pictures that `draw` made of the same figures."""
    sections = [
        _section(
            "Match weights",
            f"Candidate pairs of {figures.weights.records:,} records. Two hills with a valley between them are what "
            "a good model makes: people who are one on the right, people who are two on the left. Many pairs in the "
            "valley mean that the fields say too little, or that the thresholds stand on a hill.",
            "match-weights.png",
            pictures,
        ),
        _quality(figures, pictures),
        _section(
            "Records of a customer",
            f"{figures.records:,} records came to {figures.customers:,} customers. A tail to the right is where "
            "families or strangers were merged: look at the largest ones first.",
            "customer-sizes.png",
            pictures,
        ),
        _section(
            "What was not merged, and is asked",
            "Grey: the evidence is neither clear nor weak. Veto: much agrees, but names or dates forbid it. Guard: the "
            "customer would hold more than one may. Split: a profile that others know was parted. Accounts: two "
            "loyalty accounts were joined. `onevoice review list` has the questions.",
            "open-questions.png",
            pictures,
            _table(("why", "#open questions"), ((kind, f"{count:,}") for kind, count in figures.asked.items())),
        ),
        _section(
            "What is compared at all",
            "A line of `blocking` compares records that agree on all of its parts. A key that too many records hold, "
            "or too many family names, is left out (`guards`). A line that is left out for many records costs recall.",
            "blocking.png",
            pictures,
            _table(
                ("line", "#records with it", "#left out", "#records under its widest key"),
                ((line.line, f"{line.records:,}", f"{line.dropped:,}", f"{line.widest:,}") for line in figures.blocks),
            ),
        ),
    ]
    made = (
        f"{figures.made_at[:16].replace('T', ' ')} UTC. Model {figures.model}, version {figures.version}, trained on: "
        f"{figures.trained_on}. Asked from {figures.review:g}, merged from {figures.match:g}. This page names nobody."
    )
    template = Template(files("identity.report").joinpath("page.html").read_text("utf-8"))
    return template.substitute(day=escape(figures.made_at[:10]), made=escape(made), sections="\n".join(sections))


def _quality(figures: Figures, pictures: Mapping[str, bytes]) -> str:
    title = "Precision and recall by threshold"
    if not figures.curve:
        told = "There are no labels: decide pairs with `onevoice review`, or give a labelled file with `--labels`."
        return f"<h2>{title}</h2>\n<p>{escape(told)}</p>"
    rows = (
        (
            f"{point.threshold:g}",
            _share(point.quality.precision, point.quality.precision_between),
            _share(point.quality.recall, point.quality.recall_between),
            f"{point.quality.f1:.3f}",
        )
        for point in figures.curve
        if point.threshold in _SHOWN
    )
    return _section(
        title,
        f"Measured on {figures.labels}. Of pairs that would be merged, how many are one person (precision); of pairs "
        "that are one person, how many would be merged (recall). In brackets: where it lies 95 times of 100 (Wilson), "
        "were the pairs independent of one another. Each pair is judged by itself: two records of one customer that "
        "only a third one joins count as missed, so the recall of customers is higher (`onevoice identity evaluate`).",
        "precision-recall.png",
        pictures,
        _table(("threshold", "#precision", "#recall", "#F1"), rows),
    )


def _section(title: str, told: str, picture: str, pictures: Mapping[str, bytes], after: str = "") -> str:
    image = b64encode(pictures[picture]).decode()
    return (
        f'<h2>{escape(title)}</h2>\n<p class="note">{escape(told)}</p>\n'
        f'<img alt="{escape(title)}" src="data:image/png;base64,{image}">\n{after}'
    )


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = [(name.removeprefix("#"), ' class="n"' if name.startswith("#") else "") for name in columns]
    head = "".join(f"<th{style}>{escape(name)}</th>" for name, style in heads)
    body = "".join(
        "<tr>"
        + "".join(f"<td{style}>{escape(cell)}</td>" for (_, style), cell in zip(heads, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _share(value: float, between: tuple[float, float]) -> str:
    return f"{value:.3f} ({between[0]:.3f} to {between[1]:.3f})"
