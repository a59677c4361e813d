"""What a customer sees under the link: the answers as a page or as JSON, and their files."""

from collections.abc import Mapping
from typing import Final

import msgspec
from aiohttp import web

from channels.kit.problems import not_found
from channels.web_form.answers import Answer, Answers, is_form
from channels.web_form.options import WebFormOptions
from channels.web_form.page import HEADERS, WriteAgain, answers_page, words
from channels.web_form.tokens import FormTokens
from router.contract.codec import rfc3339
from router.runtime.blobs import BlobLink, Blobs
from router.runtime.downloads import send_file
from router.runtime.errors import BlobMissing, TokenRefused

_ENCODER: Final = msgspec.json.Encoder()


class Reading:
    """The answers of one account. ``url`` is the account's own address."""

    def __init__(
        self, options: WebFormOptions, tokens: FormTokens, answers: Answers, *, blobs: Blobs, url: str
    ) -> None:
        self._options = options
        self._tokens = tokens
        self._answers = answers
        self._blobs = blobs
        self._url = url

    async def page(self, request: web.Request, now_ms: int) -> web.Response:
        """Raises ``Refused`` for a link that is none of ours, or too old."""
        token, form = self._form(request.match_info, now_ms)
        answers = [answer async for answer in self._answers.read(form)]
        if not wants_html(request):
            body = _ENCODER.encode({"answers": [self._told(*each, token=token) for each in enumerate(answers)]})
            return web.Response(body=body, content_type="application/json", headers=HEADERS)
        again = WriteAgain(self._url, token, self._tokens.fill(now_ms), self._options.honeypot)
        said = words(request.headers.get("Accept-Language", ""))
        text = answers_page(self._options.title, answers, again, said)
        return web.Response(text=text, content_type="text/html", headers=HEADERS)

    async def file(self, request: web.Request, now_ms: int) -> web.StreamResponse:
        """One file of an answer, always to be saved and never shown: what is in it is not ours."""
        _, form = self._form(request.match_info, now_ms)
        answer = await self._answers.one(form, int(request.match_info["number"]))
        index = int(request.match_info["file"])
        if answer is None or index >= len(answer.files):
            raise not_found()
        file = answer.files[index]
        try:
            chunks = await self._blobs.get(file.blob)
        except BlobMissing:
            raise not_found() from None
        return await send_file(request, BlobLink(file.blob, file.media_type, file.name), chunks)

    def _form(self, path: Mapping[str, str], now_ms: int) -> tuple[str, str]:
        try:
            form = self._tokens.form(path["token"], now_ms)
        except TokenRefused:
            raise not_found() from None
        if not is_form(form):
            raise not_found()
        return path["token"], form

    def _told(self, number: int, answer: Answer, *, token: str) -> dict[str, object]:
        files = [
            {
                "name": file.name,
                "size_bytes": file.size_bytes,
                "url": f"{self._url}/answers/{token}/{number}/{index}",
            }
            for index, file in enumerate(answer.files)
        ]
        return {
            "id": answer.id,
            "at": rfc3339(answer.at_ms),
            "text": answer.text,
            "subject": answer.subject,
            "files": files,
        }


def wants_html(request: web.Request) -> bool:
    """Browsers name HTML; programs name JSON or nothing."""
    accepted = request.headers.get("Accept", "").lower()
    return "text/html" in accepted.partition("application/json")[0]
