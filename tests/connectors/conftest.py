"""Vendors to talk to: sandboxes with a rig for the contract suite, and scripted servers for what no sandbox does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from connectors import open_connector
from connectors._budget import AdaptiveBudget
from connectors._manifest import load_manifest
from loopback import Stage
from onevoice.protocols import Budget
from onevoice.sandbox.certificate import Certificate
from rigs import hubspot as hubspot_rig
from rigs import klaviyo as klaviyo_rig
from rigs import salesforce as salesforce_rig
from rigs import shopify as shopify_rig
from rigs import square as square_rig
from rigs.common import Freely, VendorRig
from rigs.files import FilesRig
from scripted import Scripted, scripted_server

StageOf = Callable[..., Stage]


@pytest.fixture
def budget() -> Freely:
    return Freely()


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries as many as ever, with pauses a hundred times shorter."""
    monkeypatch.setattr("connectors._retry.nap.sleep", lambda seconds: time.sleep(seconds / 100))


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """(rig, a budget or nothing) -> a connector on a day with the vendor's limits on, in a budget of its own making.

    Who waits moves the vendor's clock, which the budget reads too: the day goes by in a moment, and the pace is kept or
    not kept whatever the speed of this machine.
    """

    def open_on(rig: VendorRig, budget: Budget | None = None) -> Any:
        def wait(seconds: float) -> None:
            rig.later(seconds=seconds)

        monkeypatch.setattr("connectors._retry.nap.sleep", wait)
        limits, clock = load_manifest(rig.kind).limits, rig.state.clock
        paced = AdaptiveBudget(rig.kind, limits, clock=lambda: clock.now().timestamp(), sleep=wait)
        rig.state.faults.limits_on = True
        return open_connector(rig.kind, rig.kind, rig.settings, budget or paced)

    return open_on


@pytest.fixture
def salesforce(stage_of: StageOf, certificate: Certificate) -> Iterator[salesforce_rig.SalesforceRig]:
    """An org without contacts, limits off."""
    with salesforce_rig.org(stage_of("salesforce", certificate), certificate) as rig:
        yield rig


@pytest.fixture
def hubspot(stage_of: StageOf) -> Iterator[hubspot_rig.HubSpotRig]:
    """A portal without contacts, limits off."""
    with hubspot_rig.portal(stage_of("hubspot")) as rig:
        yield rig


@pytest.fixture
def klaviyo(stage_of: StageOf) -> Iterator[klaviyo_rig.KlaviyoRig]:
    """A Klaviyo account without profiles, limits off."""
    with klaviyo_rig.account(stage_of("klaviyo")) as rig:
        yield rig


@pytest.fixture
def shopify(stage_of: StageOf) -> Iterator[shopify_rig.ShopifyRig]:
    """A shop without customers, limits off."""
    with shopify_rig.shop(stage_of("shopify")) as rig:
        yield rig


@pytest.fixture
def square(stage_of: StageOf) -> Iterator[square_rig.SquareRig]:
    """A Square seller without customers, limits off."""
    with square_rig.seller(stage_of("square")) as rig:
        yield rig


@pytest.fixture
def files(tmp_path: Path) -> FilesRig:
    """An empty folder."""
    return FilesRig(tmp_path)


@pytest.fixture
def scripted(certificate: Certificate) -> Iterator[Callable[..., Scripted]]:
    """Make a scripted server; `scripted(tls=True)` speaks TLS with the test's certificate."""
    with ExitStack() as stack:
        yield lambda *, tls=False: stack.enter_context(scripted_server(certificate if tls else None))
