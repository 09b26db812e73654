"""A no by e-mail, by text message, on one mailbox, and what is no opt-out at all: each where it belongs."""

from __future__ import annotations

from typing import Any

from onevoice.store import contradictions, quarantines

FOREVER = "9999-12-31"
SMS = "subscriptions.sms.marketing"
A, B = "+447700900001", "+447700900002"


def texts(
    bench: Any,
    key: str,
    phone: str | None,
    consent: str,
    method: str | None = "FORM",
    at: str = "2026-01-01",
    **more: Any,
) -> None:
    """A profile at the sender with a number and what was said about text messages."""
    said = {f"{SMS}.consent": consent, f"{SMS}.method": method, f"{SMS}.consent_timestamp": f"{at}T00:00:00Z"}
    bench.others["klaviyo"].put("profiles", key, last_name="Ash", phone_number=phone, **said, **more)


def until(bench: Any, key: str, name: str) -> Any:
    return bench.others["klaviyo"].held("profiles", key).get("properties", {}).get(f"onevoice_no_{name}_until")


def one_person(bench: Any, *refs: str) -> None:
    bench.people.person.update(dict.fromkeys(refs, "ann"))


def classes(bench: Any) -> dict[tuple[str, str], str]:
    """Open contradictions by (record, family): what they are called in reports."""
    with bench.hubs[-1].store.read() as connection:
        rows = contradictions.all_open(connection)
    return {(row["ref"], row["family"]): row["class"] for row in rows}


def test_a_no_to_text_messages_reaches_every_number_of_the_person_and_no_e_mail(wide: Any) -> None:
    texts(wide, "p1", A, "SUBSCRIBED", email="a@x.org")
    texts(wide, "p2", B, "SUBSCRIBED", email="b@x.org")
    one_person(wide, "klaviyo/profiles/p1", "klaviyo/profiles/p2")
    wide.cycle()
    assert [until(wide, key, "discount_sms") for key in ("p1", "p2")] == [None, None]
    texts(wide, "p2", B, "UNSUBSCRIBED", at="2026-11-01")
    wide.cycle()
    assert [until(wide, key, "discount_sms") for key in ("p1", "p2")] == [FOREVER, FOREVER]
    assert [until(wide, key, "discount") for key in ("p1", "p2")] == [None, None]
    assert wide.others["klaviyo"].held("profiles", "p1").get("email_suppressed") is None
    assert wide.quiet()


def test_a_no_to_e_mail_does_not_stop_text_messages(wide: Any) -> None:
    texts(wide, "p1", A, "SUBSCRIBED", email="a@x.org")
    wide.others["klaviyo"].put("profiles", "p1", **{"subscriptions.email.marketing.consent": "UNSUBSCRIBED"})
    wide.cycle()
    assert (until(wide, "p1", "discount"), until(wide, "p1", "discount_sms")) == (FOREVER, None)


def test_a_yes_to_text_messages_counts_for_its_number_and_only_with_evidence(wide: Any) -> None:
    """An imported subscription says nothing of how it came about; another number's yes does not help it."""
    texts(wide, "p1", A, "SUBSCRIBED")
    texts(wide, "p2", B, "SUBSCRIBED", method=None)
    texts(wide, "p3", "+447700900003", "NEVER_SUBSCRIBED")
    one_person(wide, "klaviyo/profiles/p1", "klaviyo/profiles/p2")
    wide.cycle()
    assert [until(wide, key, "discount_sms") for key in ("p1", "p2", "p3")] == [None, FOREVER, FOREVER]
    assert wide.quiet()


def test_a_proof_that_comes_later_than_the_yes_counts_from_then_on(wide: Any) -> None:
    texts(wide, "p1", A, "SUBSCRIBED", method=None)
    wide.cycle()
    assert until(wide, "p1", "discount_sms") == FOREVER
    texts(wide, "p1", A, "SUBSCRIBED", method="PREFERENCE_PAGE")
    wide.cycle()
    assert until(wide, "p1", "discount_sms") is None


