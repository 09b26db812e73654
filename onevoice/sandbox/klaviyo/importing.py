"""One profile of an import job, or of POST /api/profile-import: understood, found or made, refused."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from onevoice.sandbox.klaviyo.errors import ProfileError
from onevoice.sandbox.klaviyo.profiles_store import Profiles, check_form, check_patch
from onevoice.sandbox.state import Fields


def understood(given: object, place: int) -> Fields:
    """{id, attributes, patch, place, given} of a resource object; ProfileError when it is none."""
    if not isinstance(given, Mapping) or given.get("type") != "profile":
        raise ProfileError(400, "invalid", "Every item must be an object of type 'profile'.", "/type")
    attributes, key = given.get("attributes"), given.get("id")
    if not isinstance(attributes, Mapping):
        raise ProfileError(400, "invalid", "'attributes' is a required field.", "/attributes")
    if key is not None and not isinstance(key, str):
        raise ProfileError(400, "invalid", "'id' must be a string or null.", "/id")
    patch = check_patch(given["meta"]) if "meta" in given else {}
    return {"id": key, "attributes": dict(attributes), "patch": dict(patch), "place": place, "given": dict(given)}


def owner(profiles: Profiles, one: Mapping[str, Any]) -> str | None:
    """The profile that it is about, None for one that is yet to be made; ProfileError when it may not be written."""
    check_form(one["attributes"])
    key: str | None = one["id"] or profiles.matching(one["attributes"])
    if key is not None and key not in profiles.table:
        raise ProfileError(404, "not_found", f"A profile with id {key} does not exist.", "/id")
    profiles.check(one["attributes"], key)
    return key


def upsert(profiles: Profiles, one: Mapping[str, Any]) -> str:
    """Write it; its profile's id."""
    key = owner(profiles, one)
    if key is None:
        return profiles.create(one["attributes"], one["patch"])
    profiles.change(key, one["attributes"], one["patch"])
    return key


def import_error(one: Mapping[str, Any], error: ProfileError) -> Fields:
    """One item of a job's import-errors; the profile is known by `original_payload`, which is what was sent."""
    pointer = f"/data/attributes/profiles/data/{one['place']}{error.pointer}"
    return {
        "type": "import-error",
        "id": str(uuid.uuid4()),
        "attributes": {
            "code": error.code,
            "title": error.title,
            "detail": error.detail,
            "source": {"pointer": pointer},
            "original_payload": one["given"],
        },
    }
