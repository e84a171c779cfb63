"""What is done to a connection under test: each operation by the name under which reports show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["BY_NAME", "OPERATIONS", "Argument", "OperationKind"]


class Argument(StrEnum):
    """What an operation is given."""

    NOTHING = ""
    OFFER = "offer"
    PRANSWER = "pranswer"
    ANSWER = "answer"
    ROLLBACK = "rollback"
    NONE = "none"
    MUNGED_OFFER = "munged offer"
    MUNGED_ANSWER = "munged answer"
    FOREIGN_OFFER = "foreign offer"
    FOREIGN_ANSWER = "foreign answer"
    GARBAGE = "garbage"
    NO_FINGERPRINT = "no fingerprint"
    GOOD = "good"
    MALFORMED = "malformed"
    NO_MID = "no mid"
    UNKNOWN_MID = "unknown mid"
    INDEX = "index"
    UNKNOWN_INDEX = "unknown index"
    UFRAG = "unknown ufrag"
    END = "end"


@dataclass(frozen=True, slots=True)
class OperationKind:
    """One operation.

    Attributes:
        method: the method's name in the specification, and in the adapter protocol.
        argument: what it is given.
        machine: the chart that judges it: ``negotiation`` or ``api``.
        trigger: that chart's trigger.
        is_promise: whether the method returns a promise, so that no error may be thrown by the call itself.
    """

    method: str
    argument: Argument
    machine: str
    trigger: str
    is_promise: bool = True

    @property
    def name(self) -> str:
        """How reports show it, e.g. ``setLocalDescription(rollback)``."""
        return f"{self.method}({self.argument.value})" if self.argument else self.method

    @property
    def is_content_bad(self) -> bool:
        """Whether the description is refused for what it says, where the state would permit it."""
        return self.argument in (Argument.GARBAGE, Argument.NO_FINGERPRINT)

    @property
    def is_modified(self) -> bool:
        """Whether the local description is not the one that was created."""
        return self.argument in (
            Argument.MUNGED_OFFER,
            Argument.MUNGED_ANSWER,
            Argument.FOREIGN_OFFER,
            Argument.FOREIGN_ANSWER,
        )


def _negotiation(method: str, triggers: dict[Argument, str]) -> list[OperationKind]:
    return [OperationKind(method, argument, "negotiation", trigger) for argument, trigger in triggers.items()]


OPERATIONS: tuple[OperationKind, ...] = (
    *_negotiation("createOffer", {Argument.NOTHING: "create_offer"}),
    *_negotiation("createAnswer", {Argument.NOTHING: "create_answer"}),
    *_negotiation(
        "setLocalDescription",
        {
            Argument.OFFER: "set_local_offer",
            Argument.PRANSWER: "set_local_pranswer",
            Argument.ANSWER: "set_local_answer",
            Argument.ROLLBACK: "rollback",
            Argument.NONE: "set_local_description",
            Argument.MUNGED_OFFER: "set_local_offer",
            Argument.MUNGED_ANSWER: "set_local_answer",
            Argument.FOREIGN_OFFER: "set_local_offer",
            Argument.FOREIGN_ANSWER: "set_local_answer",
        },
    ),
    *_negotiation(
        "setRemoteDescription",
        {
            Argument.OFFER: "set_remote_offer",
            Argument.PRANSWER: "set_remote_pranswer",
            Argument.ANSWER: "set_remote_answer",
            Argument.ROLLBACK: "rollback",
            Argument.GARBAGE: "set_remote_offer",
            Argument.NO_FINGERPRINT: "set_remote_offer",
        },
    ),
    *(
        OperationKind("addIceCandidate", argument, "api", "add_ice_candidate")
        for argument in (
            Argument.GOOD,
            Argument.MALFORMED,
            Argument.NO_MID,
            Argument.UNKNOWN_MID,
            Argument.INDEX,
            Argument.UNKNOWN_INDEX,
            Argument.UFRAG,
            Argument.END,
        )
    ),
    OperationKind("createDataChannel", Argument.NOTHING, "api", "create_data_channel", is_promise=False),
    OperationKind("addTransceiver", Argument.NOTHING, "api", "add_transceiver", is_promise=False),
    OperationKind("restartIce", Argument.NOTHING, "api", "restart_ice", is_promise=False),
    OperationKind("close", Argument.NOTHING, "api", "close", is_promise=False),
)
"""Everything that is done to one connection alone."""

BY_NAME = {operation.name: operation for operation in OPERATIONS}
