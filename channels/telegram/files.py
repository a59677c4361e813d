"""Customers' files: fetched from Telegram and stored before the inquiry that names them is accepted."""

from channels.kit.customer_files import Kept, keep_files
from channels.kit.failures import FileRefused, NoAnswer
from channels.telegram.bot_api import BotApi
from channels.telegram.normalise import FileRef
from router.contract.ids import AccountId, InquiryId
from router.contract.messages import Attachment
from router.runtime.blobs import Blobs


class FileShelf:
    """Keeps the files of one account's messages."""

    def __init__(self, api: BotApi, blobs: Blobs, *, account: AccountId, max_bytes: int) -> None:
        self._api = api
        self._blobs = blobs
        self._account = account
        self._max_bytes = max_bytes

    async def keep(self, files: tuple[FileRef, ...], inquiry: InquiryId, *, is_patient: bool) -> Kept:
        """As ``keep_files``."""
        return await keep_files(files, (self._account, inquiry), self._keep_one, is_patient=is_patient)

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
