"""Either side of a call, and its server, are killed at events of all kinds: nothing is lost or doubled, and it is back.

A few kills here, by a seed; ``python -m tests.kills.killing 200 1`` makes as many as one likes.
"""

from __future__ import annotations

import os
from pathlib import Path

from tests.effort import by_profile
from tests.kills.killing import Killing

KILLS = int(os.environ.get("KILLS", by_profile(quick=4, default=4, ci=10, thorough=10)))


async def test_nothing_is_lost_or_doubled_whatever_is_killed_and_the_call_is_back_every_time(tmp_path: Path) -> None:
    report = await Killing(tmp_path, seed=KILLS).run(KILLS, least=KILLS // 10)
    assert report.sent > 0, report
    assert (report.lost, report.doubled, report.not_back) == (0, 0, []), report
