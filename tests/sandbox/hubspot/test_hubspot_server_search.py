"""Search: filters, order, paging to 10,000, and an index that lags."""

from __future__ import annotations

import pytest
from hubspot.crm.contacts.exceptions import ApiException

SEARCH = "/crm/v3/objects/contacts/search"


def _one(name, operator, **value):
    return {"filterGroups": [{"filters": [{"propertyName": name, "operator": operator, **value}]}]}


@pytest.fixture
def found(judged):
    def search(body, **more):
        answer = judged.post(SEARCH, json={**body, "limit": 100, **more})
        answer.raise_for_status()
        assert answer.json()["total"] == len(answer.json()["results"])
        return [one["id"] for one in answer.json()["results"]]

    return search


def test_operators(portal, found):
    ann = portal.contact(firstname="Ann", email="ann@one.example", web_orders="2", loyalty_member="true")
    bob = portal.contact(firstname="Bob", email="bob@two.example", web_orders="10")
    eve = portal.contact(firstname="eve", web_last_order_at="2026-11-01T08:00:00.000Z")
    assert found(_one("firstname", "EQ", value="ann")) == [ann]
    assert found(_one("firstname", "NEQ", value="ANN")) == [bob, eve]
    assert found(_one("web_orders", "GT", value="2")) == [bob]
    assert found(_one("web_orders", "LT", value="10")) == [ann]
    assert found(_one("web_orders", "BETWEEN", value="2", highValue="10")) == [ann, bob]
    assert found(_one("firstname", "IN", values=["ann", "EVE"])) == [ann, eve]
    assert found(_one("firstname", "NOT_IN", values=["ann"])) == [bob, eve]
    assert found(_one("email", "HAS_PROPERTY")) == [ann, bob]
    assert found(_one("email", "NOT_HAS_PROPERTY")) == [eve]
    assert found(_one("email", "CONTAINS_TOKEN", value="*two*")) == [bob]
    assert found(_one("email", "CONTAINS_TOKEN", value="one")) == [ann]
    assert found(_one("web_last_order_at", "GTE", value="1793520000000")) == [eve]
    assert found(_one("web_last_order_at", "GT", value="1793520000000")) == []
    assert found(_one("hs_object_id", "GT", value=ann)) == [bob, eve]
    assert found({"query": "bob"}) == [bob]


def test_groups_are_alternatives_and_filters_hold_together(portal, found):
    rows = [
        portal.contact(firstname=name, city=city) for name, city in (("Ann", "Ulm"), ("Ann", "Bonn"), ("Bob", "Ulm"))
    ]
    name = {"propertyName": "firstname", "operator": "EQ", "value": "Ann"}
    city = {"propertyName": "city", "operator": "EQ", "value": "Ulm"}
    assert found({"filterGroups": [{"filters": [name, city]}]}) == rows[:1]
    assert found({"filterGroups": [{"filters": [name]}, {"filters": [city]}]}) == rows


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("firstname", [2, 1, 0]),
        ("-firstname", [0, 1, 2]),
        ({"propertyName": "firstname", "direction": "DESCENDING"}, [0, 1, 2]),
    ],
)
def test_one_sort(portal, sort, order):
    rows = [portal.contact(firstname=name) for name in ("c", "B", "a")]
    with portal.http() as client:
        answer = client.post(SEARCH, json={"sorts": [sort]}).json()
        assert [one["id"] for one in answer["results"]] == [rows[place] for place in order]
        assert client.post(SEARCH, json={"sorts": [sort, "city"]}).status_code == 400


def test_sdk_pages_through_a_window(portal):
    ids = [portal.contact(email=f"a{n}@example.org") for n in range(450)]
    api = portal.sdk().crm.contacts.search_api
    got, after = [], None
    while True:
        body = {**_one("lastmodifieddate", "GTE", value="0"), "sorts": ["hs_object_id"], "limit": 200}
        page = api.do_search({**body, **({"after": after} if after else {})})
        assert page.total == 450
        got += [one.id for one in page.results]
        if page.paging is None:
            break
        after = page.paging.next.after
    assert got == ids


def test_nothing_lies_beyond_ten_thousand(portal):
    for n in range(10_050):
        portal.contact(email=f"a{n}@example.org")
    api = portal.sdk().crm.contacts.search_api
    last = api.do_search({"limit": 200, "after": "9800"})
    assert (last.total, last.paging.next.after) == (10_050, "10000")
    with pytest.raises(ApiException) as refused:
        api.do_search({"limit": 200, "after": "10000"})
    assert refused.value.status == 400


def test_the_index_lags_and_reads_by_id_do_not(portal):
    key = portal.contact(email="ann@example.org", city="Ulm")
    contacts = portal.sdk().crm.contacts
    contacts.basic_api.update(key, {"properties": {"city": "Bonn"}})
    new = contacts.basic_api.create({"properties": {"email": "new@example.org"}})
    assert contacts.basic_api.get_by_id(key, properties=["city"]).properties["city"] == "Bonn"

    def searched():
        return {
            one.id: one.properties["city"] for one in contacts.search_api.do_search({"properties": ["city"]}).results
        }

    assert searched() == {key: "Ulm"}
    portal.state.clock.advance(5)
    assert searched() == {key: "Bonn", new.id: None}


def test_archived_contacts_leave_the_index(portal):
    key = portal.contact(email="ann@example.org")
    contacts = portal.sdk().crm.contacts
    contacts.basic_api.archive(key)
    assert contacts.search_api.do_search({}).total == 1
    portal.state.clock.advance(5)
    assert contacts.search_api.do_search({}).total == 0


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"filterGroups": [{"filters": []}]},
        _one("nothing", "EQ", value="1"),
        _one("web_orders", "EQ", value="many"),
        _one("web_orders", "SOUNDS_LIKE", value="1"),
        _one("firstname", "IN"),
        {"filterGroups": [_one("city", "HAS_PROPERTY")["filterGroups"][0]] * 6},
        {"filterGroups": [{"filters": [{"propertyName": "city", "operator": "HAS_PROPERTY"}] * 7}]},
    ],
)
def test_what_search_refuses(portal, body):
    with portal.http() as client:
        answer = client.post(SEARCH, json=body)
    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")


def test_sorted_walks_change_no_answer(portal, found):
    """What is found must not depend on the order asked for, which decides how it is looked up."""
    for n in range(60):
        portal.contact(firstname=f"n{n % 7}", **({"web_orders": str(n % 5)} if n % 3 else {}))
    middle = sorted(portal.state.tables["contacts"].rows, key=int)[30]
    after = {"propertyName": "hs_object_id", "operator": "GT", "value": middle}
    few = {"propertyName": "web_orders", "operator": "LTE", "value": "2"}
    named = {"propertyName": "firstname", "operator": "IN", "values": ["n1", "n2"]}
    none = {"propertyName": "web_orders", "operator": "NOT_HAS_PROPERTY"}
    for groups in (
        [[after]],
        [[after, few]],
        [[few], [named]],
        [[named, few]],
        [[none, after]],
        [[few], [none, named]],
    ):
        body = {"filterGroups": [{"filters": filters} for filters in groups]}
        orders = ([], ["hs_object_id"], ["-hs_object_id"], ["web_orders"], ["-web_orders"], ["firstname"])
        answers = {tuple(sorted(found({**body, "sorts": sorts}))) for sorts in orders}
        assert len(answers) == 1, groups
        assert 0 < len(answers.pop()) < 60, groups
