"""Answers that customers read under a link: one object each, numbered from 0, beside the form's files.

They lie under the conversation's first form, ``ACCOUNT/INQUIRY/answers/N``, and go with its transcript.
Replies of a conversation come one after the other in one order, so whoever repeats them finds the same
number for the same reply: an overlap of two processes writes the same object twice, never one over another.
"""

import re
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from router.contract.ids import AccountId, InquiryId
from router.contract.messages import Attachment, Reply
from router.runtime.blobs import Blobs, blob_key
from router.runtime.errors import BlobMissing

MAX_ANSWERS: Final = 200
_MAX_BYTES: Final = 1024 * 1024
_FORM: Final = re.compile(r"[0-9a-f-]{36}")


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reply as it is kept for its customer."""

    id: str
    at_ms: int
    text: str
    subject: str = ""
    files: tuple[Attachment, ...] = ()


class TooMany(Exception):
    """The conversation has as many answers as are kept."""


_DECODER: Final = msgspec.json.Decoder(Answer)
_ENCODER: Final = msgspec.json.Encoder()


def is_form(form: str) -> bool:
    """Whether answers can lie under this name."""
    return _FORM.fullmatch(form) is not None


class Answers:
    """Those of one account. Errors are those of the object store."""

    def __init__(self, blobs: Blobs, account: AccountId) -> None:
        self._blobs = blobs
        self._account = account

    async def keep(self, form: str, reply: Reply) -> int:
        """The number of the reply among the form's answers, once it is durable; the number that it has if it
        is there already. Raises ``TooMany``."""
        number = 0
        async for answer in self.read(form):
            if answer.id == reply.id:
                return number
            number += 1
        if number >= MAX_ANSWERS:
            raise TooMany
        answer = Answer(
            id=reply.id, at_ms=reply.created_at_ms, text=reply.text, subject=reply.subject, files=reply.attachments
        )
        await self._blobs.put(self._key(form, number), _chunk(_ENCODER.encode(answer)), max_bytes=_MAX_BYTES)
        return number

    async def read(self, form: str) -> AsyncIterator[Answer]:
        """The answers in the order in which they were given."""
        for number in range(MAX_ANSWERS):
            answer = await self.one(form, number)
            if answer is None:
                return
            yield answer

    async def one(self, form: str, number: int) -> Answer | None:
        """None if there is none of this number."""
        try:
            chunks = [chunk async for chunk in await self._blobs.get(self._key(form, number))]
        except BlobMissing:
            return None
        return _DECODER.decode(b"".join(chunks))

    def _key(self, form: str, number: int) -> str:
        # blob_key refuses what could lead elsewhere.
        return blob_key(self._account, InquiryId(form), 0).rpartition("/")[0] + f"/answers/{number}"


async def _chunk(data: bytes) -> AsyncIterator[bytes]:
    yield data
