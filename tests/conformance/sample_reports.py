"""Made-up reports, for the tests of what is written of them."""

from __future__ import annotations

from typing import Any

from fsm_rtc.conformance.findings import CellVerdict, Coverage, Finding, FindingCell, FindingEdge, Kind, StackReport

__all__ = ["finding", "report"]


def finding(**changes: Any) -> Finding:
    told: dict[str, Any] = {
        "machine": "negotiation",
        "state": "stable",
        "operation": "createAnswer",
        "expected": "rejected with InvalidStateError, in stable",
        "observed": "fulfilled, in stable",
        "kind": Kind.VERDICT,
        "sequence": ("createDataChannel", "createAnswer"),
        "reproduced": "10/10",
        "source": "W3C webrtc-pc, Editor's Draft 2026-05-04, #dom-rtcpeerconnection-createanswer",
        "reading": "createAnswer needs an offer.",
    }
    return Finding(**(told | changes))


def report(name: str = "one", *findings: Finding, **changes: Any) -> StackReport:
    cells = (
        FindingCell("negotiation", "stable", "createOffer", CellVerdict.AGREES),
        FindingCell("negotiation", "stable", "createAnswer", CellVerdict.DIFFERS if findings else CellVerdict.AGREES),
        FindingCell("negotiation", "have-local-pranswer", "createOffer", CellVerdict.UNREACHABLE),
        FindingCell("negotiation", "stable", "setLocalDescription(none)", CellVerdict.INEXPRESSIBLE),
    )
    edges = (
        FindingEdge("negotiation", "stable", "have-local-offer", 3, True),
        FindingEdge("negotiation", "have-local-offer", "have-remote-offer", 2, False),
    )
    told: dict[str, Any] = {
        "name": name,
        "version": "1.0",
        "profile": "webrtc-pc",
        "coverage": Coverage(2, 2, 1),
        "findings": findings,
        "cells": cells,
        "edges": edges,
        "command": f"fsm-rtc conform {name}",
    }
    return StackReport(**(told | changes))
