"""What outbox entries become on the bus."""

import pytest
from msgspec.structs import replace

from router.contract import topics
from router.contract.advisor import Advisor
from router.contract.codec import Decoder, header
from router.contract.errors import Undecodable
from router.contract.ids import CaseId
from router.contract.messages import CaseNote, Notice
from router.service.relaying.records import records_of
from router.store.protocol import UNREADABLE, OutboxEntry
from tests.suites.stage import POOL, stage


async def test_a_step_of_a_ladder_sends_its_notice_once() -> None:
    async with stage() as scene:
        await scene.write("c1")
        await scene.pass_s(3601)
        entries = await scene.store.pending(POOL, 0, limit=1000)
        records = [record for entry in entries for record in records_of(POOL, entry)]
        notices = [Decoder(Notice).decode(record.value, Notice) for record in records if record.topic == topics.NOTICES]
        assert [(notice.kind, notice.target, notice.step) for notice in notices] == [("step", "webhook", 1)]


async def test_missed_offers_that_set_an_advisor_to_away_are_told_to_the_advisors_topic() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.pass_s(400)
        entries = await scene.store.pending(POOL, 0, limit=1000)
        records = [record for entry in entries for record in records_of(POOL, entry)]
        told = [Decoder(Advisor).decode(record.value, Advisor) for record in records if record.topic == topics.ADVISORS]
        assert [advisor.presence for advisor in told][-2:] == ["online", "away"]


async def test_an_internal_note_goes_to_a_topic_that_no_channel_reads_and_nowhere_else() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.accept("c1")
        await scene.casework.note(CaseId("c1"), scene.request("mina"), text="he is cross")
        entry = (await scene.store.pending(POOL, 0, limit=1000))[-1]
        records = list(records_of(POOL, entry))
        assert [record.topic for record in records if b"cross" in (record.value or b"")] == [topics.NOTES]
        note = Decoder(CaseNote).decode(records[-1].value, CaseNote)
        assert (note.text, note.author, note.number, note.ver) == ("he is cross", "mina", entry.number, 3)
        assert header(records[-1].headers, "ce_id") == "note/c1:1.3"


async def test_a_repeat_gives_the_same_records() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.accept("c1")
        await scene.resolve("c1")
        entries = await scene.store.pending(POOL, 0, limit=1000)
        once, again = ([record for entry in entries for record in records_of(POOL, entry)] for _ in range(2))
        assert len(once) > len(entries)
        assert once == again


def test_what_the_store_could_not_read_is_no_record() -> None:
    entry = OutboxEntry(number=1, gen=1, kind=UNREADABLE, at_ms=0, outcome="", reason="no such state")
    with pytest.raises(Undecodable, match="no such state"):
        list(records_of(POOL, entry))


async def test_an_act_of_a_newer_version_goes_to_the_bus_all_the_same() -> None:
    async with stage() as scene:
        await scene.write("c1")
        (entry,) = await scene.store.pending(POOL, 0)
        event, case = records_of(POOL, replace(entry, kind="teleport"))
        assert (event.topic, case.topic) == (topics.EVENTS, topics.CASES)
        assert header(event.headers, "ce_type") == "turnout.case.teleport.v1"
        assert b'"type":"turnout.case.teleport.v1"' in (event.value or b"")
