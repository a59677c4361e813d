"""The roles with ports of their own: the API and the channels. Each tells the run file where it listens."""

from collections.abc import Mapping

from msgspec.structs import replace

from router.api.desks import Desk
from router.api.server import ApiParts, ApiServer
from router.app.policy import Policy
from router.app.process import Process
from router.app.state import State, open_client
from router.contract.ids import PoolId
from router.runtime.hosting.channel_role import ChannelRole, RoleParts
from router.runtime.hosting.notice_role import NoticeRole
from router.runtime.hosting.suspects import Suspects
from router.runtime.notifiers import CALLED_BACK_AT
from router.runtime.run_file import RunFile
from router.runtime.server_memory import Room
from router.runtime.settings.model import BusKind


async def open_api(
    process: Process, state: State, policy: Policy, *, desks: Mapping[PoolId, Desk], run_file: RunFile
) -> RunFile:
    """Serve advisors and supervisors."""
    parts = ApiParts(
        desks=desks,
        keys=policy.keys,
        bus=state.bus,
        blobs=state.blobs,
        clock=process.clock,
        registry=process.registry,
        settings=process.settings,
    )
    server, http = ApiServer(parts), process.settings.http
    process.life.spawn("api events", server.run())
    await process.life.open("api port", server.start(http.host, http.api_port), lambda _, __: server.close())
    return replace(run_file, api=f"http://{http.host}:{server.port}")


async def open_channels(process: Process, state: State, run_file: RunFile) -> RunFile:
    """Serve customers on every account of the settings, and staff by the notifiers."""
    life, clock, registry = process.life, process.clock, process.registry
    room = None
    if process.settings.bus.kind is BusKind.STREAMS:
        room = Room((await open_client(process, state.url, "memory", connections=1)).call, clock)
    suspects = Suspects(state.ledger, most=process.settings.router.max_attempts)
    parts = RoleParts(
        state.bus, state.ledger, state.blobs, state.signer, clock, registry, state.chat_log, room, suspects
    )
    life.spawn("ledger of replies", state.settling.run())
    channels = process.installation.channels
    notices = NoticeRole(parts, notifiers=process.installation.notifiers, on_failure=life.fail)
    called_back = {CALLED_BACK_AT: notices.routes()}
    role = ChannelRole(parts, settings=process.settings, channels=channels, on_failure=life.fail, beside=called_back)
    await life.open("channels", role.start(), lambda _, left_s: role.close(left_s))
    _report(process, "channels", role)
    await life.open("notices", notices.start(role.public_url), lambda _, left_s: notices.close(left_s))
    _report(process, "notices", notices)
    entrances = role.entrances()
    return replace(
        run_file,
        channels={name: entrance.base_url for name, entrance in entrances.items()},
        ports={name: entrance.ports for name, entrance in entrances.items()},
    )


def _report(process: Process, name: str, role: ChannelRole | NoticeRole) -> None:
    async def has_no_troubles() -> str | None:
        return "; ".join(role.troubles()) or None

    process.readiness.add(name, has_no_troubles)
    for title, consumer in role.consumers().items():
        consumer.report_to(process.watchdog.consumer(title))
