"""/crm/v3/objects/contacts/batch: up to 100 contacts in one call. Answers 207 when some of them failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request

from onevoice.sandbox.calls import DONE, PARTIAL_FAILURE
from onevoice.sandbox.gate import Answer
from onevoice.sandbox.hubspot.contacts_store import Contacts
from onevoice.sandbox.hubspot.errors import VALIDATION, invalid, row_error
from onevoice.sandbox.hubspot.portal import Portal, json_object
from onevoice.sandbox.state import Fields, hubspot_stamp

MOST = 100
"""Inputs in one batch call."""

Input = Mapping[str, Any]


class Batches:
    """The batch endpoints. A bad property value refuses the whole call; a bad record only itself."""

    def __init__(self, portal: Portal, contacts: Contacts) -> None:
        self._portal = portal
        self._contacts = contacts

    async def read(self, request: Request) -> Answer:
        """POST /batch/read: a direct read, no lag."""
        body = await json_object(request)
        inputs = self._inputs(body, "id")
        names = self._contacts.names(map(str, body.get("properties") or ()))
        id_property = body.get("idProperty")
        results, lost = [], []
        for one in inputs:
            key = self._contacts.find(str(one["id"]), None if id_property is None else str(id_property))
            if key is None:
                lost.append(str(one["id"]))
            else:
                results.append(self._contacts.show(key, names))
        errors = [_gone(lost)] if lost else []
        return self._answer(200, results, errors, units=0, outcome=DONE)

    async def update(self, request: Request) -> Answer:
        """POST /batch/update."""
        inputs = self._inputs(await json_object(request), "id", "properties")
        checked = [(one, self._contacts.checked(one["properties"])) for one in inputs]
        self._refuse_repeated(inputs)
        self._refuse_taken(checked)
        return self._written(checked, 200, self._updated)

    async def create(self, request: Request) -> Answer:
        """POST /batch/create."""
        inputs = self._inputs(await json_object(request), "properties")
        checked = [(one, self._contacts.checked(one["properties"])) for one in inputs]
        self._refuse_taken(checked)
        self._refuse_repeated_values([changes for _, changes in checked])
        return self._written(checked, 201, self._created)

    async def upsert(self, request: Request) -> Answer:
        """POST /batch/upsert: found by record id, or by a property with unique values; made when not found."""
        inputs = self._inputs(await json_object(request), "id", "properties")
        checked = [(one, self._contacts.checked(one["properties"])) for one in inputs]
        self._refuse_repeated(inputs)
        self._refuse_taken(checked)
        return self._written(checked, 200, self._upserted, tell_new=True)

    async def archive(self, request: Request) -> Answer:
        """POST /batch/archive; contacts that are gone already are no error."""
        keys = {self._contacts.find(str(one["id"])) for one in self._inputs(await json_object(request), "id")} - {None}
        for key in keys:
            self._contacts.archive(str(key))
        return Answer(204, units=len(keys))

    def _updated(self, one: Input, changes: Fields) -> tuple[str, bool, bool] | None:
        key = self._find(one)
        return None if key is None else (key, False, self._contacts.update(key, changes))

    def _created(self, _one: Input, changes: Fields) -> tuple[str, bool, bool] | None:
        return self._contacts.create(changes), True, True

    def _upserted(self, one: Input, changes: Fields) -> tuple[str, bool, bool] | None:
        if self._find(one) is not None or not one.get("idProperty"):
            return self._updated(one, changes)
        identity = self._contacts.checked({str(one["idProperty"]): str(one["id"])})
        return self._created(one, {**identity, **changes})

    def _find(self, one: Input) -> str | None:
        if one.get("id") is None:
            return None
        id_property = one.get("idProperty")
        return self._contacts.find(str(one["id"]), None if id_property is None else str(id_property))

    def _written(
        self,
        checked: Sequence[tuple[Input, Fields]],
        status: int,
        write: Callable[[Input, Fields], tuple[str, bool, bool] | None],
        *,
        tell_new: bool = False,
    ) -> Answer:
        """Write record by record; `write` gives (record id, made anew, changed), or None when there is none."""
        failing = self._portal.limits.failing_rows(len(checked))
        results, errors, units = [], [], 0
        for position, (one, changes) in enumerate(checked):
            if position in failing:
                errors.append(row_error("INTERNAL_ERROR", "internal error", _context(one)))
                continue
            if self._portal.limits.rejects(self._find(one) or ""):
                errors.append(
                    row_error(VALIDATION, "This contact is under review and cannot be edited.", _context(one))
                )
                continue
            written = write(one, changes)
            if written is None:
                errors.append(_gone([str(one["id"])], one))
                continue
            key, new, changed = written
            units += changed
            shown = self._contacts.show(key, self._contacts.names(changes))
            if tell_new:
                shown["new"] = new
            if one.get("objectWriteTraceId") is not None:
                shown["objectWriteTraceId"] = one["objectWriteTraceId"]
            results.append(shown)
        return self._answer(status, results, errors, units, PARTIAL_FAILURE if errors else DONE)

    def _answer(
        self, status: int, results: list[dict[str, Any]], errors: list[dict[str, Any]], units: int, outcome: str
    ) -> Answer:
        stamp = hubspot_stamp(self._portal.state.clock.now())
        body: dict[str, Any] = {
            "status": "COMPLETE",
            "results": results,
            "startedAt": stamp,
            "completedAt": stamp,
        }
        if not errors:
            return Answer(status, body, units=units, outcome=outcome)
        return Answer(207, {**body, "numErrors": len(errors), "errors": errors}, units=units, outcome=outcome)

    def _inputs(self, body: Mapping[str, Any], *needed: str) -> list[Input]:
        inputs = body.get("inputs")
        if not isinstance(inputs, list) or not inputs:
            raise invalid("Invalid input JSON: inputs must be a list with at least one entry")
        if len(inputs) > MOST:
            raise invalid(f"The maximum number of inputs supported in a batch request is {MOST}")
        for one in inputs:
            if not isinstance(one, Mapping) or any(one.get(name) is None for name in needed):
                raise invalid(f"Invalid input JSON: some of the required attributes are not set: {list(needed)}")
        return inputs

    def _refuse_repeated(self, inputs: Sequence[Input]) -> None:
        counted = Counter(str(one["id"]) for one in inputs)
        repeated = [name for name, count in counted.items() if count > 1]
        if repeated:
            raise invalid(f"Duplicate IDs found in batch input: {repeated}. IDs must be unique")

    def _refuse_taken(self, checked: Sequence[tuple[Input, Fields]]) -> None:
        for one, changes in checked:
            self._contacts.refuse_taken(changes, self._find(one))

    def _refuse_repeated_values(self, rows: Sequence[Fields]) -> None:
        emails = Counter(row["email"] for row in rows if row.get("email"))
        if any(count > 1 for count in emails.values()):
            raise invalid("Duplicate email addresses found in batch input")


def _context(one: Input) -> dict[str, list[str]]:
    context = {"ids": [str(one["id"])]} if one.get("id") is not None else {}
    if one.get("objectWriteTraceId") is not None:
        context["objectWriteTraceId"] = [str(one["objectWriteTraceId"])]
    return context


def _gone(ids: list[str], one: Input | None = None) -> dict[str, Any]:
    message = "Could not get some CONTACT objects, they may be deleted or not exist. Check that ids are valid."
    return row_error("OBJECT_NOT_FOUND", message, {**(_context(one) if one else {}), "ids": ids})
