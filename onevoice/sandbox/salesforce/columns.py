"""The fields that a statement names, over parent relationships too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onevoice.sandbox.gate import RefusalError
from onevoice.sandbox.salesforce.errors import refusal
from onevoice.sandbox.salesforce.schema import FieldDef, Schema
from onevoice.sandbox.salesforce.values import Getter, getter
from onevoice.sandbox.state import Fields, VendorState


@dataclass(frozen=True, slots=True)
class Step:
    """One parent relationship on the way to a field; `parent_id` reads the parent's id from the first record."""

    relation: str
    parent: str
    parent_id: Getter


@dataclass(frozen=True, slots=True)
class Column:
    """A field as a statement reaches it; `read` gives its value, None where a parent is missing."""

    field: FieldDef
    read: Getter
    steps: tuple[Step, ...] = ()


class Columns:
    """Resolves field paths against one object."""

    def __init__(self, schema: Schema, state: VendorState, entity: str) -> None:
        self.entity = entity
        self._schema = schema
        self._state = state

    def find(self, path: str) -> Column:
        """The column behind `Field` or `Parent.Field`; refuses what does not exist."""
        *relations, name = path.split(".")
        entity = self.entity
        steps: list[Step] = []
        for relation in relations:
            reference = self._reference(entity, relation)
            steps.append(Step(reference.relation, reference.parent, self._reach(steps, getter(entity, reference))))
            entity = reference.parent
        field = self._schema.fields(entity).get(name.lower())
        if field is None:
            raise unknown_field(name, entity)
        return Column(field, self._reach(steps, getter(entity, field)), tuple(steps))

    def _reach(self, steps: list[Step], read: Getter) -> Getter:
        if not steps:
            return read
        parents = self._state.tables[steps[-1].parent].rows
        parent_id = steps[-1].parent_id

        def through(key: str, row: Fields) -> Any:
            found = parent_id(key, row)
            parent = parents.get(found) if found else None
            return None if parent is None else read(found, parent)

        return through

    def _reference(self, entity: str, relation: str) -> FieldDef:
        for field in self._schema.fields(entity).values():
            if field.parent and field.relation.lower() == relation.lower():
                return field
        raise refusal(
            400,
            "INVALID_FIELD",
            f"Didn't understand relationship '{relation}' in field path. If you are attempting to use a custom "
            "relationship, be sure to append the '__r' after the custom relationship name.",
        )


def unknown_field(name: str, entity: str) -> RefusalError:
    """A field that the object does not have, named in a statement."""
    return refusal(
        400,
        "INVALID_FIELD",
        f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to append "
        "the '__c' after the custom field name.",
    )
