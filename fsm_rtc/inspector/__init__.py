"""The inspector: a page that shows a journal's connections, live or finished."""

from fsm_rtc.inspector.access import InspectorError, new_token
from fsm_rtc.inspector.asgi import InspectorApp
from fsm_rtc.inspector.charts import ChartBook
from fsm_rtc.inspector.feed import Feed
from fsm_rtc.inspector.server import Inspector, serve_inspector
from fsm_rtc.inspector.source import RecordLog, RecordSource

__all__ = [
    "ChartBook",
    "Feed",
    "Inspector",
    "InspectorApp",
    "InspectorError",
    "RecordLog",
    "RecordSource",
    "new_token",
    "serve_inspector",
]
