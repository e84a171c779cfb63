"""What is written down or sent, as structs that are checked when they are read."""

from fsm_rtc.messages.journal import (
    EventRecord,
    JournalFile,
    StartedRecord,
    SummaryRecord,
    load_journal,
    read_journal,
)

__all__ = ["EventRecord", "JournalFile", "StartedRecord", "SummaryRecord", "load_journal", "read_journal"]
