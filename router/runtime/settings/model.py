"""All settings of a process: what they are called, their types, defaults and meanings.

Read once at start by ``loader.load``; immutable afterwards. Policy (queues, skills, clocks) is no
setting: it lives in the rulebook.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from router.runtime.crash_points import PATTERN as CRASH_PATTERN
from router.runtime.secret import RawOptions, Secret

# Names that become parts of topics, keys and paths.
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
# Plug-ins are named as their entry points are.
PluginName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
Port = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
CrashAt = Annotated[str, Meta(pattern=CRASH_PATTERN)]


class Mode(StrEnum):
    """How an installation runs: derived from whether a state store of its own was named."""

    STANDALONE = "standalone"
    SCALED = "scaled"


class BusKind(StrEnum):
    STREAMS = "streams"
    KAFKA = "kafka"


class ProxyHeader(StrEnum):
    """Where proxies put down whom they forward for."""

    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


class LogFormat(StrEnum):
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group of settings."""


class RedisSettings(Section, frozen=True):
    url: Annotated[
        Secret | None,
        Meta(
            description="State store (redis://, rediss://, unix://). Absent: one is started in data_dir; "
            "its path must be short, or the socket is made under /tmp."
        ),
    ] = None
    connections: Annotated[Count, Meta(description="Connections of a process for acts and reads.")] = 32
    timeout_s: Annotated[Seconds, Meta(description="How long one answer of the state store may take.")] = 5.0
    binary: Annotated[
        str | None,
        Meta(description="Server program to start when standalone. Absent: the bundled one, else the one on PATH."),
    ] = None
    max_bytes: Annotated[
        int,
        Meta(ge=0, description="Memory limit of the server started in data_dir, 0 for none: see Under overload."),
    ] = 0
    outlives: Annotated[
        bool,
        Meta(
            description="The server started in data_dir stays when this process is killed, until the next start "
            "ends it. For tests of just that."
        ),
    ] = False


class KafkaSettings(Section, frozen=True):
    bootstrap: Annotated[
        tuple[str, ...], Meta(description="Brokers to find the cluster by: host:port, separated by commas.")
    ] = ()
    security: Annotated[
        str,
        Meta(
            pattern="^(PLAINTEXT|SSL|SASL_PLAINTEXT|SASL_SSL)$",
            description="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.",
        ),
    ] = "PLAINTEXT"
    sasl_mechanism: Annotated[
        str,
        Meta(
            pattern="^(PLAIN|SCRAM-SHA-256|SCRAM-SHA-512)$",
            description="PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.",
        ),
    ] = "SCRAM-SHA-512"
    username: Annotated[str | None, Meta(description="SASL user.")] = None
    password: Annotated[Secret | None, Meta(description="SASL password.")] = None
    ca_path: Annotated[
        str | None, Meta(description="File of the authorities that may sign the brokers' certificates.")
    ] = None
    session_timeout_s: Annotated[
        Seconds, Meta(description="After this silence a member's partitions are given away.")
    ] = 15.0
    request_timeout_s: Annotated[Seconds, Meta(description="How long one answer of a broker may take.")] = 10.0


class BusSettings(Section, frozen=True):
    kind: Annotated[BusKind, Meta(description="streams (in the state store) or kafka.")] = BusKind.STREAMS
    create_topics: Annotated[bool, Meta(description="Create absent topics at start.")] = True
    replication_factor: Annotated[Count, Meta(description="Copies of each Kafka partition made at creation.")] = 1
    inquiry_partitions: Annotated[
        Count, Meta(description="Partitions of each pool's inquiries. Fixed once the topic exists.")
    ] = 64
    partitions: Annotated[Count, Meta(description="Partitions of the other topics. Fixed once they exist.")] = 16
    stream_max_bytes: Annotated[
        Count, Meta(description="Size at which a stream's oldest records that all groups have read are dropped.")
    ] = 256 * 1024 * 1024
    group_idle_s: Annotated[
        Seconds, Meta(description="A streams group idle for so long no longer holds records back.")
    ] = 86_400.0


class HttpSettings(Section, frozen=True):
    host: Annotated[str, Meta(description="Address that the ports are opened on.")] = "127.0.0.1"
    channels_port: Annotated[
        Port, Meta(description="Where providers and customers reach the channels; 0: a free one.")
    ] = 8080
    api_port: Annotated[Port, Meta(description="Where advisors and supervisors reach the API; 0: a free one.")] = 8081
    ops_port: Annotated[Port, Meta(description="Health and metrics; 0: a free one.")] = 8082
    channels_url: Annotated[
        str | None, Meta(description="The channels' port as customers see it, for links. Absent: host and port.")
    ] = None
    api_url: Annotated[
        str | None, Meta(description="The API's port as advisors see it, for links. Absent: host and port.")
    ] = None

    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(
            description="Addresses or networks (10.0.0.0/8) of all proxies before the channels' port: limits then "
            "count the client that they name, not the proxy."
        ),
    ] = ()
    proxy_header: Annotated[
        ProxyHeader,
        Meta(
            description="The header in which they name him, x-forwarded-for or forwarded: the one that they always "
            "write, since a client may send the other himself."
        ),
    ] = ProxyHeader.X_FORWARDED_FOR


class LogSettings(Section, frozen=True):
    format: Annotated[LogFormat, Meta(description="json, or console for people.")] = LogFormat.JSON
    level: Annotated[LogLevel, Meta(description="debug, info, warning or error.")] = LogLevel.INFO


