"""One record created, updated, upserted or deleted: what every endpoint that writes is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onevoice.sandbox.salesforce.errors import RowError
from onevoice.sandbox.salesforce.org import Org
from onevoice.sandbox.salesforce.schema import FieldDef
from onevoice.sandbox.salesforce.values import accept, find, is_id
from onevoice.sandbox.state import Fields, salesforce_stamp

_NOT_FIELDS = frozenset({"attributes", "id"})


class Writer:
    """Checks and carries out writes; raises RowError for what the org does not take."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._unique: dict[tuple[str, str], tuple[int, dict[object, str]]] = {}

    def locate(self, entity: str, record_id: object) -> str:
        """The full id of a record that may be written."""
        if not is_id(record_id):
            raise RowError("MALFORMED_ID", f"{entity} ID: id value of incorrect type", ("Id",))
        key = find(self._org.state, entity, str(record_id))
        if key is None:
            raise RowError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
        if self._org.state.tables[entity].rows[key].get("IsDeleted"):
            raise RowError("ENTITY_IS_DELETED", "entity is deleted")
        return key

    def checked(self, entity: str, key: str | None, body: Mapping[str, Any]) -> Fields:
        """What would be stored of `body`; `key` is None for a record that is to be created."""
        known = self._org.schema.fields(entity)
        changes: Fields = {}
        for name, value in body.items():
            if name.lower() in _NOT_FIELDS:
                continue
            field = known.get(name.lower())
            if field is None:
                raise RowError("INVALID_FIELD", f"No such column '{name}' on sobject of type {entity}", (name,))
            changes[field.name] = accept(self._org.state, field, value)
            if field.unique and changes[field.name] is not None:
                self._refuse_duplicate(entity, field, changes[field.name], key)
        if key is None:
            missing = [field.name for field in known.values() if field.required and changes.get(field.name) is None]
            if missing:
                raise RowError("REQUIRED_FIELD_MISSING", f"Required fields are missing: {missing}", tuple(missing))
        else:
            self._org.limits.reject(key)
        return changes

    def update(self, entity: str, key: str, changes: Fields) -> bool:
        """Store checked changes; True when a value became different. The stamps move either way."""
        table = self._org.state.tables[entity]
        before = table.rows[key]
        table.update(key, {**changes, **self._following(entity, changes)})
        self._remember(entity, key, before, changes)
        return any(before.get(name) != value for name, value in changes.items())

    def create(self, entity: str, changes: Fields) -> str:
        """Store a checked new record and return its id."""
        table = self._org.state.tables[entity]
        fields = {**changes, **self._following(entity, {"Status": "New", **changes} if entity == "Case" else changes)}
        if entity == "Case":
            fields.setdefault("CaseNumber", f"{len(table) + 1001:08d}")
        key = table.insert(fields)
        self._remember(entity, key, {}, changes)
        return key

    def delete(self, entity: str, key: str) -> None:
        """Move a record to the bin: it stays readable for queries that ask for deleted records."""
        self._org.state.tables[entity].update(key, {"IsDeleted": True})
        self._org.state.note(entity, key, "(record)", None, "deleted", "api")

    def by_value(self, entity: str, field: FieldDef, value: object) -> str | None:
        """The id of the record that holds `value` in a unique field."""
        return self._index(entity, field.name).get(value)

    def _following(self, entity: str, changes: Fields) -> Fields:
        """What the vendor sets by itself when these fields change."""
        if entity != "Case" or "Status" not in changes:
            return {}
        closed = changes["Status"] == "Closed"
        moment = salesforce_stamp(self._org.state.clock.now()) if closed else None
        return {"Status": changes["Status"], "IsClosed": closed, "ClosedDate": moment}

    def _refuse_duplicate(self, entity: str, field: FieldDef, value: object, key: str | None) -> None:
        holder = self._index(entity, field.name).get(value)
        if holder is not None and holder != key:
            raise RowError(
                "DUPLICATE_VALUE",
                f"duplicate value found: {field.name} duplicates value on record with id: {holder}",
                (field.name,),
            )

    def _index(self, entity: str, name: str) -> dict[object, str]:
        table = self._org.state.tables[entity]
        changes, index = self._unique.get((entity, name), (-1, {}))
        if changes != table.changes:
            index = {row[name]: key for key, row in table.rows.items() if row.get(name) and not row.get("IsDeleted")}
            self._unique[entity, name] = (table.changes, index)
        return index

    def _remember(self, entity: str, key: str, before: Fields, changes: Fields) -> None:
        """Keep the unique indexes in step with our own write, which moved the change counter by one."""
        table = self._org.state.tables[entity]
        for (of, name), (at, index) in list(self._unique.items()):
            if of != entity or at != table.changes - 1:
                continue
            if name in changes and before.get(name) not in {None, changes[name]}:
                del self._unique[of, name]
                continue
            if changes.get(name):
                index[changes[name]] = key
            self._unique[of, name] = (table.changes, index)
