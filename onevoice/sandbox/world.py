"""A whole world of one seed: the vendors' records, the till's orders, and the truth behind them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from onevoice.sandbox.klaviyo import finish_due_jobs
from onevoice.sandbox.klaviyo.tables import klaviyo_state
from onevoice.sandbox.population.drafts import Draft
from onevoice.sandbox.population.hardcases import FEWEST_PEOPLE
from onevoice.sandbox.population.lives import live
from onevoice.sandbox.population.shopping import Bought
from onevoice.sandbox.records import till
from onevoice.sandbox.records.scribe import write_down
from onevoice.sandbox.shopify.tables import shopify_state
from onevoice.sandbox.square.tables import square_state
from onevoice.sandbox.state import Clock, VendorState
from onevoice.sandbox.tables import hubspot_state, salesforce_state
from onevoice.sandbox.truth import Truth

AS_OF = datetime(2026, 11, 22, 9, tzinfo=UTC)
"""When the sandbox's clock starts, unless a kept state says later."""


@dataclass(slots=True)
class World:
    """Everything a sandbox serves and judges by."""

    seed: int
    people: int
    clock: Clock
    salesforce: VendorState
    hubspot: VendorState
    shopify: VendorState
    square: VendorState
    klaviyo: VendorState
    truth: Truth
    cards: list[Draft] = field(default_factory=list)
    receipts: list[Bought] = field(default_factory=list)

    @property
    def vendors(self) -> dict[str, VendorState]:
        """The systems that are served, by name."""
        return {
            "salesforce": self.salesforce,
            "hubspot": self.hubspot,
            "shopify": self.shopify,
            "square": self.square,
            "klaviyo": self.klaviyo,
        }

    def catch_up(self) -> None:
        """Let the vendors do what they owe by the clock, before anybody looks into their tables."""
        finish_due_jobs(self.klaviyo)

    def export_till(self, folder: Path) -> None:
        """Write the till's files."""
        till.export(self.seed, folder, self.cards, self.receipts)


def build_world(seed: int, people: int, as_of: datetime = AS_OF) -> World:
    """The world of a seed: the same seed, number of people and start give the same world, byte for byte."""
    if people < FEWEST_PEOPLE:
        raise ValueError(f"sandbox: {people} people are too few (the hard cases alone need {FEWEST_PEOPLE})")
    with _no_garbage():
        return _build(seed, people, as_of)


def _build(seed: int, people: int, as_of: datetime) -> World:
    clock = Clock(as_of)
    world = World(
        seed,
        people,
        clock,
        salesforce_state(clock),
        hubspot_state(clock),
        shopify_state(clock),
        square_state(clock),
        klaviyo_state(clock),
        Truth(people),
    )
    lives = live(seed, people, as_of.date())
    written = write_down(lives, world.vendors, world.truth)
    world.cards, world.receipts = written.cards, written.receipts
    return world


@contextmanager
def _no_garbage() -> Iterator[None]:
    """A world is millions of objects that all stay: looking for garbage among them would take long and find nothing."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
