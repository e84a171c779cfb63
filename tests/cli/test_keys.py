"""`keygen`, and how a key file is loaded."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from fsm_rtc.cli.keys import PASSWORD_VARIABLE, load_identity
from fsm_rtc.errors import IdentityError
from fsm_rtc.messages import Identity, key_id
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    return tmp_path / "config" / "fsm-rtc"


def test_a_key_goes_to_the_configuration_folder_and_only_its_owner_reads_it(run: Run, home: Path) -> None:
    made = run("keygen")
    path = home / "identity.pem"
    assert made.exit_code == 0
    assert Identity.load(path).id in made.output
    assert str(path) in made.output
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_file_that_exists_is_never_overwritten(run: Run, workplace: Path) -> None:
    run("keygen", "alice.pem")
    before = (workplace / "alice.pem").read_bytes()
    again = run("keygen", "alice.pem")
    assert (again.exit_code, again.stdout) == (2, "")
    assert again.stderr.startswith("fsm-rtc: ")
    assert (workplace / "alice.pem").read_bytes() == before


def test_show_prints_the_id_and_the_public_key_and_makes_nothing(run: Run, workplace: Path) -> None:
    made = run("keygen", "alice.pem").output
    words = run("keygen", "--show", "alice.pem").output.split()
    public_key = base64.b64decode(words[words.index("key:") + 1])
    assert words[words.index("id:") + 1] == key_id(public_key)
    assert key_id(public_key) in made
    missing = run("keygen", "--show", "bob.pem")
    assert missing.exit_code == 2
    assert not (workplace / "bob.pem").exists()


def test_a_password_is_asked_for_twice(run: Run, workplace: Path) -> None:
    made = run("keygen", "alice.pem", "--password", stdin="geheim\ngeheim\n")
    assert made.exit_code == 0, made.output
    assert "geheim" not in made.output
    assert Identity.load(workplace / "alice.pem", "geheim").id in made.output


def test_two_passwords_that_differ_make_no_key(run: Run, workplace: Path) -> None:
    assert run("keygen", "alice.pem", "--password", stdin="one\nother\n").exit_code != 0
    assert not (workplace / "alice.pem").exists()


def test_a_password_in_the_environment_encrypts_and_decrypts(
    run: Run, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "geheim")
    for name, options in (("alice.pem", ()), ("bob.pem", ("--password",))):
        made = run("keygen", name, *options)
        assert Identity.load(workplace / name, "geheim").id in made.output
        assert run("keygen", "--show", name).exit_code == 0


def test_an_encrypted_file_without_a_password_says_where_to_put_it(
    run: Run, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Identity.generate().save(workplace / "alice.pem", "geheim")
    refused = run("keygen", "--show", "alice.pem")
    assert refused.exit_code == 2
    assert PASSWORD_VARIABLE in refused.stderr
    monkeypatch.setenv(PASSWORD_VARIABLE, "wrong")
    assert run("keygen", "--show", "alice.pem").exit_code == 2


def test_a_person_is_asked_for_the_password_of_an_encrypted_file(
    workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = Identity.generate()
    identity.save(workplace / "alice.pem", "geheim")
    monkeypatch.setattr("fsm_rtc.cli.keys._is_person_there", lambda: True)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "geheim")
    assert load_identity(workplace / "alice.pem").id == identity.id


def test_a_plain_file_is_loaded_whatever_the_environment_says(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = Identity.generate()
    identity.save(workplace / "alice.pem")
    monkeypatch.setenv(PASSWORD_VARIABLE, "geheim")
    assert load_identity(workplace / "alice.pem").id == identity.id


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\n"])
def test_a_file_that_is_no_key_is_told(workplace: Path, content: bytes) -> None:
    (workplace / "alice.pem").write_bytes(content)
    with pytest.raises(IdentityError):
        load_identity(workplace / "alice.pem")


def test_a_folder_that_can_not_be_made_is_told(run: Run, workplace: Path) -> None:
    (workplace / "file").write_text("")
    refused = run("keygen", "file/below/alice.pem")
    assert refused.exit_code == 2
    assert "choose another FILE" in refused.stderr


def test_the_help_has_an_example(run: Run) -> None:
    shown = " ".join(run("keygen", "--help").output.split())
    assert "Examples: fsm-rtc keygen;" in shown
    assert PASSWORD_VARIABLE in shown
