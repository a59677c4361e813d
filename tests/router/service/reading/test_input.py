"""The input of a pool over several lives of its process: what kills is put aside, and nothing else is."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from router.runtime.bus.partitioner import partition_of
from router.runtime.dead_letters import Settled
from router.runtime.errors import PartitionFenced, StoreUnavailable
from router.service.errors import SkewedClock, Superseded
from router.store.acts import Fence
from tests.suites.eventually import eventually
from tests.suites.inputs import FAST, POOL, TOPIC, Plant


@pytest.fixture
async def plant() -> AsyncIterator[Plant]:
    plant = await Plant(most=3).open()
    yield plant
    await plant.bus.close()


async def test_what_kills_its_process_is_put_aside_in_the_end(plant: Plant) -> None:
    texts = [f"{key}{number}" for number in range(6) for key in "abcdef"]
    await plant.publish(*texts[:18], "c!", *texts[18:])
    for _ in range(3):
        await plant.life().until_dead()
    await plant.life().until_done()
    assert plant.kills == {"c!": 3}
    assert set(plant.done) == set(texts)
    (letter,) = await plant.letters()
    assert (letter.value, letter.key) == (b"c!", "c")
    assert letter.reason == "KeepsKilling: handling it has ended the process 3 times"
    assert all(not row.tried for row in plant.store._pools[POOL].fences.values())


async def test_two_that_kill_are_each_counted_alone(plant: Plant) -> None:
    await plant.publish("a0", "a!", "b0", "b!", "c0", "a1", "b1")
    deaths = await plant.live_on()
    assert deaths == 5  # in the first life both may have been at work; then one at a time, each twice
    assert sum(plant.kills.values()) in {5, 6}
    assert sorted(letter.value or b"" for letter in await plant.letters()) == [b"a!", b"b!"]
    assert set(plant.done) == {"a0", "b0", "c0", "a1", "b1"}


async def test_whoever_is_near_a_death_is_not_put_aside(plant: Plant) -> None:
    """A process that is killed from outside again and again takes innocent records with it."""
    texts = [f"{key}0" for key in "abcdefgh"]
    await plant.publish(*texts)
    deaths = await plant.live_on(each_handles=2)
    assert deaths >= 2
    assert await plant.letters() == []
    assert set(plant.done) == set(texts)


async def test_nor_is_the_last_of_a_partition_in_the_lane_of_the_first_of_another(plant: Plant) -> None:
    free = [chr(number) for number in range(ord("a"), ord("a") + 1_000)]
    for partition, lane in ((0, 1), (0, 3), (0, 3), (0, 1), (1, 1), (1, 0), (1, 3), (1, 2)):
        key = next(key for key in free if partition_of(key, 2) == partition and hash(key) % FAST.lanes == lane)
        free.remove(key)
        await plant.publish(f"{key}0")
    await plant.live_on(each_handles=2)
    assert await plant.letters() == []


async def test_an_end_in_good_order_leaves_no_suspects(plant: Plant) -> None:
    await plant.publish("a0", "b0")
    await plant.life().until_done()
    names = [f"{TOPIC}/{number}" for number in range(2)]
    assert set((await plant.store.handed_out(POOL, names)).values()) == {0}


async def test_a_record_that_only_fails_is_not_counted(plant: Plant) -> None:
    await plant.publish("a!")
    await plant.life().until_dead()
    setbacks = iter([StoreUnavailable("away")] * 20)

    async def work(text: str) -> None:
        if (setback := next(setbacks, None)) is not None:
            raise setback

    await plant.life(work, deadly="never").until_done()
    assert plant.done == {"a!": 1}
    assert await plant.letters() == []


async def test_what_is_done_is_known_to_the_store(plant: Plant) -> None:
    await plant.publish("a0", "a1", "a2")
    life = plant.life()
    rows = plant.store._pools[POOL].fences
    await eventually(lambda: max((row.applied for row in rows.values()), default=0) == 3)
    await life.end()


async def test_an_owner_that_was_fenced_by_a_late_zombie_goes_on(plant: Plant) -> None:
    gate, entered = asyncio.Event(), asyncio.Event()

    async def work(text: str) -> None:
        entered.set()
        await gate.wait()
        if not plant.metrics.fenced.labels("kept")._value.get():
            raise PartitionFenced("the store has a newer epoch")

    await plant.publish("a0", "b0", "a1", "b1")
    life = plant.life(work)
    await entered.wait()
    gate.set()
    await life.until_done()
    assert set(plant.done) == {"a0", "b0", "a1", "b1"}
    assert plant.metrics.fenced.labels("kept")._value.get() >= 1
    assert plant.metrics.fenced.labels("dropped")._value.get() == 0
    assert await plant.letters() == []


async def test_an_act_refused_under_the_fence_before_is_simply_repeated(plant: Plant) -> None:
    await plant.publish("a0")
    life, renewed = None, False

    async def work(text: str) -> None:
        nonlocal renewed
        if not renewed:
            renewed = True
            assert life is not None
            # Another lane's refusal was cleared up while this one's was on its way.
            await life.input.on_assigned(dict.fromkeys(life.consumer.partitions, 1))
            raise PartitionFenced("refused under the epoch before")

    life = plant.life(work)
    await life.until_done()
    assert plant.done == {"a0": 1}
    assert plant.metrics.fenced.labels("kept")._value.get() == 0


@pytest.mark.parametrize("failure", [Superseded("rebuilt"), SkewedClock("ahead")], ids=["superseded", "skewed"])
async def test_what_is_the_process_s_own_fault_ends_it_and_no_record_pays(plant: Plant, failure: Exception) -> None:
    await plant.publish("a0")

    async def work(text: str) -> None:
        raise failure

    life = plant.life(work)
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(life._running, 5)
    assert caught.group_contains(type(failure))
    assert await plant.letters() == []


async def test_a_fence_names_the_record_s_place_and_time(plant: Plant) -> None:
    fences: list[Fence] = []
    await plant.publish("a0")
    life = plant.life()

    async def keep(record: object, fence: Fence) -> None:
        fences.append(fence)

    life.input._handle = keep
    await eventually(lambda: fences)
    await life.end()
    (fence,) = fences
    (record,) = [each async for each in plant.bus.history(TOPIC)]
    assert (fence.offset, fence.published_at_ms) == (0, record.published_at_ms)
    assert fence.partition == f"{TOPIC}/{record.partition.number}"


# -- a conversation behind its poison


async def test_poison_stops_nothing_behind_it(plant: Plant) -> None:
    await plant.publish("a0", "a?", "a1", "b0")
    await plant.life().until_done()
    assert set(plant.done) == {"a0", "a1", "b0"}
    assert [letter.value for letter in await plant.letters()] == [b"a?"]


async def test_if_wanted_its_conversation_waits_for_it_over_all_lives() -> None:
    plant = await Plant(hold=True).open()
    await plant.publish("a0", "a?", "a1", "b0")
    await plant.life().until_done()
    await plant.publish("a2", "b1")
    await plant.life().until_done()
    assert set(plant.done) == {"a0", "b0", "b1"}
    letters = await plant.letters()
    assert [letter.value for letter in letters] == [b"a?", b"a1", b"a2"]
    assert letters[1].reason == "ConversationHeld: an earlier record of its conversation was put aside"


@pytest.mark.parametrize("outcome", Settled)
async def test_once_its_letters_are_settled_the_conversation_goes_on(outcome: Settled) -> None:
    plant = await Plant(hold=True).open()
    await plant.publish("a?", "a1")
    await plant.life().until_done()
    life = plant.life(bad="never")
    await plant.settle(outcome)
    await plant.publish("a2")
    await life.until_done()
    replayed = ["a?", "a1"] if outcome is Settled.REPLAYED else []
    assert list(plant.done) == [*replayed, "a2"]
