"""Customers' files: fetched by their address and stored before the inquiry that names them is accepted."""

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import urljoin

import aiohttp

from channels.kit.customer_files import Kept, keep_files
from channels.kit.failures import FileRefused, NoAnswer
from channels.kit.outbound import AddressRefused, destination
from channels.kit.text import one_line
from channels.messenger.normalise import FileRef
from channels.messenger.options import MessengerOptions
from router.contract.ids import AccountId, InquiryId
from router.contract.messages import Attachment
from router.runtime.plugins import ChannelHost

_REDIRECTS: Final = 3
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_GONE: Final = frozenset({400, 401, 403, 404, 410, 451})


class FileShelf:
    """Keeps the files of one account's messages. Addresses come from outside: each, redirects too, must be
    https and lead to a public address, unless the account allows its own network."""

    def __init__(self, account: AccountId, options: MessengerOptions, host: ChannelHost) -> None:
        self._account = account
        self._max_bytes = options.max_file_bytes
        self._allow_private = options.allow_private
        self._host = host

    async def keep(self, files: tuple[FileRef, ...], inquiry: InquiryId, *, is_patient: bool) -> Kept:
        """As ``keep_files``."""
        return await keep_files(files, (self._account, inquiry), self._keep_one, is_patient=is_patient)

    async def _keep_one(self, file: FileRef, key: str) -> Attachment:
        fetch = _Fetch(self._host.http, allow_private=self._allow_private)
        stored = await self._host.blobs.put(key, fetch.chunks(file.url), max_bytes=self._max_bytes)
        return Attachment(
            name=file.name,
            media_type=one_line(fetch.media_type, 200) or file.media_type,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            blob=stored.key,
        )


class _Fetch:
    """One file on its way. ``media_type`` is what its server calls it."""

    def __init__(self, http: aiohttp.ClientSession, *, allow_private: bool) -> None:
        self._http = http
        self._allow_private = allow_private
        self.media_type = ""

    async def chunks(self, url: str) -> AsyncIterator[bytes]:
        """Raises ``FileRefused`` or ``NoAnswer``."""
        for _ in range(_REDIRECTS + 1):
            try:
                target = await destination(url, allow_private=self._allow_private)
                async with self._http.get(
                    target.url,
                    headers=target.headers,
                    server_hostname=target.server_hostname,
                    allow_redirects=False,
                ) as response:
                    if response.status in _MOVED:
                        url = urljoin(url, response.headers.get("Location", ""))
                        continue
                    _check(response.status)
                    self.media_type = response.content_type if "Content-Type" in response.headers else ""
                    async for chunk in response.content.iter_chunked(65_536):
                        yield chunk
                    return
            except (AddressRefused, ValueError):
                raise FileRefused("the address is not one that we go to") from None
            except (aiohttp.ClientError, TimeoutError, OSError):
                raise NoAnswer("the file did not come") from None
        raise FileRefused("too many redirects")


def _check(status: int) -> None:
    if status in _GONE:
        raise FileRefused(f"the file's server answered {status}")
    if status != 200:
        raise NoAnswer(f"the file's server answered {status}")
