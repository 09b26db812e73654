"""The sandbox as a process, over real HTTP: what it announces, what its admin endpoint answers, and its kept state."""

from __future__ import annotations

import csv
import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from onevoice.sandbox.edits import Hand
from onevoice.sandbox.happenings import Happenings
from onevoice.sandbox.judge import Judge
from onevoice.sandbox.keep import keep_world, open_world
from onevoice.sandbox.world import build_world

SEED, PEOPLE = 4, 300


@contextmanager
def sandbox(*more: str) -> Iterator[tuple[dict[str, Any], httpx.Client, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "onevoice.sandbox", "--seed", str(SEED), "--people", str(PEOPLE), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            with httpx.Client(base_url=told["admin"], timeout=30) as admin:
                yield told, admin, process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[dict[str, Any], httpx.Client, subprocess.Popen[str]]]:
    with sandbox("--limits", "off") as up:
        yield up


def test_announcement(running) -> None:
    told, _, _ = running
    assert told["as_of"] == "2026-11-22T09:00:00+00:00"
    assert (told["seed"], told["people"]) == (SEED, PEOPLE)
    assert told["environment"]["ONEVOICE_SALESFORCE_URL"] == told["salesforce"]["url"]
    assert told["environment"]["ONEVOICE_HUBSPOT_REFRESH_TOKEN"] == told["hubspot"]["refresh_token"]
    folder = Path(told["till"]["folder"])
    with folder.joinpath("cards.csv").open(encoding="utf-8", newline="") as sheet:
        cards = list(csv.DictReader(sheet))
    receipts = [json.loads(line) for line in folder.joinpath("receipts.jsonl").read_text("utf-8").splitlines()]
    assert {receipt["card_no"] for receipt in receipts} <= {card["card_no"] for card in cards}


def test_vendors_answer_at_their_addresses(running) -> None:
    told, _, _ = running
    sales, portal = told["salesforce"], told["hubspot"]
    with httpx.Client(verify=_trusting(sales["ca"])) as client:
        form = {"grant_type": "client_credentials"}
        form |= {"client_id": sales["client_id"], "client_secret": sales["client_secret"]}
        token = client.post(sales["url"] + "/services/oauth2/token", data=form)
        assert token.status_code == 200, token.text
        head = {"Authorization": f"Bearer {token.json()['access_token']}"}
        query = "SELECT Id, ContactId, MemberStatus FROM LoyaltyProgramMember"
        found = client.get(sales["url"] + "/services/data/v67.0/query", params={"q": query}, headers=head).json()
        assert found["totalSize"] > 50
        assert found["records"][0]["Id"].startswith("0lM")
    form = {"grant_type": "refresh_token", "refresh_token": portal["refresh_token"]}
    form |= {"client_id": portal["client_id"], "client_secret": portal["client_secret"]}
    token = httpx.post(portal["url"] + "/oauth/v1/token", data=form)
    assert token.status_code == 200, token.text


def _trusting(ca: str) -> Any:
    return ssl.create_default_context(cafile=ca)


def test_truth_and_messages(running) -> None:
    _, admin, _ = running
    truth = admin.get("/truth").json()
    people = {row["person"] for row in truth["records"]}
    assert len(people) == truth["people"] == PEOPLE
    assert {row["stream"] for row in truth["records"]} == {"Contact", "contacts", "cards", "customers", "profiles"}
    told = admin.get("/messages").json()
    assert told["summary"]["sent"] == len(told["messages"])
    wrong = [message for message in told["messages"] if message["contradictory"]]
    assert told["summary"]["contradictory"] == len(wrong) > 30
    assert all(message["class"] and message["cause"] for message in wrong)
    right = {(m["person"], m["family"], m["channel"]) for m in told["messages"] if not m["contradictory"]}
    assert {tuple(row) for row in admin.get("/allowed").json()["allowed"]} == right


def test_the_three_newer_systems_open_to_the_tokens_of_the_announcement(running) -> None:
    told, _, _ = running
    environment = told["environment"]
    url, token = environment["ONEVOICE_SHOPIFY_URL"], environment["ONEVOICE_SHOPIFY_ACCESS_TOKEN"]
    asked = {"query": "{ customers(first: 250) { nodes { id } } }"}
    found = httpx.post(
        f"{url}/admin/api/2026-07/graphql.json", json=asked, headers={"X-Shopify-Access-Token": token}
    ).json()
    assert len(found["data"]["customers"]["nodes"]) > 100
    url, token = environment["ONEVOICE_SQUARE_URL"], environment["ONEVOICE_SQUARE_ACCESS_TOKEN"]
    head = {"Authorization": f"Bearer {token}", "Square-Version": "2025-08-20"}
    assert len(httpx.get(f"{url}/v2/customers", params={"limit": 100}, headers=head).json()["customers"]) == 100
    assert len(httpx.get(f"{url}/v2/locations", headers=head).json()["locations"]) == 3
    url, key = environment["ONEVOICE_KLAVIYO_URL"], environment["ONEVOICE_KLAVIYO_API_KEY"]
    head = {"Authorization": f"Klaviyo-API-Key {key}", "revision": "2026-07-15"}
    found = httpx.get(f"{url}/api/profiles", params={"page[size]": 100}, headers=head).json()
    assert len(found["data"]) == 100
    assert {f"ONEVOICE_{name}_PACED" for name in ("SHOPIFY", "SQUARE", "KLAVIYO")} <= set(environment)


def test_the_afternoon_of_james(running) -> None:
    """What he does shows in the systems and in the verdict at once."""
    _, admin, _ = running
    james = admin.get("/james").json()
    refs = {(s, r) for s, r in james.items() if s in {"salesforce", "hubspot", "shopify", "square", "klaviyo"}}

    def wrong() -> set[tuple[str, str, str, str]]:
        rows = admin.get("/messages").json()["messages"]
        mine = [row for row in rows if (row["system"], row["record"]) in refs]
        return {(row["system"], row["channel"], row["family"], row["class"]) for row in mine if row["contradictory"]}

    before = {("hubspot", "email", "first_order", "K16")}  # the portal never heard of his orders in the shop
    assert wrong() == before
    cart = {"what": "shop_cart", "customer": james["shopify"], "category": "clothing"}
    assert admin.post("/happen", json=cart).json()["told"] == [james["klaviyo"]]
    sent = {(row["system"], row["channel"], row["family"]) for row in admin.get("/messages").json()["messages"]}
    assert {("shopify", "email", "cart_reminder"), ("klaviyo", "sms", "cart_reminder")} <= sent
    assert wrong() == before
    order = {"what": "store_order", "customer": james["square"], "category": "clothing"}
    made = admin.post("/happen", json={**order, "total": "289.00", "list_total": "289.00"}).json()
    assert admin.get("/state").json()["square"]["orders"][made["key"]]["total_money"]["amount"] == 28_900
    after = wrong()
    assert {("shopify", "email", "cart_reminder", "K13"), ("klaviyo", "sms", "cart_reminder", "K13")} <= after
    assert {("shopify", "email", "discount", "K2"), ("square", "receipt", "discount", "K2")} <= after
    points = {"what": "accumulate_points", "account": james["loyalty_account"], "points": 289}
    admin.post("/happen", json=points).raise_for_status()
    assert ("klaviyo", "email", "points_balance", "K6") in wrong()
    case = admin.post("/happen", json={"what": "open_case", "contact": james["salesforce"], "type": "Complaint"}).json()
    assert case["stream"] == "Case"
    assert "K8" in {row[3] for row in wrong()}


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ({"what": "rain"}, "nothing is called 'rain'"),
        ({"what": "shop_cart", "customer": "gid://shopify/Customer/1", "category": "toys"}, "there is no customer"),
        ({"what": "store_order", "customer": "x"}, "category must be text"),
        ({"what": "accumulate_points", "account": "x", "points": 0}, "points must be a whole number from 1"),
        ({"what": "open_case", "contact": "x", "type": "Question"}, "there is no contact x"),
    ],
)
def test_what_cannot_happen(running, said: dict[str, Any], error: str) -> None:
    _, admin, _ = running
    refused = admin.post("/happen", json=said)
    assert refused.status_code == 400
    assert error in refused.json()["error"]


