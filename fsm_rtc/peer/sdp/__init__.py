"""Reading session descriptions: once, line by line, with an error that names the line and the rule.

A description is read before a library sees it: some libraries take any text for an offer and fail later, in a task that
nobody awaits. `read` gives what it says, `check_description` refuses what nobody could connect with.
"""

from fsm_rtc.peer.sdp.checks import (
    candidates_of,
    check_description,
    fingerprints_of,
    placed_in,
    read_candidate,
    sections_of,
)
from fsm_rtc.peer.sdp.model import Section
from fsm_rtc.peer.sdp.reader import BOUNDS, read

__all__ = [
    "BOUNDS",
    "Section",
    "candidates_of",
    "check_description",
    "fingerprints_of",
    "placed_in",
    "read",
    "read_candidate",
    "sections_of",
]
