"""What a newer version wrote goes through the hands of this one, and is still there to the letter."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from router.contract import topics
from router.contract.advisor import Presence, read_profile
from router.contract.case import CaseStatus, Pending
from router.contract.codec import encode
from router.contract.ids import AdvisorId, CaseId, PoolId
from router.contract.plan import Plan
from router.contract.topics import inquiries
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Bus, Partition, Record
from router.service.configuration.rule_files import enrol, profile_of
from router.store.acts import Fence, Label, ProfileAct, Result
from rules import AdvisorRow
from tests.servers import Server
from tests.suites.rebuild_stage import ALL_TOPICS, RebuildStage, rebuild_stage, rebuild_stage_on
from tests.suites.stage import POOL, Stage, inquiry, stage
from tests.suites.store.bench import WholeStore

# Spelt so that whoever decodes them and encodes them again gives himself away.
NEWER = {"mood": '{"score":0.50,"of":123456789012345678901}', "zeal": "[1e2,{}]"}
TEXTS = [f'"{name}":{value}' for name, value in NEWER.items()]
C1 = CaseId("c1")
MINA = AdvisorId("mina")


@pytest.fixture(params=["memory", "valkey", "redis7"])
async def lossy(request: pytest.FixtureRequest) -> AsyncIterator[RebuildStage]:
    bus = MemoryBus()
    await bus.create_topics(ALL_TOPICS)
    if request.param == "memory":
        async with rebuild_stage(bus) as made:
            yield made
        return
    server: Server = request.getfixturevalue(request.param)
    async with rebuild_stage_on(server.url, bus) as made:
        yield made


async def written_by_newer(scene: Stage) -> None:
    """What a newer process adds to the case when it acts on it."""
    state = await scene.case(C1)
    detail = "{" + ",".join((*TEXTS, state.detail[1:]))
    plan = Plan(ver=state.ver, class_key=state.class_key, score=state.score, detail=detail, why=None)
    outcome = await scene.actor.one(Label(**scene.common(), case=C1, plan=plan))
    assert outcome.result is Result.DONE


async def values(bus: Bus, topic: str) -> list[str]:
    return [record.value.decode() async for record in bus.history(topic) if record.value is not None]


def has_newer(text: str) -> bool:
    return all(member in text for member in TEXTS)


async def test_members_of_a_case_go_through_every_act_of_its_life(lossy: RebuildStage) -> None:
    scene = lossy.scene
    await scene.hire("mina", presence=None)
    await lossy.write("c1", talk="t")
    await lossy.relay()
    await written_by_newer(scene)
    await scene.pass_s(3_700)  # a clock runs out, and the ladder takes its step
    await scene.presence("mina", Presence.ONLINE)
    await scene.settle()
    mine = scene.request("mina")
    await scene.accept("c1")
    assert (await scene.casework.reply(C1, scene.request("mina"), text="hello")).result is Result.DONE
    pending = Pending(on="customer", since_ms=scene.clock.now_ms())
    assert (await scene.casework.pend(C1, mine, pending=pending)).result is Result.DONE
    assert (await lossy.write("q2", talk="t")).result is Result.RETURNED
    assert (await scene.casework.label(C1, scene.request("mina"), add=("seen",))).result is Result.DONE
    assert (await scene.resolve("c1")).result is Result.DONE
    await lossy.write("q3", talk="t")
    await scene.settle()
    await scene.accept("c1")
    state = await scene.case("c1")
    assert state.state is CaseStatus.ASSIGNED
    assert state.step > 0
    assert has_newer(state.detail)
    await lossy.relay()
    told = await values(lossy.bus, topics.EVENTS)
    assert len(told) == state.ver
    assert [has_newer(event) for event in told] == [False] + [True] * (state.ver - 1)
    assert has_newer((await values(lossy.bus, topics.CASES))[-1])


async def test_members_of_a_case_come_back_with_a_rebuilt_store(lossy: RebuildStage) -> None:
    scene = lossy.scene
    await scene.hire("mina")
    await lossy.write("c1")
    await written_by_newer(scene)
    await scene.accept("c1")
    await lossy.relay()
    await lossy.lose()
    assert await lossy.gate(lossy.rebuilder()).enter() == 2
    await lossy.go_on()
    assert has_newer((await scene.case("c1")).detail)
    assert (await scene.resolve("c1")).result is Result.DONE
    assert has_newer((await scene.case("c1")).detail)


async def enrolled_by_newer(scene: Stage, row: AdvisorRow) -> None:
    """A newer process writes a profile of more members than this version has."""
    profile = "{" + ",".join((*TEXTS, encode(profile_of(row)).decode()[1:]))
    act = ProfileAct(**scene.common(), advisor=MINA, budget=row.budget, profile=profile)
    assert (await scene.actor.one(act)).result is Result.DONE
    await scene.caught_up()


async def profile_text(store: WholeStore) -> str:
    state = await store.advisor(POOL, MINA)
    assert state is not None
    return state.profile


async def test_members_of_a_profile_stay_whatever_the_advisor_does(lossy: RebuildStage) -> None:
    scene = lossy.scene
    await enrolled_by_newer(scene, AdvisorRow(id="mina", name="Mina", languages={"en": 9}, budget=30))
    before = await profile_text(scene.store)
    await scene.presence("mina", Presence.ONLINE)
    await lossy.write("c1")
    await scene.settle()
    await scene.accept("c1")
    await scene.resolve("c1")
    assert await profile_text(scene.store) == before
    await lossy.relay()
    assert has_newer((await values(lossy.bus, topics.ADVISORS))[-1])


async def test_the_roster_file_read_by_this_version_keeps_members_of_a_newer(lossy: RebuildStage) -> None:
    scene = lossy.scene
    row = AdvisorRow(id="mina", name="Mina", languages={"en": 9}, budget=30)
    await enrolled_by_newer(scene, row)
    # Nothing that this version knows has changed, so nothing is written: two versions don't undo each other's work.
    assert await enrol(scene.actor, scene.tail, [row]) == 0
    assert await enrol(scene.actor, scene.tail, [msgspec.structs.replace(row, name="Mina Kim")]) == 1
    text = await profile_text(scene.store)
    assert has_newer(text)
    assert read_profile(text).name == "Mina Kim"
    await scene.caught_up()
    assert await enrol(scene.actor, scene.tail, []) == 1
    text = await profile_text(scene.store)
    assert has_newer(text)
    assert not read_profile(text).active


async def test_members_of_an_inquiry_stay_on_the_bus_and_don_t_reach_the_case() -> None:
    """This version decides and keeps by what it knows; the record itself is immutable."""
    message = inquiry("c1")
    value = ("{" + ",".join((*TEXTS, encode(message).decode()[1:]))).encode()
    async with stage() as scene:
        partition = Partition(inquiries(POOL), 0)
        name = f"{partition.topic}/{partition.number}"
        epochs = await scene.store.take_epochs(PoolId(POOL), [name])
        await scene.hire("mina")
        record = Record(partition=partition, offset=0, epoch=1, key="t", value=value, headers=(), published_at_ms=1)
        fence = Fence(partition=name, epoch=epochs[name], offset=0)
        await scene.intake.handle(record, fence)
        (kept,) = await scene.store.messages(POOL, C1)
        assert kept == encode(message).decode()
        state = await scene.case("c1")
        assert not any(member in state.detail for member in TEXTS)
        assert state.state is CaseStatus.OFFERED
