"""Gates: would this system, with the values it holds now, send this family to this record?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from onevoice.configfile.document import Path
from onevoice.configfile.offers_file import OffersFile, Related, Send
from onevoice.configfile.offers_file import SystemGates as WrittenGates
from onevoice.configfile.suppression_file import SuppressionFile
from onevoice.configfile.words import one_of
from onevoice.model import FieldType
from onevoice.policy.facts import FACTS
from onevoice.policy.language import Evaluate, Refused, Row, Term, Vocabulary, compile_term, names_in, parse
from onevoice.policy.language.terms import AS_OF
from onevoice.policy.raw import raw_value, read_raw
from onevoice.policy.rules import RuleFault

Json = Mapping[str, Any]

RELATED = "related:"
"""`related:<stream>` in a raw record holds the list of raw records of that stream which belong to it."""
LIST = "list:"
"""`list:<name>` in a raw record says whether it is on that static list."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One campaign of one system."""

    system: str
    stream: str
    family: str
    channel: str
    fields: tuple[str, ...]
    """Raw fields and related values that decide, sorted: the evidence. Contact points are left out."""
    picks: bool
    """Goes only to some of those it may go to, by a choice that nobody outside knows."""
    claims: Mapping[str, Evaluate] = field(repr=False)
    """Facts the message states: functions from typed raw values to what it says."""
    _opens: tuple[Evaluate, ...] = field(repr=False)
    _stops: Evaluate = field(repr=False)
    _typed: Callable[[Json, date], Row] = field(repr=False)

    def open(self, raw: Json, as_of: date) -> bool:
        """Whether the system may send this to the record on that day; what it cannot judge it does not send."""
        return self.open_for(self._typed(raw, as_of))

    def open_for(self, row: Row) -> bool:
        """As `open`, for values already typed by `SystemGates.typed`."""
        return all(opens(row) is True for opens in self._opens) and not self._stops(row)


@dataclass(frozen=True, slots=True)
class SystemGates:
    """The gates of one customer stream, and how its raw records are read for them."""

    written: WrittenGates = field(repr=False)
    related: Mapping[str, Evaluate] = field(repr=False)
    gates: Mapping[tuple[str, str], Gate] = field(default_factory=dict)
    reaches: Mapping[str, Evaluate] = field(default_factory=dict, repr=False)
    """By channel."""

    def typed(self, raw: Json, as_of: date) -> dict[str, Any]:
        """Typed raw fields and related values of a record, with the day."""
        row: dict[str, Any] = {AS_OF: as_of}
        for name, kind in self.written.fields.items():
            row[name] = read_raw(FieldType(kind), raw_value(raw, name))
        for name, related in self.related.items():
            row[name] = related({AS_OF: as_of, RELATED: raw.get(RELATED + self.written.related[name].stream)})
        return row

    def raw_fields(self, stream: str) -> frozenset[str]:
        """Raw fields of a stream that these gates look at."""
        names = {name for name in self.written.fields if stream == self.written.stream and not name.startswith(LIST)}
        for related in self.written.related.values():
            for name in related.fields:
                between, own = between_and_own(name)
                if stream == (between or related.stream):
                    names.add(own)
        return frozenset(names)

    def reached(self, row: Row, channel: str) -> bool:
        """Whether the system sends to this record on this channel at all; `row` is typed by `typed`."""
        reaches = self.reaches.get(channel)
        return reaches is not None and reaches(row) is True


def compile_gates(
    offers: OffersFile, suppression: SuppressionFile
) -> tuple[Mapping[tuple[str, str], SystemGates], tuple[RuleFault, ...]]:
    """The gates by (system, stream), and everything wrong with them."""
    faults: list[RuleFault] = []
    found: dict[tuple[str, str], SystemGates] = {}
    for place, written in enumerate(offers.gates):
        path: Path = ("gates", place)
        if (written.system, written.stream) in found:
            faults.append(_fault((*path, "stream"), "twice", "this stream has gates already (write them together)"))
        compiling = _Compiling(path, written, offers, suppression, faults)
        found[written.system, written.stream] = compiling.compiled()
    return found, tuple(faults)


