"""The product with one thing broken, to prove the harness: ``python -m tests.faults.mutants NAME up ...``.

A mutant lives in the process that was started as one: the function library is changed while it is put together,
Python by setting an attribute. Nothing of it is in the product.
"""

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from router.api.acts import operations
from router.api.sessions import session
from router.contract.ids import PoolId
from router.runtime.bus import kafka_consumer
from router.runtime.errors import CommandRefused, StoreUnavailable
from router.runtime.redis import RedisClient
from router.service.intake import Intake
from router.service.latest import Latest
from router.store import keys, library
from router.store.acts import AnyAct, Outcome
from router.store.redis import RedisStore
from tests.suites.faults import skew, traps

_STAGED: Final = 12
_LITTLE: Final = 32
HARMLESS: Final = frozenset({"none", "small-caches"})
"""These have to live."""


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """What is broken. ``lua`` maps a file of the library to (text, what it becomes) pairs; ``python`` sets the rest.
    ``faults`` are those under which the harness should notice."""

    lua: Mapping[str, Sequence[tuple[str, str]]] = {}
    python: Callable[[], None] | None = None
    faults: tuple[str, ...]

    def apply(self) -> None:
        """Break this process."""
        if self.lua:
            whole = library._part
            library._part = lambda name: mutated(whole(name), self.lua.get(name, ()))
        if self.python is not None:
            self.python()


def mutated(source: str, changes: Sequence[tuple[str, str]]) -> str:
    """Raises ``LookupError`` when the product no longer holds what was to be changed."""
    for text, other in changes:
        if source.count(text) != 1:
            raise LookupError(f"{text!r} is there {source.count(text)} times: the mutant must be written anew")
        source = source.replace(text, other)
    return source


def _commit_before_relay() -> None:
    handle = Intake.handle

    async def handle_at_once(self: Intake, record: Any, fence: Any) -> Awaitable[None] | None:
        durable = await handle(self, record, fence)
        if asyncio.iscoroutine(durable):
            durable.close()
        return None

    Intake.handle = handle_at_once  # type: ignore[method-assign]


def _commit_by_itself() -> None:
    library_name = "AIOKafkaConsumer"
    consumer = getattr(kafka_consumer, library_name)

    def made(**settings: Any) -> Any:
        own = {"enable_auto_commit": True, "auto_commit_interval_ms": 50} if settings.get("group_id") else {}
        return consumer(**{**settings, **own})

    setattr(kafka_consumer, library_name, made)


def _retry_in_the_client() -> None:
    exchange = RedisClient.exchange

    async def again(self: RedisClient, commands: Any, *, wait_s: float = 0.0) -> list[object]:
        replies = await exchange(self, commands, wait_s=wait_s)
        for _ in range(3):
            if not any(isinstance(reply, StoreUnavailable) for reply in replies):
                break
            replies = await exchange(self, commands, wait_s=wait_s)
        return replies

    RedisClient.exchange = again  # type: ignore[method-assign]


def _append_outside() -> None:
    """The script leaves its entries beside the outbox; the process that called it puts them there afterwards."""
    apply = RedisStore.apply
    appending: set[asyncio.Task[None]] = set()

    async def append(store: RedisStore, pool: PoolId, number: int) -> None:
        outbox, commands = keys.key(pool, "outbox"), store._commands
        for each in range(max(1, number - _STAGED), number + 1):
            entry = await commands.call("GETDEL", f"{outbox}:staged:{each}")
            if isinstance(entry, bytes):
                with contextlib.suppress(CommandRefused):  # a later one was quicker
                    await commands.call("XADD", outbox, f"{each}-0", "e", entry)

    async def apply_and_append(self: RedisStore, acts: Sequence[AnyAct]) -> Sequence[Outcome]:
        outcomes = await apply(self, acts)
        for act, outcome in zip(acts, outcomes, strict=True):
            if outcome.number:
                task = asyncio.create_task(append(self, act.pool, outcome.number))
                appending.add(task)
                task.add_done_callback(appending.discard)
        return outcomes

    RedisStore.apply = apply_and_append  # type: ignore[method-assign]


def _remember_little() -> None:
    """Caches that hold thousands are full at once, so that a soak of minutes sees whether anything else grows."""
    (Latest.__init__.__kwdefaults__ or {})["limit"] = _LITTLE
    for module, bound in ((operations, "_REMEMBERED"), (session, "_MAX_TOLD")):
        assert isinstance(getattr(module, bound), int)
        setattr(module, bound, _LITTLE)


_IN_LINE: Final = "redis.call('XADD', T.key(t, 'outbox'), T.int(entry[1]) .. '-0', 'e', entry[2])"
_ASIDE: Final = "redis.call('SET', T.key(t, 'outbox') .. ':staged:' .. T.int(entry[1]), entry[2])"
_OWN_LEASE: Final = "T.arm(t, advisor, 'lease|' .. T.int(act.disconnect), 0)"
_EVERY_LEASE: Final = (
    "for timer in pairs(advisor.timers) do if timer:sub(1, 6) == 'lease|' then T.arm(t, advisor, timer, 0) end end"
)

MUTANTS: Final[Mapping[str, Mutant]] = {
    "none": Mutant(
        faults=(
            "kill a router",
            "second tabs",
            "many come online at once",
            "relay stands still",
            "old epochs",
            "lose the store's replies",
            "one advisor, slow routers",
        )
    ),
    "small-caches": Mutant(python=_remember_little, faults=("kill a router", "second tabs")),
    "deduplication-removed": Mutant(
        lua={
            "admit": (
                ("if t.is_applied then", "if false then"),
                ("if talk and has_seen(talk, act.inquiry) then", "if false then"),
            )
        },
        faults=("kill a router",),
    ),
    "fence-removed": Mutant(lua={"prelude_guard": (("return 'fenced'", "return nil"),)}, faults=("old epochs",)),
    "capacity-off-by-one": Mutant(
        lua={"prelude_states": (("held + units <= row.budget", "held + units <= row.budget + units"),)},
        faults=("many come online at once", "kill a router", "slow store"),
    ),
    "outbox-outside": Mutant(
        lua={"prelude_commit": ((_IN_LINE, _ASIDE),)}, python=_append_outside, faults=("crash after-act", "kill all")
    ),
    "commit-before-relay": Mutant(python=_commit_before_relay, faults=("relay stands still",)),
    "due-early": Mutant(lua={"due": (("T.int(t.now)", "T.int(t.now + 1500)"),)}, faults=("kill a router",)),
    "auto-commit": Mutant(python=_commit_by_itself, faults=("kill routers with acts on the way", "kill all")),
    "client-retries": Mutant(
        python=_retry_in_the_client, faults=("lose the store's replies", "lose the timers' replies")
    ),
    "presence-number-ignored": Mutant(lua={"presence": ((_OWN_LEASE, _EVERY_LEASE),)}, faults=("second tabs",)),
    "stamp-ignored": Mutant(
        lua={"done": (("if not stamp or tonumber(stamp) ~= act.stamp then", "if not stamp then"),)},
        faults=("one advisor, slow routers", "many come online at once"),
    ),
}


def main() -> None:
    """Break this process, then be the command line."""
    name = sys.argv.pop(1)
    MUTANTS[name].apply()
    traps.lay()
    skew.lay()
    from router.cli.main import main as turnout  # noqa: PLC0415 - after the product has been broken

    turnout()


if __name__ == "__main__":
    main()
