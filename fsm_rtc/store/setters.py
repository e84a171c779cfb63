"""The documented setters. A status is never just set: its setter fires the trigger that leads there."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fsm_rtc.engine import Chart
from fsm_rtc.engine.own_thread import OwnThread, on_own_thread
from fsm_rtc.errors import InvalidDescriptionError, InvalidStateError, Reason, Rejected
from fsm_rtc.machines.peer_status import PeerConnectionStatus, PeerStatus
from fsm_rtc.machines.signaling_link import SignalingLink, SignalingStatus
from fsm_rtc.peer.description import SessionDescription
from fsm_rtc.store.error_field import ErrorField
from fsm_rtc.store.subscriptions import Subscriptions

__all__ = ["Setters", "as_description"]

SIGNALING_TRIGGERS = {
    SignalingStatus.CONNECTED: "on_connected",
    SignalingStatus.DISCONNECTED: "on_disconnected",
    SignalingStatus.ERROR: "on_error",
}
OFFERS = ("offer",)
ANSWERS = ("answer", "pranswer")


class Setters(ABC):
    """What a store can be told. Each setter stores its error and raises it."""

    signaling_link: SignalingLink
    peer_status: PeerStatus
    _own_thread: OwnThread
    _subscriptions: Subscriptions
    _errors: ErrorField

    @abstractmethod
    def _leave(self, reason: str, trigger: str = "close_connection") -> None:
        """Give up the peer connection, if there is one."""

    @abstractmethod
    def _set(self, **fields: object) -> None:
        """Change fields that hold what the user said, rather than what the connection did."""

    @on_own_thread
    def set_signaling_status(self, status: SignalingStatus | str) -> None:
        """Say how the signalling socket is: ``Connected``, ``Disconnected`` or ``Error``.

        Setting the present status again does nothing.

        Raises:
            Rejected: the table has no way there, or there is no such status (`Reason.UNKNOWN_REPORT`).
        """
        with self._errors.operation("set_signaling_status"):
            _demand(self.signaling_link, SignalingStatus, status)
            _raise_if_refused(self.signaling_link.fire(SIGNALING_TRIGGERS[SignalingStatus(status)]))

    @on_own_thread
    def set_peer_connection_status(self, status: PeerConnectionStatus | str) -> None:
        """Report the peer connection's status, in place of the library.

        ``Disconnected`` (no peer connection) gives the present one up, like `close_connection` without waiting for it.

        Raises:
            Rejected: the table has no way there, or there is no such status (`Reason.UNKNOWN_REPORT`).
        """
        with self._errors.operation("set_peer_connection_status"):
            _demand(self.peer_status, PeerConnectionStatus, status)
            if status == PeerConnectionStatus.NO_CONNECTION:
                self._leave("the status was set to Disconnected during this operation")
            else:
                _raise_if_refused(self.peer_status.report(status))

    @on_own_thread
    def set_offer_received(self, is_received: bool) -> None:
        """Say whether the other side's offer has come, e.g. before it is processed.

        Raises:
            TypeError: it is no bool.
            InvalidStateError: False, while an offer waits for its answer.
        """
        with self._errors.operation("set_offer_received"):
            if not isinstance(is_received, bool):
                raise TypeError(f"is_received is True or False, not {is_received!r}")
            connection = self._subscriptions.snapshot.peer_connection
            if not is_received and connection is not None and connection.negotiation.permits("create_answer"):
                raise InvalidStateError("an offer has been received and waits for its answer; close_connection first")
            self._set(is_offer_received=is_received)

    @on_own_thread
    def set_connection_id(self, connection_id: str | None) -> None:
        """Name the session.

        Raises:
            TypeError: it is neither text nor None.
        """
        with self._errors.operation("set_connection_id"):
            if not (connection_id is None or isinstance(connection_id, str)):
                raise TypeError(f"a connection id is text or None, not {connection_id!r}")
            self._set(connection_id=connection_id)

    @on_own_thread
    def set_error(self, error: Exception | None) -> None:
        """Store an error of the program's own; None clears it.

        Raises:
            TypeError: it is neither an exception nor None.
        """
        if not (error is None or isinstance(error, Exception)):
            raise TypeError(f"an error is an exception or None, not {error!r}; wrap a message: RuntimeError(message)")
        self._errors.put(error)

    @on_own_thread
    def set_offer(self, offer: SessionDescription | Mapping[str, object] | None) -> None:
        """Store an offer. It is not applied; see `ConnectionStore.process_offer`.

        Raises:
            InvalidDescriptionError: it is no offer.
        """
        with self._errors.operation("set_offer"):
            self._set(offer=None if offer is None else as_description(offer, OFFERS))

    @on_own_thread
    def set_answer(self, answer: SessionDescription | Mapping[str, object] | None) -> None:
        """Store an answer. It is not applied; see `ConnectionStore.process_answer`.

        Raises:
            InvalidDescriptionError: it is no answer.
        """
        with self._errors.operation("set_answer"):
            self._set(answer=None if answer is None else as_description(answer, ANSWERS))

    @on_own_thread
    def set_remote_public_key(self, remote_public_key: bytes | bytearray | memoryview | None) -> None:
        """Store the other side's public key.

        Raises:
            TypeError: it is neither bytes nor None.
        """
        with self._errors.operation("set_remote_public_key"):
            self._set(remote_public_key=_as_key(remote_public_key))

    @on_own_thread
    def set_local_public_key(self, local_public_key: bytes | bytearray | memoryview | None) -> None:
        """Store this side's public key.

        Raises:
            TypeError: it is neither bytes nor None.
        """
        with self._errors.operation("set_local_public_key"):
            self._set(local_public_key=_as_key(local_public_key))


def as_description(description: object, types: tuple[str, ...]) -> SessionDescription:
    """A description of one of these types, from the browser's form if need be.

    Raises:
        InvalidDescriptionError: it is none.
    """
    if not isinstance(description, SessionDescription):
        description = SessionDescription.from_dict(description)
    if description.type not in types:
        raise InvalidDescriptionError(
            f"an {types[0]} is expected here, not a description of type {description.type!r}; offers go to "
            "process_offer, answers to process_answer",
            detail="type",
        )
    return description


def _as_key(key: object) -> bytes | None:
    if key is None or isinstance(key, bytes | bytearray | memoryview):
        return None if key is None else bytes(key)
    raise TypeError(f"a public key is bytes or None, not {type(key).__name__}; decode it first")


def _demand(machine: Chart[Any, Any], statuses: type[StrEnum], status: object) -> None:
    """Raise if `status` is in no table; its spelling counts."""
    if status not in tuple(statuses):
        raise Rejected(
            type(machine).__name__,
            machine.state,
            f"on_{status}",
            Reason.UNKNOWN_REPORT,
            allowed=machine.allowed(),
            event=status,
        )


def _raise_if_refused(outcome: object) -> None:
    if isinstance(outcome, Rejected) and outcome.reason is not Reason.ALREADY:
        raise outcome