def between_and_own(name: str) -> tuple[str, str]:
    """A related field's name taken apart: the stream in between ("" for none), and the field.

    Streams begin with a capital at Salesforce, whose records alone belong to a customer through another one; dots in
    other names reach into nested objects.
    """
    between, dot, own = name.partition(".")
    return (between, own) if dot and between[:1].isupper() else ("", name)


def _fault(path: Path, kind: str, message: str, offset: int | None = None) -> RuleFault:
    return RuleFault("config/offers.yaml", path, kind, message, offset)


class _Compiling:
    def __init__(
        self,
        path: Path,
        written: WrittenGates,
        offers: OffersFile,
        suppression: SuppressionFile,
        faults: list[RuleFault],
    ) -> None:
        self.path = path
        self.written = written
        self.channels = offers.channels
        self.known_claims = suppression.claims
        self.faults = faults
        self.addresses = frozenset(written.contact_point.values())
        types = {name: FieldType(kind) for name, kind in written.fields.items()}
        for name, related in written.related.items():
            types[name] = FieldType.TEXT if related.value else FieldType.BOOLEAN
        self.vocabulary = Vocabulary({AS_OF: FieldType.DATE, **types})

    def compiled(self) -> SystemGates:
        related = {name: self.related(name, each) for name, each in self.written.related.items()}
        system = SystemGates(self.written, related)
        reaches = self.reaches()
        gates: dict[tuple[str, str], Gate] = {}
        self.note_contact_points()
        for place, send in enumerate(self.written.sends):
            path: Path = (*self.path, "sends", place)
            if (send.family, send.channel) in gates:
                self.note((*path, "family"), f"{send.family} by {send.channel} is written twice (join them with OR)")
            if send.channel not in reaches:
                self.note((*path, "channel"), f"`reaches` does not say whom this system sends to by {send.channel}")
                continue
            gate = self.gate(path, send, reaches[send.channel], system)
            if gate is not None:
                gates[send.family, send.channel] = gate
        whom = {channel: compile_term(term) for channel, term in reaches.items() if term is not None}
        return SystemGates(self.written, related, gates, whom)

    def reaches(self) -> Mapping[str, Term | None]:
        """Whom the system sends to, by channel; None where the expression is faulty."""
        path: Path = (*self.path, "reaches")
        written = self.written.reaches
        if isinstance(written, str):
            return dict.fromkeys((send.channel for send in self.written.sends), self.parsed(path, written))
        for channel in written:
            if channel not in self.channels:
                self.note((*path, channel), f'"{channel}" is not a channel{one_of(channel, self.channels)}')
        return {channel: self.parsed((*path, channel), text) for channel, text in written.items()}

    def gate(self, path: Path, send: Send, reaches: Term | None, system: SystemGates) -> Gate | None:
        when = self.parsed((*path, "when"), send.when)
        claims = {fact: self.claim((*path, "shows", fact), fact, text) for fact, text in send.shows.items()}
        stops = self.stop((*path, "stopped_by"), send.stopped_by)
        if reaches is None or when is None:
            return None
        shown = (claim for claim in claims.values() if claim is not None)
        names = set[str]({send.stopped_by} if send.stopped_by else ()).union(*map(names_in, (reaches, when, *shown)))
        return Gate(
            system=self.written.system,
            stream=self.written.stream,
            family=send.family,
            channel=send.channel,
            fields=tuple(sorted(names - self.addresses)),
            picks=send.picks == "some",
            claims={fact: compile_term(claim) for fact, claim in claims.items() if claim is not None},
            _opens=(compile_term(reaches), compile_term(when)),
            _stops=stops,
            _typed=system.typed,
        )

    def claim(self, path: Path, fact: str, text: str) -> Term | None:
        kind = FACTS.get(fact)
        if kind is None:
            self.note(path, f'"{fact}" is not a fact{one_of(fact, FACTS)}')
            return None
        if fact not in self.known_claims:
            self.note(path, f"config/suppression.yaml does not say what a wrong {fact} is called (add it under claims)")
        return self.parsed(path, text, kind)

    def stop(self, path: Path, name: str | None) -> Evaluate:
        """Whether the field that stops a campaign does so on the day."""
        if name is None:
            return lambda _row: False
        kind = self.vocabulary.types.get(name)
        if kind is FieldType.DATE:
            return lambda row: row[name] is not None and row[name] >= row[AS_OF]
        if kind is not FieldType.BOOLEAN:
            fitting = [each for each, its in self.written.fields.items() if its in {"date", "boolean"}]
            self.note(path, f'"{name}" is not a date or boolean field of this stream{one_of(name, fitting)}')
        return lambda row: row.get(name) is True

    def related(self, name: str, written: Related) -> Evaluate:
        path: Path = (*self.path, "related", name)
        kinds = {each: FieldType(kind) for each, kind in written.fields.items()}
        if name in self.written.fields:
            self.note(path, f'"{name}" is also a field (choose another name)')
        if written.value is not None and kinds.get(written.value) is not FieldType.TEXT:
            texts = [each for each, kind in kinds.items() if kind is FieldType.TEXT]
            self.note((*path, "value"), f'"{written.value}" is not a text field of it{one_of(written.value, texts)}')
        if written.newest_by is not None and kinds.get(written.newest_by) not in {FieldType.DATE, FieldType.DATETIME}:
            dates = [each for each, kind in kinds.items() if kind in {FieldType.DATE, FieldType.DATETIME}]
            message = f'"{written.newest_by}" is not a date field of it{one_of(written.newest_by, dates)}'
            self.note((*path, "newest_by"), message)
        where = self.parsed((*path, "where"), written.where, vocabulary=Vocabulary({AS_OF: FieldType.DATE, **kinds}))
        return _related(written, kinds, compile_term(where) if where is not None else lambda _row: None)

    def parsed(
        self, path: Path, text: str, kind: FieldType = FieldType.BOOLEAN, vocabulary: Vocabulary | None = None
    ) -> Term | None:
        try:
            return parse(text, vocabulary or self.vocabulary, kind)
        except Refused as refused:
            self.faults.append(_fault(path, "expression", refused.message, refused.offset))
            return None

    def note_contact_points(self) -> None:
        for channel, name in self.written.contact_point.items():
            path: Path = (*self.path, "contact_point", channel)
            if channel not in self.channels:
                self.note(path, f'"{channel}" is not a channel{one_of(channel, self.channels)}')
            if name not in self.written.fields:
                self.note(path, f'"{name}" is not a field of this stream{one_of(name, self.written.fields)}')

    def note(self, path: Path, message: str) -> None:
        self.faults.append(_fault(path, "not allowed", message))


def _related(written: Related, kinds: Mapping[str, FieldType], where: Evaluate) -> Evaluate:
    """A function from the list of related records to the value drawn from them; None when the list is not known."""

    def draw(given: Row) -> Any:
        records = given[RELATED]
        if records is None:
            return None
        rows = [
            {AS_OF: given[AS_OF]} | {name: read_raw(kind, raw_value(record, name)) for name, kind in kinds.items()}
            for record in records
        ]
        counting = [row for row in rows if where(row) is True]
        if written.value is None:
            return bool(counting)
        return _newest(counting, written.value, written.newest_by)

    return draw


def _newest(rows: Sequence[Row], value: str, newest_by: str | None) -> Any:
    """The value of the row with the latest date; of equals, and without a date, the first by alphabet."""
    known = [row for row in rows if row[value] is not None]
    if newest_by is not None:
        latest = max((row[newest_by] for row in known if row[newest_by] is not None), default=None)
        known = [row for row in known if row[newest_by] == latest] if latest is not None else known
    return min((row[value] for row in known), default=None)
