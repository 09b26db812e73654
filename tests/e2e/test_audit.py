"""The audit judged by planted truth: it writes nothing, and each of its findings is true or carries its doubt."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors import open_connector
from onevoice.cli import app as command_line
from onevoice.cli.audit.report import Report
from onevoice.cli.session import Session
from onevoice.model import Ref
from onevoice.sandbox.campaigns import STREAMS
from onevoice.sandbox.shopify import create_app
from onevoice.sandbox.state import ServerConfig
from onevoice.sandbox.truth import EMAIL, SMS, Offer
from onevoice.sandbox.world import World as Planted
from onevoice.sandbox.world import build_world

READ_ONLY = "shpat_may_read_only"
ADDRESS = {EMAIL: ("Email", "email"), SMS: ("phone_number",)}
BIRTHDAY_TWICE = "birthday reward from two systems"


def read_only(project: Path) -> None:
    """A project of somebody who has not said that anything may be written."""
    hub = project / "config" / "hub.yaml"
    hub.write_text(re.sub(r"    (irreversible_writes|write): true\n", "", hub.read_text("utf-8")), "utf-8")


def audit(here: Any, *options: str, code: int = 0, **environment: str) -> None:
    """Run `onevoice audit` in this process."""
    at = ("--as-of", here.get("/clock")["as_of"])
    command = ["--project", str(here.project), "--database", here.database, "audit", *at, *options]
    ran = CliRunner().invoke(
        command_line.app,
        command,
        obj=Session(),
        env={**here.sandbox.environment, **environment},
        catch_exceptions=False,
    )
    assert ran.exit_code == code, ran.output


@pytest.fixture
def nothing_is_written(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, object]:
    """Every connector that is opened refuses to write and to create fields; by system."""
    opened: dict[str, object] = {}

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an audit wrote to a system")

    def open_reading(kind: str, system: str, *rest: Any) -> object:
        connector = open_connector(kind, system, *rest)
        for name in ("write", "provision", "erase"):
            if hasattr(connector, name):
                monkeypatch.setattr(type(connector), name, refuse)
        opened[system] = connector
        return connector

    monkeypatch.setattr("onevoice.pipeline.hub.open_connector", open_reading)
    return opened


def address(planted: Planted, ref: Ref, channel: str) -> str:
    """Where a message to a record goes."""
    row = planted.vendors[ref.system].tables[STREAMS[ref.system]].rows[ref.key]
    return next((str(row[name]) for name in ADDRESS.get(channel, ()) if row.get(name)), "")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7, pytest.param(23, marks=pytest.mark.long)])
def test_every_finding_is_true_or_carries_its_doubt(
    world: Callable[..., Any],
    stage_of: Callable[..., Any],
    nothing_is_written: Mapping[str, object],
    tmp_path: Path,
    seed: int,
) -> None:
    people = 1500
    here, planted = world(people, seed=seed, limits=False), build_world(seed, people)
    read_only(here.project)
    shop = stage_of("shopify")
    planted.shopify.faults.limits_on = False
    shop.app = create_app(planted.shopify, ServerConfig(shop.url, "app", "never told", read_only_token=READ_ONLY))
    before = here.get("/state")

    key = {"ONEVOICE_SHOPIFY_URL": shop.url, "ONEVOICE_SHOPIFY_ACCESS_TOKEN": READ_ONLY}
    audit(here, "--json", str(tmp_path / "report.json"), **key)
    report = Report.model_validate_json((tmp_path / "report.json").read_text("utf-8"))

    assert nothing_is_written.keys() >= STREAMS.keys()
    calls = {**here.get("/calls"), "shopify": planted.shopify.calls.summary()}
    assert {name: (calls[name]["write_calls"], calls[name]["records_written"]) for name in STREAMS} == dict.fromkeys(
        STREAMS, (0, 0)
    )
    assert all(calls[name]["calls"] for name in STREAMS)
    assert here.get("/state") == before

    sent = {(m["system"], m["record"], m["family"], m["channel"]): m for m in here.get("/messages")["messages"]}
    birthdays = Counter(m["person"] for m in sent.values() if m["family"] == "birthday")
    unproved, day = [], planted.clock.now().date()
    for found in report.found:
        ref = Ref(found.system, found.stream, found.record)
        message = sent.get((found.system, found.record, found.family, found.channel))
        person = planted.truth.person_of[found.system, found.stream, found.record]
        if found.contradiction == BIRTHDAY_TWICE:  # which of the two is the right one is nobody's to say
            wrong = message is not None and birthdays[message["person"]] > 1
        elif message is not None:
            wrong = message["contradictory"]
        else:
            assert found.sends == "if_picked", f"{ref} gets no {found.family}"
            offer = Offer(person, found.family, address(planted, ref, found.channel), channel=found.channel)
            wrong = planted.truth.verdict(offer, day) is not None
        if not wrong and not found.doubts:
            unproved.append(found)
    assert unproved == [], seed
    assert report.doubtful <= 0.15 * report.findings, "a doubt that every finding carries says nothing"

    told = {(found.system, found.record, found.family, found.channel) for found in report.found}
    contradictory = {place for place, message in sent.items() if message["contradictory"]}
    assert len(contradictory - told) <= 0.02 * len(contradictory), seed
    assert {found.stands_on for found in report.found} == {"address", "record", "match", "absence"}
    for found in report.found:
        assert found.evidence or found.stands_on == "absence", found
        assert all(record.read_at for record in found.evidence), found
        for record in found.evidence:
            ends = [{match.left, match.right} for match in record.matched_by]
            assert not ends or f"{found.system}/{found.stream}/{found.record}" in ends[0], found
            assert not ends or record.customer_record in ends[-1], found


@pytest.mark.slow
def test_the_report_is_private_and_tells_what_could_not_be_read(world: Callable[..., Any], tmp_path: Path) -> None:
    here = world(120, limits=False)
    read_only(here.project)
    page, document = tmp_path / "report.html", tmp_path / "report.json"
    document.write_text("something else", "utf-8")
    audit(here, "--out", str(page), "--json", str(document))
    assert [path.stat().st_mode & 0o777 for path in (page, document)] == [0o600, 0o600]
    masked = page.read_text("utf-8") + document.read_text("utf-8")
    people = [
        row
        for rows in here.get("/state").values()
        for table in rows.values()
        for row in table.values()
        if "email" in row
    ]
    addresses = {str(row["email"]) for row in people if row["email"]}
    numbers = {str(row.get("phone") or row.get("phone_number") or "") for row in people} - {""}
    assert len(addresses) > 50
    assert len(numbers) > 20
    assert [personal for personal in addresses | numbers if personal in masked] == []
    assert not re.search(r"<script|<img|<link|src=|href=|url\(|@import", page.read_text("utf-8"))

    audit(here, "--json", str(document), "--with-personal-data")
    assert any(personal in document.read_text("utf-8") for personal in addresses)

    here.post("/faults", {"name": "hubspot_down"})
    audit(here, "--out", str(page), "--json", str(document), code=3)
    [failed] = [row for row in json.loads(document.read_text("utf-8"))["by_system"] if row["failed"]]
    assert failed["system"] == "hubspot"
    assert "hubspot could not be read" in page.read_text("utf-8")
    doubts = [found["doubts"] for found in json.loads(document.read_text("utf-8"))["found"]]
    assert any("Not everything could be read: hubspot." in said for said in doubts)
