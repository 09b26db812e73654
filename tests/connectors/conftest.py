"""Vendors to talk to: sandboxes with a rig for the contract suite, and scripted servers for what no sandbox does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from loopback import Stage
from onevoice.sandbox.certificate import Certificate
from rigs import hubspot as hubspot_rig
from rigs import klaviyo as klaviyo_rig
from rigs import salesforce as salesforce_rig
from rigs import shopify as shopify_rig
from rigs import square as square_rig
from rigs.common import Freely
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
