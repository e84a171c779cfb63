"""Identity: an ECDSA P-256 key, as WebCrypto makes them too, and what others know of it.

Source: FIPS 186-5 (ECDSA), RFC 5480 (SPKI), RFC 5958 (PKCS#8); the signature is r and s, 32 bytes each, big-endian, as
in W3C Web Cryptography Level 2, #ecdsa-operations.
"""

from __future__ import annotations

import base64
import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from fsm_rtc.engine.doors import octets, path_of
from fsm_rtc.engine.regular_file import read_regular
from fsm_rtc.errors import IdentityError

__all__ = ["Identity", "is_signed_by", "key_id"]

NUMBER_BYTES = 32
MAX_PASSWORD_BYTES = 1023
"""OpenSSL's limit."""

_ALGORITHM = ec.ECDSA(hashes.SHA256())


def key_id(public_key: bytes) -> str:
    """The fingerprint by which a key is known: base64url of its SHA-256, without padding, 43 characters.

    Args:
        public_key: SPKI, DER.
    """
    octets(public_key, "a public key", IdentityError)
    return base64.urlsafe_b64encode(hashlib.sha256(public_key).digest()).decode().rstrip("=")


def is_signed_by(public_key: bytes, signature: bytes, data: bytes) -> bool:
    """Whether `signature` is this key's over `data`; whatever else it is given, it is not. Never raises.

    Args:
        public_key: SPKI, DER, of P-256, the point uncompressed: 91 bytes, as WebCrypto exports it.
        signature: r||s, 64 bytes.
        data: what was signed.
    """
    key = _parsed(public_key)
    if key is None or len(signature) != 2 * NUMBER_BYTES:
        return False
    r, s = (int.from_bytes(half, "big") for half in (signature[:NUMBER_BYTES], signature[NUMBER_BYTES:]))
    try:
        key.verify(encode_dss_signature(r, s), data, _ALGORITHM)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=1024)
def _parsed(public_key: bytes) -> ec.EllipticCurvePublicKey | None:
    try:
        key = serialization.load_der_public_key(public_key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        return None
    # A key that could be written in several ways would have several ids; WebCrypto writes it in this one.
    return key if _spki(key) == public_key else None


def _spki(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _bytes_of(password: str) -> bytes:
    """A password that came from a command line may hold bytes that are no UTF-8."""
    if not isinstance(password, str):
        raise IdentityError(f"the password is a {type(password).__name__}; give text, a str")
    return password.encode(errors="surrogateescape")


def _reason(refused: OSError | ValueError) -> str:
    return getattr(refused, "strerror", None) or str(refused)


class Identity:
    """A private key, and who it makes one. Made by `generate`, `load` or `from_pem`.

    Attributes:
        public_key: SPKI, DER.
        id: its fingerprint, see `key_id`.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.public_key = _spki(key.public_key())
        self.id = key_id(self.public_key)

    @classmethod
    def generate(cls) -> Self:
        """A new key."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def load(cls, path: Path | str, password: str | None = None) -> Self:
        """Read a key file.

        Args:
            path: a PEM file, PKCS#8.
            password: if it is encrypted.

        Raises:
            IdentityError: it can't be read or decrypted, or holds no P-256 key.
        """
        path = path_of(path, "the key file's path", IdentityError)
        try:
            pem = read_regular(path)
        except (OSError, ValueError) as refused:  # the latter: a path with a null character
            raise IdentityError(
                f"{path} can't be read: {_reason(refused)}; make a key with: fsm-rtc keygen {path}"
            ) from refused
        try:
            return cls.from_pem(pem, password)
        except IdentityError as refused:
            raise IdentityError(f"{path}: {refused}") from refused

    @classmethod
    def from_pem(cls, pem: bytes, password: str | None = None) -> Self:
        """Read a key.

        Raises:
            IdentityError: it can't be decrypted, or is no P-256 key in PEM.
        """
        octets(pem, "the key in PEM", IdentityError)
        try:
            key = serialization.load_pem_private_key(pem, None if password is None else _bytes_of(password))
        except TypeError as wrong:
            lacks = password is None or (not password and b"ENCRYPTED" in pem)
            needed = "is encrypted; give its password" if lacks else "is not encrypted; give no password"
            raise IdentityError(f"the key {needed}") from wrong
        except (ValueError, UnsupportedAlgorithm) as wrong:
            raise IdentityError(
                "no private key in PEM, or the password is wrong; make a key with: fsm-rtc keygen FILE"
            ) from wrong
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise IdentityError("the key is not of the curve P-256; make one with: fsm-rtc keygen FILE")
        return cls(key)

    def save(self, path: Path | str, password: str | None = None) -> None:
        """Write the key to a new file, that only its owner may read.

        Args:
            path: it must not exist; its folder must.
            password: to encrypt it with.

        Raises:
            IdentityError: the file exists, or can't be written.
        """
        path = path_of(path, "the key file's path", IdentityError)
        pem = self.to_pem(password)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                with open(descriptor, "wb") as file:  # noqa: PTH123
                    file.write(pem)
            except BaseException:
                Path(path).unlink(missing_ok=True)  # half a key would be in the way of the next attempt
                raise
        except FileExistsError as there:
            raise IdentityError(f"{path} exists and is never overwritten; choose another name") from there
        except (OSError, ValueError) as refused:
            raise IdentityError(f"{path} can't be written: {_reason(refused)}; choose another place") from refused

    def to_pem(self, password: str | None = None) -> bytes:
        """The private key as PKCS#8 in PEM, encrypted if there is a password.

        Raises:
            IdentityError: the password is empty, longer than 1023 bytes, or no text that UTF-8 can hold.
        """
        encryption: serialization.KeySerializationEncryption = serialization.NoEncryption()
        if password is not None:
            if not password:
                raise IdentityError("an empty password protects nothing; give one, or None")
            try:
                secret = _bytes_of(password)
            except UnicodeEncodeError as surrogate:
                raise IdentityError("the password is not text that UTF-8 can hold; choose another") from surrogate
            if len(secret) > MAX_PASSWORD_BYTES:
                raise IdentityError(f"the password is longer than {MAX_PASSWORD_BYTES} bytes; choose a shorter one")
            encryption = serialization.BestAvailableEncryption(secret)
        return self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)

    def sign(self, data: bytes) -> bytes:
        """The signature over `data`: r||s, 64 bytes."""
        octets(data, "what is to be signed", IdentityError)
        r, s = decode_dss_signature(self._key.sign(data, _ALGORITHM))
        return r.to_bytes(NUMBER_BYTES, "big") + s.to_bytes(NUMBER_BYTES, "big")

    def __repr__(self) -> str:
        return f"<Identity {self.id}>"
