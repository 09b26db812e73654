"""A hub with a few customers in it, its API on loopback, and keys of every kind."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from loopback import caller
from loopback import served as served_app
from onevoice.api import create_app
from onevoice.api.access import Scope
from onevoice.pipeline import Hub
from onevoice.store import api_keys, identities

_FILE = Path(__file__).parent.parent / "pipeline/conftest.py"
_SPEC = importlib.util.spec_from_file_location("scripted_vendors", _FILE)
assert _SPEC
assert _SPEC.loader
scripted = sys.modules[_SPEC.name] = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(scripted)

bench = scripted.bench
"""A project with scripted vendors, over an empty store."""
EVERY = frozenset(scope.value for scope in Scope)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def contact(vendor: Any, key: str, name: str, **fields: Any) -> None:
    """A contact of the CRM."""
    given, family = name.split()
    vendor.put("Contact", key, FirstName=given, LastName=family, **fields)


def people_move_in(bench: Any) -> None:
    """James with two records, a membership and a cart; Ann and Bob on one telephone; Zoe, who opted out."""
    contact(
        bench.crm,
        "c1",
        "James Hale",
        Email="James.Hale@Example.org",
        MobilePhone="07700 900123",
        Birthdate="1990-05-17",
        MailingStreet="1 High Street",
        MailingCity="Leeds",
        MailingCountry="United Kingdom",
    )
    bench.shop.put(
        "contacts",
        "1",
        firstname="James",
        lastname="Hale",
        email="james.hale@example.org",
        loyalty_number="CLUB-10472",
        web_orders="3",
        web_last_order_at="2026-11-20T10:00:00Z",
        web_last_order_category="shoes",
        cart_abandoned_at="2026-11-22T08:00:00Z",
        cart_category="jackets",
    )
    bench.crm.put(
        "LoyaltyProgramMember",
        "m1",
        ContactId="c1",
        MembershipNumber="CLUB-10472",
        MemberStatus="Active",
        MemberType="Individual",
        EnrollmentDate="2024-03-01",
    )
    bench.crm.put("LoyaltyMemberTier", "t1", LoyaltyMemberId="m1", Name="Gold", EffectiveDate="2026-01-01")
    contact(bench.crm, "c2", "Ann Moss", Email="ann@moss.example", MobilePhone="07700 900456")
    contact(bench.crm, "c3", "Bob Moss", Email="bob@moss.example", MobilePhone="07700 900456", HasOptedOutOfEmail=True)
    bench.crm.put("Case", "k3", ContactId="c3", Type="Complaint", IsClosed=False, CreatedDate="2026-11-21T12:00:00Z")
    contact(bench.crm, "c4", "Zoe Quill", Email="zoe@quill.example", HasOptedOutOfEmail=True)
    bench.people.person.update({"salesforce/Contact/c1": "james", "hubspot/contacts/1": "james"})


@dataclass
class Api:
    """A running server and how to ask it."""

    hub: Hub
    url: str
    client: httpx.Client
    moment: list[datetime]
    keys: dict[frozenset[str], str] = field(default_factory=dict)

    def key(self, *scopes: str, ends: datetime | None = None) -> str:
        """The text of a key with these scopes."""
        wanted = frozenset(scopes)
        if ends is not None:
            return self._make(wanted, ends)
        if wanted not in self.keys:
            self.keys[wanted] = self._make(wanted, None)
        return self.keys[wanted]

    def _make(self, scopes: frozenset[str], ends: datetime | None) -> str:
        with self.hub.store.begin() as connection:
            return api_keys.create_key(connection, "test", scopes, LONG_AGO, ends)

    def ask(self, method: str, path: str, *, key: str | None = None, **options: Any) -> httpx.Response:
        """One request; with every scope unless a key is given ("" sends none)."""
        key = self.key(*EVERY) if key is None else key
        headers = {**({"Authorization": f"Bearer {key}"} if key else {}), **options.pop("headers", {})}
        return self.client.request(method, path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, body: Any, **options: Any) -> httpx.Response:
        return self.ask("POST", path, json=body, **options)

    def id_of(self, ref: str) -> str:
        """The profile id of a record."""
        with self.hub.store.read() as connection:
            return identities.load_links(connection, [ref])[ref]


@contextmanager
def served(hub: Hub) -> Iterator[Api]:
    """The API of a hub on a free port of loopback; its clock shows the hub's own time until a test moves it."""
    moment = [hub.as_of]
    app = create_app(hub, lambda: moment[0])
    with served_app(app, lifespan="on") as url, caller(url, timeout=60) as client:
        api = Api(hub, url, client, moment)
        api.key(*EVERY)
        yield api


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Iterator[Api]:
    """The API over everybody of `people_move_in`, shared by the tests of a file: they only read."""
    made: Iterator[Any] = _bench_of(tmp_path_factory.mktemp("town"), checkout)
    bench = next(made)
    people_move_in(bench)
    bench.cycle()
    with served(bench.hub()) as api:
        yield api
    next(made, None)


@pytest.fixture
def moving_town(bench: Any) -> Iterator[tuple[Any, Api]]:
    """The bench and the API over everybody of `people_move_in`, for a test that changes something."""
    people_move_in(bench)
    bench.cycle()
    with served(bench.hub()) as api:
        yield bench, api


def _bench_of(folder: Path, checkout: Path) -> Iterator[Any]:
    unwrapped: Callable[[Path, Path], Iterator[Any]] = scripted.bench.__wrapped__
    return unwrapped(folder, checkout)


ENDED = datetime.now(UTC) - timedelta(seconds=1)
