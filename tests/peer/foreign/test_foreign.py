"""Foreign descriptions are answered or refused as Chromium does, or docs/deviations.md says why not."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from fsm_rtc.conformance.adapter import LocalAdapter, ProcessAdapter
from fsm_rtc.conformance.adapters.own import Own
from tests.conformance.adapter_conversation import installed
from tests.peer.foreign.answers import ANSWERS
from tests.peer.foreign.ask import Table, ask, load
from tests.peer.foreign.descriptions import OFFERS
from tests.peer.foreign.deviations import DEVIATIONS, REASONS

pytestmark = pytest.mark.browser

DOCS = Path(__file__).parents[3] / "docs" / "deviations.md"


@pytest.fixture(scope="module")
def chromium() -> Table:
    return load()


@pytest.fixture(scope="module")
def own() -> Table:
    """This side's verdicts."""

    async def asked() -> Table:
        adapter = LocalAdapter(Own())
        await adapter.start()
        try:
            return await ask(adapter)
        finally:
            await adapter.aclose()

    return asyncio.run(asked())


def test_each_is_answered_or_refused_as_chromium_does_or_the_documentation_says_why_not(
    own: Table, chromium: Table
) -> None:
    differing = {
        name
        for name, verdict in own.verdicts.items()
        if (bool(verdict.refused), verdict.groups, verdict.sections)
        != (bool(chromium.verdicts[name].refused), chromium.verdicts[name].groups, chromium.verdicts[name].sections)
    }
    assert differing == set(DEVIATIONS)


def test_what_is_refused_is_refused_by_a_named_error_with_line_and_rule(own: Table) -> None:
    for name, verdict in own.verdicts.items():
        if not verdict.refused:
            continue
        assert re.match(r"(OperationError|InvalidAccessError): ", verdict.refused), name
        assert re.search(r"\bline \d+ \(", verdict.refused), (name, verdict.refused)


def test_the_table_has_every_description_and_nothing_else(chromium: Table) -> None:
    assert set(chromium.verdicts) == set(OFFERS) | set(ANSWERS)
    assert len(chromium.verdicts) >= 300
    assert set(DEVIATIONS) <= set(chromium.verdicts)


def test_the_documentation_has_each_reason() -> None:
    text = DOCS.read_text()
    assert [reason for reason in REASONS if f"| {reason} |" not in text] == []


async def test_chromium_says_what_the_table_says(chromium: Table) -> None:
    adapter = ProcessAdapter(installed("chromium").command)
    await adapter.start()
    try:
        asked = await ask(adapter)
    finally:
        await adapter.aclose()
    if asked.version.split(".")[0] != chromium.version.split(".")[0]:
        pytest.skip(
            f"the table is of Chromium {chromium.version}; python -m tests.peer.foreign.ask asks {asked.version}"
        )
    assert {
        name for name, one in asked.verdicts.items() if (not one.refused) != (not chromium.verdicts[name].refused)
    } == set()
