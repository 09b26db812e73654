"""Vendors' own SDKs work against the sandbox with nothing changed but the base URL."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKS = sorted(Path(__file__).parent.glob("*/check.py"))


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.parent.name)
def test_the_sdk_reads_every_answer(check):
    done = subprocess.run([sys.executable, check], check=False, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr


def test_there_are_sdks_to_check():
    assert CHECKS
