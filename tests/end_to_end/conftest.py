"""One driver, and each browser once, for all tests of a file."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests import npm
from tests.end_to_end.browser_driver import PACKAGE, Browsers, missing_browsers


@pytest.fixture(scope="session")
def driver_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the driver's package is."""
    if lacks := missing_browsers():
        npm.missing(f"{lacks} (Debian: apt-get install {lacks.replace(',', '')})")
    return npm.installed(tmp_path_factory.mktemp("driver"), PACKAGE)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browsers(driver_folder: Path) -> AsyncIterator[Browsers]:
    async with Browsers(driver_folder) as driven:
        yield driven
