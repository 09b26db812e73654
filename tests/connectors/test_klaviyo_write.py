"""Writing to an account: one result per record, nothing that is not ours, no second side effect."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from connectors import open_connector
from connectors.klaviyo import imports, jobs
from onevoice.errors import Ambiguous, ConfigError, ContractBroken
from onevoice.protocols import DeferReason, Field, Outcome, Write, WriteResult

IMPORT = "/api/profile-bulk-import-jobs"
SUPPRESS = "/api/profile-suppression-bulk-create-jobs"
YES = {"email_suppressed": True}
BEGAN = "2026-11-22T09:00:00+00:00"


def outcomes(results: Sequence[WriteResult]) -> dict[str, tuple[Outcome, str]]:
    return {result.key: (result.outcome, result.code) for result in results}


def suppress(rig: Any, *addresses: str) -> dict[str, tuple[Outcome, str]]:
    return outcomes(rig.open().write("suppressions", [Write(address, YES) for address in addresses]))


def reasons(rig: Any, key: str) -> list[str]:
    return [entry["reason"] for entry in rig.row(key).get("email_marketing", {}).get("suppression", [])]


# Custom properties


def test_what_is_not_sent_stays(klaviyo: Any) -> None:
    [key] = klaviyo.contacts(1, properties={"city": "Leeds", "onevoice_tier": "gold"}, first_name="Ana")
    write = Write(key, {"properties.onevoice_points": 7, "properties.onevoice_tier": None})
    assert outcomes(klaviyo.open().write("profiles", [write])) == {key: (Outcome.ACCEPTED, "")}
    assert klaviyo.row(key)["properties"] == {"city": "Leeds", "onevoice_points": 7}
    assert klaviyo.row(key)["first_name"] == "Ana"
    [sent] = klaviyo.asked(IMPORT)[0].body["data"]["attributes"]["profiles"]["data"]
    assert sent == {
        "type": "profile",
        "id": key,
        "attributes": {"properties": {"onevoice_points": 7, "onevoice_tier": None}},
    }


def test_job_that_is_too_long_becomes_several(klaviyo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_BYTES", 1000)
    keys = klaviyo.contacts(25)
    results = klaviyo.open().write("profiles", [klaviyo.good(key, 1) for key in keys])
    assert outcomes(results) == dict.fromkeys(keys, (Outcome.ACCEPTED, ""))
    sent = [call.body["data"]["attributes"]["profiles"]["data"] for call in klaviyo.asked(IMPORT) if call.body]
    assert [profile["id"] for part in sent for profile in part] == keys
    assert len(sent) > 1
    assert max(len(json.dumps(part, separators=(",", ":"))) for part in sent) < 1100


def test_second_part_that_fails_does_not_hide_the_first(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MOST_BYTES", 100)
    account.written = ["A"]
    usual = account.answer
    account.server.answer = lambda exchange: (401, {}) if b'"B"' in exchange.body else usual(exchange)
    assert account.write("A", "B") == {"A": (Outcome.ACCEPTED, ""), "B": (Outcome.DEFERRED, "AuthFailed")}


def test_job_that_counts_all_needs_no_list(account: Account) -> None:
    account.failed, account.completed = 1, 1
    account.errors = [error("invalid", original_payload={"id": "B"})]
    assert account.write("A", "B") == {"A": (Outcome.ACCEPTED, ""), "B": (Outcome.REJECTED, "invalid")}
    assert not account.server.paths("relationships")
    account.completed = 2  # it may mean the failed ones as well: nothing is proven by it
    assert account.write("A", "B")["A"] == (Outcome.REJECTED, "PROFILE_GONE")


def test_a_thousand_profiles_are_one_job_that_names_no_list(klaviyo: Any) -> None:
    keys = klaviyo.contacts(1000)
    results = klaviyo.open().write("profiles", [klaviyo.good(key, 1) for key in keys])
    assert {result.outcome for result in results} == {Outcome.ACCEPTED}
    [job] = [call for call in klaviyo.asked(IMPORT) if call.method == "POST"]
    assert set(job.body["data"]) == {"type", "attributes"}
    assert set(job.body["data"]["attributes"]) == {"profiles"}
    assert len(klaviyo.judge.calls) <= 12


def test_only_custom_properties_ever_leave(klaviyo: Any) -> None:
    foreign = [
        "email",
        "phone_number",
        "external_id",
        "subscriptions.email.marketing.consent",
        "email_suppressed",
        "properties",
        "properties.",
        "properties.$consent",
        "properties.$email",
        "location.city",
    ]
    keys = klaviyo.contacts(len(foreign))
    writes = [Write(key, {name: "x", "properties.a": 1}) for key, name in zip(keys, foreign, strict=True)]
    found = outcomes(klaviyo.open().write("profiles", writes))
    assert found == dict.fromkeys(keys, (Outcome.REJECTED, "NOT_ALLOWED"))
    assert klaviyo.judge.calls == []


def test_profile_that_is_gone_is_told_and_not_made_again(klaviyo: Any) -> None:
    gone, kept = klaviyo.contacts(2)
    klaviyo.delete(gone)
    results = klaviyo.open().write("profiles", [klaviyo.good(gone, 1), klaviyo.good(kept, 1), Write("a/../b", {})])
    assert outcomes(results) == {
        gone: (Outcome.REJECTED, "not_found"),
        kept: (Outcome.ACCEPTED, ""),
        "a/../b": (Outcome.REJECTED, "MALFORMED_ID"),
    }
    assert klaviyo.keys() == {kept}


def test_records_that_a_job_refuses_are_told_apart(klaviyo: Any) -> None:
    """Some for good, some once: the vendor's own code decides."""
    keys = klaviyo.contacts(120)
    klaviyo.state.faults.reject_some = True
    results = outcomes(klaviyo.open().write("profiles", [klaviyo.good(key, 1) for key in keys]))
    refused = {key for key, found in results.items() if found == (Outcome.REJECTED, "under_review")}
    assert refused
    assert all(klaviyo.holds(klaviyo.good(key, 1)) == (key not in refused) for key in keys)
    assert {results[key] for key in set(keys) - refused} == {(Outcome.ACCEPTED, "")}


