"""Drawings of the tables: matrix, Mermaid, DOT, SVG and SCXML, each the same for the same chart."""

from fsm_rtc.diagrams.drawable import kind_of
from fsm_rtc.diagrams.folder import Fault, FaultKind, all_machines, check_all, check_file, render_all, write_file
from fsm_rtc.diagrams.journaled import machines_in
from fsm_rtc.diagrams.matrix import matrix
from fsm_rtc.diagrams.overview import overview_text
from fsm_rtc.diagrams.render import Format, dot, journal_text, mermaid, render, scxml, svg, table_text
from fsm_rtc.diagrams.rules import rule_table
from fsm_rtc.diagrams.sequence import sequence_text
from fsm_rtc.diagrams.svg import DiagramError

__all__ = [
    "DiagramError",
    "Fault",
    "FaultKind",
    "Format",
    "all_machines",
    "check_all",
    "check_file",
    "dot",
    "journal_text",
    "kind_of",
    "machines_in",
    "matrix",
    "mermaid",
    "overview_text",
    "render",
    "render_all",
    "rule_table",
    "scxml",
    "sequence_text",
    "svg",
    "table_text",
    "write_file",
]