def test_clock(running) -> None:
    _, admin, _ = running
    before = admin.get("/clock").json()["as_of"]
    after = admin.post("/clock", json={"advance_seconds": 60}).json()["as_of"]
    assert after > before
    refused = admin.post("/clock", json={"advance_seconds": -5})
    assert (refused.status_code, refused.json()["error"]) == (400, "clock: advance_seconds must be a number, 0 or more")


def test_calls_limits_faults_log(running) -> None:
    _, admin, _ = running
    assert set(admin.get("/calls").json()) == {"salesforce", "hubspot", "shopify", "square", "klaviyo"}
    reset = admin.post("/calls/reset", json={}).json()
    assert reset["salesforce"]["calls"] == 0
    assert admin.post("/limits", json={"on": True}).json() == {"on": True}
    assert admin.post("/faults", json={"name": "hubspot_down"}).json() == {"name": "hubspot_down"}
    for name in ("shopify_down", "square_down", "klaviyo_down", "none"):
        assert admin.post("/faults", json={"name": name}).status_code == 200
    assert "no fault is named" in admin.post("/faults", json={"name": "rain"}).json()["error"]
    assert set(admin.get("/log").json()["hubspot"]) == {"outcomes", "events", "identical_resends"}
    assert admin.get("/native-opt-outs").json() == {"wrong": 0, "set_by_api": 0}