def test_provisioning_has_nothing_to_do(klaviyo: Any) -> None:
    connector = klaviyo.open()
    fields = [klaviyo.new_field(), Field("suppressions", "email_suppressed", "boolean", "Suppressed")]
    assert [connector.provision(fields, dry_run=dry) for dry in (True, False)] == [(), ()]
    assert klaviyo.judge.calls == []
    with pytest.raises(ConfigError, match="not email"):
        connector.provision([Field("profiles", "email", "text", "E-mail")], dry_run=True)


def test_unknown_stream_is_refused(klaviyo: Any) -> None:
    with pytest.raises(ContractBroken):
        klaviyo.open().write("lists", [Write("1", {})])


# Jobs that go wrong, on a scripted account


class Account:
    """An account whose import jobs go as the test says."""

    def __init__(self, server: Any, budget: Any) -> None:
        self.server = server
        self.status = "complete"
        self.failed = 0
        self.completed: int | None = None
        self.errors: list[Any] = []
        self.written: list[str] = []
        self.there: list[str] = []
        self.broken = ""
        self.connector = open_connector("klaviyo", "kl", {"url": server.url, "api_key": "pk_hush"}, budget)
        server.answer = self.answer

    def answer(self, exchange: Any) -> Any:
        if self.broken and self.broken in exchange.path:
            return 503, {}
        if exchange.method == "POST":
            return 202, {"data": self.job("queued")}
        if "import-errors" in exchange.path:
            return 200, {"data": [{"type": "import-error", "id": "e", "attributes": e} for e in self.errors]}
        if "relationships" in exchange.path:
            return 200, {"data": [{"type": "profile", "id": key} for key in self.written]}
        if exchange.path.startswith(IMPORT):
            return 200, {"data": self.job(self.status)}
        found = [{"type": "profile", "id": key, "attributes": {"updated": BEGAN}} for key in self.there]
        return 200, {"data": found}

    def job(self, status: str) -> Any:
        attributes = {
            "status": status,
            "created_at": BEGAN,
            "total_count": 1,
            "failed_count": self.failed,
            "completed_count": self.completed,
        }
        return {"type": "profile-bulk-import-job", "id": "J1", "attributes": attributes}

    def write(self, *keys: str) -> dict[str, tuple[Outcome, str]]:
        writes = [Write(key, {"properties.onevoice_tier": "gold"}) for key in keys]
        return outcomes(self.connector.write("profiles", writes))  # type: ignore[union-attr]


