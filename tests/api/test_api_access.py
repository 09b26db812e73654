"""Who may ask what: every operation with no key, a wrong one, a closed one and one without its scope; and masking."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from onevoice.api import openapi_document
from onevoice.api.access import Scope
from onevoice.store import api_keys
from onevoice.store.schema import api_key, read_audit

EVERY = frozenset(scope.value for scope in Scope)
OPERATIONS = [
    (method.upper(), path, operation["x-scope"])
    for path, methods in openapi_document()["paths"].items()
    for method, operation in methods.items()
    if "x-scope" in operation
]
BODIES: dict[str, Any] = {
    "/v1/profiles:lookup": {"email": "james.hale@example.org"},
    "/v1/offers:check": {"checks": [{"email": "james.hale@example.org", "family": "join", "channel": "email"}]},
    "/v1/events": {
        "id": "access-1",
        "type": "check_in",
        "at": "2026-11-22T09:00:00Z",
        "store": "Leeds",
        "card": "CLUB-10472",
    },
}


def ask(town: Any, method: str, path: str, key: str) -> Any:
    path = path.replace("{profile_id}", town.id_of("salesforce/Contact/c1"))
    if method == "POST":
        return town.post(path, BODIES[path], key=key)
    params = {"email": "james.hale@example.org"} if path == "/v1/profiles" else None
    return town.get(path, params=params, key=key)


def test_everything_but_health_needs_a_scope() -> None:
    documented = [(m, p) for p, methods in openapi_document()["paths"].items() for m in methods]
    assert len(OPERATIONS) == len(documented) - 1


@pytest.mark.parametrize(("method", "path", "scope"), OPERATIONS)
def test_every_operation_wants_an_open_key_with_its_scope(town: Any, method: str, path: str, scope: str) -> None:
    revoked = town.key(*EVERY, ends=datetime.now(UTC) + timedelta(days=1))
    with town.hub.store.begin() as connection:
        assert api_keys.revoke_key(connection, revoked.split("_")[1], datetime.now(UTC))
    right = town.key(*EVERY)
    refused = {
        "none": "",
        "another word": "sesame",
        "another secret": right[:-4] + "AAAA",
        "an unknown id": "ovk_000000000000_" + right.split("_", 2)[2],
        "ended": town.key(*EVERY, ends=datetime.now(UTC) - timedelta(seconds=1)),
        "revoked": revoked,
        "a null byte": right + "%00",
    }
    for name, key in refused.items():
        answer = ask(town, method, path, key)
        assert answer.status_code == 401, name
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"
        assert right not in answer.text
    answer = ask(town, method, path, town.key(*(EVERY - {scope})))
    assert answer.status_code == 403
    assert scope in answer.json()["detail"]
    assert ask(town, method, path, town.key(scope)).status_code in {200, 201}


def test_health_needs_no_key_and_tells_of_nobody(town: Any) -> None:
    answer = town.get("/v1/health", key="")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert "salesforce/Contact" in answer.json()["read_at"]
    assert "james" not in answer.text.lower()


PERSONAL = ["james.hale", "hale@", "hale", "900123", "high street", "1990-05-17", "10472"]


@pytest.mark.parametrize("rest", ["", "/sources", "/provenance", "/decisions", "/history", "/service-view"])
def test_without_pii_read_nobody_is_recognised(town: Any, rest: str) -> None:
    path = f"/v1/profiles/{town.id_of('salesforce/Contact/c1')}{rest}"
    masked = town.get(path, key=town.key("profiles:read"))
    assert masked.status_code == 200
    assert [word for word in PERSONAL if word in masked.text.lower()] == []


def test_what_a_mask_leaves(town: Any) -> None:
    path = f"/v1/profiles/{town.id_of('salesforce/Contact/c1')}"
    masked = town.get(path, key=town.key("profiles:read")).json()
    assert masked["masked"] is True
    seen = {name: value["value"] for name, value in masked["customer"].items()}
    assert seen == {
        "given_name": "J.",
        "family_name": "H.",
        "email": "j***@e***.org",
        "phone": "***23",
        "card_number": "***72",
        "birth_date": "1990",
        "street": "***",
        "city": "Leeds",
        "country": "GB",
    }
    whole = town.get(path).json()
    assert whole["masked"] is False
    assert whole["customer"]["birth_date"]["value"] == "1990-05-17"


def test_a_masked_opt_out_hides_its_address(town: Any) -> None:
    answer = town.get(f"/v1/profiles/{town.id_of('salesforce/Contact/c4')}", key=town.key("profiles:read"))
    assert "z***@q***.example" in answer.text
    assert "zoe@" not in answer.text


def test_a_key_is_kept_as_a_hash_only(town: Any) -> None:
    text = town.key("profiles:read")
    with town.hub.store.read() as connection:
        stored = connection.execute(select(api_key)).all()
    assert text.split("_", 2)[2] not in repr(stored)
    assert all(re.fullmatch("[0-9a-f]{64}", row.hash) for row in stored)


def test_every_answer_has_its_row_of_audit_without_personal_data(moving_town: Any) -> None:
    _, api = moving_town
    key = api.key("profiles:read")
    api.get("/v1/profiles", params={"phone": "07700 900456"}, key=key)
    api.get("/v1/profiles", params={"email": "nobody@example.org"}, key=key)
    api.get("/v1/changes", key=key)
    rows: list[Any] = []
    deadline = time.monotonic() + 20
    while len(rows) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)  # they are written behind the readers' backs
        with api.hub.store.read() as connection:
            rows = list(connection.execute(select(read_audit).order_by(read_audit.c.id)))
    assert [(row.route, row.status, len(row.profiles)) for row in rows] == [
        ("/v1/profiles", 200, 2),
        ("/v1/profiles", 404, 0),
        ("/v1/changes", 403, 0),
    ]
    assert {row.key_id for row in rows} == {key.split("_")[1]}
    assert "900456" not in repr(rows)
