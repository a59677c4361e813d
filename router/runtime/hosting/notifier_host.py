"""What one notifier gets from the process that runs it: the ``NotifierHost`` of ``notifiers``."""

from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry

from router.contract.ids import AdvisorId
from router.runtime.blobs import Blobs
from router.runtime.clock import Clock
from router.runtime.hosting.channel_role import RoleParts
from router.runtime.hosting.staff import StaffDirectory
from router.runtime.notifiers import StaffMember
from router.runtime.signer import Signer

Spawn = Callable[[str, Coroutine[Any, Any, None]], object]


class HostOfNotifier:
    """The host of the notifier of that name."""

    def __init__(
        self,
        notifier: str,
        parts: RoleParts,
        *,
        http: ClientSession,
        staff: StaffDirectory,
        spawn: Spawn,
        base_url: str,
    ) -> None:
        self._notifier = notifier
        self._parts = parts
        self._http = http
        self._staff = staff
        self._spawn = spawn
        self._base_url = base_url

    @property
    def clock(self) -> Clock:
        return self._parts.clock

    @property
    def blobs(self) -> Blobs:
        return self._parts.blobs

    @property
    def signer(self) -> Signer:
        return self._parts.signer

    @property
    def http(self) -> ClientSession:
        return self._http

    @property
    def registry(self) -> CollectorRegistry:
        return self._parts.registry

    @property
    def base_url(self) -> str:
        return self._base_url

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._spawn(f"notifier-{self._notifier}-{name}", work)

    def member(self, advisor: AdvisorId) -> StaffMember | None:
        return self._staff.member(advisor, self._notifier)

    def whose(self, address: str) -> StaffMember | None:
        return self._staff.whose(address, self._notifier)
