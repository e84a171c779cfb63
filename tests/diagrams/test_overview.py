"""The overview: every coupling is drawn, in each language."""

from __future__ import annotations

import pytest

from fsm_rtc.diagrams import DiagramError, Format, overview_text
from fsm_rtc.machines.couplings import COUPLINGS


@pytest.mark.parametrize("language", [Format.MERMAID, Format.DOT, Format.SVG])
def test_every_coupled_machine_and_what_couples_it_is_named(language: Format) -> None:
    text = overview_text(language)
    for coupling in COUPLINGS:
        for name in (coupling.source, coupling.target, *coupling.by):
            assert name in text


def test_what_is_coupled_twice_has_one_arrow() -> None:
    arrows = [line for line in overview_text(Format.DOT).splitlines() if "exchange -> negotiation" in line]
    assert len(arrows) == 1


def test_scxml_is_refused_in_words() -> None:
    with pytest.raises(DiagramError, match="one machine in a document"):
        overview_text(Format.SCXML)
