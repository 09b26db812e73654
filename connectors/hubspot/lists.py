"""Static lists: which contacts are in them, and putting them in or out.

The key of a record is the contact's record id, its fields are names of lists, its values true (member) or false.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from connectors.hubspot.client import Client, Refused
from onevoice.protocols import Outcome, Record, Write, WriteResult

CONTACTS = "0-1"
"""HubSpot's object type id of contacts."""
FEW = 5
"""So many records are looked up one by one; more are looked up by walking the lists."""
MEMBER_PAGE = 250


class Lists:
    """The portal's static lists of contacts, by name."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ids: dict[str, str] = {}

    def find(self, name: str) -> str | None:
        """The id of the list with this name, or None."""
        if name not in self._ids:
            try:
                answer = self._client.call("read", "crm.lists.lists_api.get_by_name", name, CONTACTS, stream="lists")
            except Refused as exc:
                if exc.status != 404:
                    raise
                return None
            self._ids[name] = str(answer["list"]["listId"])
        return self._ids[name]

    def create(self, name: str) -> None:
        """Make an empty static list."""
        body = {"name": name, "objectTypeId": CONTACTS, "processingType": "MANUAL"}
        self._client.call("write", "crm.lists.lists_api.create", body, stream="lists", write=True)

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Add and remove members, one call per list and direction; one result per write."""
        results = {
            write.key: _rejected(write.key, "MALFORMED_ID", "the key is not a HubSpot record id")
            for write in writes
            if not write.key.isdigit()
        }
        changed: set[str] = set()
        for name in dict.fromkeys(name for write in writes for name in write.fields):
            members = {
                wanted: [
                    w.key for w in writes if name in w.fields and bool(w.fields[name]) is wanted and w.key.isdigit()
                ]
                for wanted in (True, False)
            }
            self._change(name, members, results, changed)
        for write in writes:
            outcome = Outcome.ACCEPTED if write.key in changed else Outcome.UNCHANGED
            results.setdefault(write.key, WriteResult(write.key, outcome))
        return [results[write.key] for write in writes]

    def _change(
        self, name: str, members: dict[bool, list[str]], results: dict[str, WriteResult], changed: set[str]
    ) -> None:
        list_id = self.find(name)
        if list_id is None:
            for key in [*members[True], *members[False]]:
                results[key] = _rejected(key, "LIST_MISSING", f"there is no list {name} (provision it)")
            return
        for wanted, method, told in ((True, "add", "recordsIdsAdded"), (False, "remove", "recordIdsRemoved")):
            if members[wanted]:
                route = f"crm.lists.memberships_api.{method}"
                answer = self._client.call("write", route, list_id, members[wanted], stream="lists", write=True) or {}
                changed.update(map(str, answer.get(told) or ()))
                for key in map(str, answer.get("recordIdsMissing") or ()):
                    results[key] = _rejected(key, "RECORD_MISSING", "there is no such contact")

    def fetch(self, keys: Sequence[str], names: Sequence[str]) -> Iterator[Record]:
        """List name -> membership, for each contact. Few contacts cost a call each, many a call per 250 members."""
        ids = {name: self.find(name) for name in names}
        if len(keys) <= FEW:
            for key in keys:
                member_of = self._lists_of(key)
                yield Record(key, {name: list_id in member_of for name, list_id in ids.items()})
            return
        wanted = set(keys)
        members = {name: self._members(list_id) & wanted if list_id else set() for name, list_id in ids.items()}
        for key in keys:
            yield Record(key, {name: key in inside for name, inside in members.items()})

    def everybody(self, names: Sequence[str]) -> list[Record]:
        """Every contact that is on one of the lists, with the lists it is on."""
        lists_of: dict[str, dict[str, Any]] = {}
        for name in names:
            list_id = self.find(name)
            for key in self._members(list_id) if list_id else ():
                lists_of.setdefault(key, {})[name] = True
        return [Record(key, lists_of[key]) for key in sorted(lists_of)]

    def _lists_of(self, key: str) -> set[str]:
        answer = self._client.call("read", "crm.lists.memberships_api.get_lists", CONTACTS, key, stream="lists")
        return {str(entry["listId"]) for entry in answer["results"]}

    def _members(self, list_id: str) -> set[str]:
        members: set[str] = set()
        place: dict[str, Any] = {}
        while True:
            answer = self._client.call(
                "read", "crm.lists.memberships_api.get_page", list_id, limit=MEMBER_PAGE, stream="lists", **place
            )
            members.update(str(entry["recordId"]) for entry in answer["results"])
            after = ((answer.get("paging") or {}).get("next") or {}).get("after")
            if not after:
                return members
            place = {"after": after}


def _rejected(key: str, code: str, message: str) -> WriteResult:
    return WriteResult(key, Outcome.REJECTED, code, message)
