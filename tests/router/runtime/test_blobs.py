import hashlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from router.contract.ids import AccountId, InquiryId
from router.runtime.blobs import BlobLink, Blobs, blob_key, open_blobs
from router.runtime.errors import BlobMissing, BlobsUnavailable, BlobTooLarge, TokenRefused
from router.runtime.metrics import RuntimeMetrics
from router.runtime.secret import Secret
from router.runtime.signer import Signer

SIGNER = Signer([Secret("k" * 32)])
KEY = blob_key(AccountId("shop"), InquiryId("i1"), 0)


@pytest.fixture(params=["local", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "memory":
        return Blobs(MemoryStore(), SIGNER)
    return open_blobs(None, tmp_path / "blobs", SIGNER)


async def _stream(*chunks: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if error is not None:
        raise error


async def _read(blobs: Blobs, key: str) -> bytes:
    return b"".join([chunk async for chunk in await blobs.get(key)])


@pytest.mark.parametrize("chunks", [(), (b"a",), (b"x" * 300_000,) * 40], ids=["empty", "one", "parts"])
async def test_what_was_put_is_read_back_with_its_size_and_hash(blobs: Blobs, chunks: tuple[bytes, ...]) -> None:
    whole = b"".join(chunks)
    stored = await blobs.put(KEY, _stream(*chunks), max_bytes=len(whole))
    assert stored == (KEY, len(whole), hashlib.sha256(whole).hexdigest())
    assert await _read(blobs, KEY) == whole


async def test_a_redelivery_replaces_the_object_by_itself(blobs: Blobs) -> None:
    await blobs.put(KEY, _stream(b"first"), max_bytes=10)
    await blobs.put(KEY, _stream(b"again"), max_bytes=10)
    assert await _read(blobs, KEY) == b"again"


@pytest.mark.parametrize("size", [11, 12_000_000])
async def test_one_that_is_too_large_leaves_nothing(blobs: Blobs, size: int) -> None:
    with pytest.raises(BlobTooLarge):
        await blobs.put(KEY, _stream(b"x" * (size - 1), b"x"), max_bytes=size - 1)
    with pytest.raises(BlobMissing):
        await blobs.get(KEY)


async def test_none_is_larger_than_the_installation_allows(tmp_path: Path) -> None:
    blobs = open_blobs(None, tmp_path, SIGNER, max_bytes=5)
    await blobs.put(KEY, _stream(b"12345"), max_bytes=10)
    with pytest.raises(BlobTooLarge):
        await blobs.put(KEY, _stream(b"123456"), max_bytes=10)


async def test_a_stream_that_breaks_leaves_nothing_and_raises_its_own_error(blobs: Blobs) -> None:
    with pytest.raises(EOFError):
        await blobs.put(KEY, _stream(b"half", error=EOFError("cut")), max_bytes=10)
    with pytest.raises(BlobMissing):
        await blobs.get(KEY)


async def test_deleting_twice_is_no_error(blobs: Blobs) -> None:
    await blobs.put(KEY, _stream(b"x"), max_bytes=1)
    await blobs.delete(KEY)
    await blobs.delete(KEY)
    with pytest.raises(BlobMissing):
        await blobs.get(KEY)


async def test_the_sweep_finds_what_is_old_enough(blobs: Blobs) -> None:
    for number in range(3):
        await blobs.put(blob_key(AccountId("shop"), InquiryId("i1"), number), _stream(b"x"), max_bytes=1)
    future_ms = int(time.time() * 1000) + 60_000
    assert sorted([key async for key in blobs.keys(stored_before_ms=future_ms)]) == [
        "shop/i1/0",
        "shop/i1/1",
        "shop/i1/2",
    ]
    assert [key async for key in blobs.keys(stored_before_ms=1)] == []


async def test_a_store_that_cannot_write_says_so_and_counts_it(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    metrics = RuntimeMetrics(registry, version="", mode="")
    blobs = open_blobs(None, tmp_path, SIGNER, metrics=metrics)
    (tmp_path / "shop").write_text("a file where the directory should be")
    with pytest.raises(BlobsUnavailable):
        await blobs.put(KEY, _stream(b"x"), max_bytes=1)
    assert registry.get_sample_value("turnout_blob_errors_total", {"operation": "put"}) == 1


async def test_objects_of_a_directory_outlive_the_process(tmp_path: Path) -> None:
    await open_blobs(None, tmp_path, SIGNER).put(KEY, _stream(b"kept"), max_bytes=10)
    assert await _read(open_blobs(None, tmp_path, SIGNER), KEY) == b"kept"
    assert await _read(open_blobs(Secret(tmp_path.as_uri()), tmp_path / "unused", SIGNER), KEY) == b"kept"


def test_an_address_of_no_store_is_refused_without_quoting_it(tmp_path: Path) -> None:
    with pytest.raises(BlobsUnavailable) as caught:
        open_blobs(Secret("nonsense://user:hunter2@x"), tmp_path, SIGNER)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("account", ["", "..", ".", "a/b"])
def test_a_key_never_leaves_its_place(account: str) -> None:
    with pytest.raises(ValueError, match="part of a blob's key"):
        blob_key(AccountId(account), InquiryId("i"), 0)


async def test_a_link_gives_access_to_one_object_for_a_while(blobs: Blobs) -> None:
    blob = BlobLink(KEY, "text/plain", "두 줄\n이름.txt")
    token = blobs.link(blob, expires_at_ms=1000)
    assert blobs.open_link(token, now_ms=999) == blob
    with pytest.raises(TokenRefused):
        blobs.open_link(token, now_ms=1000)
    with pytest.raises(TokenRefused):
        blobs.open_link(SIGNER.sign("other", "a\nb\nc"), now_ms=0)
