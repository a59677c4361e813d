"""Customers' files: fetched from Telegram and stored before the inquiry that names them is accepted."""

import asyncio
from typing import Final, NamedTuple

from channels.telegram.bot_api import BotApi
from channels.telegram.errors import FileRefused, NoAnswer, Unreachable
from channels.telegram.normalise import FileRef
from router.contract.ids import AccountId, InquiryId
from router.contract.messages import Attachment
from router.runtime.blobs import Blobs, blob_key
from router.runtime.errors import BlobTooLarge

_FETCH_S: Final = 20.0


class Kept(NamedTuple):
    """``missing`` names what could not be had."""

    attachments: tuple[Attachment, ...]
    missing: tuple[str, ...]


class FileShelf:
    """Keeps the files of one account's messages."""

    def __init__(self, api: BotApi, blobs: Blobs, *, account: AccountId, max_bytes: int) -> None:
        self._api = api
        self._blobs = blobs
        self._account = account
        self._max_bytes = max_bytes

    async def keep(self, files: tuple[FileRef, ...], inquiry: InquiryId, *, is_patient: bool) -> Kept:
        """A file that Telegram will never give out is missing. What may pass raises ``NoAnswer`` or
        ``Unreachable`` while there is patience, for the update comes again; afterwards it is missing too:
        one bad file must not hold up its message for ever."""
        attachments: list[Attachment] = []
        missing: list[str] = []
        for number, file in enumerate(files):
            try:
                async with asyncio.timeout(_FETCH_S):
                    attachments.append(await self._keep_one(file, blob_key(self._account, inquiry, number)))
            except (FileRefused, BlobTooLarge):
                missing.append(file.name)
            except (NoAnswer, Unreachable, TimeoutError):
                if is_patient:
                    raise NoAnswer("a file can't be fetched just now") from None
                missing.append(file.name)
        return Kept(tuple(attachments), tuple(missing))

    async def _keep_one(self, file: FileRef, key: str) -> Attachment:
        if (file.size_bytes or 0) > self._max_bytes:
            raise FileRefused("larger than the account allows")
        answer = await self._api.call("getFile", {"file_id": file.file_id})
        path = answer.known().file_path
        if not answer.ok or path is None:
            if answer.error_code in (401, 404, 429) or answer.error_code >= 500:
                raise NoAnswer(f"getFile answered {answer.error_code}")
            raise FileRefused(f"getFile answered {answer.error_code}")
        stored = await self._blobs.put(key, self._api.download(path), max_bytes=self._max_bytes)
        return Attachment(
            name=file.name,
            media_type=file.media_type,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            blob=stored.key,
        )
