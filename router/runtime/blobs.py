"""Attachments: bytes kept in an object store, so that only their key travels on the bus (claim check)."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from router.contract.ids import AccountId, InquiryId
from router.runtime.errors import BlobMissing, BlobsUnavailable, BlobTooLarge
from router.runtime.metrics import BlobOperation, RuntimeMetrics
from router.runtime.secret import Secret
from router.runtime.signer import Signer

MAX_BLOB_BYTES: Final = 25 * 1024 * 1024
_PART_BYTES: Final = 5 * 1024 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_PAGE: Final = 1000
_LINK: Final = "blob"


class StoredBlob(NamedTuple):
    """What was kept."""

    key: str
    size_bytes: int
    sha256: str


class BlobLink(NamedTuple):
    """What a link gives access to, and how it is to be shown."""

    key: str
    media_type: str
    name: str


def blob_key(account: AccountId, inquiry: InquiryId, number: int) -> str:
    """Where the ``number``-th attachment of an inquiry lies; the same on every redelivery, so storing it
    again replaces it by itself."""
    for part in (account, inquiry):
        if not part or "/" in part or part in (".", ".."):
            raise ValueError(f"{part!r} cannot be part of a blob's key")
    return f"{account}/{inquiry}/{number}"


class Blobs:
    """The objects of one installation. Errors: ``BlobMissing``, ``BlobTooLarge``, ``BlobsUnavailable``."""

    def __init__(
        self,
        store: ObjectStore,
        signer: Signer,
        *,
        root: Path | None = None,
        max_bytes: int = MAX_BLOB_BYTES,
        metrics: RuntimeMetrics | None = None,
    ) -> None:
        """``root`` is the directory of a local store: its files are forced to the disk. No object is larger than
        ``max_bytes``."""
        self._store = store
        self._signer = signer
        self._root = root
        self._max_bytes = max_bytes
        self._metrics = metrics

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, max_bytes: int) -> StoredBlob:
        """Keep the stream under the key, replacing what was there; return when it is durable. A stream
        that is too long or breaks leaves nothing behind; its own error is raised as it is."""
        tally = _Tally(min(max_bytes, self._max_bytes))
        try:
            await obstore.put_async(self._store, key, tally.counted(chunks), chunk_size=_PART_BYTES)
            if self._root is not None:
                await asyncio.to_thread(_force_to_disk, self._root / key)
        except (BaseError, OSError) as exc:
            raise self._unavailable(BlobOperation.PUT, key) from exc
        return StoredBlob(key, tally.size_bytes, tally.sha256.hexdigest())

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """The bytes in chunks. Raises before the first chunk if there is no such object."""
        try:
            result = await obstore.get_async(self._store, key)
        except FileNotFoundError as exc:
            raise BlobMissing(f"no object {key}") from exc
        except (BaseError, OSError) as exc:
            raise self._unavailable(BlobOperation.GET, key) from exc
        return self._chunks(key, result)

    async def delete(self, key: str) -> None:
        """Delete the object. One that is not there is no error."""
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as exc:
            raise self._unavailable(BlobOperation.DELETE, key) from exc

    async def keys(self, *, stored_before_ms: int) -> AsyncIterator[str]:
        """Every object older than that, for the sweep of orphans; in no order, in pages."""
        try:
            async for page in obstore.list(self._store, chunk_size=_PAGE):
                for entry in page:
                    if entry["last_modified"].timestamp() * 1000 < stored_before_ms:
                        yield entry["path"]
        except (BaseError, OSError) as exc:
            raise self._unavailable(BlobOperation.LIST, "keys") from exc

    def link(self, blob: BlobLink, *, expires_at_ms: int) -> str:
        """A token for a URL that gives access to this one object until then, to whoever holds it."""
        return self._signer.sign(_LINK, "\n".join(blob), expires_at_ms=expires_at_ms)

    def open_link(self, token: str, *, now_ms: int) -> BlobLink:
        """What the token gives access to. Raises ``TokenRefused``."""
        key, media_type, name = self._signer.open(_LINK, token, now_ms=now_ms).split("\n", 2)
        return BlobLink(key, media_type, name)

    async def _chunks(self, key: str, result: "obstore.GetResult") -> AsyncIterator[bytes]:
        try:
            async for chunk in result.stream(min_chunk_size=_CHUNK_BYTES):
                yield bytes(chunk)
        except (BaseError, OSError) as exc:
            raise self._unavailable(BlobOperation.GET, key) from exc

    def _unavailable(self, operation: BlobOperation, key: str) -> BlobsUnavailable:
        if self._metrics is not None:
            self._metrics.blob_errors.labels(operation).inc()
        return BlobsUnavailable(f"the object store failed to {operation} {key}")


def open_blobs(
    url: Secret | None,
    directory: Path,
    signer: Signer,
    *,
    max_bytes: int = MAX_BLOB_BYTES,
    metrics: RuntimeMetrics | None = None,
) -> Blobs:
    """The object store of the settings: the one that ``url`` names, else ``directory``, which is made."""
    if url is None:
        directory.mkdir(parents=True, exist_ok=True)
        root = directory.resolve()
        return Blobs(LocalStore(root, automatic_cleanup=True), signer, root=root, max_bytes=max_bytes, metrics=metrics)
    try:
        return Blobs(from_url(url.reveal()), signer, max_bytes=max_bytes, metrics=metrics)
    except (BaseError, ValueError, OSError) as exc:
        # The cause may quote the address, which may hold a key.
        raise BlobsUnavailable("blobs.url: this object store cannot be opened") from exc


class _Tally:
    """Counts and hashes a stream on its way."""

    def __init__(self, max_bytes: int) -> None:
        self.size_bytes = 0
        self.sha256 = hashlib.sha256()
        self._max_bytes = max_bytes

    async def counted(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self.size_bytes += len(chunk)
            if self.size_bytes > self._max_bytes:
                raise BlobTooLarge(f"larger than {self._max_bytes} bytes")
            self.sha256.update(chunk)
            yield chunk


def _force_to_disk(path: Path) -> None:
    # The file's bytes, then its name in the directory: without both, a power cut loses what we said yes to.
    for each in (path, path.parent):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
