"""Customers' files that a provider keeps: fetched and stored before the inquiry that names them is accepted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol, TypeVar

from channels.kit.failures import FileRefused, NoAnswer, Unreachable
from router.contract.ids import AccountId, InquiryId
from router.contract.messages import Attachment
from router.runtime.blobs import blob_key
from router.runtime.errors import BlobTooLarge

_FETCH_S: Final = 20.0
_PATIENCE_MS: Final = 10 * 60_000


class NamedFile(Protocol):
    """What a message says of a file."""

    @property
    def name(self) -> str: ...


F = TypeVar("F", bound=NamedFile)


class Kept(NamedTuple):
    """``missing`` names what could not be had."""

    attachments: tuple[Attachment, ...]
    missing: tuple[str, ...]


def has_patience(sent_at_ms: int, now_ms: int) -> bool:
    """Whether a message is young enough to be put off until its files can be fetched: for ten minutes."""
    return now_ms - sent_at_ms < _PATIENCE_MS


async def keep_files(
    files: Sequence[F],
    place: tuple[AccountId, InquiryId],
    keep: Callable[[F, str], Awaitable[Attachment]],
    *,
    is_patient: bool,
) -> Kept:
    """Have each file kept under a key of its account and inquiry.

    One that will never be had is missing. What may pass raises ``NoAnswer`` while there is patience, for the
    provider sends the message again; afterwards it is missing too: one bad file must not hold up its message for
    ever.
    """
    attachments: list[Attachment] = []
    missing: list[str] = []
    for number, file in enumerate(files):
        try:
            async with asyncio.timeout(_FETCH_S):
                attachments.append(await keep(file, blob_key(*place, number)))
        except (FileRefused, BlobTooLarge):
            missing.append(file.name)
        except (NoAnswer, Unreachable, TimeoutError):
            if is_patient:
                raise NoAnswer("a file can't be fetched just now") from None
            missing.append(file.name)
    return Kept(tuple(attachments), tuple(missing))
