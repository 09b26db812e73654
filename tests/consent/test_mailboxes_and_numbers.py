"""One name per mailbox, and a yes that counts for its own number only."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onevoice.configfile.consent_file import ConsentFile
from onevoice.consent import allowed_points, channel_denied, contact_point, may_contact, resolve_consent
from onevoice.model import ConsentEvent, Effect, Origin, Ref

TODAY = date(2026, 11, 22)
A, B = "+447700900001", "+447700900002"
RULES: dict[str, Any] = {
    "channels": ["email", "sms"],
    "purposes": {"marketing": {"label": "marketing"}},
    "default_regime": "opt_out",
    "regimes": {"DE": "opt_in"},
    "channel_regimes": {"sms": "opt_in"},
}
CONFIG = ConsentFile.model_validate(RULES)


def said(effect: str, point: str, channel: str = "sms", day: int = 1, **changes: Any) -> ConsentEvent:
    fields: dict[str, Any] = {
        "contact_point": point,
        "channel": channel,
        "purpose": "marketing",
        "effect": Effect(effect),
        "event_time": datetime(2026, 3, day, 12, tzinfo=UTC),
        "origin": Origin.CUSTOMER,
        "source": Ref("sender", "profiles", "1"),
        "evidence": "form" if effect == "grant" else "",
        **changes,
    }
    return ConsentEvent(**fields)


def numbers(*events: ConsentEvent) -> set[str]:
    found = allowed_points(resolve_consent(events, CONFIG, TODAY), "sms", "marketing", CONFIG, None)
    assert found is not None
    return set(found)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Ann.Ash+shoes@GoogleMail.com", "annash@gmail.com"),
        (" ann.ash@gmail.com ", "annash@gmail.com"),
        ("Ann.Ash+shoes@x.org", "ann.ash+shoes@x.org"),
        ("ann.ash@gmail.com.evil.org", "ann.ash@gmail.com.evil.org"),
        ("ann.ash@mail.gmail.com", "ann.ash@mail.gmail.com"),
        ("+tag@gmail.com", "+tag@gmail.com"),
        ("...@gmail.com", "...@gmail.com"),
        ("gmail.com", "gmail.com"),
        (A, A),
        ("", ""),
    ],
)
def test_what_a_mailbox_or_line_is_known_by(written: str, name: str) -> None:
    assert contact_point(written) == name


@given(st.text(max_size=30), st.sampled_from(["gmail.com", "googlemail.com", "x.org", ""]))
def test_a_name_is_its_own_name(local: str, domain: str) -> None:
    name = contact_point(f"{local}@{domain}")
    assert contact_point(name) == name


def test_a_yes_counts_for_its_own_number() -> None:
    assert numbers(said("grant", A)) == {A}
    assert numbers() == set()
    assert numbers(said("grant", A), said("grant", B, evidence="")) == {A}
    assert numbers(said("grant", A), said("grant", B, origin=Origin.IMPORT)) == {A}


def test_a_no_on_one_number_takes_every_yes_of_the_person() -> None:
    assert numbers(said("grant", A), said("deny", B)) == set()
    assert numbers(said("grant", A), said("deny", B, origin=Origin.IMPORT)) == {A}
    assert numbers(said("grant", A, day=2), said("deny", A, day=1)) == {A}


def test_a_channel_has_its_own_regime_whatever_the_country_says() -> None:
    state = resolve_consent([], CONFIG, TODAY)
    assert allowed_points(state, "email", "marketing", CONFIG, "GB") is None
    assert allowed_points(state, "email", "marketing", CONFIG, "de") == frozenset()
    free = ConsentFile.model_validate({**RULES, "channel_regimes": {"sms": "opt_out"}})
    assert allowed_points(state, "sms", "marketing", free, "DE") is None


EVENTS = st.builds(
    said,
    st.sampled_from(["grant", "deny"]),
    st.sampled_from([A, B]),
    st.sampled_from(["sms", "email"]),
    st.integers(1, 9),
    origin=st.sampled_from(list(Origin)),
)


@given(st.lists(EVENTS, max_size=6))
def test_what_is_allowed_agrees_with_the_other_two_answers(events: list[ConsentEvent]) -> None:
    state = resolve_consent(events, CONFIG, TODAY)
    found = numbers(*events)
    assert found == {p for p in (A, B) if may_contact(state, p, "sms", "marketing", CONFIG, None)}
    assert bool(found) is not channel_denied(state, "sms", "marketing", CONFIG, None)


@given(st.lists(EVENTS, max_size=6))
def test_nothing_said_by_e_mail_changes_the_answer_for_text_messages(events: list[ConsentEvent]) -> None:
    assert numbers(*events) == numbers(*(event for event in events if event.channel == "sms"))
