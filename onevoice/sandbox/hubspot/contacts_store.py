"""Contacts found, checked, written, archived, merged: what every endpoint on contacts is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onevoice.sandbox.hubspot.errors import PropertyError, invalid, invalid_properties, refusal
from onevoice.sandbox.hubspot.portal import Portal
from onevoice.sandbox.hubspot.values import accept
from onevoice.sandbox.state import Fields
from onevoice.sandbox.tables import OPTOUT_PROPERTY

USUAL = ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname")
"""Properties that an answer has when none were asked for."""
ALWAYS = ("createdate", "hs_object_id", "lastmodifieddate")
"""Properties that an answer has whatever was asked for."""
RECORD_ID = "hs_object_id"


class Contacts:
    """The portal's contacts."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal
        self._table = portal.state.tables["contacts"]
        self._archived = portal.state.tables["archived_contacts"]
        self._unique: dict[str, tuple[int, dict[str, str]]] = {}
        self._sorted: tuple[tuple[int, str], list[str]] = ((-1, ""), [])

    def find(self, value: str, id_property: str | None = None) -> str | None:
        """The record id of a live contact; ids of contacts that were merged lead to the one that is left."""
        if id_property in {None, "", RECORD_ID}:
            while value not in self._table:
                gone = self._archived.get(value)
                if gone is None or not gone.get("merged_into"):
                    return None
                value = gone["merged_into"]
            return value
        known = self._portal.properties.find(str(id_property))
        if known is None or not known.unique:
            raise invalid(f"{id_property} is not a property with unique values")
        return self._index(known.name).get(value.strip().lower() if known.name == "email" else value)

    def row(self, key: str) -> Fields:
        """A live contact as it is now."""
        return self._table.rows[key]

    def ids(self) -> list[str]:
        """Record ids in numeric order."""
        rows = self._table.rows
        at = (len(rows), next(reversed(rows), ""))
        if self._sorted[0] != at:
            self._sorted = (at, sorted(rows, key=int))
        return self._sorted[1]

    def archived_ids(self) -> list[str]:
        """Record ids of archived contacts in numeric order; merged ones are not among them."""
        return sorted((key for key, row in self._archived.rows.items() if not row.get("merged_into")), key=int)

    def checked(self, properties: object) -> Fields:
        """What would be stored of `properties`; refuses the whole call for one bad value."""
        if not isinstance(properties, Mapping):
            raise invalid("Invalid input JSON: properties must be an object")
        stored: Fields = {}
        errors = []
        for name, value in properties.items():
            if not isinstance(value, str):
                raise invalid(f"Invalid input JSON: the value of property {name} must be text")
            known = self._portal.properties.find(name)
            if known is None:
                errors.append(PropertyError(name, "PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist'))
                continue
            try:
                stored[name] = accept(known, value)
            except PropertyError as error:
                errors.append(error)
        if errors:
            raise invalid_properties(errors)
        return stored

    def refuse_taken(self, changes: Fields, key: str | None) -> None:
        """Refuse a unique value that another contact has."""
        for name, value in changes.items():
            known = self._portal.properties.find(name)
            if known is None or not known.unique or not value:
                continue
            holder = self._index(name).get(value)
            if holder is not None and holder != key:
                raise refusal(409, "CONFLICT", f"Contact already exists. Existing ID: {holder}")

    def update(self, key: str, changes: Fields) -> bool:
        """Store checked changes; True when a value became different. The stamp moves either way."""
        before = self._table.rows[key]
        self._table.update(key, {**changes, **self._following(changes)})
        self._remember(key, before, changes)
        return any((before.get(name) or "") != value for name, value in changes.items())

    def create(self, changes: Fields) -> str:
        """Store a checked new contact and return its id."""
        key = self._table.insert({**changes, **self._following(changes)})
        self._remember(key, {}, changes)
        return key

    def follow_status(self, address: str, *, opted_out: bool) -> None:
        """Let the contact with this address, if there is one, show what its subscription status became."""
        key = self.find(address, "email")
        if key is not None:
            before = self._table.rows[key]
            self._table.update(key, {OPTOUT_PROPERTY: "true" if opted_out else "false"}, actor="vendor")
            self._remember(key, before, {})

    def archive(self, key: str) -> None:
        """Move a contact to the bin."""
        row = self._table.rows[key]
        self._table.delete(key)
        self._archived.insert(row, key=key, actor="vendor")
        self._leave_lists(key)

    def erase(self, key: str) -> None:
        """Forget a contact for good."""
        self._table.delete(key)
        self._leave_lists(key)

    def merge(self, winner: str, loser: str) -> None:
        """Make one contact of two: the winner keeps its values and takes the loser's where it has none."""
        gained, kept = self._table.rows[loser], self._table.rows[winner]
        self.archive(loser)
        self._archived.update(loser, {"merged_into": winner}, actor="vendor")
        missing = {
            name: value
            for name, value in gained.items()
            if value and not kept.get(name) and name not in {RECORD_ID, "hs_merged_object_ids"}
        }
        merged = ";".join(filter(None, [kept.get("hs_merged_object_ids"), gained.get("hs_merged_object_ids"), loser]))
        self._table.update(winner, {**missing, "hs_merged_object_ids": merged})

    def show(self, key: str, names: Sequence[str], row: Fields | None = None) -> dict[str, Any]:
        """A contact as an answer shows it; an empty property is null."""
        row = self._table.rows[key] if row is None else row
        shown: dict[str, Any] = {name: row.get(name) or None for name in names}
        shown["hs_object_id"] = key
        return {
            "id": key,
            "properties": shown,
            "createdAt": row["createdate"],
            "updatedAt": row["lastmodifieddate"],
            "archived": False,
        }

    def show_archived(self, key: str, names: Sequence[str]) -> dict[str, Any]:
        """An archived contact as an answer shows it."""
        row = self._archived.rows[key]
        return {**self.show(key, names, row), "archived": True, "archivedAt": row["archived_at"]}

    def names(self, asked: Iterable[str]) -> list[str]:
        """The properties that an answer shows; unknown ones are passed over, as HubSpot does."""
        wanted = [name for name in asked if self._portal.properties.find(name) is not None]
        return sorted({*wanted, *ALWAYS}) if wanted else list(USUAL)

    def _following(self, changes: Fields) -> Fields:
        """The opt-out property follows the subscription status of the address."""
        email = changes.get("email")
        said = self._portal.state.tables["subscriptions"].get(email) if email else None
        if said is None:
            return {}
        return {OPTOUT_PROPERTY: "true" if said["status"] == "NOT_SUBSCRIBED" else "false"}

    def _leave_lists(self, key: str) -> None:
        lists = self._portal.state.tables["lists"]
        for list_id, row in list(lists.rows.items()):
            if key in row["members"]:
                lists.update(list_id, {"members": row["members"] - {key}}, actor="vendor")

    def _index(self, name: str) -> dict[str, str]:
        at, index = self._unique.get(name, (-1, {}))
        if at != self._table.changes:
            index = {value.lower() if name == "email" else value: key for key, value in self._values(name)}
            self._unique[name] = (self._table.changes, index)
        return index

    def _values(self, name: str) -> Iterable[tuple[str, str]]:
        return ((key, row[name]) for key, row in self._table.rows.items() if row.get(name))

    def _remember(self, key: str, before: Fields, changes: Fields) -> None:
        """Keep the unique indexes in step with our own write, which moved the change counter by one."""
        for name, (at, index) in list(self._unique.items()):
            if at != self._table.changes - 1:
                continue
            if name in changes and before.get(name) and before[name] != changes[name]:
                del self._unique[name]
                continue
            if changes.get(name):
                index[changes[name]] = key
            self._unique[name] = (self._table.changes, index)
