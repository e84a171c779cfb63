"""The command's app: its commands are in modules of their own, and load what they need when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from fsm_rtc._version import __version__
from fsm_rtc.cli.charts import diagram, machines, matrix
from fsm_rtc.cli.conforming import conform
from fsm_rtc.cli.demo import demo
from fsm_rtc.cli.doctor import doctor
from fsm_rtc.cli.file_commands import receive, send
from fsm_rtc.cli.inspecting import inspect
from fsm_rtc.cli.joining import join
from fsm_rtc.cli.keys import keygen
from fsm_rtc.cli.known_peers import add, forget, known_peers
from fsm_rtc.cli.replaying import replay
from fsm_rtc.cli.serving import serve
from fsm_rtc.cli.stacks import stacks
from fsm_rtc.cli.tokens import token

__all__ = ["app"]

app = typer.Typer(
    name="fsm-rtc",
    help="WebRTC connections as finite state machines: read their tables, draw them, replay what happened, "
    "hold WebRTC stacks to them.",
    epilog="Begin with: fsm-rtc demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fsm-rtc {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command(epilog="Examples: fsm-rtc demo; fsm-rtc demo --json --seconds 3 > call.jsonl")(demo)
app.command(epilog="Example: fsm-rtc machines")(machines)
app.command(epilog="Examples: fsm-rtc matrix negotiation; fsm-rtc matrix my_package.door:Door > door.md")(matrix)
app.command(
    epilog="Examples: fsm-rtc diagram negotiation; fsm-rtc diagram my_package.door:Door --format svg -o docs; "
    "fsm-rtc diagram --all -o diagrams --check"
)(diagram)
app.command(epilog="Examples: fsm-rtc replay call.jsonl; fsm-rtc demo --json | fsm-rtc replay -")(replay)
app.command(epilog="Examples: fsm-rtc inspect call.jsonl; fsm-rtc inspect call.jsonl --no-open --port 8766")(inspect)
app.command(
    epilog="Examples: fsm-rtc conform aiortc; fsm-rtc conform --json findings.json --html findings.html; "
    "fsm-rtc conform --adapter 'node my-adapter.js' --self-test"
)(conform)
app.command(epilog="Examples: fsm-rtc stacks; fsm-rtc stacks --json")(stacks)
app.command(
    context_settings={"auto_envvar_prefix": "FSM_RTC"},
    epilog="Examples: fsm-rtc serve; fsm-rtc serve --host 0.0.0.0 --certificate chain.pem --key key.pem; "
    "fsm-rtc serve --config /etc/fsm-rtc.toml --log-format json",
)(serve)
app.command(
    epilog="Examples, in two terminals: fsm-rtc join ws://127.0.0.1:8765/kitchen --name alice; "
    "fsm-rtc join ws://127.0.0.1:8765/kitchen --name bob"
)(join)
app.command(epilog="Example: fsm-rtc send film.mkv ws://127.0.0.1:8765/kitchen")(send)
app.command(epilog="Example: fsm-rtc receive ws://127.0.0.1:8765/kitchen --folder films")(receive)
app.command(epilog="Examples: fsm-rtc keygen; fsm-rtc keygen alice.pem --password; fsm-rtc keygen --show")(keygen)
app.command(
    epilog="Examples: fsm-rtc token kitchen --secret-file secret.txt; FSM_RTC_TOKEN_SECRET=... fsm-rtc token kitchen "
    "--minutes 60 --id DXa3ua..."
)(token)

app.command(
    epilog="Examples: fsm-rtc doctor; fsm-rtc doctor --stun stun:stun.example.org:3478 --signaling ws://127.0.0.1:8765"
)(doctor)

_known_peers = typer.Typer(
    invoke_without_command=True, epilog="Examples: fsm-rtc known-peers; fsm-rtc known-peers forget alice"
)
_known_peers.callback()(known_peers)
_known_peers.command(epilog="Example: fsm-rtc known-peers forget alice")(forget)
_known_peers.command(epilog="Example: fsm-rtc known-peers add alice MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE...")(add)
app.add_typer(_known_peers, name="known-peers")
