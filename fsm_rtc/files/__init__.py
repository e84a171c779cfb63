"""A file that crosses a call, and goes on where it was when one of the two processes is killed."""

from fsm_rtc.files.crossing import receive_file, send_file
from fsm_rtc.files.folder import ReceivingFolder
from fsm_rtc.files.progress import Began, FileProgress, Moved, Restarted, Stopped
from fsm_rtc.files.source import FileSource

__all__ = [
    "Began",
    "FileProgress",
    "FileSource",
    "Moved",
    "ReceivingFolder",
    "Restarted",
    "Stopped",
    "receive_file",
    "send_file",
]
