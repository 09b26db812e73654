"""The echo rules: what a vendor reports is an echo, or a real change, and is never both."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onevoice.pipeline.pull import ingest
from onevoice.store.pages import DestinationState

VALUES = st.one_of(st.none(), st.sampled_from(["gold", "silver", "2026-12-31"]))
STATES = st.dictionaries(st.sampled_from(["tier", "until"]), VALUES)


def test_what_is_first_seen_is_taken_as_both_sent_and_observed() -> None:
    assert ingest(None, {"tier": "gold"}, {}) == DestinationState({"tier": "gold"}, {"tier": "gold"})


def test_a_value_seen_before_is_an_echo() -> None:
    state = DestinationState(sent={"tier": "Gold"}, observed={"tier": "gold"})  # this vendor lower-cases what we send
    assert ingest(state, {"tier": "gold"}, {}) is None


def test_a_value_in_flight_is_an_echo_even_before_its_acknowledgement() -> None:
    state = DestinationState(sent={"tier": "silver"}, observed={"tier": "silver"})
    assert ingest(state, {"tier": "gold"}, {"tier": "gold"}) is None


def test_another_value_is_a_real_change_and_moves_both() -> None:
    state = DestinationState(sent={"tier": "gold", "until": "x"}, observed={"tier": "gold", "until": "x"}, ours=("o",))
    changed = ingest(state, {"tier": None, "until": "x"}, {})
    assert changed == DestinationState({"tier": None, "until": "x"}, {"tier": None, "until": "x"}, ("o",))


@given(STATES, STATES, STATES)
def test_the_same_report_twice_changes_nothing_the_second_time(sent: dict, observed: dict, seen: dict) -> None:
    state = DestinationState(sent, observed)
    once = ingest(state, seen, {}) or state
    assert ingest(once, seen, {}) is None


@given(STATES, STATES)
def test_after_a_real_change_a_plan_compares_with_what_is_there(sent: dict, seen: dict) -> None:
    state = ingest(DestinationState(sent, dict(sent)), seen, {})
    if state is not None:
        assert all(state.sent.get(name) == value for name, value in seen.items())
