"""Packages of npm that tests ask or drive, each in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

LIMIT_SECONDS = 300


def installed(folder: Path, *packages: str) -> Path:
    """A folder with these packages, as ``name@version``; installed unless they are there.

    Where npm is missing, or has no network, it is a failure in CI and a skip elsewhere.
    """
    if shutil.which("npm") is None or shutil.which("node") is None:
        missing("node and npm (Debian: apt-get install nodejs npm)")
    if (folder / "installed").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps({"private": True, "type": "module"}))
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", *packages]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    if done.returncode != 0:
        missing(f"{', '.join(packages)}, which npm couldn't install: {done.stderr}")
    (folder / "installed").touch()
    return folder


def missing(what: str) -> NoReturn:
    """The test needs something that isn't here."""
    if os.environ.get("CI"):
        pytest.fail(f"needs {what}")
    pytest.skip(f"needs {what}")
