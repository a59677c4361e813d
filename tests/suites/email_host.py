"""A host for the e-mail channel that a test looks into: what was accepted, reported, stored."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from aiohttp import ClientSession
from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from router.contract.messages import Delivery, Inquiry
from router.runtime.blobs import Blobs
from router.runtime.chat_log import ChatLog
from router.runtime.clock import SystemClock
from router.runtime.secret import Secret
from router.runtime.signer import Signer


class RecordingHost:
    """``refuses`` is raised instead of accepting, once for each of its entries."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.signer = Signer([Secret("a key for tests only, 32 characters")])
        self.blobs = Blobs(MemoryStore(), self.signer)
        self.registry = CollectorRegistry()
        self.base_url = "http://127.0.0.1/email"
        self.accepted: list[Inquiry] = []
        self.reported: list[Delivery] = []
        self.refuses: list[Exception] = []

    @property
    def http(self) -> ClientSession:
        raise AssertionError("mail needs no HTTP")

    @property
    def chat_log(self) -> ChatLog:
        raise AssertionError("mail is not read live")

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        raise AssertionError("mail needs no task of its own")

    async def accept(self, inquiry: Inquiry) -> None:
        await asyncio.sleep(0)
        if self.refuses:
            raise self.refuses.pop(0)
        self.accepted.append(inquiry)

    async def report(self, delivery: Delivery) -> None:
        if self.refuses:
            raise self.refuses.pop(0)
        self.reported.append(delivery)

    def sample(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)
