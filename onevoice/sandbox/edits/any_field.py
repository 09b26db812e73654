"""One field of one record, read and changed by hand under the name that the hub's connectors have for it.

A place is (system, stream, key) as the hub writes there, so a HubSpot list or a Klaviyo suppression is a stream of its
own: its key is the contact's id, or the address. Values are the vendor's own; None is a field that is not set.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onevoice.sandbox.klaviyo.tables import klaviyo_stamp
from onevoice.sandbox.square import put_attribute
from onevoice.sandbox.state import Fields, Table, hubspot_stamp
from onevoice.sandbox.tables import OPTOUT_PROPERTY
from onevoice.sandbox.truth import Ref
from onevoice.sandbox.world import World

_HAND = "hand"
_METAFIELD, _TAG, _CONSENT = "metafields.", "tagged.", "defaultEmailAddress.marketingState"
_ATTRIBUTE, _GROUP = "custom_attributes.", "in_group."
_PROPERTY = "properties."
_SUPPRESSED = "USER_SUPPRESSED"


def read_field(world: World, place: Ref, field: str) -> Any:
    """What stands there; ValueError when there is no such place."""
    return _READS[_side(place)](world, place, field)


def write_field(world: World, place: Ref, field: str, value: Any, *, quiet: bool = False) -> None:
    """Put a value there, None to clear it. A `quiet` edit does not move the record's stamp, as vendors do that keep
    something beside the record. ValueError when there is no such place."""
    read_field(world, place, field)
    _WRITES[_side(place)](world, place, field, value, quiet)


def _side(place: Ref) -> str:
    system, stream, _ = place
    known = f"{system}.{stream}"
    if known not in _READS:
        raise ValueError(f"field: nothing is edited at {known} (allowed: {', '.join(sorted(_READS))})")
    return known


def _row(table: Table, key: str) -> Fields:
    row = table.get(key)
    if row is None:
        raise ValueError(f"field: there is no record {key} in {table.spec.name}")
    return row


def _by(table: Table, name: str, value: str) -> str:
    """The key of the row that has this value, whatever its capitals."""
    for key, row in table.rows.items():
        if str(row.get(name) or "").lower() == value.lower():
            return key
    raise ValueError(f"field: no row of {table.spec.name} has that {name}")


def _table(world: World, place: Ref) -> Table:
    return world.vendors[place[0]].tables[place[1]]


def _plain(world: World, place: Ref, field: str) -> Any:
    return _row(_table(world, place), place[2]).get(field)


def _put_plain(world: World, place: Ref, field: str, value: Any, quiet: bool) -> None:
    _table(world, place).update(place[2], {field: value}, actor=_HAND, stamped=not quiet)


def _put_text(world: World, place: Ref, field: str, value: Any, quiet: bool) -> None:
    _put_plain(world, place, field, "" if value is None else str(value), quiet)


def _in_list(world: World, place: Ref, field: str) -> bool:
    lists = world.hubspot.tables["lists"]
    return place[2] in lists.rows[_by(lists, "name", field)]["members"]


def _put_in_list(world: World, place: Ref, field: str, value: Any, quiet: bool) -> None:
    lists = world.hubspot.tables["lists"]
    key = _by(lists, "name", field)
    members = lists.rows[key]["members"]
    changed = members | {place[2]} if value else members - {place[2]}
    lists.update(key, {"members": changed}, actor=_HAND, stamped=not quiet)


def _subscription(world: World, place: Ref, _: str) -> str | None:
    return (world.hubspot.tables["subscriptions"].get(place[2]) or {}).get("status")


def _put_subscription(world: World, place: Ref, _: str, value: Any, quiet: bool) -> None:
    """A status, and the flag on the contact that follows it."""
    table, contacts = world.hubspot.tables["subscriptions"], world.hubspot.tables["contacts"]
    event = {"at": hubspot_stamp(world.clock.now()), "status": value, "source": "PORTAL"}
    said = [*_row(table, place[2])["events"], event]
    table.update(place[2], {"status": value, "events": said}, actor=_HAND)
    shown = "true" if value == "NOT_SUBSCRIBED" else "false"
    contacts.update(_by(contacts, "email", place[2]), {OPTOUT_PROPERTY: shown}, actor="vendor", stamped=not quiet)


def _of_shop(world: World, place: Ref, field: str) -> Any:
    row = _row(_table(world, place), place[2])
    if field.startswith(_TAG):
        return field.removeprefix(_TAG) in row.get("tags", ())
    if field == _CONSENT:
        return (row.get("emailMarketing") or {}).get("state")
    held = (row.get("metafields") or {}).get(field.removeprefix(_METAFIELD))
    return held["value"] if held else None


def _put_in_shop(world: World, place: Ref, field: str, value: Any, quiet: bool) -> None:
    row = _row(_table(world, place), place[2])
    if field.startswith(_TAG):
        tag = field.removeprefix(_TAG)
        kept = [one for one in row.get("tags", ()) if one != tag]
        changes: Fields = {"tags": [*kept, tag] if value else kept}
    elif field == _CONSENT:
        changes = {"emailMarketing": {**(row.get("emailMarketing") or {}), "state": value}}
    else:
        name = field.removeprefix(_METAFIELD)
        fields = dict(row.get("metafields") or {})
        held = fields.pop(name, {"type": "single_line_text_field"})
        if value is not None:
            fields[name] = {**held, "value": str(value)}
        changes = {"metafields": fields}
    _table(world, place).update(place[2], changes, actor=_HAND, stamped=not quiet)


def _of_till(world: World, place: Ref, field: str) -> Any:
    row = _row(_table(world, place), place[2])
    if field.startswith(_GROUP):
        groups = world.square.tables["groups"]
        return _by(groups, "name", field.removeprefix(_GROUP)) in row.get("group_ids", ())
    held = (row.get("custom_attributes") or {}).get(field.removeprefix(_ATTRIBUTE))
    return held["value"] if held else None


def _put_at_till(world: World, place: Ref, field: str, value: Any, quiet: bool) -> None:
    if field.startswith(_ATTRIBUTE):  # an attribute has a stamp of its own, and the profile's never moves with it
        put_attribute(world.square, place[2], field.removeprefix(_ATTRIBUTE), value, actor=_HAND)
        return
    group = _by(world.square.tables["groups"], "name", field.removeprefix(_GROUP))
    kept = [one for one in _row(_table(world, place), place[2]).get("group_ids", ()) if one != group]
    changes = {"group_ids": [*kept, group] if value else kept}
    _table(world, place).update(place[2], changes, actor=_HAND, stamped=not quiet)


def _of_sender(world: World, place: Ref, field: str) -> Any:
    return (_row(_table(world, place), place[2]).get("properties") or {}).get(field.removeprefix(_PROPERTY))


def _put_at_sender(world: World, place: Ref, field: str, value: Any, quiet: bool) -> None:
    name = field.removeprefix(_PROPERTY)
    held = {one: kept for one, kept in _row(_table(world, place), place[2])["properties"].items() if one != name}
    changes = {"properties": held if value is None else {**held, name: value}}
    _table(world, place).update(place[2], changes, actor=_HAND, stamped=not quiet)


def _suppressions(world: World, place: Ref) -> list[dict[str, Any]]:
    profiles = world.klaviyo.tables["profiles"]
    said = profiles.rows[_by(profiles, "email", place[2])].get("email_marketing") or {}
    return list(said.get("suppression") or ())


def _suppressed(world: World, place: Ref, _: str) -> bool:
    return bool(_suppressions(world, place))


def _put_suppressed(world: World, place: Ref, _: str, value: Any, quiet: bool) -> None:
    """Suppress the address, or lift what somebody of the company had set: nothing else can be lifted by hand."""
    profiles = world.klaviyo.tables["profiles"]
    key = _by(profiles, "email", place[2])
    kept = [one for one in _suppressions(world, place) if one["reason"] != _SUPPRESSED]
    now = {"reason": _SUPPRESSED, "timestamp": klaviyo_stamp(world.clock.now())}
    said = {**(profiles.rows[key].get("email_marketing") or {}), "suppression": [*kept, now] if value else kept}
    profiles.update(key, {"email_marketing": said}, actor=_HAND, stamped=not quiet)


_READS: dict[str, Callable[[World, Ref, str], Any]] = {
    "salesforce.Contact": _plain,
    "hubspot.contacts": _plain,
    "hubspot.lists": _in_list,
    "hubspot.subscriptions": _subscription,
    "shopify.customers": _of_shop,
    "square.customers": _of_till,
    "klaviyo.profiles": _of_sender,
    "klaviyo.suppressions": _suppressed,
}
_WRITES: dict[str, Callable[[World, Ref, str, Any, bool], None]] = {
    "salesforce.Contact": _put_plain,
    "hubspot.contacts": _put_text,
    "hubspot.lists": _put_in_list,
    "hubspot.subscriptions": _put_subscription,
    "shopify.customers": _put_in_shop,
    "square.customers": _put_at_till,
    "klaviyo.profiles": _put_at_sender,
    "klaviyo.suppressions": _put_suppressed,
}
