"""One account of the web form channel at work."""

from collections.abc import AsyncIterator
from typing import Final

import msgspec
from aiohttp import web

from channels.kit.limits import read_body
from channels.kit.problems import Refused
from channels.kit.text import one_line
from channels.web_form.answers import Answers, TooMany, is_form
from channels.web_form.guard import Guard
from channels.web_form.metrics import WebFormMetrics
from channels.web_form.normalise import Arrival, check, form_of, id_of, inquiry
from channels.web_form.options import WebFormOptions
from channels.web_form.page import HEADERS, thanks_page, words
from channels.web_form.reading import Reading, wants_html
from channels.web_form.submission import File, Submission, read
from channels.web_form.tokens import FormTokens
from router.contract.ids import AccountId
from router.contract.messages import Attachment, Reply
from router.runtime.blobs import blob_key
from router.runtime.errors import BlobsUnavailable, SendLater, TokenRefused
from router.runtime.plugins import Account, ChannelHost, SendResult, failed, sent

_ENCODER: Final = msgspec.json.Encoder()


class FormDesk:
    """Takes forms, keeps answers and shows them."""

    def __init__(self, account: Account[WebFormOptions], host: ChannelHost, metrics: WebFormMetrics) -> None:
        self._account = account
        self._options = account.options
        self._host = host
        self._url = f"{host.base_url}/{account.id}"
        self._tokens = FormTokens(host.signer, account.id, link_days=account.options.link_days)
        self._kept = Answers(host.blobs, account.id)
        self._reading = Reading(account.options, self._tokens, self._kept, blobs=host.blobs, url=self._url)
        self.guard = Guard(account.options, self._tokens, metrics, own_url=host.base_url)

    async def take(self, request: web.Request, *, otherwise: str) -> web.StreamResponse:
        """202 once the form is on the bus, or for a browser the page it goes to then. ``otherwise`` names a
        submission that has no name of its own. Raises ``Refused`` or ``Malformed``."""
        self.guard.check_origin(request)
        self.guard.check_rate(request, self._host.clock.monotonic())
        body = await read_body(request, max_bytes=self._options.max_bytes)
        now_ms = self._host.clock.now_ms()
        submission = read(request.headers.get("Content-Type", ""), body, honeypot=self._options.honeypot)
        loaded = self.guard.check_person(submission, now_ms)
        check(submission, needs_mail=self._options.mail_account is not None)
        # The content is a part of the name: who guesses another's id gets no link to his answers, and one
        # loading of the form may be sent with two texts.
        name = submission.id or (loaded.name if loaded is not None else otherwise)
        arrival = self._arrival(submission, f"{name}/{submission.digest()}", now_ms)
        attachments = await self._store(submission, arrival)
        await self._host.accept(inquiry(submission, arrival, attachments))
        return self._accepted(request, arrival)

    def token(self) -> web.Response:
        """What a form carries that is being loaded now."""
        body = _ENCODER.encode({"token": self._tokens.fill(self._host.clock.now_ms())})
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def answers(self, request: web.Request) -> web.Response:
        return await self._reading.page(request, self._host.clock.now_ms())

    async def file(self, request: web.Request) -> web.StreamResponse:
        return await self._reading.file(request, self._host.clock.now_ms())

    async def keep(self, reply: Reply) -> SendResult:
        """Keep a reply for its customer to read; a repeat keeps nothing twice."""
        if not is_form(reply.to.address):
            return failed("there is no such form")
        try:
            number = await self._kept.keep(reply.to.address, reply)
        except BlobsUnavailable:
            raise SendLater("the answer can't be kept just now") from None
        except TooMany:
            return failed("this conversation has as many answers as are kept")
        return sent(f"{reply.to.address}/{number}")

    def _arrival(self, submission: Submission, key: str, now_ms: int) -> Arrival:
        form = None
        if submission.thread:
            try:
                form = self._tokens.form(submission.thread, now_ms)
            except TokenRefused:
                raise Refused(401, "The thread's token is forged or too old: send the form without it.") from None
        mail = self._options.mail_account
        return Arrival(
            account=self._account.id,
            pool=self._account.pool,
            received_at_ms=now_ms,
            key=key,
            form=form,
            mail_account=None if mail is None else AccountId(mail),
        )

    def _accepted(self, request: web.Request, arrival: Arrival) -> web.Response:
        is_link = self._options.mail_account is None
        token = self._tokens.link(form_of(arrival), arrival.received_at_ms) if is_link else None
        url = None if token is None else f"{self._url}/answers/{token}"
        if wants_html(request):
            if url is not None:
                return web.Response(status=303, headers={"Location": url, "Cache-Control": "no-store"})
            page = thanks_page(self._options.title, words(request.headers.get("Accept-Language", "")))
            return web.Response(status=202, text=page, content_type="text/html", headers=HEADERS)
        told = {"id": id_of(arrival), "answers": url, "thread": token}
        return web.Response(status=202, body=_ENCODER.encode(told), content_type="application/json")

    async def _store(self, submission: Submission, arrival: Arrival) -> tuple[Attachment, ...]:
        return tuple(
            [
                await self._store_one(file, blob_key(arrival.account, id_of(arrival), number))
                for number, file in enumerate(submission.files)
            ]
        )

    async def _store_one(self, file: File, key: str) -> Attachment:
        stored = await self._host.blobs.put(key, _chunk(file.data), max_bytes=len(file.data))
        return Attachment(
            name=one_line(file.name, 200) or "file",
            media_type=one_line(file.media_type, 200) or "application/octet-stream",
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            blob=stored.key,
        )


async def _chunk(data: bytes) -> AsyncIterator[bytes]:
    yield data