class RouterSettings(Section, frozen=True):
    pools: Annotated[tuple[Name, ...], Meta(description="Pools that this process serves. Empty: all of them.")] = ()
    lanes: Annotated[
        Count, Meta(description="Inquiries handled at the same time; one conversation stays in one lane.")
    ] = 64
    lane_depth: Annotated[
        Count, Meta(description="Inquiries held for each lane, waiting or not yet durable, before the bus is paused.")
    ] = 16
    max_attempts: Annotated[
        int, Meta(ge=2, description="How often a record may end its process before it goes to the dead letters.")
    ] = 5
    hold_conversation: Annotated[
        bool, Meta(description="Put aside, too, what follows a dead letter in its conversation, until that is settled.")
    ] = False
    sweep_s: Annotated[Seconds, Meta(description="Time between two safety sweeps, which should find nothing.")] = 30.0


class ApiSettings(Section, frozen=True):
    durable_wait_s: Annotated[
        Seconds, Meta(description="How long an answer waits for its event to be on the bus before it says 202.")
    ] = 2.0
    max_body_bytes: Annotated[Count, Meta(description="Largest request body.")] = 1024 * 1024


class BlobSettings(Section, frozen=True):
    url: Annotated[
        Secret | None,
        Meta(description="Object store of attachments (s3://, gs://, az://, file://). Absent: data_dir/blobs."),
    ] = None
    max_bytes: Annotated[Count, Meta(description="Largest attachment.")] = 25 * 1024 * 1024
    link_ttl_s: Annotated[Seconds, Meta(description="How long a link to an attachment works.")] = 300.0


class WatchdogSettings(Section, frozen=True):
    loop_blocked_s: Annotated[
        Seconds, Meta(description="A process whose event loop hangs for so long ends itself.")
    ] = 30.0
    poll_age_s: Annotated[
        Seconds, Meta(description="A process whose consumer, publisher or relay is stuck for so long ends itself.")
    ] = 60.0


class Mask(Section, frozen=True):
    name: Annotated[Name, Meta(description="What is masked; it is put in place of the text.")]
    pattern: Annotated[str, Meta(description="Regular expression of the text to be masked.")]


class AccountSettings(Section, frozen=True):
    channel: Annotated[PluginName, Meta(description="Channel adapter that serves the account.")]
    pool: Annotated[Name, Meta(description="Pool that the account's conversations belong to.")] = "default"
    options: Annotated[RawOptions, Meta(description="The adapter's own options: `turnout settings --channel`.")] = (
        RawOptions({})
    )


class TargetSettings(Section, frozen=True):
    notifier: Annotated[PluginName, Meta(description="Notifier that serves the target.")]
    options: Annotated[RawOptions, Meta(description="The notifier's own options: `turnout settings --notifier`.")] = (
        RawOptions({})
    )
    group_s: Annotated[
        float,
        Meta(
            ge=0, le=600, description="A message waits until no notice has come to it for so long; 0: each by itself."
        ),
    ] = 5.0
    group_most_s: Annotated[
        float, Meta(ge=0, le=3600, description="No notice waits longer for others to come to its message.")
    ] = 60.0
    per_minute: Annotated[
        float,
        Meta(gt=0, le=6000, description="Messages a minute, for each advisor or channel; what comes meanwhile joins."),
    ] = 30.0


_MASKS = (
    Mask(name="resident-number", pattern=r"\b\d{6}[- ]?[1-8]\d{6}\b"),
    Mask(name="card-number", pattern=r"\b\d(?:[ -]?\d){12,18}\b"),
)


class Settings(Section, frozen=True):
    """Everything a process is told. Unknown names are refused; every value was checked."""

    data_dir: Annotated[str, Meta(description="Directory of all that a standalone installation keeps.")] = (
        "turnout-data"
    )
    rules_dir: Annotated[str | None, Meta(description="Directory of the rulebook. Absent: the built-in one.")] = None
    roster_file: Annotated[str | None, Meta(description="File of advisors. Absent: the built-in example.")] = None
    signing_key: Annotated[
        Secret | None,
        Meta(
            description="Signs links and mail threads; the same on all replicas, 32 characters or more. "
            "Absent: made once in data_dir (standalone only)."
        ),
    ] = None
    pools: Annotated[tuple[Name, ...], Meta(min_length=1, description="Pools: advisors and cases that may meet.")] = (
        "default",
    )
    accounts: Annotated[dict[Name, AccountSettings], Meta(description="Channel accounts by their id.")] = {}
    targets: Annotated[dict[Name, TargetSettings], Meta(description="Where notices to staff go, by id.")] = {}
    masks: Annotated[tuple[Mask, ...], Meta(description="What is blanked out of messages before the bus.")] = _MASKS
    stop_s: Annotated[Seconds, Meta(description="Time to stop in; what is unfinished then is given back.")] = 25.0
    crash_at: Annotated[
        tuple[CrashAt, ...],
        Meta(description="Points at which the process ends itself as if killed. For tests of crashes only."),
    ] = ()
    redis: RedisSettings = RedisSettings()
    kafka: KafkaSettings = KafkaSettings()
    bus: BusSettings = BusSettings()
    http: HttpSettings = HttpSettings()
    logs: LogSettings = LogSettings()
    router: RouterSettings = RouterSettings()
    api: ApiSettings = ApiSettings()
    blobs: BlobSettings = BlobSettings()
    watchdog: WatchdogSettings = WatchdogSettings()

    @property
    def mode(self) -> Mode:
        return Mode.STANDALONE if self.redis.url is None else Mode.SCALED

    @property
    def served_pools(self) -> tuple[str, ...]:
        """The pools that the router roles of this process serve."""
        return self.router.pools or self.pools
