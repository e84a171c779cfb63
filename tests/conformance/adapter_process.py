"""An adapter as the kit meets it: a program, lines in, lines out."""

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self


class AdapterProcess:
    """One adapter program, given by its command; its temporary files go to `folder`."""

    def __init__(self, command: Sequence[str], folder: Path, **environment: str) -> None:
        self._told = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._told,
            env={**os.environ, "TMPDIR": str(folder), **environment},
            start_new_session=True,
        )
        self._requests = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.end()
        self._told.close()

    def ask(self, *do: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """The reply to one request."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._requests += 1
        self.process.stdin.write(json.dumps({"id": self._requests, "do": do, **fields}).encode() + b"\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the adapter ended: {self.end()}"
        reply: dict[str, Any] = json.loads(line)
        assert reply["id"] == self._requests
        return reply

    def end(self) -> tuple[int, str]:
        """Close its input; its exit code, and what it wrote to standard error."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        code = self.process.wait()
        self.process.stdout.close()
        self._told.seek(0)
        return code, self._told.read().decode()
