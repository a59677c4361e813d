"""What is told of open cases: their history, the inquiries seen, the messages, in the order of the acts."""

import json

from msgspec.structs import replace

from router.contract import topics
from router.contract.case import SentReply, read_detail, write_detail
from router.contract.codec import encode
from router.contract.envelope import case_event_bytes
from router.contract.events import EventType
from router.contract.ids import CaseId, ConversationId, PoolId, ReplyId
from router.contract.messages import Address, Reply
from router.runtime.bus.protocol import Partition, Record
from router.service.rebuilding.stories import KEPT_HISTORY, KEPT_INQUIRIES, Stories
from tests.suites.rebuild_records import case_state
from tests.suites.stage import POOL, inquiry

TALK = ConversationId("talk-c1")


def record(topic: str, key: str, value: bytes | None) -> Record:
    return Record(partition=Partition(topic, 0), offset=0, epoch=0, key=key, value=value, headers=(), published_at_ms=1)


def event(kind: EventType, number: int, ver: int, *, about: str = "", reply: str = "", pool: PoolId = POOL) -> Record:
    state = case_state("c1", ver=ver)
    if reply:
        detail = replace(read_detail(state.detail), replies=(SentReply(id=ReplyId(reply), at_ms=1),))
        state = replace(state, detail=write_detail(detail))
    value = case_event_bytes(
        type=kind, pool=pool, state=state, number=number, at_ms=number, outcome="done", actor="mina", about=about
    )
    return record(topics.EVENTS, "c1", value)


def reply_record(name: str) -> Record:
    to = Address(account=inquiry("c1").account, address="somebody")
    reply = Reply(
        id=ReplyId(name), pool=POOL, case=CaseId("c1"), conversation=TALK, to=to, text=f"answer {name}", created_at_ms=1
    )
    return record(topics.REPLIES, TALK, encode(reply))


def inquiry_record(name: str) -> Record:
    return record(topics.inquiries(POOL), TALK, encode(inquiry(name, f"text {name}", talk=TALK)))


def told(*events: Record, messages: tuple[Record, ...] = ()) -> Stories:
    stories = Stories(POOL, {"c1": TALK})
    for each in events:
        stories.take_event(each)
    stories.want_messages()
    for each in messages:
        (stories.take_reply if each.partition.topic == topics.REPLIES else stories.take_inquiry)(each)
    return stories


OPENED = event(EventType.ADMIT, 10, 1, about="c1")
ANSWERED = event(EventType.REPLY, 11, 2, about="mina", reply="r1")
WRITTEN = event(EventType.ADMIT, 12, 3, about="c2")
MESSAGES = (inquiry_record("c2"), inquiry_record("c1"), reply_record("r1"))


def test_lines_of_the_history_are_as_the_acts_left_them() -> None:
    assert told(OPENED, ANSWERED).history("c1") == ("1|admit|done|10|mina|c1", "2|reply|done|11|mina|mina")


def test_messages_come_in_the_order_of_the_acts_whatever_order_they_are_read_in() -> None:
    texts = told(WRITTEN, ANSWERED, OPENED, messages=MESSAGES).messages("c1")
    assert [json.loads(text)["text"] for text in texts] == ["text c1", "answer r1", "text c2"]


def test_events_and_messages_that_come_twice_are_told_once() -> None:
    stories = told(OPENED, WRITTEN, OPENED, WRITTEN, messages=(*MESSAGES, *MESSAGES))
    assert len(stories.history("c1")) == 2
    assert stories.seen("c1") == ("c1", "c2")
    assert len(stories.messages("c1")) == 2


def test_messages_that_no_act_tells_of_are_left_out() -> None:
    """Acknowledgements are no part of the transcript, and what waits on the bus has not been admitted yet."""
    assert told(OPENED, messages=MESSAGES).messages("c1") == told(OPENED, messages=(inquiry_record("c1"),)).messages(
        "c1"
    )


def test_an_earlier_life_of_the_id_is_another_story() -> None:
    again = event(EventType.ADMIT, 20, 1, about="c9")
    stories = told(OPENED, WRITTEN, event(EventType.CLOSE, 13, 4), again)
    assert (stories.history("c1"), stories.seen("c1")) == (("1|admit|done|20|mina|c9",), ("c9",))


def test_only_the_last_are_kept() -> None:
    stories = told(*(event(EventType.ADMIT, 10 + n, n + 1, about=f"i{n}") for n in range(100)))
    assert len(stories.history("c1")) == KEPT_HISTORY
    assert stories.seen("c1") == tuple(f"i{n}" for n in range(100 - KEPT_INQUIRIES, 100))


def test_others_and_damaged_records_are_passed_over() -> None:
    stories = told(
        OPENED,
        event(EventType.LABEL, 11, 2, pool=PoolId("other")),
        record(topics.EVENTS, "c1", b"{"),
        record(topics.EVENTS, "nobody", b"{"),
        messages=(record(topics.REPLIES, TALK, b"{"), record(topics.inquiries(POOL), TALK, b"{}"), *MESSAGES),
    )
    assert len(stories.history("c1")) == 1
    assert len(stories.messages("c1")) == 1
