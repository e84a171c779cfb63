"""Where a chart meets the library `transitions`; that library is loaded when it is used.

- `to_transitions`: a live machine of that library, for a program that is built on it.
- `on_transitions`, `chart_class`: the same chart with the same surface, stepped by that library.
"""

from fsm_rtc.bridge.live import Model, to_transitions
from fsm_rtc.bridge.stepped import ENGINES, chart_class, on_transitions

__all__ = ["ENGINES", "Model", "chart_class", "on_transitions", "to_transitions"]
