"""The web form channel: a form of any page in; answers by e-mail, or under a signed link.

``POST /web_form/ACCOUNT`` takes JSON, a form or a form with files. ``GET .../token`` gives the token that a
form carries; ``GET .../answers/TOKEN`` shows the answers.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from aiohttp import web

from channels.kit.failures import Malformed
from channels.kit.problems import Refused, malformed, not_found
from channels.web_form.desk import FormDesk
from channels.web_form.metrics import WebFormMetrics
from channels.web_form.normalise import CHANNEL
from channels.web_form.options import WebFormOptions
from router.contract.ids import AccountId
from router.contract.messages import Reply
from router.runtime.errors import RuntimeFailure
from router.runtime.hosting.problems import problem_of
from router.runtime.plugins import Account, Adapter, ChannelHost, OpenChannel, SendResult, failed

_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "3600",
}

Work = Callable[[FormDesk, web.Request], Awaitable[web.StreamResponse]]


class WebFormAdapter:
    """Forms. A reply is kept under its id, so keeping it twice keeps it once."""

    name = CHANNEL
    deduplicates = True

    def options_type(self) -> type[WebFormOptions]:
        return WebFormOptions

    async def open(self, accounts: Sequence[Account[WebFormOptions]], host: ChannelHost) -> OpenChannel:
        return WebFormChannel(accounts, host)


class WebFormChannel:
    """The channel at work. It holds nothing between two requests but the rates of addresses."""

    def __init__(self, accounts: Sequence[Account[WebFormOptions]], host: ChannelHost) -> None:
        metrics = WebFormMetrics(host.registry)
        self._desks = {account.id: FormDesk(account, host, metrics) for account in accounts}

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        answers = "/{account}/answers/{token}"
        return (
            web.post("/{account}", _at(self._desks, _take)),
            web.options("/{account}", _at(self._desks, _preflight)),
            web.get("/{account}/token", _at(self._desks, _token)),
            web.get(answers, _at(self._desks, _answers)),
            web.get(answers + r"/{number:\d{1,4}}/{file:\d{1,4}}", _at(self._desks, _file)),
        )

    def ports(self) -> Mapping[str, int]:
        return {}

    def troubles(self) -> Sequence[str]:
        return ()

    async def send(self, reply: Reply) -> SendResult:
        desk = self._desks.get(reply.to.account)
        if desk is None:
            return failed("there is no such account")
        return await desk.keep(reply)

    async def stop_intake(self) -> None:
        """The port is the host's: it has stopped listening by itself."""

    async def close(self, within_s: float) -> None:
        """Nothing is held."""


def _at(desks: Mapping[AccountId, FormDesk], work: Work) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """The handler that does this work at the desk of the request's account. The page that posted may read a
    refusal too, so the host's failures are answered here."""

    async def handle(request: web.Request) -> web.StreamResponse:
        desk = desks.get(AccountId(request.match_info["account"]))
        if desk is None:
            return not_found().answer()
        response: web.StreamResponse
        try:
            response = await work(desk, request)
        except Refused as exc:
            response = exc.answer()
        except Malformed as exc:
            response = malformed(str(exc)).answer()
        except RuntimeFailure as exc:
            response = problem_of(exc)
        if not response.prepared:
            desk.guard.allow(request, response)
        return response

    return handle


async def _take(desk: FormDesk, request: web.Request) -> web.StreamResponse:
    # A form without any name of its own can't be told from another: a repeat is a new one then.
    return await desk.take(request, otherwise=uuid.uuid4().hex)


async def _preflight(desk: FormDesk, request: web.Request) -> web.StreamResponse:
    desk.guard.check_origin(request)
    return web.Response(status=204, headers=_PREFLIGHT)


async def _token(desk: FormDesk, request: web.Request) -> web.StreamResponse:
    desk.guard.check_origin(request)
    return desk.token()


async def _answers(desk: FormDesk, request: web.Request) -> web.StreamResponse:
    return await desk.answers(request)


async def _file(desk: FormDesk, request: web.Request) -> web.StreamResponse:
    return await desk.file(request)


def adapter() -> Adapter[WebFormOptions]:
    """The entry point's factory."""
    return WebFormAdapter()
