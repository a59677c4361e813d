"""What all parts of one process share."""

import os
import secrets
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from prometheus_client import CollectorRegistry

from router.runtime.clock import SystemClock
from router.runtime.lifecycle import Lifecycle
from router.runtime.metrics import RuntimeMetrics
from router.runtime.ops import Readiness
from router.runtime.plugin_catalog import Installation
from router.runtime.settings.model import Settings
from router.runtime.watchdog import LoopWatch, Watchdog
from router.service.measuring.gauges import PoolMetrics
from router.service.measuring.metrics import ServiceMetrics
from router.service.reading.turns import Turns


class Role(StrEnum):
    """What a process does. Standalone, one process does all."""

    ROUTER = "router"
    RELAY = "relay"
    CHANNELS = "channels"
    API = "api"


class Process:
    """Settings, clock, metrics and the lifecycle that everything opened is closed by."""

    def __init__(self, settings: Settings, roles: frozenset[Role], installation: Installation) -> None:
        self.settings = settings
        self.roles = roles
        self.installation = installation
        self.data = Path(settings.data_dir)
        self.name = f"{os.getpid()}-{secrets.token_hex(6)}"
        self.clock = SystemClock()
        self.life = Lifecycle(stop_s=settings.stop_s)
        self.readiness = Readiness()
        self.registry = CollectorRegistry()
        self.runtime_metrics = RuntimeMetrics(self.registry, version=metadata.version("turnout"), mode=settings.mode)
        self.metrics = ServiceMetrics(self.registry)
        self.pool_metrics = PoolMetrics(self.registry, settings.served_pools if Role.ROUTER in roles else ())
        self.turns = Turns()  # of records that may end the process
        self.loop_watch = LoopWatch(self.runtime_metrics, blocked_s=settings.watchdog.loop_blocked_s)
        self.watchdog = Watchdog(self.clock, self.loop_watch, poll_age_s=settings.watchdog.poll_age_s)
