"""A derived table as Markdown: its rules in order, the first that applies wins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsm_rtc.diagrams.drawable import opening_of
from fsm_rtc.diagrams.matrix import markdown_table

if TYPE_CHECKING:
    from fsm_rtc.diagrams.drawable import DerivedClass

__all__ = ["rule_table"]

WIDEST_RULE = 100
"""A rule's sentence up to this many characters is padded."""


def rule_table(derived: DerivedClass) -> str:
    """The rules of a derived status as a Markdown table.

    Args:
        derived: the derived table, as a class.

    Returns:
        Markdown that ends with a line end; the same for the same table.
    """
    body = [
        [str(place), f"**{rule.target.value}**", rule.sentence, f"`{rule.when.__name__}`" if rule.when else ""]
        for place, rule in enumerate(derived.rules, start=1)
    ]
    states = len({rule.target for rule in derived.rules})
    parts = [
        f"# {derived.__name__}",
        opening_of(derived.__doc__),
        f"Derived, {states} states, {len(derived.rules)} rules; the first that applies wins."
        + (f" Source: {derived.cite}" if derived.cite else ""),
        markdown_table(["rule", "state", "when", "condition"], body, widest=WIDEST_RULE),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"
