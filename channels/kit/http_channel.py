"""What the channels share whose providers post to one address an account: ``POST /<channel>/ACCOUNT``."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

from aiohttp import web

from channels.kit.failures import Malformed, NoAnswer
from channels.kit.limits import read_body
from channels.kit.problems import Refused, malformed, not_authentic, not_found
from channels.kit.requests import received
from channels.kit.signatures import Scheme, verify
from router.contract.ids import AccountId

LOG = logging.getLogger(__name__)

_RETRY_S: Final = 10.0

A = TypeVar("A")


class HttpChannel(Generic[A]):
    """A channel at work that holds nothing between two requests. ``accounts`` are its own objects for each."""

    def __init__(self, name: str, accounts: Mapping[AccountId, A]) -> None:
        self.name = name
        self.accounts = accounts

    def ports(self) -> Mapping[str, int]:
        return {}

    def troubles(self) -> Sequence[str]:
        return ()

    async def stop_intake(self) -> None:
        """The port is the host's: it has stopped listening by itself."""

    async def close(self, within_s: float) -> None:
        """Nothing is held."""

    def account_of(self, request: web.Request) -> A:
        """The account in the address. Raises ``Refused``."""
        account = self.accounts.get(AccountId(request.match_info["account"]))
        if account is None:
            raise not_found()
        return account

    async def authentic(
        self, request: web.Request, scheme: Scheme, keys: Sequence[bytes], *, now_ms: int, max_bytes: int
    ) -> bytes:
        """The body of a request that is signed as it must be. Raises ``Refused``; which check failed stands in the
        log and nowhere else."""
        body = await read_body(request, max_bytes=max_bytes)
        refusal = verify(scheme, keys, received(request, body), now_ms=now_ms)
        if refusal is not None:
            account = request.match_info["account"]
            extra = {"event": f"{self.name}.refused", "account": account}
            LOG.info("a request for %s is refused: %s", account, refusal, extra=extra)
            raise not_authentic()
        return body


async def answered(handle: Callable[[web.Request], Awaitable[web.Response]], request: web.Request) -> web.Response:
    """The handler's answer; a problem document where it raises ``Refused``, ``Malformed`` or ``NoAnswer``."""
    try:
        return await handle(request)
    except Refused as exc:
        return exc.answer()
    except Malformed as exc:
        return malformed(str(exc)).answer()
    except NoAnswer:
        return Refused(503, "A file of the message can't be fetched now.", retry_after_s=_RETRY_S).answer()
