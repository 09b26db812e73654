"""The report: pictures that are pictures, a page that stands alone, the right figures by threshold."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from identity.report import BlockLine, Figures, Weights, draw, page_of
from identity.report.figures import THRESHOLDS, curve


@pytest.fixture
def figures() -> Figures:
    return Figures(
        made_at="2026-11-22T09:00:00+00:00",
        model="models/<b>person-1.yaml",
        version="0123456789abcdef",
        trained_on="customers of shop",
        records=1200,
        match=0.5,
        review=0.05,
        weights=Weights(1200, [-12.0, -3.5, 4.0, 22.0], [31.0], [9.0]),
        sizes={1: 300, 2: 250, 4: 100, 45: 1},
        asked={"grey": 12, "veto": 3},
        blocks=[BlockLine("email", 900, 40, 61), BlockLine("family_name + postcode", 1100, 0, 9)],
        labels="4 pairs",
        curve=curve([(8.0, True), (-1.0, True), (None, True), (3.0, False)]),
    )


def test_every_picture_is_one_and_is_in_the_page(figures: Figures) -> None:
    pictures = draw(figures)
    assert set(pictures) == {
        *("match-weights.png", "customer-sizes.png", "open-questions.png", "blocking.png", "precision-recall.png")
    }
    assert all(content.startswith(b"\x89PNG\r\n") and len(content) > 5000 for content in pictures.values())
    page = page_of(figures, pictures)
    assert page.count("data:image/png;base64,") == 5
    assert "Asked from 0.05, merged from 0.5" in page
    assert "1,200 records came to 651 customers" in page


def test_the_page_asks_nobody_and_runs_nothing(figures: Figures) -> None:
    page = page_of(figures, draw(figures))
    assert re.findall(r"(?:src|href)=\"(?!data:)", page) == []
    assert "<script" not in page
    assert "<b>person" not in page
    assert "&lt;b&gt;person-1.yaml" in page


def test_the_same_figures_give_the_same_pictures(figures: Figures) -> None:
    assert draw(figures) == draw(figures)


def test_without_labels_the_page_says_how_to_get_some(figures: Figures) -> None:
    bare = replace(figures, curve=[], labels="")
    pictures = draw(bare)
    assert "precision-recall.png" not in pictures
    assert "There are no labels: decide pairs with `onevoice review`" in page_of(bare, pictures)


def test_a_base_without_pairs_has_pictures_too(figures: Figures) -> None:
    assert draw(replace(figures, weights=Weights(3, [], [], []), asked={}, sizes={1: 3}))


def test_quality_by_threshold() -> None:
    """8 bits are .996, 3 bits .889, -1 bit .333; None is never merged."""
    points = {point.threshold: point.quality for point in curve([(8, True), (-1, True), (None, True), (3, False)])}
    assert list(points) == list(THRESHOLDS)
    assert (points[0.3].precision, points[0.3].recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert (points[0.5].precision, points[0.5].recall) == (0.5, pytest.approx(1 / 3))
    assert (points[0.95].precision, points[0.95].recall) == (1.0, pytest.approx(1 / 3))


def test_nothing_loads_matplotlib_before_a_picture_is_drawn() -> None:
    told = "import sys, identity.report, onevoice.cli.app; print('matplotlib' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "False"
