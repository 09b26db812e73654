"""Cursors and windows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from connectors._watermark import Span, finished, iso, moment, spans
from onevoice.errors import ContractBroken

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_first_read_has_no_beginning() -> None:
    assert spans(None, NOON, HOUR) == [Span(NOON)]


def test_next_read_begins_before_the_last_end() -> None:
    [span] = spans(finished(NOON), NOON + HOUR, timedelta(minutes=10))
    assert (span.stamp, span.id, span.through) == (NOON - timedelta(minutes=10), "", NOON + HOUR)
    assert span.since == span.stamp


def test_crashed_read_is_finished_within_its_own_window_first() -> None:
    crashed = Span(NOON, since=None).at(NOON - 3 * HOUR, "007").cursor()
    resumed, following = spans(json.loads(json.dumps(crashed)), NOON + HOUR, timedelta(minutes=10))
    assert resumed == Span(NOON, NOON - 3 * HOUR, "007", None)
    assert following.stamp == NOON - timedelta(minutes=10)
    assert following.through == NOON + HOUR


def test_sweep_for_deletes_begins_where_the_oldest_unfinished_read_began() -> None:
    [first] = spans(finished(NOON), NOON + HOUR, HOUR)
    _, following = spans(first.at(NOON, "1").cursor(), NOON + 9 * HOUR, HOUR)
    assert following.since == NOON - HOUR


def test_clock_that_went_back_moves_no_watermark_back() -> None:
    [span] = spans(finished(NOON), NOON - HOUR, timedelta(minutes=10))
    assert span.through == NOON


@pytest.mark.parametrize(
    "cursor", [{}, {"stamp": None}, {"stamp": 3, "id": "", "through": "x", "since": None}, {"a": 1}]
)
def test_foreign_cursor_is_refused(cursor: dict[str, object]) -> None:
    with pytest.raises(ContractBroken):
        spans(cursor, NOON, HOUR)


def test_times_keep_milliseconds_and_become_utc() -> None:
    there = datetime(2026, 11, 22, 14, 0, 0, 123456, tzinfo=timezone(2 * HOUR))
    assert iso(there) == "2026-11-22T12:00:00.123Z"
    assert moment("2026-11-22T12:00:00.123+0000") == datetime(2026, 11, 22, 12, 0, 0, 123000, tzinfo=UTC)
    with pytest.raises(ValueError, match="offset"):
        moment("2026-11-22T12:00:00")
