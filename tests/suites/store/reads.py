"""What the reads and the outbox promise."""

import asyncio
import zlib
from itertools import chain

import pytest

from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, CaseId, ConversationId, PoolId
from router.contract.plan import Plan
from router.runtime.errors import StoreUnavailable
from router.store.acts import Label, Match, Note, PresenceAct, ProfileAct, Resolve
from router.store.protocol import Share
from tests.suites.store.bench import POOL, QUEUE, Desk
from tests.suites.store.dump import all_changes, whole_roster

LONG_MS = 20_000


class ReadSuite:
    """Cases, advisors, lines."""

    async def test_absent_things_are_none_or_empty(self, desk: Desk) -> None:
        assert await desk.store.case(POOL, CaseId("c1")) is None
        assert await desk.store.conversation(POOL, ConversationId("t")) is None
        assert await desk.store.advisor(POOL, AdvisorId("ann")) is None
        assert list(await desk.store.messages(POOL, CaseId("c1"))) == []
        assert list(await desk.store.history(POOL, CaseId("c1"))) == []
        assert list(await desk.store.heads(POOL)) == []
        assert list(await desk.store.waiting(POOL, QUEUE)) == []
        assert list((await desk.store.work(POOL)).items) == []

    async def test_every_case_is_named_part_by_part(self, desk: Desk) -> None:
        named = {f"c{n}" for n in range(450)} | {"odd*[1]?"}
        for name in named:
            await desk.admit(name)
        await desk.on(Resolve, "c1")
        found, cursor, parts = set[str](), "", 0
        while parts == 0 or cursor:
            page = await desk.store.case_names(POOL, cursor)
            found, cursor, parts = found | {*page.cases}, page.cursor, parts + 1
        assert found == named
        assert parts > 1

    async def test_of_an_empty_pool_there_is_nothing_to_name(self, desk: Desk) -> None:
        page = await desk.store.case_names(POOL)
        assert page.cases == ()

    async def test_a_pool_that_was_never_opened_is_unavailable(self, desk: Desk) -> None:
        store, pool = desk.store, PoolId("nowhere")
        for look in (store.status, store.roster, store.work, store.take):
            with pytest.raises(StoreUnavailable):
                await look(pool)
        with pytest.raises(StoreUnavailable):
            await store.take_epochs(pool, ["a"])

    async def test_opening_a_pool_again_changes_nothing(self, desk: Desk) -> None:
        await desk.admit("c1")
        before = await desk.store.status(POOL)
        assert await desk.store.open_pool(POOL) == before
        assert (before.gen, before.number, before.queued, before.classes, before.work) == (1, 1, 1, 1, 1)

    async def test_a_conversation_gives_its_case(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.on(Resolve, "c1")
        assert await desk.store.conversation(POOL, ConversationId("talk-c1")) == await desk.case("c1")

    async def test_the_roster_pages_over_450(self, desk: Desk) -> None:
        names = [f"adv{n:03}" for n in range(450)]
        await desk.store.apply([desk.act(ProfileAct, advisor=name, budget=100, profile="{}") for name in names])
        seen: list[str] = []
        cursor, pages = "", 0
        while True:
            page = await desk.store.roster(POOL, cursor)
            assert len(page.advisors) <= 200
            assert (page.gen, page.change) == (1, 450)
            seen.extend(advisor.id for advisor in page.advisors)
            pages, cursor = pages + 1, page.cursor
            if not cursor:
                break
        assert (set(seen), pages >= 3) == (set(names), True)

    async def test_changes_are_dense_and_hold_the_full_state(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.offered("c1", "ann", "bob")
        await desk.on(Resolve, "c1")
        changes = await all_changes(desk.store)
        assert [change.number for change in changes] == list(range(1, len(changes) + 1))
        assert {change.gen for change in changes} == {1}
        newest = {change.advisor.id: change.advisor for change in changes}
        assert dict(sorted(newest.items())) == await whole_roster(desk.store)

    async def test_an_act_changes_an_advisor_once(self, desk: Desk) -> None:
        before = await desk.advisor("ann")
        await desk.offered("c1", "ann")
        assert (await desk.person("ann")).ver == before.ver + 1

    async def test_changes_after_a_number_and_at_most_500(self, desk: Desk) -> None:
        acts = [desk.act(ProfileAct, advisor=f"adv{n}", budget=100, profile="{}") for n in range(510)]
        await desk.store.apply(acts)
        assert [change.number for change in await desk.store.changes(POOL, 8)] == list(range(9, 509))
        assert [change.number for change in await desk.store.changes(POOL, 508)] == [509, 510]

    async def test_heads_are_the_first_of_each_line(self, desk: Desk) -> None:
        for name, key, score in (("c1", "k1", 9), ("c2", "k1", 4), ("c3", "k2", 7)):
            await desk.admit(name, plan=Plan(ver=0, class_key=key, score=score))
        heads = {head.class_key: (head.score, head.case) for head in await desk.store.heads(POOL)}
        assert heads == {"k1": (4, "c2"), "k2": (7, "c3")}
        await desk.advisor("ann")
        await desk.on(Match, "c2", class_key="k1", placing=await desk.hand("ann"))
        heads = {head.class_key: (head.score, head.case) for head in await desk.store.heads(POOL)}
        assert heads == {"k1": (9, "c1"), "k2": (7, "c3")}

    async def test_lines_have_their_size_and_when_their_first_case_was_opened(self, desk: Desk) -> None:
        assert list(await desk.store.line_sizes(POOL)) == []
        opened = {}
        for name, key, score in (("c1", "k1", 9), ("c2", "k1", 4), ("c3", "k2", 7), ("c4", "k1", 5)):
            await desk.pass_ms(1_000)
            opened[name] = desk.now
            await desk.admit(name, plan=Plan(ver=0, class_key=key, score=score))
        lines = await desk.store.line_sizes(POOL)
        sizes = {line.class_key: (line.length, line.opened_at_ms, line.score) for line in lines}
        assert sizes == {"k1": (3, opened["c2"], 4), "k2": (1, opened["c3"], 7)}

    async def test_waiting_has_a_limit(self, desk: Desk) -> None:
        for n in range(5):
            await desk.admit(f"c{n}", plan=Plan(ver=0, class_key=QUEUE, score=9 - n))
        assert tuple(await desk.store.waiting(POOL, QUEUE, 2)) == ("c4", "c3")

    async def test_history_keeps_the_last_50(self, desk: Desk) -> None:
        await desk.admit("c1", actor="mail")
        assert list(await desk.store.history(POOL, CaseId("c1"))) == [f"1|admit|queued|{desk.now}|mail|c1"]
        for _ in range(50):
            await desk.on(Label, "c1")
        history = await desk.store.history(POOL, CaseId("c1"))
        assert (len(history), history[0], history[-1]) == (
            50,
            f"2|label|done|{desk.now}||",
            f"51|label|done|{desk.now}||",
        )

    async def test_messages_keep_the_last_500(self, desk: Desk) -> None:
        await desk.admit("c1")
        notes = [desk.act(Note, case=CaseId("c1"), message=f"n{n}") for n in range(500)]
        await desk.store.apply(notes)
        messages = await desk.store.messages(POOL, CaseId("c1"))
        assert (len(messages), messages[0], messages[-1]) == (500, "n0", "n499")

    @pytest.mark.parametrize(
        ("last", "texts"),
        [
            (None, ("first", "n0", "n1", "n2")),
            (9, ("first", "n0", "n1", "n2")),
            (4, ("first", "n0", "n1", "n2")),
            (2, ("n1", "n2")),
            (1, ("n2",)),
            (0, ()),
            (-1, ()),
        ],
    )
    async def test_the_last_messages_may_be_read_alone(
        self, desk: Desk, last: int | None, texts: tuple[str, ...]
    ) -> None:
        await desk.admit("c1", message="first")
        for n in range(3):
            await desk.do(desk.act(Note, case=CaseId("c1"), message=f"n{n}"))
        assert tuple(await desk.store.messages(POOL, CaseId("c1"), last=last)) == texts
        assert tuple(await desk.store.messages(POOL, CaseId("none"), last=last)) == ()

    async def test_work_is_shared_out_whole_and_apart(self, desk: Desk) -> None:
        for n in range(30):
            await desk.admit(f"c{n}", plan=Plan(ver=0, class_key=f"k{n}"))
        owned = [frozenset(range(at, 12, 3)) for at in range(3)]
        shares = [await self._names(desk, Share(partitions=mine, of=12)) for mine in owned]
        assert [len(share) for share in shares] == [
            sum(zlib.crc32(f"k|k{n}".encode()) % 12 in mine for n in range(30)) for mine in owned
        ]
        assert sorted(chain(*shares)) == sorted(f"k|k{n}" for n in range(30))

    async def test_a_share_may_take_what_has_stood_since_a_stamp(self, desk: Desk) -> None:
        for n in range(6):
            await desk.admit(f"c{n}", plan=Plan(ver=0, class_key=f"k{n}"))
        await desk.admit("again", plan=Plan(ver=0, class_key="k1"))
        assert await self._names(desk, Share(partitions=frozenset(), of=12)) == []
        assert await self._names(desk, Share(partitions=frozenset(), of=12, until=3)) == ["k|k0", "k|k1", "k|k2"]
        (second,) = [item for item in (await desk.store.work(POOL)).items if item.item == "k|k1"]
        assert (second.place, second.stamp) == (2, 7)

    async def test_a_share_is_found_behind_pages_of_others_items(self, desk: Desk) -> None:
        names = [f"adv{n:03}" for n in range(450)]
        await desk.store.apply([desk.act(ProfileAct, advisor=name, budget=100, profile="{}") for name in names])
        online = [desk.act(PresenceAct, advisor=name, presence=Presence.ONLINE) for name in names]
        await desk.store.apply(online)
        # With 500 partitions no other of these falls on the last one's.
        last = zlib.crc32(b"a|adv449") % 500
        assert await self._names(desk, Share(partitions=frozenset({last}), of=500)) == ["a|adv449"]

    async def _names(self, desk: Desk, share: Share) -> list[str]:
        return [item.item for item in (await desk.store.work(POOL, share=share)).items]

    async def test_work_has_a_limit_and_its_place_in_time(self, desk: Desk) -> None:
        await desk.advisor("ann")
        for n in range(4):
            await desk.admit(f"c{n}", plan=Plan(ver=0, class_key=f"k{n}"))
        batch = await desk.store.work(POOL, limit=2)
        status = await desk.store.status(POOL)
        assert [item.item for item in batch.items] == ["k|k0", "k|k1"]
        assert (batch.gen, batch.change, batch.now_ms) == (1, status.change, desk.now)

    async def test_text_of_any_kind_comes_back_as_it_was(self, desk: Desk) -> None:
        text = '{"t":"한국어 \\u0000 | \\n \\"quoted\\" 9007199254740993"}'
        plan = Plan(ver=0, class_key="초|c:{}\n", score=9_007_199_254_740_991, detail=text, why="[]")
        await desk.admit("c1", message=text, plan=plan, actor="kim")
        state = await desk.state("c1")
        assert (state.detail, state.why, state.class_key, state.score) == (
            text,
            "[]",
            plan.class_key,
            9_007_199_254_740_991,
        )
        assert list(await desk.store.messages(POOL, CaseId("c1"))) == [text]
        (entry,) = await desk.store.pending(POOL, 0)
        assert entry.case == state


class WaitingSuite:
    """Reads that wait for something to happen."""

    async def test_changes_wait_for_the_first(self, desk: Desk) -> None:
        await desk.advisor("ann")
        after = (await desk.store.status(POOL)).change
        waiting = asyncio.ensure_future(desk.store.changes(POOL, after, wait_ms=LONG_MS))
        await asyncio.sleep(0)
        await desk.do(desk.act(PresenceAct, advisor="ann", presence=Presence.AWAY))
        assert [change.number for change in await waiting] == [after + 1]

    async def test_the_outbox_waits_for_an_entry(self, desk: Desk) -> None:
        waiting = asyncio.ensure_future(desk.store.pending(POOL, 0, wait_ms=LONG_MS))
        await asyncio.sleep(0)
        await desk.admit("c1")
        assert [entry.number for entry in await waiting] == [1]

    async def test_progress_waits_for_the_relay(self, desk: Desk) -> None:
        await desk.admit("c1")
        waiting = asyncio.ensure_future(desk.store.relayed(POOL, 0, wait_ms=LONG_MS))
        await asyncio.sleep(0)
        assert await desk.store.trim(POOL, await desk.store.take(POOL), 1)
        assert await waiting == 1

    async def test_a_stamp_wakes_the_matcher(self, desk: Desk) -> None:
        before = (await desk.store.work(POOL)).stamp
        waiting = asyncio.ensure_future(desk.store.stamped(POOL, before, wait_ms=LONG_MS))
        await asyncio.sleep(0)
        await desk.admit("c1")
        assert await waiting == (await desk.store.work(POOL)).stamp > before

    async def test_what_is_there_is_not_waited_for(self, desk: Desk) -> None:
        await desk.advisor("ann")
        assert len(await desk.store.changes(POOL, 0, wait_ms=LONG_MS)) == 2
        assert len(await desk.store.pending(POOL, 0, wait_ms=LONG_MS)) == 2
        assert await desk.store.stamped(POOL, 0, wait_ms=LONG_MS) == 2

    async def test_in_vain_they_answer_empty(self, desk: Desk) -> None:
        assert list(await desk.store.changes(POOL, 0, wait_ms=5)) == []
        assert list(await desk.store.pending(POOL, 0, wait_ms=5)) == []
        assert await desk.store.relayed(POOL, 0, wait_ms=5) == 0
        assert await desk.store.stamped(POOL, 0, wait_ms=5) == 0


class OutboxSuite:
    """What the relay reads."""

    async def test_numbers_are_dense_and_each_entry_holds_the_post_state(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.admit("c1")
        state = await desk.state("c1")
        await desk.on(Match, "c1", class_key=QUEUE, placing=await desk.ring("ann"), actor="matcher", reason="head")
        entries = await desk.store.pending(POOL, 0)
        assert [entry.number for entry in entries] == [1, 2, 3, 4]
        assert [entry.case for entry in entries[2:]] == [state, await desk.state("c1")]
        assert [entry.gen for entry in entries] == [1] * 4
        last = entries[-1]
        assert (last.kind, last.outcome, last.at_ms, last.actor) == ("match", "offered", desk.now, "matcher")
        assert (last.about, last.reason, last.final) == ("ann", "head", False)

    async def test_versions_of_a_case_have_no_gap(self, desk: Desk) -> None:
        await desk.admit("c1")
        for _ in range(5):
            await desk.on(Label, "c1")
            await desk.admit("c1")
        versions = [entry.case.ver for entry in await desk.store.pending(POOL, 0) if entry.case]
        assert versions == list(range(1, 7))

    async def test_after_a_number_and_with_a_limit(self, desk: Desk) -> None:
        for n in range(6):
            await desk.admit(f"c{n}")
        assert [entry.number for entry in await desk.store.pending(POOL, 2, limit=3)] == [3, 4, 5]
        assert list(await desk.store.pending(POOL, 6)) == []

    async def test_trimmed_entries_are_forgotten_and_progress_is_told(self, desk: Desk) -> None:
        for n in range(4):
            await desk.admit(f"c{n}")
        epoch = await desk.store.take(POOL)
        assert await desk.store.trim(POOL, epoch, 2)
        assert [entry.number for entry in await desk.store.pending(POOL, 0)] == [3, 4]
        status = await desk.store.status(POOL)
        assert (status.trimmed, status.number, await desk.store.relayed(POOL, 0)) == (2, 4, 2)

    async def test_progress_never_goes_back(self, desk: Desk) -> None:
        for n in range(4):
            await desk.admit(f"c{n}")
        epoch = await desk.store.take(POOL)
        await desk.store.trim(POOL, epoch, 3)
        assert await desk.store.trim(POOL, epoch, 1)
        assert await desk.store.relayed(POOL, 0) == 3

    async def test_a_stale_relay_is_told_and_trims_nothing(self, desk: Desk) -> None:
        await desk.admit("c1")
        stale = await desk.store.take(POOL)
        assert (await desk.store.take(POOL)).epoch == stale.epoch + 1
        assert not await desk.store.trim(POOL, stale, 1)
        assert len(await desk.store.pending(POOL, 0)) == 1
        assert await desk.store.relayed(POOL, 0) == 0

    async def test_a_refusal_leaves_no_entry(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.on(Label, "c1", plan=Plan(ver=9))
        assert await desk.number() == 1
