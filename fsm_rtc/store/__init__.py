"""ConnectionStore: one call as a state to subscribe to, and what can be done with it."""

from fsm_rtc.connection.delivery.messages import MessageReader, chat_message, chat_text
from fsm_rtc.store.connection_store import DEFAULT_CONFIGURATION, SECURE_CHANNEL, ConnectionStore
from fsm_rtc.store.snapshot import ConnectionSnapshot
from fsm_rtc.store.subscriptions import SnapshotChanges

__all__ = [
    "DEFAULT_CONFIGURATION",
    "SECURE_CHANNEL",
    "SnapshotChanges",
    "ConnectionSnapshot",
    "ConnectionStore",
    "MessageReader",
    "chat_message",
    "chat_text",
]
