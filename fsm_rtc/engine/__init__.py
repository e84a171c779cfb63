"""What a table is, and what runs it. Standard library only."""

from fsm_rtc.engine.chart import Chart, Observer
from fsm_rtc.engine.clock import Clock
from fsm_rtc.engine.compile import ChartTable, TriggerTable
from fsm_rtc.engine.derived import Derived, Rule
from fsm_rtc.engine.journal import Dropped, Entry, Journal, Record, Started
from fsm_rtc.engine.observed import Observed, adopt
from fsm_rtc.engine.outcome import Accepted, Outcome, Queued
from fsm_rtc.engine.row import Row, resolves_to, stay
from fsm_rtc.engine.table import On

__all__ = [
    "Accepted",
    "Chart",
    "ChartTable",
    "Clock",
    "Derived",
    "Dropped",
    "Entry",
    "Journal",
    "Observed",
    "Observer",
    "On",
    "Outcome",
    "Queued",
    "Record",
    "Row",
    "Rule",
    "Started",
    "TriggerTable",
    "adopt",
    "resolves_to",
    "stay",
]
