"""Profiles found by their identifiers, checked, made and changed: what endpoints and jobs are made of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from onevoice.sandbox.klaviyo.documents import MOST_PROFILE_BYTES
from onevoice.sandbox.klaviyo.errors import ProfileError
from onevoice.sandbox.state import Fields, VendorState

IDENTIFIERS = ("email", "phone_number", "external_id")
TEXTS = (*IDENTIFIERS, "first_name", "last_name", "organization", "locale", "title", "image")
PLACE = ("address1", "address2", "city", "country", "region", "zip", "timezone", "ip")
COORDINATES = ("latitude", "longitude")

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_PHONE = re.compile(r"\+[1-9]\d{6,14}")


class Profiles:
    """The account's profiles."""

    def __init__(self, state: VendorState) -> None:
        self.table = state.tables["profiles"]
        self._index: dict[str, dict[str, str]] = {}
        self._at = -1

    def find(self, field: str, value: str | None) -> str | None:
        """The profile that has this identifier."""
        if not value:
            return None
        self._refresh()
        return self._index[field].get(_folded(value))

    def matching(self, attributes: Mapping[str, Any]) -> str | None:
        """The one profile that has an identifier of these; ProfileError when they belong to several."""
        found = {self.find(field, attributes.get(field)) for field in IDENTIFIERS} - {None}
        if len(found) > 1:
            raise _duplicate(str(min(filter(None, found))))
        return next(iter(found), None)

    def check(self, attributes: Mapping[str, Any], owner: str | None) -> None:
        """ProfileError unless these, well-formed, may stand on the profile `owner` (None: on a new one)."""
        for field in IDENTIFIERS:
            other = self.find(field, attributes.get(field))
            if other is not None and other != owner:
                raise _duplicate(other)
        if owner is None and not any(attributes.get(field) for field in IDENTIFIERS):
            raise _invalid("One of 'email', 'phone_number', 'external_id' or 'id' is required.", "")

    def create(self, attributes: Mapping[str, Any], patch: Mapping[str, Any] | None = None) -> str:
        """A new profile of checked attributes."""
        row = _merged({}, attributes, patch or {})
        self._refresh()
        key = self.table.insert({"properties": {}, "location": {}, **row})
        self._wrote(key, {})
        return key

    def change(self, key: str, attributes: Mapping[str, Any], patch: Mapping[str, Any] | None = None) -> None:
        """Put checked attributes on a profile: null clears, what is absent stays. An empty change leaves no stamp."""
        before = self.table.rows[key]
        changes = _merged(before, attributes, patch or {})
        if changes:
            self.write(key, changes)

    def write(self, key: str, changes: Fields) -> None:
        """Put whole fields of its row on a profile."""
        before = self.table.rows[key]
        self._refresh()
        self.table.update(key, changes)
        self._wrote(key, before)

    def _refresh(self) -> None:
        """Read the identifiers anew when somebody else has changed the table."""
        if self._at == self.table.changes:
            return
        self._index = {field: {} for field in IDENTIFIERS}
        for key, row in self.table.rows.items():
            self._enter(key, row)
        self._at = self.table.changes

    def _wrote(self, key: str, before: Mapping[str, Any]) -> None:
        for field in IDENTIFIERS:
            value = before.get(field)
            if value and self._index[field].get(_folded(value)) == key:
                del self._index[field][_folded(value)]
        self._enter(key, self.table.rows[key])
        self._at = self.table.changes

    def _enter(self, key: str, row: Mapping[str, Any]) -> None:
        for field in IDENTIFIERS:
            if row.get(field):
                self._index[field].setdefault(_folded(row[field]), key)


def check_form(attributes: Mapping[str, Any]) -> None:
    """ProfileError unless these are attributes of a profile, with values of their kind."""
    if len(orjson.dumps(attributes)) > MOST_PROFILE_BYTES:
        raise _invalid("The profile exceeds 100 KB.", "")
    for name, value in attributes.items():
        _check_attribute(name, value)


def check_patch(meta: object) -> Mapping[str, Any]:
    """The `patch_properties` of a profile's `meta`; ProfileError for what is not understood."""
    patch = meta.get("patch_properties") if isinstance(meta, Mapping) and len(meta) == 1 else None
    if not isinstance(patch, Mapping) or set(patch) - {*_PATCHES, "unset"}:
        raise _invalid("'meta' takes 'patch_properties' with 'append', 'unappend' and 'unset' only.", "/meta")
    if not all(isinstance(patch.get(name, {}), Mapping) for name in _PATCHES):
        raise _invalid("'append' and 'unappend' must be objects.", "/meta/patch_properties")
    return patch


def _merged(before: Mapping[str, Any], attributes: Mapping[str, Any], patch: Mapping[str, Any]) -> Fields:
    """The fields of the row that these attributes change, whole."""
    changes: Fields = {name: value for name, value in attributes.items() if name in TEXTS}
    for name in ("location", "properties"):
        if name in attributes:
            changes[name] = _overlaid(before.get(name) or {}, attributes[name])
    if patch:
        changes["properties"] = _patched(changes.get("properties", before.get("properties") or {}), patch)
    return changes


def _overlaid(before: Mapping[str, Any], given: Mapping[str, Any] | None) -> Fields:
    if given is None:
        return {}
    return {name: value for name, value in {**before, **given}.items() if value is not None}


def _patched(properties: Mapping[str, Any], patch: Mapping[str, Any]) -> Fields:
    """`append` adds values to lists, `unappend` takes them out, `unset` removes properties."""
    patched = dict(properties)
    for action, change in _PATCHES.items():
        for name, values in patch.get(action, {}).items():
            patched[name] = change(_as_list(patched.get(name)), _as_list(values))
    for name in _as_list(patch.get("unset")):
        patched.pop(name, None)
    return patched


_PATCHES: Mapping[str, Callable[[list[Any], list[Any]], list[Any]]] = {
    "append": lambda kept, values: kept + [value for value in values if value not in kept],
    "unappend": lambda kept, values: [value for value in kept if value not in values],
}


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _check_attribute(name: str, value: Any) -> None:
    pointer = f"/attributes/{name}"
    if name in TEXTS:
        if value is not None and not isinstance(value, str):
            raise _invalid(f"'{name}' must be a string or null.", pointer)
        if name == "email" and value is not None and not _EMAIL.fullmatch(value):
            raise _invalid("Invalid email address", pointer)
        if name == "phone_number" and value is not None and not _PHONE.fullmatch(value):
            raise _invalid("Invalid phone number format (Example of a valid format: +12345678901)", pointer)
    elif name == "location":
        known = {*PLACE, *COORDINATES}
        if value is not None and (not isinstance(value, Mapping) or set(value) - known):
            raise _invalid(f"'location' must be an object of {', '.join(sorted(known))}.", pointer)
    elif name == "properties":
        if value is not None and not isinstance(value, Mapping):
            raise _invalid("'properties' must be an object.", pointer)
    else:
        raise _invalid(f"'{name}' is not a valid field for the resource 'profile'.", pointer)


def _invalid(detail: str, pointer: str) -> ProfileError:
    return ProfileError(400, "invalid", detail, pointer)


def _duplicate(other: str) -> ProfileError:
    """The words, and `meta`: klaviyo/klaviyo-api-node issue 75."""
    return ProfileError(
        409,
        "duplicate_profile",
        "A profile already exists with one of these identifiers.",
        "/attributes",
        duplicate_profile_id=other,
    )


def _folded(value: str) -> str:
    return value.strip().lower()
