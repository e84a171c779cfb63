"""What a person reads of a chat: what happens in plain words, and what the others say."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from fsm_rtc.cli.plain import plain, plain_lines
from fsm_rtc.connection.delivery.messages import chat_text
from fsm_rtc.connection.diagnosis.failure import Failure
from fsm_rtc.connection.events import ConnectionEvent, ConnectionStateChanged, Ready, SignalingStatusChanged
from fsm_rtc.machines.connection_state import PeerConnectionState
from fsm_rtc.machines.signaling_link import SignalingStatus
from fsm_rtc.messages import Introduction
from fsm_rtc.room.events import PeerArrived, PeerEvent, PeerGone, RoomEvent

__all__ = ["ChatWords", "name_of"]

ADVICE = {
    "replaced": "Another program joined the room with your key and took your place. "
    "Give one of the two a key of its own: --one-time-key, or --identity FILE.",
    "room_full": "The room has as many as it may hold; agree on another one.",
}
"""What to do about a refusal of the server, by its code."""


class ChatWords:
    """A `Report` for people.

    Args:
        console: where it is shown.
        room: the room's name.
        known_id: the id that is remembered under a name, or None.
        forget: the command that makes this side accept a new key; without the name.
        when_connected: what is said of a new connection.
        verbose: whether all that is known of a failure is shown, and not the advice alone.
    """

    def __init__(
        self,
        console: Console,
        room: str,
        known_id: Callable[[str], str | None],
        forget: str | None,
        *,
        when_connected: str = "what you type is sent, /quit leaves",
        verbose: bool = False,
    ) -> None:
        self._console = console
        self._room = room
        self._known_id = known_id
        self._forget = forget
        self._when_connected = when_connected
        self._verbose = verbose
        self._shown: Failure | None = None
        self._here: dict[str, Introduction] = {}
        self._said_kept = False

    def say(self, text: str, style: str = "dim") -> None:
        """Show a line that nobody of the chat said."""
        self._console.print(Text(f"* {plain_lines(text)}", style), soft_wrap=True)

    def happened(self, event: RoomEvent) -> None:
        match event:
            case SignalingStatusChanged():
                self._signaling(event)
            case PeerArrived(peer):
                self._arrived(peer)
            case PeerEvent(peer, _, what):
                self._on_connection(self._name(peer), what)
            case PeerGone():
                self._gone(event)
            case _:
                pass

    def heard(self, peer: Introduction, message: str | bytes) -> None:
        name = self._name(peer)
        said = chat_text(message)
        if said is not None:
            line = Text.assemble((f"{name}: ", "bold cyan"), plain_lines(said))
        elif isinstance(message, str):
            line = Text(f"* {name} sends text that is no chat message: {plain_lines(message)}", "dim")
        else:
            line = Text(f"* {name} sends {len(message)} bytes", "dim")
        self._console.print(line, soft_wrap=True)

    def kept(self) -> None:
        if not self._said_kept:
            self._said_kept = True
            self.say("the other side isn't connected; what you type is sent when it is, /quit leaves without")

    def not_sent(self, why: str) -> None:
        self.say(f"a line was not sent: {why}", "red")

    def refused(self, name: str, key_id: str, known_id: str | None) -> None:
        who = plain(name) or "somebody without a name"
        had = f", who had the id {known_id} before" if known_id is not None else ""
        self.say(f"refused: {who}, now with the id {key_id}{had}", "red")
        remedy = f"accept it with: {self._forget} {_argument(name)}; then" if self._forget else "to accept it,"
        self.say(
            f"Either {who} has a new key, or somebody else uses that name. Ask {who} in another way for the id that "
            f"`fsm-rtc join` shows there; if it is the new one, {remedy} join again.",
            "yellow",
        )

    def forgetful(self, why: str) -> None:
        self.say(f"the keys of others can't be remembered or compared: {why}", "yellow")

    def _signaling(self, event: SignalingStatusChanged) -> None:
        if event.error is not None:
            retry = event.retry_seconds
            then = f"trying again in {retry:.1f} s" if retry is not None else "given up"
            self.say(f"{event.error}; {then}", "yellow" if retry is not None else "red")
            if (advice := ADVICE.get(getattr(event.error, "code", None) or "")) is not None:
                self.say(advice, "yellow")
        elif event.status is SignalingStatus.CONNECTED:
            if self._here:
                self.say("the signalling server is there again")
            else:
                self.say(f"waiting for the other side in room {self._room}")

    def _arrived(self, peer: Introduction) -> None:
        self._here[peer.id] = peer
        name = self._name(peer)
        known = self._known_id(peer.name)
        if known == peer.id:
            self.say(f"{name} joined, with the id that is known: {peer.id}")
        elif known is not None:
            self.say(f"{name} joined, with another id than before: {peer.id}", "yellow")
        else:
            self.say(f"{name} joined, with the id {peer.id}")

    def _on_connection(self, name: str, event: ConnectionEvent) -> None:
        match event:
            case Ready():
                self._said_kept = False
                self.say(f"connected to {name}: {self._when_connected}", "green")
            case ConnectionStateChanged(PeerConnectionState.DISCONNECTED):
                self.say(f"the connection to {name} is disturbed; it may recover", "yellow")
            case ConnectionStateChanged(PeerConnectionState.FAILED):
                self.say(f"the connection to {name} has failed", "red")
            case ConnectionStateChanged(PeerConnectionState.CLOSED):
                self.say(f"{name} is no longer connected", "yellow")
            case _:
                pass

    def _gone(self, event: PeerGone) -> None:
        name = self._name(event.peer)
        what = f"{name} left" if event.by_peer else f"the call with {name} ended"
        if self._here.get(event.peer.id) == event.peer:
            del self._here[event.peer.id]
        rest = sorted(self._name(peer) for peer in self._here.values())
        then = f"still here: {', '.join(rest)}" if rest else f"waiting for the next one in room {self._room}"
        self.say(f"{what}: {event.reason}; {then}", "yellow")
        self.failed(event.failure)

    def failed(self, failure: Failure | None) -> None:
        """Show what to do about a call that failed, once, unless there is nothing to be done."""
        if failure is None or failure is self._shown or failure.is_goodbye or failure.code in ADVICE:
            return
        self._shown = failure
        self.say(str(failure) if self._verbose else failure.advice, "yellow")

    def _name(self, peer: Introduction) -> str:
        """How somebody is called here, told apart from who is called the same."""
        name = name_of(peer)
        alike = [other for other in self._here.values() if other.id != peer.id and name_of(other) == name]
        return f"{name} ({plain(peer.id[:8])})" if alike else name


def name_of(peer: Introduction) -> str:
    """How somebody is called here: by name, and without one by the beginning of the id."""
    return plain(peer.name) or plain(peer.id[:8])


def _argument(name: str) -> str:
    """The name as a shell and the command take it."""
    quoted = shlex.quote(plain(name))
    return f"-- {quoted}" if name.startswith("-") else quoted
