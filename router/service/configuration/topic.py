"""The configuration topic: written by few, followed by every process from its first record on."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from router.contract import topics
from router.contract.codec import Decoder, encode
from router.contract.config import (
    ACTIVE_RULEBOOK,
    ActiveRulebook,
    ApiKey,
    config_headers,
    key_entry,
    named_key,
    named_rulebook,
    rulebook_entry,
)
from router.contract.errors import Undecodable
from router.runtime.bus.protocol import Bus, Outgoing, Record
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable
from router.service.configuration.api_keys import KeyTable
from router.service.following import follow
from rules import Rulebook, RulebookError, content, restore

LOG = logging.getLogger(__name__)
_RETRY_MS: Final = 500
_KEY: Final = Decoder(ApiKey)
_ACTIVE: Final = Decoder(ActiveRulebook)

Activated = Callable[[Rulebook], None]


class ConfigurationTail:
    """What is configured now: each process reads the whole topic.

    A damaged entry is logged and passed over; what was known of it stands.
    """

    def __init__(self, bus: Bus, keys: KeyTable, *, clock: Clock) -> None:
        self.keys = keys
        self.active: ActiveRulebook | None = None
        self.rulebook: Rulebook | None = None
        self.ready = asyncio.Event()
        self._bus = bus
        self._clock = clock
        self._applied = -1
        self._contents: dict[str, bytes] = {}
        self._told: list[Activated] = []

    def listen(self, activated: Activated) -> None:
        """``activated`` is given every rulebook that comes into force, and the present one at once."""
        self._told.append(activated)
        if self.rulebook is not None:
            activated(self.rulebook)

    def stored(self, hash: str) -> Rulebook | None:  # noqa: A002 - what it is called everywhere
        """The rulebook of that hash, if the topic holds it; cases go by the one they were judged by."""
        data = self._contents.get(hash)
        return None if data is None else _restored(hash, data)

    async def run(self) -> None:
        """Read what there is, set ``ready``, then follow until cancelled; a bus that is away is waited for."""
        while True:
            try:
                # From before it is read: what is published meanwhile comes twice rather than never.
                tail = await self._bus.tail(topics.CONFIG)
                try:
                    await self.read()
                    await follow(tail, self._apply)
                finally:
                    await tail.close()
            except BusUnavailable as exc:
                LOG.warning("the configuration can't be read: %s", exc, extra={"event": "config.retry"})
                await self._clock.sleep_until_ms(self._clock.now_ms() + _RETRY_MS)

    async def read(self) -> None:
        """Apply all that the topic holds now, and set ``ready``. Raises ``BusUnavailable``."""
        async for record in self._bus.history(topics.CONFIG):
            self._apply(record)
        self.ready.set()

    def _apply(self, record: Record) -> None:
        # What came while it was read comes again: it must not undo what came after it.
        if record.offset <= self._applied:
            return
        self._applied = record.offset
        try:
            self._take(record.key, record.value)
        except Undecodable as exc:
            LOG.warning(
                "a damaged entry is passed over: %s", exc, extra={"event": "config.damaged", "entry": record.key}
            )

    def _take(self, entry: str, value: bytes | None) -> None:
        key_id, rulebook = named_key(entry), named_rulebook(entry)
        if key_id is not None:
            self._take_key(key_id, value)
        elif rulebook is not None:
            self._take_content(rulebook, value)
        elif entry == ACTIVE_RULEBOOK and value is not None:
            self.active = _ACTIVE.decode(value, ActiveRulebook)
            self._activate()

    def _take_key(self, key_id: str, value: bytes | None) -> None:
        if value is None:
            self.keys.remove(key_id)
        else:
            self.keys.put(_KEY.decode(value, ApiKey))

    def _take_content(self, hash: str, value: bytes | None) -> None:  # noqa: A002 - what it is called everywhere
        if value is None:
            self._contents.pop(hash, None)
            return
        self._contents[hash] = value
        self._activate()

    def _activate(self) -> None:
        """Put the active rulebook into force once its content is here; on any error the old one stays."""
        wanted = self.active.hash if self.active else ""
        if wanted not in self._contents or (self.rulebook is not None and self.rulebook.hash == wanted):
            return
        rulebook = _restored(wanted, self._contents[wanted])
        if rulebook is None:
            return
        self.rulebook = rulebook
        for told in self._told:
            told(rulebook)


class ConfigurationWriter:
    """Writes entries; every call returns when they are durable. Raises ``BusUnavailable``: repeat it."""

    def __init__(self, bus: Bus, *, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock

    async def put_key(self, key: ApiKey) -> None:
        """Put a new key into force, or change one."""
        await self._bus.publish([self._record(key_entry(key.id), encode(key))])

    async def revoke_key(self, key: ApiKey) -> None:
        """The key opens nothing any more, wherever its entry has been read. Its entry stays, to be seen."""
        await self.put_key(msgspec.structs.replace(key, revoked=True))

    async def activate(self, rulebook: Rulebook, *, by: str = "") -> None:
        """Publish a rulebook and put it into force. Its content is durable before anyone is told to use it."""
        active = ActiveRulebook(hash=rulebook.hash, at_ms=self._clock.now_ms(), by=by)
        await self._bus.publish([self._record(rulebook_entry(rulebook.hash), content(rulebook))])
        await self._bus.publish([self._record(ACTIVE_RULEBOOK, encode(active))])

    def _record(self, entry: str, value: bytes) -> Outgoing:
        headers = config_headers(entry, at_ms=self._clock.now_ms())
        return Outgoing(topic=topics.CONFIG, key=entry, value=value, headers=headers)


def _restored(hash: str, data: bytes) -> Rulebook | None:  # noqa: A002 - what it is called everywhere
    try:
        return restore(data)
    except RulebookError:
        LOG.exception("a stored rulebook can't be used", extra={"event": "config.rulebook", "rulebook": hash})
        return None
