"""Tokens that leave the house and come back: signed, bound to one purpose, able to expire.

They prove that we made them; they hide nothing.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from router.runtime.errors import TokenRefused
from router.runtime.secret import Secret

_MAC_BYTES: Final = 16
_STAMP_BYTES: Final = 10
_MAX_TOKEN_CHARS: Final = 4096


class Signer:
    """Signs with the first key and accepts what any of them signed, so that keys can be changed.

    ``purpose`` separates uses: a token made for one is refused for every other.
    """

    def __init__(self, keys: Sequence[Secret]) -> None:
        if not keys:
            raise ValueError("a signer needs a key")
        self._keys = tuple(key.reveal().encode() for key in keys)

    def sign(self, purpose: str, text: str, *, expires_at_ms: int = 0) -> str:
        """A token that carries ``text``; letters, digits, ``-``, ``_`` and ``.`` only. 0: never expires."""
        body = f"{expires_at_ms}|{text}".encode()
        return f"{_encoded(body)}.{_encoded(self._mac(self._keys[0], purpose, body))}"

    def open(self, purpose: str, token: str, *, now_ms: int) -> str:
        """The text that the token carries. Raises ``TokenRefused`` for anything but a token of ours, for
        this purpose, in time."""
        try:
            encoded_body, encoded_mac = token[: _MAX_TOKEN_CHARS + 1].split(".")
            body, mac = _decoded(encoded_body), _decoded(encoded_mac)
        except ValueError as exc:  # binascii's and Unicode's errors are ones
            raise TokenRefused("not a token") from exc
        if not self._is_ours(purpose, body, mac):
            raise TokenRefused("not made by this installation for this purpose")
        expires_at_ms, _, text = body.decode().partition("|")
        if 0 < int(expires_at_ms) <= now_ms:
            raise TokenRefused("too old")
        return text

    def stamp(self, purpose: str, text: str) -> str:
        """A short proof to stand beside the text: 16 letters and digits, safe where case gets lost (in a
        mail address)."""
        return self._stamp(self._keys[0], purpose, text)

    def is_stamp(self, purpose: str, text: str, stamp: str) -> bool:
        """Whether the stamp was made for this text and purpose; case doesn't matter."""
        given = stamp.lower().encode("utf-8", "replace")
        return any(hmac.compare_digest(self._stamp(key, purpose, text).encode(), given) for key in self._keys)

    def _is_ours(self, purpose: str, body: bytes, mac: bytes) -> bool:
        return any(hmac.compare_digest(self._mac(key, purpose, body), mac) for key in self._keys)

    def _stamp(self, key: bytes, purpose: str, text: str) -> str:
        mac = self._mac(key, f"stamp {purpose}", text.encode("utf-8", "surrogatepass"))
        return base64.b32encode(mac[:_STAMP_BYTES]).decode().lower()

    @staticmethod
    def _mac(key: bytes, purpose: str, body: bytes) -> bytes:
        # The purpose goes into the key, so no body can imitate another purpose's.
        own_key = hmac.digest(key, purpose.encode(), hashlib.sha256)
        return hmac.digest(own_key, body, hashlib.sha256)[:_MAC_BYTES]


def kept_key(path: Path) -> Secret:
    """The key in this file; made at the first call, readable by its owner only. Two processes that start
    together get the same one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            # A link appears whole or not at all, and never replaces the other process's key.
            with suppress(FileExistsError):
                path.hardlink_to(fresh)
        finally:
            fresh.unlink()
    return Secret(path.read_text("utf-8").strip())


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as exc:
        raise ValueError("not base64") from exc
