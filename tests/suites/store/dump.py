"""Everything a store holds, through its Reads and its Outbox, in one form that two stores can be compared by."""

from collections.abc import Sequence
from typing import Any

import msgspec

from router.contract.advisor import AdvisorState
from router.contract.case import CaseState
from router.contract.ids import CaseId, ConversationId, PoolId
from router.store.protocol import Change, Head, OutboxEntry, PoolStatus, WorkBatch
from tests.suites.store.bench import POOL, WholeStore

EVERYTHING = 1_000_000


class Dump(msgspec.Struct, frozen=True, kw_only=True):
    """One pool. ``lines`` maps each class to its cases in line order; ``talks`` a conversation to its case."""

    status: PoolStatus
    advisors: dict[str, AdvisorState]
    cases: dict[str, CaseState]
    messages: dict[str, tuple[str, ...]]
    history: dict[str, tuple[str, ...]]
    talks: dict[str, CaseState | None]
    lines: dict[str, tuple[CaseId, ...]]
    heads: dict[str, Head]
    work: WorkBatch
    changes: tuple[Change, ...]
    outbox: tuple[OutboxEntry, ...]

    def differences(self, other: "Dump") -> dict[str, tuple[Any, Any]]:
        """What isn't equal, part by part; entries that both have equal are left out."""
        found: dict[str, tuple[Any, Any]] = {}
        for name in self.__struct_fields__:
            ours, theirs = getattr(self, name), getattr(other, name)
            if isinstance(ours, dict):
                keys = [key for key in sorted(ours.keys() | theirs.keys()) if ours.get(key) != theirs.get(key)]
                found |= {f"{name}[{key}]": (ours.get(key), theirs.get(key)) for key in keys}
            elif ours != theirs:
                found[name] = (ours, theirs)
        return found


async def dump(store: WholeStore, *, cases: Sequence[str] = (), talks: Sequence[str] = ()) -> Dump:
    """What the pool holds; ``cases`` and ``talks`` are all the names that were ever used in it."""
    return await dump_of(store, POOL, cases=cases, talks=talks)


async def dump_of(store: WholeStore, pool: PoolId, *, cases: Sequence[str], talks: Sequence[str]) -> Dump:
    """What a pool of another name holds."""
    found = {name: state for name in cases if (state := await store.case(pool, CaseId(name)))}
    heads = {head.class_key: head for head in await store.heads(pool)}
    return Dump(
        status=await store.status(pool),
        advisors=await whole_roster(store, pool),
        cases=found,
        messages={name: tuple(await store.messages(pool, CaseId(name))) for name in cases},
        history={name: tuple(await store.history(pool, CaseId(name))) for name in cases},
        talks={name: await store.conversation(pool, ConversationId(name)) for name in talks},
        lines={key: tuple(await store.waiting(pool, key, EVERYTHING)) for key in sorted(heads)},
        heads=dict(sorted(heads.items())),
        work=await store.work(pool, limit=EVERYTHING),
        changes=tuple(await all_changes(store, pool=pool)),
        outbox=tuple(await store.pending(pool, 0, limit=EVERYTHING)),
    )


async def whole_roster(store: WholeStore, pool: PoolId = POOL) -> dict[str, AdvisorState]:
    """All advisors, page by page, the newest state where a page gave one twice."""
    found: dict[str, AdvisorState] = {}
    cursor = ""
    while True:
        page = await store.roster(pool, cursor)
        for advisor in page.advisors:
            found[advisor.id] = max(advisor, found.get(advisor.id, advisor), key=lambda state: state.ver)
        cursor = page.cursor
        if not cursor:
            return dict(sorted(found.items()))


async def all_changes(store: WholeStore, after: int = 0, *, pool: PoolId = POOL) -> list[Change]:
    found: list[Change] = []
    while page := await store.changes(pool, found[-1].number if found else after):
        found.extend(page)
    return found
