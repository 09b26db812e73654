"""Consent: a no spreads, a yes stays where it was said, and no order of events loses either."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevoice.configfile.consent_file import ConsentFile
from onevoice.consent import channel_denied, may_contact, next_change, point_states, resolve_consent
from onevoice.model import ConsentEvent, ConsentState, Effect, Origin, Ref

TODAY = date(2026, 11, 22)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAIL = ("email", "marketing")


def config(**changes: Any) -> ConsentFile:
    return ConsentFile.model_validate(
        {
            "channels": ["email", "sms"],
            "purposes": {"marketing": {"label": "marketing"}, "service": {"label": "service"}},
            "default_regime": "opt_out",
            "regimes": {"DE": "opt_in"},
            **changes,
        }
    )


CONFIG = config()


def said(effect: str, point: str = "a@x.org", minutes: float = 0, **changes: Any) -> ConsentEvent:
    fields: dict[str, Any] = {
        "contact_point": point,
        "channel": "email",
        "purpose": "marketing",
        "effect": Effect(effect),
        "event_time": START + timedelta(minutes=minutes),
        "origin": Origin.CUSTOMER,
        "source": Ref("crm", "contact", "1"),
        "evidence": "form 7, text 3" if effect == "grant" else "",
        **changes,
    }
    return ConsentEvent(**fields)


def resolved(*events: ConsentEvent, using: ConsentFile = CONFIG, as_of: date = TODAY) -> ConsentState:
    return resolve_consent(events, using, as_of)


def denied_points(state: ConsentState) -> set[str]:
    return {key[0] for key in state.point_denied}


def test_a_customers_no_reaches_the_whole_person() -> None:
    state = resolved(said("deny"), said("grant", "b@x.org", -60))
    assert MAIL in state.person_denied
    assert denied_points(state) == {"a@x.org"}
    assert not may_contact(state, "b@x.org", *MAIL, CONFIG, None)
    assert state.granted == {}


@pytest.mark.parametrize(("minutes", "denied"), [(-60, True), (0, True), (5, True), (5.1, False), (60, False)])
def test_a_later_yes_lifts_a_no_unless_the_clocks_may_be_wrong(minutes: float, denied: bool) -> None:
    state = resolved(said("deny"), said("grant", minutes=minutes))
    assert (MAIL in state.person_denied) is denied
    assert (("a@x.org", *MAIL) in state.granted) is not denied


def test_a_yes_on_another_address_lifts_nothing() -> None:
    state = resolved(said("deny"), said("grant", "b@x.org", 600))
    assert MAIL in state.person_denied
    assert denied_points(state) == {"a@x.org"}


def test_the_person_is_free_once_every_no_is_lifted_where_it_was_said() -> None:
    twice = (said("deny"), said("deny", "b@x.org", 10))
    assert MAIL in resolved(*twice, said("grant", minutes=600)).person_denied
    free = resolved(*twice, said("grant", minutes=600), said("grant", "b@x.org", 700))
    assert free.person_denied == {}
    assert free.point_denied == {}


@pytest.mark.parametrize("origin", [Origin.AGENT, Origin.IMPORT, Origin.SYSTEM_COPY, Origin.AUTHORITY])
def test_nobody_but_the_customer_can_say_yes(origin: Origin) -> None:
    state = resolved(said("deny"), said("grant", minutes=600, origin=origin))
    assert MAIL in state.person_denied
    assert resolved(said("grant", origin=origin)).granted == {}


def test_a_yes_without_evidence_does_not_count() -> None:
    assert MAIL in resolved(said("deny"), said("grant", minutes=600, evidence=" ")).person_denied


@pytest.mark.parametrize("origin", [Origin.IMPORT, Origin.SYSTEM_COPY, Origin.BOUNCE, Origin.COMPLAINT])
def test_copies_bounces_and_complaints_lower_their_own_contact_point_only(origin: Origin) -> None:
    state = resolved(said("grant"), said("deny", minutes=60, origin=origin))
    assert state.person_denied == {}
    assert denied_points(state) == {"a@x.org"}
    assert state.granted == {}
    assert not may_contact(state, "a@x.org", *MAIL, CONFIG, None)
    assert may_contact(state, "b@x.org", *MAIL, CONFIG, None)


@pytest.mark.parametrize("origin", [Origin.AGENT, Origin.AUTHORITY])
def test_a_no_noted_for_the_customer_reaches_the_person(origin: Origin) -> None:
    assert MAIL in resolved(said("deny", origin=origin)).person_denied


def test_channels_and_purposes_are_apart() -> None:
    state = resolved(said("deny", channel="sms", contact_point="+49"), said("deny", purpose="service"))
    assert set(state.person_denied) == {("sms", "marketing"), ("email", "service")}
    assert may_contact(state, "a@x.org", *MAIL, CONFIG, None)


def test_brands() -> None:
    shoes = config(brand="shoes")
    assert MAIL in resolved(said("deny", brand="hats")).person_denied
    assert resolved(said("deny", brand="hats"), using=shoes).person_denied == {}
    assert MAIL in resolved(said("deny"), using=shoes).person_denied
    assert resolved(said("grant", brand="hats"), using=shoes).granted == {}
    assert resolved(said("grant", brand="hats")).granted == {}
    assert set(resolved(said("grant", brand="shoes"), using=shoes).granted) == {("a@x.org", *MAIL)}


def test_silence_goes_by_the_country() -> None:
    silent = resolved()
    assert may_contact(silent, "a@x.org", *MAIL, CONFIG, None)
    assert may_contact(silent, "a@x.org", *MAIL, CONFIG, "GB")
    assert not may_contact(silent, "a@x.org", *MAIL, CONFIG, "de")
    assert channel_denied(silent, *MAIL, CONFIG, "DE")
    assert not channel_denied(silent, *MAIL, CONFIG, "GB")
    agreed = resolved(said("grant"))
    assert may_contact(agreed, "a@x.org", *MAIL, CONFIG, "DE")
    assert not may_contact(agreed, "b@x.org", *MAIL, CONFIG, "DE")
    assert not channel_denied(agreed, *MAIL, CONFIG, "DE")
    assert channel_denied(resolved(said("deny")), *MAIL, CONFIG, "GB")


def test_a_yes_runs_out_and_then_the_no_before_it_stands_again() -> None:
    lasting = config(purposes={"marketing": {"label": "m", "grant_days": 30}})
    events = (said("deny"), said("grant", minutes=60))
    last = START.date() + timedelta(days=29)
    assert resolved(*events, using=lasting, as_of=last).person_denied == {}
    assert MAIL in resolved(*events, using=lasting, as_of=last + timedelta(days=1)).person_denied
    assert next_change(events, lasting, START.date()) == last + timedelta(days=1)


def test_a_yes_from_tomorrow_waits_and_a_no_from_tomorrow_does_not() -> None:
    tomorrow = {"event_time": datetime(2026, 11, 23, 8, tzinfo=UTC)}
    assert resolved(said("grant", **tomorrow)).granted == {}
    assert MAIL in resolved(said("deny", **tomorrow)).person_denied
    assert next_change([said("grant", **tomorrow)], CONFIG, TODAY) == TODAY + timedelta(days=1)


def test_a_no_on_a_shared_address_stands_for_everybody() -> None:
    mine, theirs = said("deny", "home@x.org"), said("grant", "theirs@x.org", 600)
    assert set(point_states([[mine], [theirs]], CONFIG, TODAY)) == {("home@x.org", *MAIL)}
    assert resolved(theirs).person_denied == {}


def test_one_persons_yes_does_not_lift_anothers_no_on_their_address() -> None:
    mine, theirs = said("deny", "home@x.org"), said("grant", "home@x.org", 600)
    assert set(point_states([[mine], [theirs]], CONFIG, TODAY)) == {("home@x.org", *MAIL)}
    assert point_states([[mine, theirs]], CONFIG, TODAY) == {}


points = st.sampled_from(["a@x.org", "b@x.org", "c@x.org"])
events = st.lists(
    st.builds(
        said,
        st.sampled_from(["grant", "deny"]),
        points,
        st.integers(-20, 20) | st.integers(0, 600_000),
        origin=st.sampled_from(Origin),
        channel=st.sampled_from(["email", "sms"]),
        brand=st.sampled_from(["", "shoes"]),
        evidence=st.sampled_from(["", "form"]),
        source=st.builds(Ref, st.sampled_from(["crm", "shop"]), st.just("c"), st.sampled_from("12")),
    ),
    max_size=8,
)
configs = st.sampled_from(
    [CONFIG, config(brand="shoes"), config(purposes={"marketing": {"label": "m", "grant_days": 90}})]
)


def permissions(state: ConsentState, using: ConsentFile) -> set[tuple[str, str, str | None]]:
    return {
        (point, channel, country)
        for point in ("a@x.org", "b@x.org", "c@x.org", "new@x.org")
        for channel in ("email", "sms")
        for country in ("DE", None)
        if may_contact(state, point, channel, "marketing", using, country)
    }


@settings(max_examples=200, deadline=None)
@given(happened=events, using=configs, random=st.randoms(use_true_random=False))
def test_order_and_duplicates_never_matter(happened: list[ConsentEvent], using: ConsentFile, random: Any) -> None:
    again = happened + happened
    random.shuffle(again)
    assert resolve_consent(again, using, TODAY) == resolve_consent(happened, using, TODAY)
    assert point_states([again, happened], using, TODAY) == point_states([happened], using, TODAY)


@settings(max_examples=300, deadline=None)
@given(happened=events, more=events, using=configs)
def test_another_no_never_adds_a_permission(
    happened: list[ConsentEvent], more: list[ConsentEvent], using: ConsentFile
) -> None:
    denies = [event for event in more if event.effect is Effect.DENY]
    before = permissions(resolve_consent(happened, using, TODAY), using)
    assert permissions(resolve_consent(happened + denies, using, TODAY), using) <= before


@settings(max_examples=200, deadline=None)
@given(happened=events, using=configs)
def test_no_grant_without_a_customers_own_proven_yes_on_that_very_point(
    happened: list[ConsentEvent], using: ConsentFile
) -> None:
    for (point, channel, _), event in resolve_consent(happened, using, TODAY).granted.items():
        assert (event.contact_point, event.channel) == (point, channel)
        assert event.effect is Effect.GRANT
        assert event.origin is Origin.CUSTOMER
        assert event.evidence


@settings(max_examples=200, deadline=None)
@given(mine=events, theirs=events, using=configs)
def test_two_records_of_one_person_keep_every_no_of_both(
    mine: list[ConsentEvent], theirs: list[ConsentEvent], using: ConsentFile
) -> None:
    """Becoming one person lifts a no only by a yes on the same contact point."""
    together = resolve_consent(mine + theirs, using, TODAY)
    grants = {event.contact_point for event in mine + theirs if event.effect is Effect.GRANT}
    for part in (mine, theirs):
        alone = resolve_consent(part, using, TODAY)
        for key, event in alone.point_denied.items():
            assert key in together.point_denied or key[0] in grants
            if event.contact_point not in grants and event.origin in {Origin.CUSTOMER, Origin.AGENT, Origin.AUTHORITY}:
                assert key[1:] in together.person_denied


@settings(max_examples=200, deadline=None)
@given(happened=events, using=configs, ahead=st.integers(1, 500))
def test_nothing_changes_before_the_day_of_change(happened: list[ConsentEvent], using: ConsentFile, ahead: int) -> None:
    start = START.date()
    change, later = next_change(happened, using, start), start + timedelta(days=ahead)
    if change is None or later < change:
        assert resolve_consent(happened, using, later) == resolve_consent(happened, using, start)
