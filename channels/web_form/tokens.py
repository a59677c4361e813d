"""The two tokens of the form: when it was loaded, and whose answers a link shows."""

import secrets
from typing import Final, NamedTuple

from router.contract.ids import AccountId
from router.runtime.errors import TokenRefused
from router.runtime.signer import Signer

_FILL: Final = "web_form fill"
_ANSWERS: Final = "web_form answers"
_FILL_MS: Final = 24 * 3_600_000
_DAY_MS: Final = 24 * 3_600_000


class Loaded(NamedTuple):
    """One loading of the form."""

    name: str
    at_ms: int


class FormTokens:
    """Those of one account: another account's are refused like forged ones, by ``TokenRefused``."""

    def __init__(self, signer: Signer, account: AccountId, *, link_days: int) -> None:
        self._signer = signer
        self._account = account
        self._link_ms = link_days * _DAY_MS

    def fill(self, now_ms: int) -> str:
        """A new one for a form that is being loaded; it serves for a day."""
        text = f"{self._account}\n{now_ms}\n{secrets.token_urlsafe(9)}"
        return self._signer.sign(_FILL, text, expires_at_ms=now_ms + _FILL_MS)

    def loaded(self, token: str, now_ms: int) -> Loaded:
        at_ms, name = self._open(_FILL, token, now_ms).split("\n")
        return Loaded(name, int(at_ms))

    def link(self, form: str, now_ms: int) -> str:
        """What gives access to the answers to this form, to whoever holds it."""
        return self._signer.sign(_ANSWERS, f"{self._account}\n{form}", expires_at_ms=now_ms + self._link_ms)

    def form(self, token: str, now_ms: int) -> str:
        return self._open(_ANSWERS, token, now_ms)

    def _open(self, purpose: str, token: str, now_ms: int) -> str:
        account, _, rest = self._signer.open(purpose, token, now_ms=now_ms).partition("\n")
        if account != self._account:
            raise TokenRefused("made for another account")
        return rest
