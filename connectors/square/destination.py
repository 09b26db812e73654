"""Writing to customers: custom attributes, 25 a call over all customers of the batch, and groups, one a call.

Nothing else is ever written: what Square says of consent is the customer's own word and read-only, and points belong to
the till. Values are absolute, so what was sent may be sent again. No idempotency keys: Square would answer a key it
knows with the old answer and do nothing, also where another value stood in between.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from connectors._http import Refused
from connectors._words import vendor_code
from connectors.square.attributes import PREFIX as ATTRIBUTE
from connectors.square.client import NOT_FOUND, Client, first_error, quoted, side_by_side
from connectors.square.groups import PREFIX as GROUP
from connectors.square.groups import Groups
from connectors.square.settling import CONFLICTS, Part, Settling
from onevoice.errors import ConnectorError
from onevoice.protocols import Json, Write, WriteResult

UPSERTS = 25
"""Attributes of one bulk-upsert."""
ROUNDS = 3
"""How often a part is sent that met another writer."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,191}")
_KEY = re.compile(r"[A-Za-z0-9._-]{1,60}")


class Destination:
    """The stream `customers`, for writing."""

    def __init__(self, client: Client, groups: Groups) -> None:
        self._client = client
        self._groups = groups

    def write(self, writes: Sequence[Write]) -> Sequence[WriteResult]:
        """Send one batch. `custom_attributes.<key>`: None deletes; `in_group.<name>`: true puts in, else takes out."""
        settling = Settling(writes)
        parts = [part for write in writes for part in _parts(write, settling)]
        attributes = [part for part in parts if part.name.startswith(ATTRIBUTE)]
        self._set([part for part in attributes if part.value is not None], settling)
        self._one_by_one([part for part in attributes if part.value is None], settling)
        self._one_by_one([part for part in parts if part.name.startswith(GROUP)], settling)
        return settling.results()

    def _set(self, parts: Sequence[Part], settling: Settling) -> None:
        todo = list(parts)
        for _ in range(ROUNDS):
            again: list[Part] = []
            for start in range(0, len(todo), UPSERTS):
                batch = todo[start : start + UPSERTS]
                if settling.failure is not None:
                    settling.unsent(batch, settling.failure)
                else:
                    again += self._upsert(batch, settling)
            todo = again
        if todo:
            self._give_up(todo, settling)

    def _upsert(self, parts: Sequence[Part], settling: Settling) -> list[Part]:
        """Send one call; the parts that met another writer come back. A call that Square refuses for one of its parts
        is halved until that part is alone."""
        values = {str(place): _upserted(part) for place, part in enumerate(parts)}
        path = "/customers/custom-attributes/bulk-upsert"
        try:
            answer = self._client.call("write", "POST", path, stream="customers", write=True, json={"values": values})
        except Refused as exc:
            if len(parts) == 1:
                settling.refused(parts[0], first_error(exc.body), exc.code)
                return []
            middle = len(parts) // 2
            return self._upsert(parts[:middle], settling) + self._upsert(parts[middle:], settling)
        except ConnectorError as exc:
            settling.failed(parts, exc)
            return []
        told = answer.get("values") or {}
        again = []
        for place, part in enumerate(parts):
            response = told.get(str(place)) or {}
            error = first_error(response)
            code = vendor_code(error.get("code"))
            if error and code in CONFLICTS:
                again.append(part)
            elif error:
                settling.refused(part, error, code)
            else:
                _check(part, response, settling)
        return again

    def _give_up(self, parts: Sequence[Part], settling: Settling) -> None:
        for part in parts:
            settling.refused(part, {"detail": "another writer was faster each time"}, "CONFLICT")

    def _one_by_one(self, parts: Sequence[Part], settling: Settling) -> None:
        """Calls that Square has for single values only; a few side by side."""
        by_place = {str(place): part for place, part in enumerate(parts)}
        groups = {part.name: self._groups.find(part.name.removeprefix(GROUP)) for part in parts if _is_group(part)}

        def send(place: str) -> None:
            part = by_place[place]
            if settling.failure is not None:
                settling.unsent([part], settling.failure)
            elif not _is_group(part):
                self._delete(part, settling)
            elif group := groups[part.name]:
                self._move(part, group, settling)
            else:
                settling.rejected(part.customer, "GROUP_MISSING", f"{part.name}: there is no such group (provision it)")

        side_by_side(send, list(by_place))

    def _delete(self, part: Part, settling: Settling) -> None:
        path = f"/customers/{quoted(part.customer)}/custom-attributes/{quoted(_key(part))}"
        self._send(part, "DELETE", path, settling, done_when_missing=True)

    def _move(self, part: Part, group: str, settling: Settling) -> None:
        method = "PUT" if part.value else "DELETE"
        path = f"/customers/{quoted(part.customer)}/groups/{quoted(group)}"
        self._send(part, method, path, settling, done_when_missing=False)

    def _send(self, part: Part, method: str, path: str, settling: Settling, *, done_when_missing: bool) -> None:
        try:
            self._client.call("write", method, path, stream="customers", write=True)
        except Refused as exc:
            if exc.status == NOT_FOUND and done_when_missing:
                settling.unchanged(part)
            else:
                settling.refused(part, first_error(exc.body), exc.code)
        except ConnectorError as exc:
            settling.failed([part], exc)
        else:
            settling.accepted(part)


def _parts(write: Write, settling: Settling) -> list[Part]:
    """The parts of a write; none, and a rejection, when one of its fields is not the hub's to write."""
    if not _ID.fullmatch(write.key):
        settling.rejected(write.key, "MALFORMED_ID", "the key is not a Square customer id")
        return []
    wrong = [name for name in write.fields if not _writable(name)]
    if wrong:
        settling.rejected(
            write.key, "NOT_ALLOWED", f"only custom attributes and groups are written: {', '.join(wrong)}"
        )
        return []
    return [Part(write.key, name, value) for name, value in write.fields.items()]


def _writable(name: str) -> bool:
    if name.startswith(GROUP):
        return len(name) > len(GROUP)
    return name.startswith(ATTRIBUTE) and bool(_KEY.fullmatch(name.removeprefix(ATTRIBUTE)))


def _is_group(part: Part) -> bool:
    return part.name.startswith(GROUP)


def _key(part: Part) -> str:
    return part.name.removeprefix(ATTRIBUTE)


def _upserted(part: Part) -> Json:
    return {"customer_id": part.customer, "custom_attribute": {"key": _key(part), "value": encoded(part.value)}}


def _check(part: Part, response: Json, settling: Settling) -> None:
    """An entry without an error must show the attribute with the value that was sent."""
    answered = response.get("custom_attribute")
    if not isinstance(answered, dict):
        settling.forgotten(part)
    elif "value" in answered and answered["value"] != encoded(part.value):
        settling.rejected(part.customer, "VALUE_NOT_KEPT", f"{part.name}: not kept as sent")
    else:
        settling.accepted(part)


def encoded(value: object) -> object:
    """A value as an attribute holds it: Square keeps numbers as text."""
    return value if isinstance(value, bool | str) else str(value)
