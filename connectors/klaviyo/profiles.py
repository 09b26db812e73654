"""What a profile looks like: which attributes are asked for, and how an answer becomes a record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from connectors.klaviyo.client import RECORD_ID, Client, Params
from onevoice.errors import ContractBroken
from onevoice.protocols import Record

PAGE = 100
"""Profiles an answer holds at most, and values asked for in one `any`."""
LONGEST_FILTER = 6000
"""Characters of a filter as it stands in the address; servers on the way take eight thousand of a whole address."""
STAMP = "updated"
SUPPRESSED = "email_suppressed"
"""Our own addition to a record: whether any suppression of the address is in force, whatever its reason."""
PROPERTIES = "properties."
"""What the name of a custom property begins with in mappings."""
_SUBSCRIPTIONS = "subscriptions"
_CHANNELS = ("email", "sms")
_ATTRIBUTES = frozenset(
    {
        "created",
        "email",
        "external_id",
        "first_name",
        "last_name",
        "locale",
        "location",
        "organization",
        "phone_number",
        "properties",
        _SUBSCRIPTIONS,
        "title",
        STAMP,
    }
)
"""Attributes that `fields[profile]` takes."""


def moment(text: str) -> datetime:
    """Klaviyo's time as aware UTC. Its examples carry an offset, the form that it describes has none."""
    parsed = datetime.fromisoformat(text)
    return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)


class Shape:
    """The part of a profile that is wanted: only that is asked for, and only that becomes data."""

    def __init__(self, fields: Iterable[str]) -> None:
        """`fields` are dotted paths such as `properties.birth_date`; unknown ones are left out."""
        wanted = set(fields)
        self._all_properties = "properties" in wanted
        self._properties = sorted(name.removeprefix(PROPERTIES) for name in wanted if name.startswith(PROPERTIES))
        heads = {_SUBSCRIPTIONS if name == SUPPRESSED else name.partition(".")[0] for name in wanted}
        self._heads = sorted((heads & _ATTRIBUTES) | {STAMP})
        self.with_subscriptions = _SUBSCRIPTIONS in self._heads

    def params(self) -> Params:
        """Query parameters that ask for this part. Subscriptions are left out of an answer unless asked for twice."""
        asked = {"fields[profile]": ",".join(self._heads)}
        return asked | {"additional-fields[profile]": _SUBSCRIPTIONS} if self.with_subscriptions else asked

    def record(self, resource: Mapping[str, Any]) -> Record:
        """A profile as answered, as a record; ContractBroken when it is not one."""
        try:
            attributes = resource["attributes"]
            data = {name: attributes.get(name) for name in self._heads if name not in {"properties", _SUBSCRIPTIONS}}
            data["id"] = str(resource["id"])
            if "properties" in self._heads:
                data["properties"] = self._chosen(attributes.get("properties") or {})
            if self.with_subscriptions:
                data[_SUBSCRIPTIONS] = _marketing(attributes.get(_SUBSCRIPTIONS) or {})
                data[SUPPRESSED] = _is_suppressed(attributes)
            return Record(data["id"], data, moment(attributes[STAMP]))
        except (KeyError, TypeError, AttributeError, ValueError) as exc:
            raise ContractBroken("profiles: an answered profile is not one (check revision)") from exc

    def _chosen(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Custom properties are whatever anybody stored: those nobody asked for stay where they are."""
        if self._all_properties:
            return dict(properties)
        return {name: properties[name] for name in self._properties if name in properties}


def _is_suppressed(attributes: Mapping[str, Any]) -> bool:
    """Whether Klaviyo sends the profile no marketing e-mail, whatever its consent."""
    email = (attributes.get(_SUBSCRIPTIONS) or {}).get("email") or {}
    return bool((email.get("marketing") or {}).get("suppression"))


def fetch_profiles(client: Client, keys: Sequence[str], shape: Shape) -> Iterator[Record]:
    """The profiles with these ids as they are now, in this order; one that is not there comes as deleted."""
    askable = [key for key in keys if RECORD_ID.fullmatch(key)]
    resources = _profiles_by(client, "id", askable, shape, stream="profiles")
    found = {record.key: record for record in map(shape.record, resources)}
    for key in keys:
        yield found.get(key) or Record(key, {}, deleted=True)


def suppression_states(client: Client, addresses: Sequence[str]) -> Mapping[str, bool]:
    """Address as asked for -> whether it is suppressed; addresses of no profile are left out."""
    shape = Shape(["email", SUPPRESSED])
    found: dict[str, bool] = {}
    for resource in _profiles_by(client, "email", addresses, shape, stream="suppressions"):
        attributes: Mapping[str, Any] = resource["attributes"]
        found[str(attributes.get("email") or "").casefold()] = _is_suppressed(attributes)
    return {address: found[address.casefold()] for address in addresses if address.casefold() in found}


def _profiles_by(
    client: Client, field: str, values: Sequence[str], shape: Shape, *, stream: str
) -> Iterable[Mapping[str, Any]]:
    """The profiles whose `field` (id or email) is one of `values`."""
    for listed in _lists(values):
        params: Params = {"filter": f"any({field},[{listed}])", "page[size]": PAGE, **shape.params()}
        for resources in client.pages("/api/profiles", params, stream=stream):
            yield from resources


def _lists(values: Sequence[str]) -> Iterator[str]:
    """The values as quoted lists: no more in one than an answer holds, and none too long to stand in an address."""
    quoted = [json.dumps(value, ensure_ascii=False) for value in values]
    start, length = 0, 0
    for place, text in enumerate(quoted):
        size = len(quote(f"{text},"))
        if place - start == PAGE or (place > start and length + size > LONGEST_FILTER):
            yield ",".join(quoted[start:place])
            start, length = place, 0
        length += size
    if quoted:
        yield ",".join(quoted[start:])


def _marketing(subscriptions: Mapping[str, Any]) -> Mapping[str, Any]:
    """Marketing by e-mail and SMS; what else hangs there (opens, push, transactional) is none of ours."""
    return {channel: {"marketing": (subscriptions.get(channel) or {}).get("marketing") or {}} for channel in _CHANNELS}