@pytest.fixture
def account(scripted: Callable[..., Any], budget: Any, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setattr(jobs, "JOB_SECONDS", 2.0)
    monkeypatch.setattr(imports, "LIST_SECONDS", 1.0)
    return Account(scripted(), budget)


def error(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "title": "Invalid", "detail": "ana@example.org is not gold", "source": {}, **more}


def test_job_that_does_not_end_leaves_everything_unknown(account: Account) -> None:
    account.status = "processing"
    assert account.write("A", "B") == dict.fromkeys("AB", (Outcome.DEFERRED, "JOB_NOT_OVER"))


@pytest.mark.parametrize("status", ["complete", "cancelled"])
def test_record_that_a_job_does_not_mention_is_looked_up(account: Account, status: str) -> None:
    account.status, account.written, account.there = status, ["A"], ["B"]
    assert account.write("A", "B", "C") == {
        "A": (Outcome.ACCEPTED, ""),
        "B": (Outcome.DEFERRED, "NOT_MENTIONED"),
        "C": (Outcome.REJECTED, "PROFILE_GONE"),
    }


@pytest.mark.parametrize("broken", ["/J1", "relationships", "/api/profiles"])
def test_failure_after_a_job_was_accepted_leaves_its_records_unknown(account: Account, broken: str) -> None:
    account.broken = broken
    assert account.write("A") == {"A": (Outcome.DEFERRED, "Unavailable")}
    [result] = account.connector.write("profiles", [Write("A", {"properties.a": 1})])  # type: ignore[union-attr]
    assert result.reason is DeferReason.AMBIGUOUS


def test_job_of_another_form_leaves_its_records_unknown(account: Account) -> None:
    account.server.answer = lambda _: (202, {"data": {"id": "J1"}})
    assert account.write("A") == {"A": (Outcome.DEFERRED, "ANSWER_ODD")}


def test_job_whose_answer_is_lost_is_ambiguous_and_sent_once(account: Account) -> None:
    account.server.answer = lambda _: (0, b"")
    with pytest.raises(Ambiguous):
        account.write("A")
    assert len(account.server.requests) == 1


def test_import_errors_find_their_record_by_payload_or_by_place(account: Account) -> None:
    account.failed, account.written = 3, ["D"]
    account.errors = [
        error("invalid", original_payload={"id": "B", "attributes": {}}),
        error("internal_error", source={"pointer": "/data/attributes/profiles/data/0/attributes/properties"}),
        error("not a code!", source={"pointer": "/data/attributes/profiles/data/2"}, original_payload=None),
        error("invalid", source={"pointer": "/data"}),
    ]
    assert account.write("A", "B", "C", "D") == {
        "A": (Outcome.DEFERRED, "internal_error"),
        "B": (Outcome.REJECTED, "invalid"),
        "C": (Outcome.REJECTED, "UNKNOWN"),
        "D": (Outcome.ACCEPTED, ""),
    }


def test_rejection_repeats_no_personal_data(account: Account) -> None:
    account.failed = 1
    account.errors = [error("invalid", original_payload={"id": "A"})]
    writes = [Write("A", {"properties.onevoice_tier": "gold"})]
    [result] = account.connector.write("profiles", writes)  # type: ignore[union-attr]
    assert result.message == "Invalid … is not …"


def test_job_refused_for_one_record_goes_again_without_it(account: Account) -> None:
    pointer = {"pointer": "/data/attributes/profiles/data/1/attributes"}
    account.written = ["A", "C"]
    usual = account.answer
    account.server.answer = lambda exchange: (
        (400, {"errors": [error("invalid", id="1", source=pointer)]}) if b'"B"' in exchange.body else usual(exchange)
    )
    assert account.write("A", "B", "C") == {
        "A": (Outcome.ACCEPTED, ""),
        "B": (Outcome.REJECTED, "invalid"),
        "C": (Outcome.ACCEPTED, ""),
    }


def test_job_refused_for_nobodys_sake_is_raised(account: Account) -> None:
    account.server.answer = lambda _: (400, {"errors": [error("invalid", id="1", source={"pointer": "/data"})]})
    with pytest.raises(ContractBroken, match=r"refused with status 400 \(invalid\)"):
        account.write("A", "B")


# Suppressions


def test_suppression_names_addresses_and_nothing_else(klaviyo: Any) -> None:
    """With a list or a segment Klaviyo would suppress everybody in it."""
    keys = klaviyo.contacts(100)
    addresses = [klaviyo.row(key)["email"] for key in keys]
    assert set(suppress(klaviyo, *addresses).values()) == {(Outcome.ACCEPTED, "")}
    assert all(reasons(klaviyo, key) == ["USER_SUPPRESSED"] for key in keys)
    [job] = [call for call in klaviyo.asked(SUPPRESS) if call.method == "POST"]
    assert set(job.body["data"]) == {"type", "attributes"}
    assert set(job.body["data"]["attributes"]) == {"profiles"}
    assert {tuple(entry["attributes"]) for entry in job.body["data"]["attributes"]["profiles"]["data"]} == {("email",)}


@pytest.mark.parametrize("reason", ["HARD_BOUNCE", "UNSUBSCRIBE", "USER_SUPPRESSED"])
def test_address_that_is_suppressed_already_is_left_alone(klaviyo: Any, reason: str) -> None:
    [key] = klaviyo.contacts(1, email_marketing={"suppression": [{"reason": reason, "timestamp": BEGAN}]})
    assert suppress(klaviyo, klaviyo.row(key)["email"]) == {klaviyo.row(key)["email"]: (Outcome.UNCHANGED, "")}
    assert reasons(klaviyo, key) == [reason]
    assert klaviyo.asked(SUPPRESS) == []


def test_no_profile_is_made_for_an_unknown_address(klaviyo: Any) -> None:
    [key] = klaviyo.contacts(1, email="Ben@Example.org")
    assert suppress(klaviyo, "nobody@example.org", "ben@example.org") == {
        "nobody@example.org": (Outcome.REJECTED, "NO_PROFILE"),
        "ben@example.org": (Outcome.ACCEPTED, ""),
    }
    assert klaviyo.keys() == {key}


def test_nothing_but_suppressing_is_possible(klaviyo: Any) -> None:
    klaviyo.contacts(1)
    connector = klaviyo.open()
    for fields in ({"email_suppressed": False}, {"email_suppressed": None}, {}, {**YES, "segment": "S1"}):
        [result] = connector.write("suppressions", [Write("jane.moss.0@example.org", fields)])
        assert (result.outcome, result.code) == (Outcome.REJECTED, "NOT_ALLOWED")
    [result] = connector.write("suppressions", [Write("01JD", YES)])
    assert (result.outcome, result.code) == (Outcome.REJECTED, "NOT_ALLOWED")
    assert klaviyo.judge.calls == []


def test_suppressing_again_leaves_no_second_entry(klaviyo: Any) -> None:
    """Also while the lists have not caught up, as after a job whose answer was lost."""
    [key] = klaviyo.contacts(1)
    address = klaviyo.row(key)["email"]
    suppress(klaviyo, address)
    first = klaviyo.row(key)["email_marketing"]["suppression"]
    klaviyo.state.clock.advance(1)
    again = suppress_while_lagging(klaviyo, address)
    assert again in ({address: (Outcome.ACCEPTED, "")}, {address: (Outcome.UNCHANGED, "")})
    assert klaviyo.row(key)["email_marketing"]["suppression"] == first
    klaviyo.settle_index()
    assert suppress(klaviyo, address) == {address: (Outcome.UNCHANGED, "")}


def suppress_while_lagging(rig: Any, address: str) -> dict[str, tuple[Outcome, str]]:
    """Suppress, and let the lists catch up once the job is over."""
    account = rig.stage.app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def tell(message: Any) -> None:
            if "suppression" in scope["path"]:
                rig.settle_index()
            await send(message)

        await account(scope, receive, tell)

    rig.stage.app = app
    return suppress(rig, address)


def test_suppression_that_is_not_there_after_its_job_is_unknown(
    scripted: Callable[..., Any], budget: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.klaviyo.suppressions.READ_BACK_SECONDS", 1.0)
    server = scripted()
    profile = {"type": "profile", "id": "A", "attributes": {"email": "a@example.org", "updated": BEGAN}}
    job = {"id": "J1", "attributes": {"status": "complete", "total_count": 1, "completed_count": 0, "skipped_count": 1}}
    server.answer = lambda exchange: (200, {"data": [profile] if "/api/profiles" in exchange.path else job})
    connector: Any = open_connector("klaviyo", "kl", {"url": server.url, "api_key": "pk_hush"}, budget)
    [result] = connector.write("suppressions", [Write("a@example.org", YES)])
    assert (result.outcome, result.code, result.reason) == (Outcome.DEFERRED, "NOT_SEEN", DeferReason.AMBIGUOUS)
    assert len([request for request in server.requests if request.method == "POST"]) == 1


# A working day with the account's limits on


def test_misfortunes_are_met_and_handled(klaviyo: Any, at_work: Callable[..., Any]) -> None:
    keys = klaviyo.contacts(500)
    connector = at_work(klaviyo)
    pages = connector.read("profiles", None, klaviyo.fields, klaviyo.settled())
    assert {record.key for page in pages for record in page.records} == set(keys)
    open_writes = [klaviyo.good(key, 1) for key in keys]
    for _ in range(3):
        results = [
            result
            for start in range(0, len(open_writes), 200)
            for result in connector.write("profiles", open_writes[start : start + 200])
        ]
        assert {(result.outcome, result.reason) for result in results} <= {
            (Outcome.ACCEPTED, None),
            (Outcome.DEFERRED, DeferReason.RETRYABLE),
        }
        deferred = {result.key for result in results if result.outcome is Outcome.DEFERRED}
        open_writes = [write for write in open_writes if write.key in deferred]
    assert open_writes == []
    assert all(klaviyo.holds(klaviyo.good(key, 1)) for key in keys)
    told = klaviyo.state.calls.summary()
    assert told["throttled"] >= 1
    assert told["partial_failures"] >= 1
