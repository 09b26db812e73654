"""From stored rows to answers about one customer, personal data masked where the caller may not see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from onevoice.api import answers, masking
from onevoice.api.answers import RecordRef
from onevoice.model import FOREVER, Layer, Ref
from onevoice.pipeline.lookup import Ages, golden
from onevoice.store.lookups import KnownProfile, LineageEntry, SourceRow

_WORDS: Mapping[str, str] = {
    "created": "The profile came into being.",
    "merged": "It turned out to be the same customer as another and was merged into that one.",
    "split": "It turned out to be two customers; these records left for a profile of their own.",
    "moved": "Records moved here from another profile.",
    "retired": "Its last record is gone.",
    "restored": "A retired profile came back with its records.",
}


def profile(
    known: KnownProfile, records: int, ages: Ages, labels: Mapping[str, str], *, sees_persons: bool
) -> answers.Profile:
    """The profile itself."""
    return answers.Profile(
        profile_id=known.profile_id,
        created_at=known.created_at,
        changed_at=known.changed_at,
        masked=not sees_persons,
        customer={
            name: answers.Value(value=_shown(name, value, sees_persons=sees_persons), as_of=_age(known, name, ages))
            for name, value in golden(known).items()
        },
        memberships=memberships(known, ages, labels),
        objections=_objections(known, ages, sees_persons=sees_persons),
        records=records,
    )


def memberships(known: KnownProfile, ages: Ages, labels: Mapping[str, str]) -> list[answers.Membership]:
    """The merged view of each programme."""
    return [
        answers.Membership(
            programme=name,
            label=labels.get(name, name),
            is_member=state["is_member"],
            status=state["status"],
            has_perks=state["has_perks"],
            tier=state.get("tier"),
            tier_until=state.get("tier_until"),
            points=state.get("points"),
            member_since=state.get("member_since"),
            as_of=ages.of(state.get("memberships", ()), known.changed_at),
        )
        for name, state in sorted(known.status.items())
    ]


def sources(known: KnownProfile, rows: Iterable[SourceRow], ages: Ages, *, sees_persons: bool) -> answers.Sources:
    """The vendor records behind a profile."""
    return answers.Sources(
        profile_id=known.profile_id,
        masked=not sees_persons,
        sources=[
            answers.Source(
                record=record_ref(row.ref, sees_persons=sees_persons),
                linked_since=row.since,
                changed_there_at=row.updated_at,
                customer={
                    name: _shown(name, value, sees_persons=sees_persons)
                    for name, value in sorted(row.customer.items())
                    if value is not None
                },
                as_of=ages.of([row.ref], row.read_at),
            )
            for row in rows
        ],
    )


def provenance(known: KnownProfile, ages: Ages, *, sees_persons: bool) -> answers.Provenance:
    """Where each merged value comes from."""
    held = golden(known)
    return answers.Provenance(
        profile_id=known.profile_id,
        masked=not sees_persons,
        fields={
            name: answers.Origin(
                value=_shown(name, held[name], sees_persons=sees_persons),
                source=record_ref(entry["source"], sees_persons=sees_persons),
                rule=entry["rule"],
                changed_there_at=entry["at"],
                losing=[
                    answers.Loser(
                        value=_shown(name, loser["value"], sees_persons=sees_persons),
                        source=record_ref(loser["source"], sees_persons=sees_persons),
                    )
                    for loser in entry["losing"]
                    if loser["value"] is not None
                ],
                as_of=ages.of([entry["source"]], known.changed_at),
            )
            for name, entry in sorted(known.provenance.items())
            if name in held
        },
    )


def history(profile_id: str, entries: Iterable[LineageEntry], *, sees_persons: bool) -> answers.History:
    """What happened to a profile id."""
    return answers.History(
        profile_id=profile_id,
        events=[
            answers.LifeEvent(
                at=entry.at,
                kind=entry.kind,
                profile_id=entry.profile_id,
                other_id=entry.other_id,
                sentence=_WORDS.get(entry.kind, ""),
                cause=entry.cause if sees_persons else masking.key(entry.cause),
            )
            for entry in entries
        ],
    )


def record_ref(text: str, *, sees_persons: bool) -> RecordRef:
    """A vendor record; an address that serves as its key is masked."""
    ref = Ref.parse(text)
    return RecordRef(system=ref.system, stream=ref.stream, key=ref.key if sees_persons else masking.key(ref.key))


def layer(found: Layer) -> str:
    """The name of a layer of rules."""
    return found.name.lower()


def last_day(day: date) -> date | None:
    """A last day for programs: no day where none ends it."""
    return None if day == FOREVER else day


def name_of(known: KnownProfile, *, sees_persons: bool) -> str | None:
    """Given and family name in one text; None when neither is known."""
    parts = [known.golden.get("given_name"), known.golden.get("family_name")]
    shown = [str(part) if sees_persons else masking.initial(str(part)) for part in parts if part]
    return " ".join(shown) or None


def _shown(field: str, found: Any, *, sees_persons: bool) -> Any:
    if isinstance(found, list):
        return [_shown(field, each, sees_persons=sees_persons) for each in found]
    plain = found if isinstance(found, str | int | float | bool) else str(found)
    return plain if sees_persons else masking.value(field, plain)


def _age(known: KnownProfile, field: str, ages: Ages) -> datetime:
    origin = known.provenance.get(field)
    return ages.of([origin["source"]] if origin else (), known.changed_at)


def _objections(known: KnownProfile, ages: Ages, *, sees_persons: bool) -> list[answers.Objection]:
    person: Mapping[str, Any] = known.consent.get("person", {})
    points: Mapping[str, Mapping[str, Any]] = known.consent.get("points", {})
    found: Sequence[tuple[str | None, str, Mapping[str, Any]]] = [
        *((None, place, no) for place, no in sorted(person.items())),
        *((point, place, no) for point, places in sorted(points.items()) for place, no in sorted(places.items())),
    ]
    return [
        answers.Objection(
            channel=place.partition("/")[0],
            purpose=place.partition("/")[2],
            reaches="customer" if point is None else "contact_point",
            contact_point=point if point is None or sees_persons else masking.point(point),
            opted_out=no.get("opted_out", True),
            stated_at=no["at"],
            stated_in=record_ref(no["source"], sees_persons=sees_persons),
            as_of=ages.of([no["source"]], known.changed_at),
        )
        for point, place, no in found
    ]
