"""What has to hold once the world is quiet (docs/simulation.md). The truth is the world's own; of the hub only
its store is looked at, to see that nothing is missing there and nothing is left over.

Every check returns sentences; none is the only right answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

from sqlalchemy import select

from onevoice.store import Store
from onevoice.store.schema import drift, outbox, quarantine, record, write_log
from simulated.vendors import HUB
from simulated.world import EMAIL, FIELDS, FOREVER, World

BLANK = (None, "", False)
IRREVERSIBLE = {"OptOut", "marketing", "blocked"}


def violations(world: World, store: Store) -> list[str]:
    """Everything that does not hold, as sentences."""
    checks = (
        _values,
        _opt_outs,
        _peoples_values,
        _nothing_lost,
        _settled,
        _logged_truly,
        _no_second_event,
        _only_wanted,
        _drift,
    )
    return [f"{check.__name__.strip('_')}: {found}" for check in checks for found in check(world, store)]


def wanted(world: World, system: str, person: str) -> Mapping[str, Any]:
    """What the hub's fields of a customer's records have to hold, as the vendor keeps it."""
    tier, points, member = world.status(person)
    objects = world.objects(person)
    values: dict[str, Any] = {
        "tier": tier.upper() if tier and system == "mail" else tier,
        "points": _written(system, points),
        "news": FOREVER if objects else None,
        "join": FOREVER if objects or member else None,
    }
    vendor = world.vendors[system]
    return {name: vendor.normal(name, values[what]) for what, name in FIELDS[system].items()}


def _written(system: str, points: str | None) -> Any:
    if points is None:
        return None
    return Decimal(points) if system == "mail" else int(Decimal(points).to_integral_value(ROUND_DOWN))


def _stuck(world: World, system: str, key: str) -> bool:
    """Whether the vendor refuses this record for ever: nothing can be right there."""
    return key in world.vendors[system].refuses | world.vendors[system].poisonous


def _same(one: Any, other: Any) -> bool:
    if one in BLANK or other in BLANK:
        return one in BLANK and other in BLANK and (one == 0) == (other == 0 and other is not False)
    return str(one) == str(other) or (isinstance(one, int | Decimal) and Decimal(str(other)) == Decimal(one))


def _values(world: World, _store: Store) -> Iterator[str]:
    """Fields of the hub's hold what they should, whoever wrote into them: vendors say the desired values."""
    for system, key, person, held in world.everything():
        if _stuck(world, system, key):
            continue
        for name, value in wanted(world, system, person).items():
            if _same(held.get(name), value) or (value is None and _over(world, held.get(name))):
                continue
            if not _respelled(world, system, key, name, value):
                yield f"{system} {key}: {name} holds {held.get(name)!r} and should hold {value!r}"
        if system == "shop" and (key in world.shop.listed) != world.objects(person):
            yield f"shop list: {key} is {'on' if key in world.shop.listed else 'not on'} it"


def _respelled(world: World, system: str, key: str, name: str, value: Any) -> bool:
    """Whether somebody changed no more than capitals or blanks between a write of the hub and its read-back. A vendor
    that keeps values in its own spelling shows the same, and must be left alone, or the two would go round for ever."""
    vendor, held = world.vendors[system], world.vendors[system].held(key).get(name)
    if not isinstance(held, str) or held.strip().casefold() != str(value).strip().casefold():
        return False
    written = [write.at for write in vendor.written if write.key == key and write.fields.get(name) == value]
    if not written:
        return False
    edited = next(
        (v.at for v in vendor.records[key].versions if v.at >= written[-1] and v.fields.get(name) == held), None
    )
    return edited is not None and not any(written[-1] <= at < edited for at in vendor.read_back.get(key, ()))


def _over(world: World, held: Any) -> bool:
    """Whether it is a day that has passed: to a vendor that is the same as nothing."""
    return isinstance(held, str) and held[:4].isdigit() and held < world.clock.now.date().isoformat()


def _opt_outs(world: World, _store: Store) -> Iterator[str]:
    """A no that stands is at every vendor that holds the address; the hub set none that nobody asked for."""
    for system, key, _, held in world.everything():
        address = held[EMAIL[system]]
        if not world.objects_at(address) or _stuck(world, system, key) or _stuck(world, system, address):
            continue
        shown = {
            "crm": held.get("OptOut"),
            "shop": held.get("unsubscribed"),
            "mail": held.get("blocked"),
        }[system]
        if shown in BLANK:
            yield f"{system} {key}: {address} opted out, and it is not said there"
    for system, vendor in world.vendors.items():
        for write in vendor.written:
            if not any(write.fields.get(name) not in BLANK for name in IRREVERSIBLE):
                continue
            at = {write.key}
            if write.key in vendor.records:
                at |= {version.fields.get(EMAIL[system]) for version in vendor.records[write.key].versions}
            if not any(no.no and no.address in at and no.at <= write.at for no in world.said):
                yield f"{system} {write.key}: opted out by the hub, and no customer had asked for it"


def _peoples_values(world: World, _store: Store) -> Iterator[str]:
    """What people wrote into fields of theirs stands."""
    for (system, key, name), value in sorted(world.by_people.items()):
        vendor = world.vendors[system]
        if vendor.records[key].now.deleted:
            continue
        held, kept = vendor.held(key).get(name), vendor.normal(name, value)
        if name in vendor.theirs and (kept is None or (key, name) in vendor.raced):
            continue
        if held != kept:
            yield f"{system} {key}: people wrote {name} = {kept!r}, and it holds {held!r}"
    for vendor in world.vendors.values():
        for key, name in vendor.overwrote:
            yield f"{vendor.system} {key}: {name} was people's, the hub knew it and wrote over it"
    for key in world.shop.living():
        if _stuck(world, "shop", key):
            continue
        person, held = world.shop.records[key].person, world.shop.held(key).get("first_tier")
        ours = world.by_people.get(("shop", key, "first_tier")) is None
        if ours and held is None and world.status(person)[0] is not None:
            yield f"shop {key}: first_tier was blank, and the hub did not fill it"
        if ours and held not in world.tiers[person]:
            yield f"shop {key}: first_tier holds {held!r}, which nobody wanted"


