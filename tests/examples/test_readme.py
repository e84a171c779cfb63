"""The README's Python runs as it stands there, and says what the README says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def block_with(word: str) -> str:
    (block,) = (block for block in BLOCKS if word in block)
    return str(block)


def output_of(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


AT_HOME = """
import fsm_rtc.store.lifecycle as lifecycle
from fsm_rtc import Configuration
lifecycle.DEFAULT_CONFIGURATION = Configuration(loopback=True)  # no test asks the public STUN server
"""


def test_two_stores_connect_and_one_hears_the_other() -> None:
    lines = output_of(AT_HOME + block_with("ConnectionStore")).splitlines()
    assert "connected" in lines
    assert any("Hello peer!" in line for line in lines)


def test_the_door_refuses_in_the_words_that_the_comment_shows() -> None:
    block = block_with("class Door(")
    comment = block.rstrip().rpartition("# ")[2].removesuffix(" …")
    assert output_of(block).startswith(comment)


def test_the_rejection_at_the_top_is_what_the_machine_says() -> None:
    shown = re.search(r"^    (Negotiation rejected .*?)\n\n", README, re.MULTILINE | re.DOTALL)
    assert shown is not None
    said = output_of(
        "from fsm_rtc.machines.negotiation import Negotiation\nprint(Negotiation(None).set_remote_answer())"
    )
    assert " ".join(shown[1].split()) == said.strip()


@pytest.mark.parametrize("name", re.findall(r"\]\(([A-Za-z.]+)\)", README))
def test_a_link_into_the_project_leads_somewhere(name: str) -> None:
    assert (ROOT / name).exists()