def test_a_number_on_which_somebody_else_said_no_takes_no_text_message(wide: Any) -> None:
    texts(wide, "p1", A, "SUBSCRIBED")
    texts(wide, "p2", A, "UNSUBSCRIBED")
    wide.cycle()
    assert until(wide, "p1", "discount_sms") == FOREVER


def test_what_bounced_is_not_written_to_and_nobody_is_opted_out_for_it(wide: Any) -> None:
    wide.others["klaviyo"].put("profiles", "p1", last_name="Ash", email="a@x.org")
    wide.others["klaviyo"].suppress("p1", "HARD_BOUNCE", wide.now)
    wide.others["klaviyo"].put("profiles", "p1", email_suppressed=None)
    wide.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org")
    wide.shop.put("contacts", "1", lastname="Ash", email="b@x.org")
    one_person(wide, "klaviyo/profiles/p1", "salesforce/Contact/c1", "hubspot/contacts/1")
    wide.cycle(skip=("push", "verify"))
    assert {name for (ref, _), name in classes(wide).items() if ref.startswith("salesforce")} == {"K25"}
    wide.cycle()
    assert "HasOptedOutOfEmail" not in wide.crm.held("Contact", "c1")
    assert [stream for stream, _, _ in wide.written() if stream in {"suppressions", "subscriptions"}] == []
    assert wide.crm.held("Contact", "c1")["onevoice_no_newsletter_until__c"] == "4000-12-31"
    assert wide.shop.held("contacts", "1").get("onevoice_no_newsletter_until") is None
    assert wide.quiet()


def test_an_opt_out_below_a_later_bounce_is_not_forgotten_when_its_record_goes(wide: Any) -> None:
    sender = wide.others["klaviyo"]
    said = {"consent": "UNSUBSCRIBED", "consent_timestamp": "2026-01-01T00:00:00Z"}
    sender.put("profiles", "p1", last_name="Ash", email="a@x.org", **{"subscriptions.email.marketing": said})
    sender.suppress("p1", "HARD_BOUNCE", wide.now)
    wide.shop.put("contacts", "1", lastname="Ash", email="b@x.org")
    one_person(wide, "klaviyo/profiles/p1", "hubspot/contacts/1")
    wide.cycle()
    assert wide.shop.held("contacts", "1")["onevoice_no_newsletter_until"] == FOREVER
    sender.delete("profiles", "p1")
    wide.cycle()
    assert wide.shop.held("contacts", "1")["onevoice_no_newsletter_until"] == FOREVER


def test_the_hubs_own_suppression_comes_back_as_nobodys_word_although_it_stands_deep_in_the_record(wide: Any) -> None:
    """Cy uses Bo's address at the sender, and another one in the shop."""
    wide.crm.put("Contact", "bo", FirstName="Bo", LastName="Bay", Email="both@x.org", HasOptedOutOfEmail=True)
    wide.others["klaviyo"].put("profiles", "cy", first_name="Cy", last_name="Bay", email="both@x.org")
    wide.others["klaviyo"].put("profiles", "cy", **{"subscriptions.email.marketing.consent": "SUBSCRIBED"})
    wide.shop.put("contacts", "2", firstname="Cy", lastname="Bay", email="cy@x.org")
    one_person(wide, "klaviyo/profiles/cy", "hubspot/contacts/2")
    wide.cycle()
    assert wide.others["klaviyo"].held("profiles", "cy")["email_suppressed"] is True
    assert wide.quiet()
    assert wide.shop.held("contacts", "2").get("onevoice_no_newsletter_until") is None
    said = {"subscriptions.email.marketing.consent": "UNSUBSCRIBED"}
    wide.others["klaviyo"].put("profiles", "cy", **said)
    wide.cycle()
    assert wide.shop.held("contacts", "2")["onevoice_no_newsletter_until"] == FOREVER


