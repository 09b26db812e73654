"""One account: its state and everything its endpoints share, and GET /api/accounts."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request

from onevoice.sandbox.gate import Answer
from onevoice.sandbox.klaviyo.documents import Query, reply
from onevoice.sandbox.klaviyo.errors import missing
from onevoice.sandbox.klaviyo.jobs import Jobs
from onevoice.sandbox.klaviyo.limits import Limits
from onevoice.sandbox.klaviyo.profiles_store import Profiles
from onevoice.sandbox.state import Fields, ServerConfig, VendorState

ACCOUNT_ID = "Vc9x2K"


class Account:
    """What the endpoints work on."""

    def __init__(self, state: VendorState, config: ServerConfig) -> None:
        self.state = state
        self.config = config
        self.limits = Limits(state)
        self.profiles = Profiles(state)
        self.jobs = Jobs(state, self.profiles)
        self.lists = state.tables["lists"]

    def query(self, request: Request, allowed: Iterable[str] = ()) -> Query:
        """The request's query parameters, of which only `allowed` are taken."""
        return Query(request, self.config.url, allowed)

    def list_row(self, key: str) -> Fields:
        """A list, or 404."""
        row = self.lists.get(key)
        if row is None:
            raise missing("list", key)
        return row

    async def accounts(self, request: Request) -> Answer:
        """GET /api/accounts: the one account that the key belongs to."""
        return reply(200, {"data": [self._described()], "links": self.query(request).links()})

    async def account(self, request: Request) -> Answer:
        """GET /api/accounts/{id}."""
        if request.path_params["id"] != ACCOUNT_ID:
            raise missing("account", request.path_params["id"])
        return reply(200, {"data": self._described(), "links": self.query(request).links()})

    def _described(self) -> Fields:
        return {
            "type": "account",
            "id": ACCOUNT_ID,
            "attributes": {
                "test_account": True,
                "contact_information": {
                    "default_sender_name": "Onevoice sandbox",
                    "default_sender_email": "hello@onevoice.example",
                    "website_url": None,
                    "organization_name": "Onevoice sandbox",
                    "street_address": {
                        "address1": None,
                        "address2": None,
                        "city": "London",
                        "region": None,
                        "country": "GB",
                        "zip": None,
                    },
                },
                "industry": None,
                "timezone": "UTC",
                "preferred_currency": "GBP",
                "public_api_key": ACCOUNT_ID,
                "locale": "en-GB",
            },
            "links": {"self": f"{self.config.url}/api/accounts/{ACCOUNT_ID}"},
        }
