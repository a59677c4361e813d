"""API keys: made once, shown once, kept as a hash, known to every process from the configuration topic."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator
from typing import Final

from router.contract.config import ApiKey, Role
from router.contract.ids import AdvisorId, PoolId

_PREFIX: Final = "turnout"
_ID_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_MAX_TOKEN_CHARS: Final = 200
# Compared with when no such key is known, so that the time an answer takes tells nothing of ids.
_NO_HASH: Final = hashlib.sha256(b"").hexdigest()

Revoked = Callable[[ApiKey], None]


class InvalidKey(ValueError):
    """A key can't be made so; the message says what to change."""


def make_key(
    role: Role, pool: PoolId, *, created_at_ms: int, advisor: AdvisorId | None = None, name: str = ""
) -> tuple[ApiKey, str]:
    """A new key, and its token ``turnout_<id>_<secret>``, which is to be shown once and never kept.

    Raises ``InvalidKey`` for an advisor's key without an advisor.
    """
    if role is Role.ADVISOR and not advisor:
        raise InvalidKey("a key of role advisor needs the advisor it is for")
    key_id = secrets.token_hex(_ID_BYTES)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    key = ApiKey(
        id=key_id,
        # 32 random bytes can't be guessed, so a slow hash would cost every request and gain nothing.
        sha256=_hash(secret),
        role=role,
        pool=pool,
        advisor=advisor,
        name=name,
        created_at_ms=created_at_ms,
    )
    return key, f"{_PREFIX}_{key_id}_{secret}"


class KeyTable:
    """The keys in force. Filled by the configuration tail; answers from memory."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._told: list[Revoked] = []

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[ApiKey]:
        return iter(self._keys.values())

    def get(self, key_id: str) -> ApiKey | None:
        return self._keys.get(key_id)

    def listen(self, told: Revoked) -> None:
        """``told`` is given every key that is revoked, deleted or changed from now on: end what it opened."""
        self._told.append(told)

    def put(self, key: ApiKey) -> None:
        before = self._keys.get(key.id)
        self._keys[key.id] = key
        if before is not None and before != key:
            self._tell(before)

    def remove(self, key_id: str) -> None:
        """Forget a key. One that is not there is no error."""
        key = self._keys.pop(key_id, None)
        if key is not None:
            self._tell(key)

    def check(self, token: str) -> ApiKey | None:
        """The key a token belongs to, or None: malformed, unknown, wrong secret or revoked are not told apart."""
        prefix, _, rest = token[:_MAX_TOKEN_CHARS].partition("_")
        key_id, _, secret = rest.partition("_")
        key = self._keys.get(key_id)
        is_right = hmac.compare_digest(_hash(secret), key.sha256 if key else _NO_HASH)
        if key is None or prefix != _PREFIX or not is_right or key.revoked:
            return None
        return key

    def _tell(self, key: ApiKey) -> None:
        for told in self._told:
            told(key)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
