"""Values of which all are kept (survivorship `union`) are answered as lists, masked one by one."""

from __future__ import annotations

from datetime import UTC, datetime

from onevoice.api import portray
from onevoice.pipeline.lookup import Ages
from onevoice.store.lookups import KnownProfile

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
REF = "crm/people/1"
ADDRESSES = ["ann@shop.example", "ash@post.example"]


def provenance(*, sees_persons: bool) -> object:
    told = {"source": REF, "sources": [REF, "crm/people/2"], "rule": "union", "at": AT.isoformat(), "losing": []}
    known = KnownProfile("p1", AT, AT, {"email": ADDRESSES}, {"email": told}, {}, {}, {}, None)
    return portray.provenance(known, Ages({}), sees_persons=sees_persons).model_dump(mode="json")["fields"]["email"][
        "value"
    ]


def test_a_list_is_shown_whole_to_those_who_see_persons() -> None:
    assert provenance(sees_persons=True) == ADDRESSES


def test_every_value_of_a_list_is_masked_for_others() -> None:
    assert provenance(sees_persons=False) == ["a***@s***.example", "a***@p***.example"]
