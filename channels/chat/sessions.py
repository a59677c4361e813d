"""Sessions: who holds the token is the customer, and goes on with his conversation."""

import secrets
from typing import Final

from channels.chat.frames import Closed, Code, Hello
from router.contract.ids import AccountId
from router.runtime.clock import Clock
from router.runtime.errors import TokenRefused
from router.runtime.signer import Signer

_SESSION_BYTES: Final = 18


class Sessions:
    """Makes and opens the tokens of one account. A session is known to nobody but its customer."""

    def __init__(self, account: AccountId, signer: Signer, clock: Clock, *, life_ms: int) -> None:
        self._purpose = f"chat-session {account}"
        self._signer = signer
        self._clock = clock
        self._life_ms = life_ms

    def of(self, hello: Hello) -> str:
        """The session that a hello goes on with, or a new one. Raises ``Closed``: the token is forged, of
        another account or too old, and a hello without it is the way to go."""
        if not hello.session:
            return secrets.token_urlsafe(_SESSION_BYTES)
        try:
            return self._signer.open(self._purpose, hello.session, now_ms=self._clock.now_ms())
        except TokenRefused:
            raise Closed(Code.NOT_GREETED, "This session is not valid any more: begin a new one.") from None

    def token(self, session: str) -> str:
        """A fresh token: each hello begins its life anew."""
        return self._signer.sign(self._purpose, session, expires_at_ms=self._clock.now_ms() + self._life_ms)
