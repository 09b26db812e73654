"""Time of the API's answers at a fixed rate, on a store of a given size, while another process writes to it.

Run from the checkout: see README.md beside this file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil

from identity import IdentityRecord, normalise, profile_id
from onevoice.configfile import load_project
from onevoice.model import Item, Ref
from onevoice.policy import check_policy
from onevoice.store import Store, api_keys, identities, open_store, pages, profiles
from onevoice.store.identities import LineageRow, NormalisedRow
from onevoice.store.pages import PageChange
from onevoice.store.profiles import ProfileRow

CHECKOUT = Path(__file__).parent.parent.parent
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
PAGE = 1000
SCOPES = ("profiles:read", "pii:read", "offers:check")
CALLERS = 32
"""Connections: more than are ever busy while the server keeps up."""
WARM_UP = 3.0
"""Seconds at the beginning that are not counted: the first requests open connections and compile statements."""


def customer(number: int) -> tuple[Ref, dict[str, Any]]:
    """One synthetic customer; every twentieth telephone belongs to two."""
    shared = number - 1 if number % 20 == 19 else number
    return Ref("salesforce", "Contact", f"c{number:07}"), {
        "given_name": random.Random(number).choice(["Anna", "Ben", "Cara", "Dan", "Eve"]),
        "family_name": f"Family{number}",
        "email": f"person{number}@example.org",
        "phone": f"+447{shared:09}",
        "card_number": f"CLUB{number:07}",
        "city": "Leeds",
        "country": "GB",
    }


def profile_row(number: int, turn: int) -> ProfileRow:
    """The golden profile of a customer; another `turn` changes it."""
    ref, data = customer(number)
    told = {"source": str(ref), "rule": "most_recent", "at": AT.isoformat(), "losing": []}
    status = {
        "status": "active",
        "is_member": True,
        "has_perks": False,
        "tier": "blue",
        "tier_rank": 1,
        "tier_until": None,
        "points": str(turn),
        "wallets": {"points": str(turn)},
        "member_since": "2024-03-01",
        "restrictions": [],
        "memberships": [],
    }
    facts = {
        "is_member": True,
        "has_perks": False,
        "membership_status": "active",
        "tier": "blue",
        "tier_rank": 1,
        "memberships": 1,
        "orders_total": number % 7,
        "open_complaint": False,
        "email_denied": number % 10 == 0,
        "sms_denied": False,
        "annual_spend": str(number % 1000),
        "country": "GB",
    }
    return ProfileRow(
        profile_id(ref),
        golden=data,
        status={"club": status},
        consent={"person": {}, "points": {}},
        facts=facts,
        hash=f"{number}-{turn}",
        provenance=dict.fromkeys(data, told),
    )


def fill(store: Store, count: int) -> None:
    """Store everybody: records, links, blocking keys, cards, profiles."""
    config = load_project(CHECKOUT, (check_policy,)).identity
    for numbers in batches(range(count)):
        change = PageChange()
        forms, assigned = [], {}
        for number in numbers:
            ref, data = customer(number)
            change.records.append(
                {
                    "ref": str(ref),
                    "system": ref.system,
                    "stream": ref.stream,
                    "raw": data,
                    "raw_hash": str(number),
                    "updated_at": AT,
                    "deleted": False,
                    "mapping": "x",
                    "pulled_at": AT,
                }
            )
            change.items.append(Item(ref, "customer", data))
            change.replaced_items.add(str(ref))
            form = normalise(IdentityRecord(ref, data, AT), config)
            forms.append(NormalisedRow(str(ref), form.as_dict(), str(number)))
            assigned[str(ref)] = profile_id(ref)
        with store.begin() as connection:
            pages.save_page(connection, change, AT)
            pages.move_cursor(connection, "salesforce", "Contact", {"n": numbers[-1]}, [], AT)
            identities.save_normalised(connection, forms, ())
            events = [LineageRow(pid, None, "created", ref) for ref, pid in assigned.items()]
            identities.save_links(connection, assigned, (), events, AT)
            rows = [profile_row(number, 0) for number in numbers]
            profiles.save_profiles(connection, rows, {row.profile_id for row in rows}, AT)


def batches(numbers: range) -> Iterator[Sequence[int]]:
    """Numbers in pages."""
    for start in range(0, len(numbers), PAGE):
        yield numbers[start : start + PAGE]


def write_on(url: str, count: int) -> None:
    """What a sync does: change page after page of profiles, until ended."""
    store, turn = open_store(url), 0
    while True:
        turn += 1
        for numbers in batches(range(count)):
            rows = [profile_row(number, turn) for number in numbers]
            with store.begin() as connection:
                profiles.save_profiles(connection, rows, {row.profile_id for row in rows}, AT)


async def ask(url: str, key: str, count: int, rate: float, seconds: float) -> dict[str, Any]:
    """Ask at a fixed rate; milliseconds from when each request was due to its whole answer, by kind."""
    chance = random.Random(7)
    took: dict[str, list[float]] = {}
    faults: list[str] = []
    due: asyncio.Queue[tuple[float, str, dict[str, Any]] | None] = asyncio.Queue()
    headers = {"Authorization": f"Bearer {key}"}

    async def caller() -> None:
        """Ask whatever is due next on a connection of its own: one pool of many would spend the time on itself."""
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
            while (next_one := await due.get()) is not None:
                at, kind, request = next_one
                try:
                    answer = await client.request(**request)
                except httpx.HTTPError as exc:
                    faults.append(type(exc).__name__)
                    continue
                if answer.status_code != 200:
                    faults.append(str(answer.status_code))
                elif at - started >= WARM_UP:
                    took.setdefault(kind, []).append((time.perf_counter() - at) * 1000)

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(caller())
        for number in range(int(rate * seconds)):
            at = started + number / rate
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            due.put_nowait((at, *question(chance, count)))
        for _ in range(CALLERS):
            due.put_nowait(None)
    return {"faults": faults, **{kind: summary(found) for kind, found in sorted(took.items())}, **whole(took)}


def question(chance: random.Random, count: int) -> tuple[str, dict[str, Any]]:
    """The kind of a request about somebody, and the request."""
    ref, data = customer(chance.randrange(count))
    kind = chance.choice(["email", "phone", "card", "id", "offers:check"])
    if kind == "id":
        return kind, {"method": "GET", "url": f"/v1/profiles/{profile_id(ref)}"}
    if kind == "offers:check":
        checks = [{"email": data["email"], "family": "discount", "channel": "email"}]
        return kind, {"method": "POST", "url": "/v1/offers:check", "json": {"checks": checks}}
    value = data["card_number" if kind == "card" else kind]
    return kind, {"method": "POST", "url": "/v1/profiles:lookup", "json": {kind: value}}


def whole(took: dict[str, list[float]]) -> dict[str, Any]:
    """All kinds together."""
    return {"all": summary([each for found in took.values() for each in found])}


def summary(found: list[float]) -> dict[str, float]:
    """Number of requests, and percentiles in milliseconds."""
    ordered = sorted(found)
    share = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {
        "requests": len(ordered),
        **{name: round(ordered[int(part * (len(ordered) - 1))], 2) for name, part in share.items()},
        "max": round(ordered[-1], 2),
    }


def measure(count: int, rate: float, seconds: float, *, writer: bool, database: str | None) -> dict[str, Any]:
    """Fill a store, serve it, write to it and ask."""
    with tempfile.TemporaryDirectory(prefix="onevoice-api-") as folder:
        url = database or f"sqlite:///{folder}/hub.sqlite"
        store = open_store(url)
        began = time.perf_counter()
        fill(store, count)
        filled = time.perf_counter() - began
        with store.begin() as connection:
            key = api_keys.create_key(connection, "benchmark", SCOPES, AT, None)
        store.close()
        program = Path(sys.executable).with_name("onevoice")
        command = [str(program), "--project", str(CHECKOUT), "--database", url, "serve", "--port", "0", "--quiet"]
        children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True)]
        try:
            assert children[0].stdout
            address = children[0].stdout.readline().strip()
            if writer:
                children.append(
                    subprocess.Popen([sys.executable, __file__, "--write-on", url, "--profiles", str(count)], text=True)
                )
                time.sleep(2)
            server = psutil.Process(children[0].pid)
            before = sum(server.cpu_times()[:2])
            found = asyncio.run(ask(address, key, count, rate, seconds))
            spent = (sum(server.cpu_times()[:2]) - before) / (rate * seconds) * 1000
        finally:
            for child in children:
                child.terminate()
                child.wait()
    return {
        "profiles": count,
        "rate": rate,
        "writer": writer,
        "filled_in_s": round(filled, 1),
        "server_cpu_ms_per_request": round(spent, 2),
        "milliseconds": found,
    }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profiles", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--no-writer", action="store_true")
    parser.add_argument("--database", help="an empty database; a SQLite file of its own when left out")
    parser.add_argument("--write-on", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.write_on:
        write_on(chosen.write_on, chosen.profiles)
        return
    found = measure(chosen.profiles, chosen.rate, chosen.seconds, writer=not chosen.no_writer, database=chosen.database)
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
