"""The npm package `mermaid` itself, to parse what we write for it; installed into a folder that is kept for a run."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PACKAGES = ("mermaid@12", "jsdom@26")

READER = """\
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

const { window } = new JSDOM("");
Object.assign(globalThis, { window, document: window.document, Option: window.Option });
const { default: mermaid } = await import("mermaid");
mermaid.initialize({ startOnLoad: false });
for (const path of process.argv.slice(2)) {
  try {
    const { diagramType } = await mermaid.parse(readFileSync(path, "utf8"));
    console.log(`${path}\\t${diagramType}`);
  } catch (error) {
    console.log(`${path}\\terror: ${String(error.message).replaceAll("\\n", " ")}`);
  }
}
"""


def installed(folder: Path) -> Path:
    """The package in a folder of its own. Where npm is missing it is a failure in CI, and a skip elsewhere."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        missing = "needs node and npm, to ask the package mermaid itself; install them (Debian: nodejs npm)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    (folder / "read.mjs").write_text(READER)
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", *PACKAGES]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(f"npm couldn't install {', '.join(PACKAGES)}: {done.stderr}")
        pytest.skip("npm couldn't install mermaid, perhaps because there is no network")
    return folder


def read(package: Path, *files: Path) -> dict[str, str]:
    """By file name, the kind of diagram that the package reads in it, or ``error: …``."""
    command = ["node", "read.mjs", *map(str, files)]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = (line.split("\t") for line in done.stdout.splitlines())
    return {Path(path).name: said for path, said in found}
