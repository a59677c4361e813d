"""A customer who reads the answers under a link, as strictly as the documentation promises them."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from router.contract.codec import from_rfc3339
from router.contract.errors import Undecodable
from router.runtime.simulators import ReceivedReply

Filled = Annotated[str, Meta(min_length=1)]
_HEADERS: Final = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}


class ShownFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Filled
    size_bytes: int
    url: Filled


class ShownAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    id: Filled
    at: Filled
    text: Filled
    subject: str
    files: tuple[ShownFile, ...]


class ShownAnswers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    answers: tuple[ShownAnswer, ...]


_DECODER: Final = msgspec.json.Decoder(ShownAnswers)


class Reader:
    """One customer in one thread. What he has seen must stay; what is new arrives."""

    def __init__(
        self, customer: str, thread: str, *, arrived: asyncio.Queue[ReceivedReply], refusals: list[str]
    ) -> None:
        self._customer = customer
        self._thread = thread
        self._arrived = arrived
        self._refusals = refusals
        self._seen: list[ShownAnswer] = []

    def look(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        """Take in what the link showed; what is wrong is noted and shows nothing."""
        why = _wrong_headers(status, headers)
        if why:
            self._refusals.append(why)
            return
        try:
            shown = list(_DECODER.decode(body).answers)
            for answer in shown:
                from_rfc3339(answer.at)
        except (msgspec.DecodeError, UnicodeDecodeError, Undecodable) as exc:
            self._refusals.append(f"not answers: {exc}")
            return
        if shown[: len(self._seen)] != self._seen_again(shown):
            self._refusals.append("an answer that was shown before is gone or changed")
            return
        if len({answer.id for answer in shown}) < len(shown):
            self._refusals.append("an answer is shown twice")
        for answer in shown[len(self._seen) :]:
            self._arrived.put_nowait(self._received(answer))
        self._seen = shown

    def _seen_again(self, shown: list[ShownAnswer]) -> list[ShownAnswer]:
        # The links to files are made anew with each reading's own token.
        kept = zip(self._seen, shown, strict=False)
        again = [msgspec.structs.replace(seen, files=now.files) for seen, now in kept]
        return again + self._seen[len(again) :]

    def _received(self, answer: ShownAnswer) -> ReceivedReply:
        return ReceivedReply(
            customer=self._customer,
            thread=self._thread,
            text=answer.text,
            provider_message_id=answer.id,
            key=answer.id,
            subject=answer.subject,
        )


def _wrong_headers(status: int, headers: Mapping[str, str]) -> str:
    if status != 200:
        return f"the link answers {status}"
    for name, value in _HEADERS.items():
        if headers.get(name, "").partition(";")[0].strip().lower() != value:
            return f"the link's answer has no {name}: {value}"
    return ""