def test_assignment_and_edits_refuse_nonsense(running) -> None:
    _, admin, _ = running
    assert admin.post("/assignment", json={"records": [["till", "cards", "x", "p1"]]}).json() == {"records": 1}
    assert admin.post("/assignment", json={"records": [1]}).status_code == 400
    assert "no record carries a profile id" in admin.post("/edits", json={"count": 25, "seed": 1}).json()["error"]
    assert admin.post("/edits", content=b"{").status_code == 400


def test_state_is_kept_and_taken_up_again(tmp_path: Path) -> None:
    folder = str(tmp_path / "kept")
    with sandbox("--state", folder) as (told, admin, _):
        token = httpx.post(
            told["hubspot"]["url"] + "/oauth/v1/token",
            data={
                "grant_type": "refresh_token",
                "refresh_token": told["hubspot"]["refresh_token"],
                "client_id": told["hubspot"]["client_id"],
                "client_secret": told["hubspot"]["client_secret"],
            },
        ).json()["access_token"]
        state = admin.get("/state").json()
        key = next(iter(state["hubspot"]["contacts"]))
        httpx.patch(
            f"{told['hubspot']['url']}/crm/v3/objects/contacts/{key}",
            json={"properties": {"jobtitle": "Astronaut"}},
            headers={"Authorization": f"Bearer {token}"},
        ).raise_for_status()
        admin.post("/clock", json={"advance_seconds": 3600})
        before, then = admin.get("/state").json(), admin.get("/clock").json()["as_of"]
        messages = admin.get("/messages").json()["summary"]
        admin.post("/stop", json={})
    with sandbox("--state", folder) as (_, admin, _):
        assert admin.get("/state").json() == before
        assert admin.get("/clock").json()["as_of"] >= then
        assert admin.get("/messages").json()["summary"] == messages
    assert before["hubspot"]["contacts"][key]["jobtitle"] == "Astronaut"


def test_kept_state_of_another_world_is_refused(tmp_path: Path) -> None:

    keep_world(build_world(1, 60), tmp_path)
    with pytest.raises(ValueError, match="keeps seed 1 with 60 people"):
        open_world(2, 60, tmp_path)


def test_edits_by_hand_survive_a_restart(tmp_path: Path, oracle_for) -> None:

    world = build_world(3, 600)
    oracle_for(world).push()
    Hand(Judge(world), 1).make(20)
    account = next(iter(world.square.tables["loyalty_accounts"].rows))
    Happenings(world).happen({"what": "accumulate_points", "account": account, "points": 5})
    keep_world(world, tmp_path)
    again = open_world(3, 600, tmp_path)
    assert again.truth.facts == world.truth.facts
    assert Judge(again).messages()["summary"] == Judge(world).messages()["summary"]
    for name, vendor in world.vendors.items():
        assert again.vendors[name].dump() == vendor.dump(), name
