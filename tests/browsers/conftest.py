"""One driver, and each browser once, for all tests here."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browsers.driving import PACKAGE, Browsers, missing


@pytest.fixture(scope="session")
def driver_folder() -> Path:
    """Where the driver's packages are; kept from one run to the next."""
    if lacks := missing():
        told = f"browsers can't be driven without {lacks} (Debian: apt-get install chromium firefox-esr nodejs npm)"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    folder = Path(tempfile.gettempdir(), f"fsm_rtc-browsers-{PACKAGE.stat().st_mtime_ns}")
    folder.mkdir(exist_ok=True)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browsers(driver_folder: Path) -> AsyncIterator[Browsers]:
    async with Browsers(driver_folder) as driven:
        yield driven