def _nothing_lost(world: World, store: Store) -> Iterator[str]:
    """Every record is in the store as it is at the vendor."""
    with store.read() as connection:
        known = {row.ref: row for row in connection.execute(select(record))}
    for system, vendor in world.vendors.items():
        for key, kept in sorted(vendor.records.items()):
            row = known.get(f"{system}/{vendor.main}/{key}")
            if row is None:
                if not kept.now.deleted:
                    yield f"{system} {key}: not in the store"
            elif row.deleted != kept.now.deleted:
                yield f"{system} {key}: deleted is {row.deleted} in the store"
            elif not row.deleted:
                differing = {n for n, v in row.raw.items() if v != kept.now.fields.get(n)}
                missing = {n for n in kept.now.fields if n not in row.raw} - {"note", "OptOutBy"} - _stamps(row.raw)
                if differing - {"changed_by"} or missing - {"changed_by", "OV_Decided_At", "ov_decided_at"}:
                    yield f"{system} {key}: the store has an old version ({sorted(differing | missing)})"


def _stamps(raw: Mapping[str, Any]) -> set[str]:
    return {name for name in raw if name.lower().endswith("decided_at")}


def _settled(world: World, store: Store) -> Iterator[str]:
    """No write is open or half done; what was refused is in quarantine with its reason, and nothing else is."""
    with store.read() as connection:
        rows = list(connection.execute(select(outbox)))
        held = {row.ref: row for row in connection.execute(select(quarantine))}
    for row in rows:
        system, _, key = row.ref.split("/", 2)
        if not (_stuck(world, system, key) and row.attempts and row.next_at is not None):
            yield f"{row.ref}: still open ({row.state})"
    for ref, row in held.items():
        system, stream, key = ref.split("/", 2)
        if row.stage != "delivery":
            yield f"{ref}: set aside ({row.code})"
        elif not _stuck(world, system, key):
            yield f"{ref}: held, and the vendor would take it ({row.code})"
        elif not row.attempts or row.next_at is None:
            yield f"{ref}: held without a count or a time ({stream})"
    for system, key, person, fields in world.everything():
        behind = any(
            not _same(fields.get(n), v) and not (v is None and _over(world, fields.get(n)))
            for n, v in wanted(world, system, person).items()
        )
        ref = f"{system}/{world.vendors[system].main}/{key}"
        if behind and _stuck(world, system, key) and ref not in held and ref not in {row.ref for row in rows}:
            yield f"{system} {key}: refused, and nobody is told"


def _logged_truly(world: World, store: Store) -> Iterator[str]:
    """What is logged as done was done by then: one row of a batch says nothing of another."""
    with store.read() as connection:
        rows = list(connection.execute(select(write_log)))
    for row in rows:
        system, stream, key = row.ref.split("/", 2)
        vendor, by = world.vendors[system], world.ends[row.run]
        if stream != vendor.main:
            continue
        done = [write.fields for write in (*vendor.written, *vendor.forgotten) if write.key == key and write.at <= by]
        done += [version.fields for version in vendor.records[key].versions if version.at <= by]
        for name, value in row.after.items():
            if name.lower().endswith("decided_at") or not value:
                continue
            if not any(_text(fields.get(name)) == _text(value) for fields in done):
                yield f"{system} {key}: {name} = {value} is logged as done, and was not"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    try:
        return str(Decimal(str(value)).normalize())
    except InvalidOperation:
        return str(value)


def _no_second_event(world: World, _store: Store) -> Iterator[str]:
    """An opt-out that the hub had made at a vendor was not made there again while it could be seen."""
    for address in world.shop.repeated:
        yield f"shop: {address} was unsubscribed a second time"


def _only_wanted(world: World, _store: Store) -> Iterator[str]:
    """No value of the hub's ever stood at a vendor that was true at no time."""
    for system, vendor in world.vendors.items():
        for write in vendor.written:
            if write.key not in vendor.records:
                continue
            person = vendor.records[write.key].person
            name = FIELDS[system]["points"]
            if name in write.fields:
                right = [_written(system, points) for points in world.points[person]]
                if not any(_same(write.fields[name], one) for one in right):
                    yield f"{system} {write.key}: {write.fields[name]!r} points were written, and never were right"


def _drift(world: World, store: Store) -> Iterator[str]:
    """Drift is told only of what somebody else wrote."""
    with store.read() as connection:
        rows = list(connection.execute(select(drift)))
    for row in rows:
        system, stream, key = row.ref.split("/", 2)
        vendor = world.vendors[system]
        if stream == "subscriptions":
            continue
        said = [write for write in vendor.written if write.key == key and row.field in write.fields]
        ours = [write for write in said if _text(vendor.normal(row.field, write.fields[row.field])) == _text(row.held)]
        rewritten = any(_text(write.fields[row.field]) != _text(row.held) for write in ours)
        later = [write for write in said if write.at >= row.noted_at]
        if ours and (rewritten or (later and _text(later[0].fields[row.field]) != _text(row.held))):
            continue  # read before the hub knew the vendor's form, or lost on its way and wanted no more
        if (system, key, row.field) not in world.meddled and (key, row.field) not in vendor.struck:
            removed = key in vendor.records and vendor.records[key].now.deleted
            if not removed:
                yield f"{row.ref}: {row.field} is told to be somebody else's doing, and it is {HUB}'s own"
