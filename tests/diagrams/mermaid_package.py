"""The npm package `mermaid` itself, to parse what we write for it; installed into a folder that is kept for a run."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests import npm

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
    """The package in a folder of its own."""
    npm.installed(folder, *PACKAGES)
    (folder / "read.mjs").write_text(READER)
    return folder


def read(package: Path, *files: Path) -> dict[str, str]:
    """By file name, the kind of diagram that the package reads in it, or ``error: …``."""
    command = ["node", "read.mjs", *map(str, files)]
    done = subprocess.run(command, cwd=package, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = (line.split("\t") for line in done.stdout.splitlines())
    return {Path(path).name: said for path, said in found}
