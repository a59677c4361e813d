"""The API with all it stands on, over real sockets: a memory store and bus, a roster tail, a matcher, a relay."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from prometheus_client import CollectorRegistry

from router.api.desks import Desk
from router.api.keys import ON_BEHALF
from router.api.server import ApiParts, ApiServer
from router.contract.advisor import AdvisorState, Profile
from router.contract.case import CaseState
from router.contract.config import ApiKey, Role
from router.contract.ids import AccountId, AdvisorId, CaseId, ConversationId, PoolId, ReplyId, case_id, inquiry_id
from router.contract.messages import Address, Attachment, Customer, Inquiry
from router.contract.topics import topic_specs
from router.engine import plans
from router.engine.plans import Scene
from router.runtime.blobs import open_blobs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Bus
from router.runtime.clock import ManualClock
from router.runtime.secret import Secret
from router.runtime.settings.model import ApiSettings, Settings
from router.runtime.signer import Signer
from router.service.acting import Actor
from router.service.cases.casework import Casework
from router.service.configuration.api_keys import KeyTable, make_key
from router.service.configuration.policies import Policies
from router.service.hindsight import Hindsight
from router.service.intake import Intake
from router.service.matching.matcher import Matcher
from router.service.matching.pace import Pace
from router.service.measuring.metrics import ServiceMetrics
from router.service.progress import Progress
from router.service.relaying.relay import Relay
from router.service.roster import RosterTail
from router.service.timers import Timers
from router.store.acts import Delivered, ProfileAct
from router.store.memory import MemoryStore
from rules import Rulebook, load
from tests.suites.eventually import eventually
from tests.suites.store.bench import WholeStore

POOL = PoolId("default")
_DEFAULTS = files("rules") / "defaults"
DELIVERY = "Where is my parcel? The tracking page has not changed for a week."


def default_rulebook() -> Rulebook:
    return load({name: (_DEFAULTS / name).read_text("utf-8") for name in ("rulebook.yaml", "rules.yaml")})


class ApiBench:
    """One replica of the API. ``relays`` False leaves every act off the bus until ``relay`` is called."""

    def __init__(
        self, root: Path, *, durable_wait_s: float = 5.0, store: WholeStore | None = None, bus: Bus | None = None
    ) -> None:
        self.clock = ManualClock()
        self.store: WholeStore = store or MemoryStore(self.clock.now_ms)
        self.bus: Bus = bus or MemoryBus(wall_ms=self.clock.now_ms)
        self.keys = KeyTable()
        metrics = ServiceMetrics(CollectorRegistry())
        self.registry = CollectorRegistry()
        self.actor = Actor(POOL, self.store, self.store, clock=self.clock, metrics=metrics)
        self.policies = Policies(default_rulebook())
        self.past = Hindsight(self.clock.now_ms)
        self.tail = RosterTail(POOL, self.store, past=self.past)
        self.progress = Progress(POOL, self.store)
        self.actor.tell(self.tail.correct)
        self.casework = Casework(self.actor, self.store, self.tail, policies=self.policies)
        self.intake = Intake(self.actor, self.tail, policies=self.policies, progress=self.progress, metrics=metrics)
        self.matcher = Matcher(self.actor, self.store, self.tail, policies=self.policies, metrics=metrics)
        self.timers = Timers(
            self.actor, self.store, self.tail, policies=self.policies, clock=self.clock, metrics=metrics
        )
        self._relay = Relay(POOL, self.store, self.bus, clock=self.clock, metrics=metrics)
        self.pace = Pace(self.tail.roster, self.clock.now_ms)
        self.tail.listen(self.pace.look)
        self.desk = Desk(
            actor=self.actor,
            reads=self.store,
            lines=self.store,
            casework=self.casework,
            tail=self.tail,
            progress=self.progress,
            policies=self.policies,
            pace=self.pace,
            past=self.past,
        )
        self.blobs = open_blobs(None, root, Signer([Secret("k" * 32)]))
        self.settings = Settings(api=ApiSettings(durable_wait_s=durable_wait_s))
        self.server = self.replica("one")
        self._tasks: list[asyncio.Task[None]] = []
        self._http: aiohttp.ClientSession | None = None
        self._count = itertools.count()

    def replica(self, process: str) -> ApiServer:
        """One more API process on the same state."""
        registry = self.registry if process == "one" else CollectorRegistry()
        parts = ApiParts(
            desks={POOL: self.desk},
            keys=self.keys,
            bus=self.bus,
            blobs=self.blobs,
            clock=self.clock,
            registry=registry,
            settings=self.settings,
        )
        return ApiServer(parts)

    async def open(self, *, relays: bool = True) -> None:
        await self.bus.create_topics(topic_specs((POOL,), inquiry_partitions=2, partitions=2))
        await self.actor.open()
        await self.server.start("127.0.0.1", 0)
        for work in (self.tail.run(), self.progress.run(), self.matcher.run(), self.server.run()):
            self._tasks.append(asyncio.create_task(work))
        if relays:
            self.relay()
        await self.tail.ready.wait()
        self._http = aiohttp.ClientSession()

    def relay(self) -> None:
        self._tasks.append(asyncio.create_task(self._relay.run()))

    async def close(self) -> None:
        if self._http is not None:
            await self._http.close()
        await self.server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.bus.close()

    # -- people

    async def advisor(self, name: str, **members: Any) -> str:
        """Make an advisor who can do what the default rulebook asks for, offline; the token of his key."""
        skills = dict.fromkeys(("billing", "delivery", "returns", "technical", "account-access", "complaints"), 8)
        profile = Profile(**{"name": name.title(), "skills": skills, "languages": {"en": 9, "ko": 9}, **members})
        act = ProfileAct(
            pool=POOL,
            gen=self.actor.gen,
            now_ms=self.clock.now_ms(),
            advisor=AdvisorId(name),
            budget=profile.budget,
            profile=msgspec.json.encode(profile).decode(),
            caps=profile.caps,
        )
        await self.actor.one(act)
        return self.key(Role.ADVISOR, name)

    def key(self, role: Role, advisor: str | None = None) -> str:
        return self.made_key(role, advisor)[1]

    def made_key(self, role: Role, advisor: str | None = None) -> tuple[ApiKey, str]:
        named = AdvisorId(advisor) if advisor else None
        key, token = make_key(role, POOL, created_at_ms=0, advisor=named, name="test")
        self.keys.put(key)
        return key, token

    # -- customers

    def inquiry(self, text: str = DELIVERY, *, talk: str = "", attachments: tuple[Attachment, ...] = ()) -> Inquiry:
        number = next(self._count)
        account = AccountId("support")
        return Inquiry(
            id=inquiry_id(account, f"message-{number}"),
            pool=POOL,
            account=account,
            channel="email",
            conversation=ConversationId(talk or f"talk-{number}"),
            customer=Customer(id="ann@example.com", name="Ann"),
            reply_to=Address(account=account, address="ann@example.com"),
            received_at_ms=self.clock.now_ms(),
            text=text,
            subject="My parcel",
            language="en",
            attachments=attachments,
        )

    async def write(self, text: str = DELIVERY, *, talk: str = "") -> CaseId:
        """A customer writes; the id of the case that a new conversation gets."""
        inquiry = self.inquiry(text, talk=talk)
        await self.intake.admit(inquiry)
        return case_id(inquiry.id)

    async def deliver(self, case: str, reply: str, state: str, reason: str) -> None:
        """A channel says what became of a reply."""
        found = await self.case(case)
        scene = Scene(rulebook=self.policies.active, now_ms=self.clock.now_ms())
        detail = plans.delivered(found, ReplyId(reply), state, reason)
        assert detail is not None
        act = Delivered(
            pool=POOL,
            gen=self.actor.gen,
            now_ms=scene.now_ms,
            case=CaseId(case),
            plan=plans.plan(found, detail, scene),
            reply=ReplyId(reply),
            state=state,
        )
        await self.actor.one(act)

    # -- looks

    async def case(self, case: str) -> CaseState:
        found = await self.store.case(POOL, CaseId(case))
        assert found is not None
        return found

    async def person(self, name: str) -> AdvisorState:
        found = await self.store.advisor(POOL, AdvisorId(name))
        assert found is not None
        return found

    # -- the API

    def url(self, path: str, server: ApiServer | None = None) -> str:
        return f"http://127.0.0.1:{(server or self.server).port}{path}"

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._http is not None
        return self._http

    async def get(self, path: str, token: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.get(self.url(path), headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def post(
        self,
        path: str,
        token: str,
        body: object = None,
        *,
        op: str | None = "",
        server: ApiServer | None = None,
        on_behalf: str = "",
    ) -> tuple[int, Any]:
        """``op`` empty takes a fresh one, None sends none."""
        headers = {"Authorization": f"Bearer {token}"} | ({ON_BEHALF: on_behalf} if on_behalf else {})
        if op is not None:
            headers["Idempotency-Key"] = op or f"op-{next(self._count)}"
        url = self.url(path, server)
        async with self.http.post(url, json={} if body is None else body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    @contextlib.asynccontextmanager
    async def session(self, token: str, *, server: ApiServer | None = None) -> AsyncIterator["Talk"]:
        """A session that has said hello and been welcomed."""
        async with self.http.ws_connect(self.url("/v1/session", server)) as socket:
            talk = Talk(socket)
            await talk.say("hello", key=token)
            talk.welcome = await talk.next("welcome")
            yield talk

    async def online(self, talk: "Talk") -> None:
        await talk.do("presence", presence="online")

    async def left(self, name: str) -> None:
        """Until no connection of the advisor is counted."""

        async def is_gone() -> bool:
            return not (await self.person(name)).connections

        await eventually(is_gone)


class Talk:
    """The client's end of a session."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.welcome: dict[str, Any] = {}
        self.heard: list[dict[str, Any]] = []
        self._ops = itertools.count()

    async def say(self, kind: str, **members: Any) -> None:
        await self.socket.send_json({"type": kind, **members})

    async def next(self, kind: str, **members: Any) -> dict[str, Any]:
        """The next frame of that type with those members; what comes before it is kept in ``heard``."""
        wanted = {"type": kind, **members}
        for place, frame in enumerate(self.heard):
            if wanted.items() <= frame.items():
                return self.heard.pop(place)
        while True:
            message = await self.socket.receive(timeout=10)
            assert message.type is aiohttp.WSMsgType.TEXT, f"{message} came instead of {wanted}; before: {self.heard}"
            frame = msgspec.json.decode(message.data)
            if wanted.items() <= frame.items():
                return dict(frame)
            self.heard.append(frame)

    async def do(self, kind: str, **members: Any) -> dict[str, Any]:
        """Ask, and give the result; a problem fails the test."""
        op = members.pop("op", None) or self._op()
        await self.say(kind, op=op, **members)
        return await self.next("result", op=op)

    async def refused(self, kind: str, **members: Any) -> dict[str, Any]:
        """Ask for what has to be refused, and give the problem."""
        op = self._op()
        await self.say(kind, op=op, **members)
        found: dict[str, Any] = (await self.next("problem", op=op))["problem"]
        return found

    def _op(self) -> str:
        # Of all sessions of a key, no two acts may have the same.
        return f"{self.welcome['connection']}-{next(self._ops)}"

    async def closed(self) -> int:
        """Until the server closes; its code."""
        while True:
            message = await self.socket.receive(timeout=10)
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                return self.socket.close_code or 0
