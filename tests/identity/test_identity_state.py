"""A life of a small store, drawn at random: whatever happens in whatever batches, it ends where a full run ends.

Records come, change and go at two systems; stewards merge, split and take back; now and then the hub syncs, or
resolves everybody anew. After every sync the partition, the edges and the golden records are those of one batch over
what there is now, and every profile id ever given still resolves. `ONEVOICE_STATE_EXAMPLES` says how many other lives
to draw than the few of `make test`, and makes the shortest one of a failure.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from identity import Constraint, cluster, normalise, profile_id, survive
from onevoice.errors import DecisionRefused
from onevoice.model import Ref
from onevoice.pipeline import Hub, open_hub, run_cycle
from onevoice.pipeline.resolution import steward
from onevoice.pipeline.unify import identity_record
from onevoice.protocols import Json, Page, Record, Stream
from onevoice.store import identities, lookups, open_store, profiles
from onevoice.store import steward as questions

MORE = os.environ.get("ONEVOICE_STATE_EXAMPLES", "")
EXAMPLES = int(MORE or 6)
START = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
CRM, SHOP = "salesforce/Contact", "hubspot/contacts"
SLOTS = [f"{stream}/{key}" for key in ("0", "1", "2", "3", "a/b", "ä b") for stream in (CRM, SHOP)]
OTHERS = 70
"""Records that nothing happens to, so that a change stays a small one."""
FIELDS: Mapping[str, Sequence[str]] = {
    CRM: ("FirstName", "LastName", "Birthdate", "Email", "MobilePhone", "MailingStreet", "MailingPostalCode", ""),
    SHOP: ("firstname", "lastname", "date_of_birth", "email", "mobilephone", "address", "zip", "loyalty_number"),
}
VALUES: Sequence[Sequence[str]] = (
    ("Ann", "Anna", "A", "Arthur", "Emma", "Ella", ""),
    ("Lister", "Listner", "Okafor", "Brandt", "Silva", ""),
    ("1980-02-03", "1980-03-02", "1951-12-24", "", ""),
    ("lister@posteo.net", "a.lister@posteo.net", "okafor@posteo.net", "", ""),
    ("07700900666", "07700900667", "01999555000", "", ""),
    ("1 High Street", "2 High Street", ""),
    ("LS1 1AA", "LS1 1AA", ""),
    ("LC10001", "LC10002", "", ""),
)
"""Few values, so that records share them and contradict one another."""
LIMITS = {"max_surnames": 2, "max_block": 6, "max_records": 5, "max_given_names": 2}
"""Low enough to be crossed."""


class Feed:
    """A system: what a test puts into its streams, read by a running number."""

    def __init__(self, system: str, *streams: str) -> None:
        self.system = system
        self.streams = {name: Stream(name, "id") for name in streams}
        self.rows: dict[str, dict[str, tuple[int, Mapping[str, str] | None]]] = {name: {} for name in streams}
        self.number = 0

    def put(self, stream: str, key: str, fields: Mapping[str, str] | None) -> None:
        """Change a record; None deletes it."""
        self.number += 1
        self.rows[stream][key] = (self.number, fields)

    def check(self) -> Any:
        raise AssertionError("no step of a run asks a vendor how it is")

    def read(self, stream: str, cursor: Json | None, fields: Sequence[str], as_of: datetime) -> Iterator[Page]:
        since = cursor["n"] if cursor else 0
        fresh = sorted((number, key) for key, (number, _) in self.rows[stream].items() if number > since)
        yield Page([self._record(stream, key, number) for number, key in fresh], {"n": self.number})

    def _record(self, stream: str, key: str, number: int) -> Record:
        fields = self.rows[stream][key][1]
        return Record(key, {"id": key, **(fields or {})}, START + timedelta(seconds=number), deleted=fields is None)


def fields_of(slot: str, choice: Sequence[str]) -> dict[str, str]:
    """A record as its system holds it."""
    names = FIELDS["/".join(slot.split("/")[:2])]
    return {name: value for name, value in zip(names, choice, strict=True) if name and value}


def project(folder: Path, checkout: Path, accounts: str) -> Path:
    """The shipped configuration with two systems, and limits low enough to be met."""
    left_out = ("shopify", "square", "klaviyo", "till", "*_test.yaml")
    for part in ("config", "mappings"):
        shutil.copytree(checkout / part, folder / part, ignore=shutil.ignore_patterns(*left_out))
    hub_yaml = folder / "config/hub.yaml"
    head, *systems = re.split(r"\n(?=  [a-z]+:\n)", hub_yaml.read_text("utf-8"))
    kept = [text for text in systems if text.strip().partition(":")[0] not in left_out]
    hub_yaml.write_text("\n".join([head, *kept]), "utf-8")
    identity_yaml = folder / "config/identity.yaml"
    text = identity_yaml.read_text("utf-8")
    for limit, number in LIMITS.items():
        text, found = re.subn(rf"(?m)^  {limit}: \d+", f"  {limit}: {number}", text)
        assert found == 1, limit
    text = text.replace("\nguards:\n", f"\nguards:\n  two_accounts: {accounts}\n")
    identity_yaml.write_text(text, "utf-8")
    return folder


def others() -> dict[str, Feed]:
    """Two systems with people of whom nothing is shared with anybody."""
    feeds = {
        "salesforce": Feed("salesforce", "Contact", "LoyaltyProgramMember"),
        "hubspot": Feed("hubspot", "contacts"),
    }
    for number in range(OTHERS):
        sign = chr(97 + number % 26) + chr(97 + number // 26)
        fields = {"firstname": f"Qu{sign}ntis", "lastname": f"W{sign}rling", "email": f"other{number}@posteo.net"}
        feeds["hubspot"].put("contacts", f"other-{number}", fields)
    return feeds


class World:
    """The project, opened once, with an empty store and one that knows the others, to copy from."""

    def __init__(self, folder: Path, checkout: Path, accounts: str) -> None:
        self.folder, self.stores = folder, 0
        place = project(folder / "project", checkout, accounts)
        self.hub = open_hub(place, environment={}, database=f"sqlite:///{folder}/empty.sqlite", as_of=START)
        self.hub.store.close()
        shutil.copy(folder / "empty.sqlite", folder / "begun.sqlite")
        begun = self.open("begun", others())
        sync(begun)
        begun.store.close()

    def fresh(self, like: str, feeds: Mapping[str, Feed]) -> Hub:
        """A hub on a store of its own, at first like another one."""
        self.stores += 1
        shutil.copy(self.folder / f"{like}.sqlite", self.folder / f"{self.stores}.sqlite")
        return self.open(str(self.stores), feeds)

    def open(self, store: str, feeds: Mapping[str, Feed]) -> Hub:
        hub = replace(self.hub, store=open_store(f"sqlite:///{self.folder}/{store}.sqlite"), as_of=START)
        hub._connectors = dict(feeds)
        return hub


def sync(hub: Hub) -> None:
    """A minute later: everything up to the golden records."""
    hub.as_of += timedelta(minutes=1)
    report = run_cycle(hub, only=("pull", "resolve", "unify"))
    assert report.exit_code == 0, report.as_dict()


def partition(hub: Hub) -> dict[str, frozenset[str]]:
    """Records by profile id."""
    with hub.store.read() as connection:
        links = identities.all_links(connection)
    found: dict[str, set[str]] = {}
    for ref, pid in links:
        found.setdefault(pid, set()).add(ref)
    return {pid: frozenset(refs) for pid, refs in found.items()}


def _anchor(old: str, members: frozenset[str]) -> tuple[bool, Ref]:
    """Whether the record that founded a profile is gone from it, and that record, or else its first one."""
    refs = sorted(map(Ref.parse, members))
    founder = next((ref for ref in refs if profile_id(ref) == old), None)
    return founder is None, founder or refs[0]


def told(hub: Hub) -> dict[frozenset[str], Any]:
    """What the profiles say, by their records."""
    people = partition(hub)
    with hub.store.read() as connection:
        rows = profiles.load_profiles(connection, people)
    assert rows.keys() == people.keys(), "a profile without records, or records without a profile"
    return {people[pid]: (row.golden, row.status, row.consent, row.facts) for pid, row in rows.items()}


def asked(hub: Hub) -> set[tuple[str, str, str]]:
    """Open questions that follow from what there is; a split follows from what there was."""
    with hub.store.read() as connection:
        items = questions.open_items(connection)
    return {(item.kind, item.left, item.right) for item in items if item.kind != "split"}


class Life(RuleBasedStateMachine):
    """Rules are what may happen; `_compare` says what must hold after every sync."""

    world: World

    @initialize(seed=st.integers(0, 10**6))
    def begin(self, seed: int) -> None:
        """Most of the records are there, drawn as `change` draws them."""
        rng = random.Random(seed)
        self.feeds = others()
        for slot in SLOTS[:-2]:
            self._put(slot, fields_of(slot, [rng.choice(pool) for pool in VALUES]))
        self.hub = self.world.fresh("begun", self.feeds)
        self.given: set[str] = set()
        self.decided: dict[int, Constraint] = {}
        sync(self.hub)
        self._compare()

    def _put(self, slot: str, fields: dict[str, str] | None) -> None:
        system, stream, key = slot.split("/", 2)
        self.feeds[system].put(stream, key, fields)

    @rule(changes=st.lists(st.tuples(st.sampled_from(SLOTS), st.tuples(*map(st.sampled_from, VALUES))), max_size=4))
    def change(self, changes: list[tuple[str, tuple[str, ...]]]) -> None:
        """Records come or change."""
        for slot, choice in changes:
            self._put(slot, fields_of(slot, choice))

    @rule(slot=st.sampled_from(SLOTS))
    def delete(self, slot: str) -> None:
        self._put(slot, None)

    @rule(card=st.sampled_from("12"), holder=st.sampled_from(["", *(slot for slot in SLOTS if slot.startswith(CRM))]))
    def hand_over(self, card: str, holder: str) -> None:
        """A loyalty membership gets a holder, or ends; the holder may not be there (any more)."""
        contact = {
            "ContactId": holder.removeprefix(f"{CRM}/"),
            "MembershipNumber": f"LC1000{card}",
            "MemberStatus": "Active",
        }
        self._put(f"salesforce/LoyaltyProgramMember/{card}", contact if holder else None)

    @rule(data=st.data(), same=st.booleans())
    def decide(self, data: st.DataObject, same: bool) -> None:
        """A steward decides on two records that the hub knows; what contradicts earlier decisions is refused."""
        known = sorted({ref for members in partition(self.hub).values() for ref in members} & set(SLOTS))
        if len(known) < 2:
            return
        pair = data.draw(st.lists(st.sampled_from(known), min_size=2, max_size=2, unique=True))
        act = steward.merge if same else steward.split
        try:
            said = act(self.hub, *pair, actor="dana", reason="asked the customer")
        except DecisionRefused:
            return
        self.decided[said.id] = Constraint(Ref.parse(said.left), Ref.parse(said.right), "must" if same else "cannot")

    @precondition(lambda self: self.decided)
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.decided)))
        steward.undo(self.hub, number, actor="eli", reason="mistaken")
        del self.decided[number]

    @rule(anew=st.sampled_from([False, False, False, False, True]))
    def sync(self, anew: bool) -> None:
        """The next run; `anew`: under another version of the model, so that everybody is resolved again."""
        if anew:
            versions = self.hub.versions
            self.hub.__dict__["versions"] = {**versions, "resolve": f"{versions['resolve']}'"[-30:]}
        before = partition(self.hub)
        sync(self.hub)
        self._compare()
        self._ids_last(before)

    def _compare(self) -> None:
        """The store is what one batch over its records makes of them."""
        identity = self.hub.config.identity
        with self.hub.store.read() as connection:
            rows = identities.load_customers(connection, identities.all_customer_refs(connection))
            edges = {(row.left, row.right): row.weight for row in identities.edges_of(connection, {*SLOTS, *rows})}
        assert rows.keys() == self._live()
        records = {ref: identity_record(row) for ref, row in rows.items()}
        forms = [normalise(record, identity) for record in records.values()]
        scored = self.hub.people.score(forms, None)
        said = [c for c in self.decided.values() if {str(c.left), str(c.right)} <= rows.keys()]
        batch = cluster({form.ref: form for form in forms}, scored, said, identity)
        people = partition(self.hub)
        assert edges == {(str(edge.left), str(edge.right)): edge.weight for edge in scored}
        assert set(people.values()) == {frozenset(map(str, one.members)) for one in batch.clusters}
        golden = {
            members: survive([records[ref] for ref in sorted(members)], identity).fields for members in people.values()
        }
        assert {members: what[0] for members, what in told(self.hub).items()} == golden
        self._ids_resolve(people)

    def _live(self) -> set[str]:
        """Customer records that say anything at all."""
        return {
            f"{stream}/{key}"
            for stream in (CRM, SHOP)
            for key, (_, held) in self.feeds[stream.partition("/")[0]].rows[stream.partition("/")[2]].items()
            if held
        }

    def _ids_resolve(self, people: Mapping[str, frozenset[str]]) -> None:
        """An id that was ever given leads to a profile with records, or to the end of one that lost them all."""
        self.given |= people.keys()
        with self.hub.store.read() as connection:
            for profile_id in self.given:
                known, current = lookups.redirects(connection, profile_id)
                assert known
                assert current is None or current in people
                assert profile_id not in people or current == profile_id

    def _ids_last(self, before: Mapping[str, frozenset[str]]) -> None:
        """Profiles that were not torn apart keep their id; where several became one, the oldest id stays, and of those
        of one age that of the lower anchor."""
        people = partition(self.hub)
        there = frozenset().union(*people.values())
        with self.hub.store.read() as connection:
            lives = identities.load_lives(connection, before)
        for pid, members in people.items():
            from_ids = [old for old, had in before.items() if had & members]
            if from_ids and all(before[old] & there <= members for old in from_ids):
                assert pid == min(from_ids, key=lambda old: (lives[old].created_at, _anchor(old, before[old])))

    def teardown(self) -> None:
        """One batch on an empty store ends with the same profiles and the same questions."""
        if not hasattr(self, "hub"):
            return
        sync(self.hub)
        self._compare()
        batch = self.world.fresh("empty", self.feeds)
        with batch.store.begin() as connection:
            for said in self.decided.values():
                pair, same = (str(said.left), str(said.right)), said.kind == "must"
                questions.add_decision(connection, pair, same=same, actor="dana", reason="asked", at=START)
        sync(batch)
        with closing(batch.store), closing(self.hub.store):
            assert told(self.hub) == told(batch)
            assert asked(self.hub) == asked(batch)


@pytest.mark.slow
@pytest.mark.parametrize("accounts", ["merge", "ask"])
def test_any_life_ends_where_a_batch_ends(tmp_path: Path, checkout: Path, accounts: str) -> None:
    machine = type("Life", (Life,), {"world": World(tmp_path, checkout, accounts)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=25,
            deadline=None,
            derandomize=not MORE,
            phases=[Phase.generate, *([Phase.shrink] if MORE else [])],  # shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
