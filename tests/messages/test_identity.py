"""Identities: their files, and signatures, good and bad."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from fsm_rtc.errors import IdentityError
from fsm_rtc.messages import Identity, is_signed_by, key_id

ME = Identity.generate()
OTHER = Identity.generate()
DATA = b"what is signed"
SIGNATURE = ME.sign(DATA)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
DER, SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo


def pem_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


# Signatures.


def test_what_a_key_signs_is_signed_by_it_and_by_no_other() -> None:
    assert is_signed_by(ME.public_key, SIGNATURE, DATA)
    assert not is_signed_by(OTHER.public_key, SIGNATURE, DATA)
    assert not is_signed_by(ME.public_key, SIGNATURE, DATA + b"!")
    assert not is_signed_by(ME.public_key, SIGNATURE, b"")


def test_a_signature_is_r_and_s_in_64_bytes_also_when_one_of_them_is_small() -> None:
    for count in range(10_000):  # one in 128 is small
        data = count.to_bytes(2, "big")
        signature = ME.sign(data)
        assert len(signature) == 64
        assert is_signed_by(ME.public_key, signature, data)
        if signature[0] == 0 or signature[32] == 0:
            return
    pytest.fail("none had a leading zero")


def test_a_leading_zero_may_not_be_left_out() -> None:
    for count in range(20_000):
        signature = ME.sign(count.to_bytes(4, "big"))
        if signature[32] == 0:
            break
    assert is_signed_by(ME.public_key, signature, count.to_bytes(4, "big"))
    assert not is_signed_by(ME.public_key, signature[:32] + signature[33:], count.to_bytes(4, "big"))


def test_a_signature_is_over_sha_256_as_other_libraries_verify_it() -> None:
    key = serialization.load_der_public_key(ME.public_key)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    r, s = int.from_bytes(SIGNATURE[:32], "big"), int.from_bytes(SIGNATURE[32:], "big")
    key.verify(encode_dss_signature(r, s), DATA, ec.ECDSA(hashes.SHA256()))


def test_any_changed_bit_breaks_a_signature() -> None:
    for bit in range(512):
        changed = bytearray(SIGNATURE)
        changed[bit // 8] ^= 1 << bit % 8
        assert not is_signed_by(ME.public_key, bytes(changed), DATA)


R, S = SIGNATURE[:32], SIGNATURE[32:]


def number(value: int) -> bytes:
    return value.to_bytes(32, "big")


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        SIGNATURE[:-1],
        SIGNATURE + b"\0",
        b"\0" + SIGNATURE,
        R + b"\0" + S,
        SIGNATURE * 2,
        bytes(64),
        bytes(32) + S,
        R + bytes(32),
        S + R,
        b"\xff" * 64,
        R + b"\xff" * 32,
        b"\xff" * 32 + S,
        R + number(ORDER),
        number(ORDER) + S,
        number(ORDER) * 2,
        R + number(1),
    ],
    ids=lambda signature: f"{len(signature)} bytes",
)
def test_what_is_no_signature_is_refused_and_not_raised(signature: bytes) -> None:
    assert is_signed_by(ME.public_key, signature, DATA) is False


def test_a_signature_in_der_is_refused() -> None:
    der = encode_dss_signature(int.from_bytes(R, "big"), int.from_bytes(S, "big"))
    assert decode_dss_signature(der)
    assert not is_signed_by(ME.public_key, der, DATA)


def test_either_half_of_s_is_taken_since_webcrypto_makes_both() -> None:
    assert is_signed_by(ME.public_key, R + number(ORDER - int.from_bytes(S, "big")), DATA)


@given(st.binary(max_size=200), st.binary(max_size=80), st.binary(max_size=20))
def test_whatever_it_is_given_it_never_raises(public_key: bytes, signature: bytes, data: bytes) -> None:
    assert is_signed_by(public_key, signature, data) is False
    assert is_signed_by(ME.public_key, signature, data) is False
    assert is_signed_by(public_key, SIGNATURE, DATA) is False


@given(st.integers(0, 90), st.integers(1, 255))
def test_a_public_key_with_a_changed_byte_verifies_nothing(place: int, change: int) -> None:
    changed = bytearray(ME.public_key)
    changed[place] ^= change
    assert is_signed_by(bytes(changed), SIGNATURE, DATA) is False


# Keys.


@pytest.mark.parametrize("curve", [ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1(), ec.SECP224R1()])
def test_another_curve_is_refused(curve: ec.EllipticCurve) -> None:
    key = ec.generate_private_key(curve)
    r, s = decode_dss_signature(key.sign(DATA, ec.ECDSA(hashes.SHA256())))
    signature = b"".join((number & (2**256 - 1)).to_bytes(32, "big") for number in (r, s))
    assert not is_signed_by(key.public_key().public_bytes(DER, SPKI), signature, DATA)
    with pytest.raises(IdentityError, match=r"P-256.*keygen"):
        Identity.from_pem(pem_of(key))


def test_another_kind_of_key_is_refused() -> None:
    for key in (ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)):
        assert not is_signed_by(key.public_key().public_bytes(DER, SPKI), SIGNATURE, DATA)
        with pytest.raises(IdentityError, match="P-256"):
            Identity.from_pem(pem_of(key))


def test_a_key_in_another_encoding_is_refused_so_that_it_has_one_id() -> None:
    key = serialization.load_der_public_key(ME.public_key)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    compressed = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    assert serialization.load_der_public_key(compressed) == key
    for other in (compressed, ME.public_key + b"\0", point, key.public_bytes(serialization.Encoding.PEM, SPKI)):
        assert not is_signed_by(other, SIGNATURE, DATA)


def test_an_id_is_the_hash_of_the_public_key_in_43_characters() -> None:
    assert key_id(b"") == "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    assert ME.id == key_id(ME.public_key)
    assert len(ME.id) == 43
    assert ME.id != OTHER.id
    assert len(ME.public_key) == 91
    assert ME.id in repr(ME)


# Files.


@pytest.mark.parametrize("password", [None, "secret", "pässwörd \U0001f511", " ", "a\0b", "x" * 1023, "\udcff"])
def test_a_saved_key_is_the_same_when_it_is_loaded(tmp_path: Path, password: str | None) -> None:
    ME.save(tmp_path / "key.pem", password)
    loaded = Identity.load(tmp_path / "key.pem", password)
    assert (loaded.id, loaded.public_key) == (ME.id, ME.public_key)
    assert is_signed_by(ME.public_key, loaded.sign(DATA), DATA)
    assert Identity.from_pem(ME.to_pem(password), password).id == ME.id


def test_the_file_is_pkcs8_in_pem(tmp_path: Path) -> None:
    assert ME.to_pem().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    assert ME.to_pem("secret").startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert ME.to_pem("secret") != ME.to_pem("secret")


def test_only_its_owner_may_read_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        ME.save(tmp_path / "key.pem")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("precious")
    with pytest.raises(IdentityError, match="never overwritten; choose another name"):
        ME.save(path)
    assert path.read_text() == "precious"


def test_a_link_is_not_followed_to_make_a_key_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IdentityError, match="never overwritten"):
        ME.save(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class FullDisk:
        def __init__(self, descriptor: int, mode: str) -> None:
            os.close(descriptor)

        def __enter__(self) -> FullDisk:
            return self

        def __exit__(self, *_: object) -> None: ...
        def write(self, data: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fsm_rtc.messages.identity.open", FullDisk, raising=False)
    with pytest.raises(IdentityError, match="No space left on device; choose another place"):
        ME.save(tmp_path / "key.pem")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match=r"can't be written: No such file.*choose another place"):
        ME.save(tmp_path / "nowhere" / "key.pem")


@pytest.mark.parametrize(
    ("password", "why"), [("", "protects nothing"), ("x" * 1024, "longer than 1023 bytes"), ("\ud800", "UTF-8")]
)
def test_a_password_that_can_not_encrypt_is_refused(tmp_path: Path, password: str, why: str) -> None:
    with pytest.raises(IdentityError, match=why):
        ME.save(tmp_path / "key.pem", password)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("saved_with", "loaded_with", "why"),
    [
        ("secret", None, "is encrypted; give its password"),
        ("secret", "wrong", "the password is wrong"),
        ("secret", "", "is encrypted; give its password"),
        ("secret", "\ud800", "the password is wrong"),
        (None, "secret", "is not encrypted; give no password"),
        (None, "", "is not encrypted; give no password"),
    ],
)
def test_a_password_that_does_not_fit_is_told(
    tmp_path: Path, saved_with: str | None, loaded_with: str | None, why: str
) -> None:
    path = tmp_path / "key.pem"
    ME.save(path, saved_with)
    with pytest.raises(IdentityError, match=why) as refused:
        Identity.load(path, loaded_with)
    assert str(refused.value).startswith(f"{path}: ")


PUBLIC = serialization.load_der_public_key(ME.public_key).public_bytes(serialization.Encoding.PEM, SPKI)


@pytest.mark.parametrize(
    "content",
    [b"", b"no PEM", b"\xff\x00", PUBLIC, ME.to_pem()[:-40], ME.to_pem().replace(b"M", b"*"), ME.to_pem()[28:]],
)
def test_a_file_that_holds_no_key_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(IdentityError, match=r"no private key in PEM.*fsm-rtc keygen FILE"):
        Identity.load(path)


def test_a_file_that_is_not_there_is_told_with_how_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(IdentityError, match="can't be read: No such file") as refused:
        Identity.load(path)
    assert str(refused.value).endswith(f"make a key with: fsm-rtc keygen {path}")
    with pytest.raises(IdentityError, match="can't be read: Is a directory"):
        Identity.load(tmp_path)


def test_a_path_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match=r"can't be read: .*embedded null .*; make a key with"):
        Identity.load(tmp_path / "a\0b")
    with pytest.raises(IdentityError, match=r"can't be written: .*embedded null .*; choose another place"):
        ME.save(tmp_path / "a\0b")


@given(st.binary(max_size=300), st.none() | st.text(max_size=10))
def test_from_pem_raises_nothing_else(content: bytes, password: str | None) -> None:
    with pytest.raises(IdentityError):
        Identity.from_pem(b"-----BEGIN PRIVATE KEY-----\n" + content, password)