def test_one_mailbox_has_one_no_however_it_is_spelt(wide: Any) -> None:
    wide.crm.put("Contact", "c1", FirstName="Ann", LastName="Ash", Email="ann.ash+shoes@googlemail.com")
    wide.crm.put("Contact", "c1", HasOptedOutOfEmail=True)
    wide.shop.put("contacts", "1", firstname="A.", lastname="Ashe", email="annash@gmail.com")
    wide.shop.put("contacts", "2", firstname="A.", lastname="Ashe", email="ann.ash@x.org")
    wide.cycle()
    assert wide.shop.held("contacts", "1")["onevoice_no_newsletter_until"] == FOREVER
    assert ("subscriptions", "annash@gmail.com") in {(stream, key) for stream, key, _ in wide.written()}
    assert wide.shop.held("contacts", "2").get("onevoice_no_newsletter_until") is None
    assert wide.quiet()


def test_a_refused_opt_out_is_forgotten_when_nobody_has_that_spelling_any_more(wide: Any) -> None:
    wide.crm.put("Contact", "c1", LastName="Ash", Email="ann.ash@gmail.com", HasOptedOutOfEmail=True)
    wide.shop.put("contacts", "1", lastname="Ash", email="ann.ash@gmail.com")
    wide.shop.refuse = lambda stream, _write: stream == "subscriptions"
    wide.cycle()
    wide.shop.refuse = lambda _stream, _write: False
    wide.shop.put("contacts", "1", email="annash@gmail.com")
    wide.cycle(minutes=60 * 24 * 3)
    wide.cycle(minutes=60 * 24 * 3)
    hub = wide.hub()
    with hub.store.read() as connection:
        assert set(quarantines.load(connection, "delivery", ["hubspot/subscriptions/ann.ash@gmail.com"])) == set()


def test_a_line_on_a_receipt_needs_no_consent_and_has_a_until_of_its_own(wide: Any) -> None:
    tills = wide.others["square"]
    tills.put("customers", "s1", family_name="Ash", email_address="a@x.org", **{"preferences.email_unsubscribed": True})
    wide.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org")
    wide.crm.put("LoyaltyProgramMember", "m1", ContactId="c1", MemberStatus="Active")
    one_person(wide, "square/customers/s1", "salesforce/Contact/c1")
    wide.cycle()
    held = tills.held("customers", "s1")
    assert held["in_group"] == {"onevoice_no_join": True}
    assert "onevoice_no_discount_until" not in held["custom_attributes"]
    assert wide.crm.held("Contact", "c1")["onevoice_no_discount_until__c"] == "4000-12-31"
    assert wide.quiet()


def test_a_copy_that_only_a_gate_looks_at_opens_a_contradiction_when_it_changes(wide: Any) -> None:
    tills = wide.others["square"]
    tills.put("customers", "s1", family_name="Ash", email_address="a@x.org")
    tills.put("loyalty_accounts", "l1", id="l1", customer_id="s1", balance=120)
    wide.others["klaviyo"].put("profiles", "p1", last_name="Ash", email="a@x.org")
    wide.others["klaviyo"].put("profiles", "p1", **{"properties.loyalty_points": 120})
    one_person(wide, "square/customers/s1", "klaviyo/profiles/p1")
    wide.edit(
        "mappings/klaviyo/profiles.yaml",
        "    properties.onevoice_points: {from: status.club.points, transform: integer}\n",
        "",
    )
    wide.cycle()
    assert ("klaviyo/profiles/p1", "points_balance") not in classes(wide)
    wide.others["klaviyo"].put("profiles", "p1", **{"properties.loyalty_points": 90})
    wide.cycle()
    assert classes(wide)["klaviyo/profiles/p1", "points_balance"] == "K6"
    assert wide.quiet()


def test_a_system_that_is_only_read_is_judged_and_left_alone(wide: Any) -> None:
    text = "    env_prefix: ONEVOICE_KLAVIYO\n    write: true"
    wide.edit("config/hub.yaml", text, text.replace("true", "false"))
    wide.crm.put("Contact", "c1", LastName="Ash", Email="a@x.org", HasOptedOutOfEmail=True)
    wide.others["klaviyo"].put("profiles", "p1", last_name="Ash", email="a@x.org")
    one_person(wide, "salesforce/Contact/c1", "klaviyo/profiles/p1")
    wide.cycle()
    assert classes(wide)["klaviyo/profiles/p1", "newsletter"] == "K4"
    assert wide.others["klaviyo"].writes == []
