"""What changes: ids that retire, the feed that a consumer follows through crashes, and an answer for every moment."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from onevoice.store.schema import profile, profile_change

RESTS = ("", "/sources", "/provenance", "/decisions", "/history", "/service-view")


class Consumer:
    """A copy of the hub's profiles, kept by following the feed; what is not committed is lost in a crash."""

    def __init__(self, api: Any) -> None:
        self.api = api
        self.kept: tuple[str | None, dict[str, Any]] = (None, {})

    def follow(self, limit: int, pages: int | None = None, *, crash: bool = False) -> None:
        """Read pages until there are no more; a crash comes before the last of them is committed."""
        cursor, copies = self.kept[0], dict(self.kept[1])
        read = 0
        while pages is None or read < pages:
            params = {"limit": limit, **({"cursor": cursor} if cursor else {})}
            page = self.api.get("/v1/changes", params=params).json()
            cursor, read = page["next_cursor"], read + 1
            for change in page["changes"]:
                self._read(copies, change["profile_id"])
            if crash and not page["more"]:
                return
            self.kept = (cursor, dict(copies))
            if not page["more"]:
                return

    def _read(self, copies: dict[str, Any], profile_id: str) -> None:
        answer = self.api.get(f"/v1/profiles/{profile_id}")
        copies.pop(profile_id, None)
        if answer.status_code == 200:
            copies[profile_id] = answer.json()
        else:
            assert answer.status_code in {308, 410}


def hubs_profiles(api: Any) -> dict[str, Any]:
    """Everything that is true, read straight from the store's list of ids."""
    with api.hub.store.read() as connection:
        ids = connection.execute(select(profile.c.profile_id).where(profile.c.redirect.is_(None))).scalars()
        return {profile_id: api.get(f"/v1/profiles/{profile_id}").json() for profile_id in ids}


def without_ages(profiles: dict[str, Any]) -> str:
    """What is known, without when it was last read: reading again what has not changed is no change."""
    return json.dumps(
        {
            profile_id: {
                "customer": {name: value["value"] for name, value in found["customer"].items()},
                "records": found["records"],
                "memberships": [{k: v for k, v in m.items() if k != "as_of"} for m in found["memberships"]],
            }
            for profile_id, found in profiles.items()
        },
        sort_keys=True,
    )


def test_a_merged_id_leads_to_the_survivor_and_its_history_tells(moving_town: Any) -> None:
    bench, api = moving_town
    ann, bob = api.id_of("salesforce/Contact/c2"), api.id_of("salesforce/Contact/c3")
    bench.people.person.update({"salesforce/Contact/c2": "moss", "salesforce/Contact/c3": "moss"})
    bench.crm.put("Contact", "c2", MailingCity="York")
    bench.cycle()
    survivor = api.id_of("salesforce/Contact/c2")
    [retired] = {ann, bob} - {survivor}
    for rest in RESTS:
        answer = api.get(f"/v1/profiles/{retired}{rest}")
        assert answer.status_code == 308
        assert answer.headers["location"] == f"/v1/profiles/{survivor}{rest}"
    followed = api.get(f"/v1/profiles/{retired}", follow_redirects=True)
    assert followed.json()["profile_id"] == survivor
    history = api.get(f"/v1/profiles/{survivor}/history").json()["events"]
    told = [(event["kind"], event["profile_id"], event["other_id"]) for event in history]
    assert ("merged", retired, survivor) in told
    assert ("created", retired, None) in told
    asked = api.post(
        "/v1/offers:check", {"checks": [{"profile_id": retired, "family": "newsletter", "channel": "email"}]}
    )
    assert asked.json()["results"][0]["profile_ids"] == [survivor]
    kinds = {c["kind"] for c in api.get("/v1/changes").json()["changes"] if c["profile_id"] == retired}
    assert "merged" in kinds


def test_an_id_whose_customer_is_gone_is_410(moving_town: Any) -> None:
    bench, api = moving_town
    zoe = api.id_of("salesforce/Contact/c4")
    bench.crm.delete("Contact", "c4")
    bench.cycle()
    answer = api.get(f"/v1/profiles/{zoe}")
    assert (answer.status_code, answer.json()["type"]) == (410, "urn:onevoice:problem:gone")


def test_the_feed_pages_without_gaps_and_ends_where_it_is_asked_again(town: Any) -> None:
    every = town.get("/v1/changes").json()
    assert every["more"] is False
    paged, cursor = [], None
    while True:
        page = town.get("/v1/changes", params={"limit": 3, **({"cursor": cursor} if cursor else {})}).json()
        paged += page["changes"]
        cursor = page["next_cursor"]
        if not page["more"]:
            break
    assert paged == every["changes"]
    assert town.get("/v1/changes", params={"cursor": cursor}).json() == {
        "changes": [],
        "next_cursor": cursor,
        "more": False,
    }
    lines = town.get("/v1/changes", headers={"Accept": "application/x-ndjson"})
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in lines.text.splitlines()] == every["changes"]
    kinds = {change["kind"] for change in every["changes"]}
    assert kinds == {"created", "changed", "decided"}


def test_a_cursor_of_another_store_or_none_at_all_is_refused(town: Any) -> None:
    assert town.get("/v1/changes", params={"cursor": "c1-999999999"}).status_code == 409
    for wrong in ("", "7", "c1-", "c1--1", "c1-\u0661", "c1-1;DROP", "c1-" + "9" * 30):
        assert town.get("/v1/changes", params={"cursor": wrong}).status_code == 422, wrong


def test_quiet_means_quiet_in_the_feed_too(moving_town: Any) -> None:
    bench, api = moving_town
    bench.cycle()
    with api.hub.store.read() as connection:
        before = connection.execute(select(func.count()).select_from(profile_change)).scalar_one()
    bench.cycle()
    with api.hub.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(profile_change)).scalar_one() == before


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("rename"), st.sampled_from(["c1", "c2", "c3", "c4"]), st.sampled_from(["Leeds", "York"])),
        st.tuples(st.just("merge"), st.sampled_from(["c2", "c3", "c4"]), st.sampled_from(["moss", "alone"])),
        st.tuples(st.just("delete"), st.sampled_from(["c3", "c4"]), st.just("")),
        st.tuples(st.just("follow"), st.sampled_from(["1", "2", "5"]), st.sampled_from(["whole", "crash", "one page"])),
    ),
    min_size=3,
    max_size=5,
)


@settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS)
def test_a_consumer_that_crashes_and_starts_again_ends_with_exactly_the_hubs_profiles(
    moving_town: Any, steps: Any
) -> None:
    bench, api = moving_town
    consumer = Consumer(api)
    for what, which, how in steps:
        if what == "follow":
            consumer.follow(int(which), 1 if how == "one page" else None, crash=how == "crash")
            continue
        if what == "rename":
            bench.crm.put("Contact", which, LastName="Known", MailingCity=how)
        elif what == "merge":
            bench.people.person[f"salesforce/Contact/{which}"] = how if how == "moss" else which
            bench.crm.put("Contact", which, LastName="Known", MailingCity=f"{how} {bench.now:%H%M}")
        else:
            bench.crm.delete("Contact", which)
        bench.cycle()
    consumer.follow(3)
    assert without_ages(consumer.kept[1]) == without_ages(hubs_profiles(api))
