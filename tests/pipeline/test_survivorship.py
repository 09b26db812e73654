"""Golden records in the store: which values stand after a cycle, and what a changed rule touches."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from onevoice.pipeline import CycleReport
from onevoice.store import profiles
from onevoice.store.schema import edge, lineage, profile, source_link

RULES = "  default: [most_recent, source_order]\n"
EMAIL = "    email: [verified_first, most_recent, source_order]\n"
SHOP, CRM = "hubspot/contacts/1", "salesforce/Contact/c1"


def ann(bench: Any, shop: dict[str, str], crm: dict[str, str]) -> None:
    """Ann's contact in the shop, then the newer one in the CRM."""
    bench.shop.put("contacts", "1", lastname="Ash", **shop)
    bench.crm.number = bench.shop.number
    bench.crm.put("Contact", "c1", LastName="Ash", **crm)
    bench.people.person = {SHOP: "ann", CRM: "ann"}


def known(bench: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Golden fields of the only customer, and where they come from."""
    with bench.hubs[-1].store.read() as connection:
        (pid,) = connection.execute(select(profile.c.profile_id).where(profile.c.redirect.is_(None))).scalars()
        return dict(profiles.load_profiles(connection, [pid])[pid].golden), dict(
            profiles.load_provenance(connection, pid)
        )


def who_is_who(bench: Any) -> list[Any]:
    """Every edge, link and event of lineage."""
    with bench.hubs[-1].store.read() as connection:
        return [sorted(map(tuple, connection.execute(select(table)))) for table in (edge, source_link, lineage)]


def counts(report: CycleReport, step: str) -> dict[str, int]:
    return dict(report.stages[step][step].counts)


def test_a_changed_rule_chooses_anew_and_matches_nobody_again(bench: Any) -> None:
    bench.edit("config/identity.yaml", EMAIL, "")
    ann(bench, {"email": "old@x.org"}, {"Email": "new@x.org"})
    bench.cycle()
    assert known(bench)[0]["email"] == "new@x.org"
    before = who_is_who(bench)

    bench.edit("config/identity.yaml", RULES, "  default: [source_order]\n")
    bench.edit("config/identity.yaml", "sources: [salesforce, hubspot", "sources: [hubspot, salesforce")
    report = bench.cycle()

    golden, provenance = known(bench)
    assert golden["email"] == "old@x.org"
    assert (provenance["email"]["source"], provenance["email"]["rule"]) == (SHOP, "source_order")
    assert who_is_who(bench) == before
    assert counts(report, "resolve") == {"records": 0, "changed": 0, "removed": 0}
    assert counts(report, "unify")["profiles"] == 1
    assert counts(bench.cycle(), "unify")["profiles"] == 0, "once"


def test_what_does_not_decide_about_values_leaves_golden_records_alone(bench: Any) -> None:
    ann(bench, {"email": "old@x.org"}, {"Email": "new@x.org"})
    hub = bench.hub()
    before = dict(hub.versions)
    bench.edit("config/identity.yaml", "max_records: 60", "max_records: 61")
    after = dict(bench.hub().versions)
    assert before["resolve"] != after["resolve"]
    assert before["unify"] == after["unify"]


def test_a_rule_that_chooses_the_same_value_is_told_as_the_reason(bench: Any) -> None:
    bench.edit("config/identity.yaml", EMAIL, "")
    ann(bench, {"email": "old@x.org"}, {"Email": "new@x.org"})
    bench.cycle()
    bench.edit("config/identity.yaml", RULES, "  default: [source_order]\n")
    report = bench.cycle()
    golden, provenance = known(bench)
    assert golden["email"] == "new@x.org"
    assert provenance["email"]["rule"] == "source_order"
    assert counts(report, "unify")["changed"] == 0


def test_no_value_of_a_deleted_record_stays_among_the_losers(bench: Any) -> None:
    ann(bench, {"email": "gone@x.org"}, {"Email": "new@x.org"})
    bench.cycle()
    assert known(bench)[1]["email"]["losing"] == [{"value": "gone@x.org", "source": SHOP}]
    bench.shop.delete("contacts", "1")
    bench.cycle()
    assert known(bench)[1]["email"]["losing"] == []


def test_an_empty_value_clears_where_blanks_count_and_the_system_maps_the_field(bench: Any) -> None:
    ann(bench, {"phone": "+447700900123", "loyalty_number": "LC1234567"}, {"Email": "a@x.org"})
    bench.cycle()
    assert known(bench)[0]["phone"] == "+447700900123"
    bench.edit("config/identity.yaml", RULES, RULES + "  blanks: {phone: count, card_number: count}\n")
    bench.cycle()
    golden, provenance = known(bench)
    assert "phone" not in golden, "the newer record of the CRM leaves it empty"
    assert provenance["phone"] == {
        "source": CRM,
        "rule": "most_recent",
        "at": provenance["phone"]["at"],
        "losing": [{"value": "+447700900123", "source": SHOP}],
    }
    assert golden["card_number"] == "LC1234567", "contacts of the CRM have no such field, so they cannot empty it"


def test_an_address_that_bounced_comes_after_one_that_did_not(wide: Any) -> None:
    ann(wide, {"email": "good@x.org"}, {})
    sender = wide.others["klaviyo"]
    sender.number = 10
    sender.put("profiles", "p1", last_name="Ash", email="bad@x.org")
    wide.people.person["klaviyo/profiles/p1"] = "ann"
    wide.cycle()
    assert known(wide)[0]["email"] == "bad@x.org"
    sender.suppress("p1", "HARD_BOUNCE", wide.now)
    wide.cycle()
    golden, provenance = known(wide)
    assert golden["email"] == "good@x.org"
    assert provenance["email"]["rule"] == "verified_first"


def test_trust_that_sank_below_anothers_changes_the_value_without_any_news(bench: Any) -> None:
    trust = (
        "  trust:\n    - {source: salesforce, points: 90, minimum: 10, days: 40}\n    - {source: hubspot, points: 50}\n"
    )
    bench.edit("config/identity.yaml", RULES, "  default: [trust, most_recent]\n" + trust)
    bench.edit("config/identity.yaml", EMAIL, "")
    ann(bench, {"email": "steady@x.org"}, {"Email": "fading@x.org"})
    bench.cycle()
    assert known(bench)[0]["email"] == "fading@x.org"
    bench.cycle(minutes=19 * 24 * 60)
    assert known(bench)[0]["email"] == "fading@x.org"
    bench.cycle(minutes=2 * 24 * 60)  # after 20 days it is level with the other, and then below
    assert known(bench)[0]["email"] == "steady@x.org"


def test_a_union_keeps_every_value_with_its_record(bench: Any) -> None:
    bench.edit("config/identity.yaml", EMAIL, "    email: [union]\n")
    ann(bench, {"email": "old@x.org"}, {"Email": "new@x.org"})
    bench.cycle()
    golden, provenance = known(bench)
    assert golden["email"] == ["new@x.org", "old@x.org"]
    assert provenance["email"]["sources"] == [CRM, SHOP]
