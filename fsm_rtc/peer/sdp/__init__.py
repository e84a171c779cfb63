"""Reading session descriptions: once, line by line, with an error that names the line and the rule.

A description is read before a library sees it: some libraries take any text for an offer and fail later, in a task that
nobody awaits. `read` gives what it says, `check_description` refuses what nobody could connect with.
"""

from fsm_rtc.peer.sdp.candidates import check_candidate, read_candidate, with_candidates
from fsm_rtc.peer.sdp.checks import (
    candidates_of,
    check_description,
    check_transports,
    fingerprints_of,
    first_of_each,
    made_up_mids,
    mids_like,
    sections_of,
    trickles,
)
from fsm_rtc.peer.sdp.model import Candidate, ReadDescription, Section
from fsm_rtc.peer.sdp.reader import BOUNDS, Bounds, read, read_in_turns

__all__ = [
    "BOUNDS",
    "Bounds",
    "Candidate",
    "ReadDescription",
    "Section",
    "candidates_of",
    "check_candidate",
    "check_description",
    "check_transports",
    "fingerprints_of",
    "first_of_each",
    "made_up_mids",
    "mids_like",
    "read",
    "read_candidate",
    "read_in_turns",
    "sections_of",
    "trickles",
    "with_candidates",
]
