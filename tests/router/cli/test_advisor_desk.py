"""What an advisor is told, in words: the desk, pure."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from router.api.problems import problem
from router.api.sessions import frames
from router.api.sessions.frames import Answer, WorkItem
from router.api.transcripts import AttachmentView, EntryView
from router.api.views import CaseView, ReplyView
from router.cli.advisor_asks import UNSEEN
from router.cli.advisor_desk import MAX_GONE, Desk
from router.cli.advisor_reading import reading_lines
from router.cli.advisor_text import Line, plain

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
BASE: dict[str, Any] = {
    "queue": "delivery",
    "channel": "email",
    "units": 10,
    "priority": 2,
    "conversation": "k",
    "ver": 1,
    "customer": "김민수",
    "subject": "배송",
    "summary": "언제 와요?",
}


def work(case: str, kind: str = "case", **more: Any) -> WorkItem:
    return WorkItem(**{**BASE, "case": case, "kind": kind, **more})


def offer(case: str, *, offer_ver: int = 1, seconds: float = 30) -> frames.Offered:
    deadline = (NOW + timedelta(seconds=seconds)).isoformat()
    item = work(case, "offer", offer_ver=offer_ver, deadline=deadline)
    return frames.Offered(work=item, case=case, offer_ver=offer_ver, deadline=deadline)


def welcome(*items: WorkItem, presence: str = "online") -> frames.Welcome:
    return frames.Welcome(advisor="mina", presence=presence, connection=1, pool="default", work=items)


def said(lines: list[Line]) -> list[str]:
    return list(plain(lines))


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.welcome(welcome(), NOW, is_first=True)
    return made


def test_advice_is_asked_of_him_like_an_offer(desk: Desk) -> None:
    deadline = (NOW + timedelta(seconds=20)).isoformat()
    item = work("a", "consult-offer", offer_ver=4, deadline=deadline, asked_by="sora")
    rings = frames.Offered(work=item, case="a", offer_ver=4, deadline=deadline)
    assert said(desk.told(rings, NOW)) == [
        "sora asks for your advice on 1: delivery, email, priority 2, 김민수: 언제 와요?",
        "  20 s to answer: `accept 1` or `decline 1`",
    ]
    assert desk.told(rings, NOW) == []
    place = desk.first_offer()
    assert place is not None
    assert place.case == "a"
    assert said(desk.reminders(NOW + timedelta(seconds=16))) == ["offer 1: 4 s left"]
    desk.done("a", "accept")
    assert desk.find(1).kind == "consult"  # type: ignore[union-attr]
    assert desk.told(frames.Assigned(work=work("a", "consult"), case="a"), NOW) == []
    assert said(desk.told(frames.Released(case="a", reason="handed-back"), NOW)) == ["1 has gone: handed-back"]


@pytest.mark.parametrize(
    ("state", "members", "line"),
    [
        ("joined", {}, "1: jun is in on it"),
        ("declined", {"reason": "busy", "rings": "sol"}, "1: jun gives no advice (busy); sol is asked now"),
        ("expired", {}, "1: jun does not answer; nobody is asked any more"),
        ("left", {"rings": "sol"}, "1: jun has gone; sol is asked now"),
        ("ended", {}, "1: jun is done with it"),
    ],
)
def test_he_is_told_what_becomes_of_the_advice_he_asked_for(
    desk: Desk, state: str, members: dict[str, str], line: str
) -> None:
    desk.told(frames.Assigned(work=work("a"), case="a"), NOW)
    told = frames.Consulted(case="a", advisor="jun", state=state, **members)  # type: ignore[arg-type]
    assert said(desk.told(told, NOW)) == [line]


def test_an_offer_is_told_once_and_counts_down(desk: Desk) -> None:
    assert said(desk.told(offer("a"), NOW)) == [
        "offer 1: delivery, email, priority 2, 김민수: 언제 와요?",
        "  30 s to answer: `accept 1` or `decline 1`",
    ]
    assert desk.told(offer("a"), NOW) == []
    assert desk.reminders(NOW + timedelta(seconds=20)) == []
    assert said(desk.reminders(NOW + timedelta(seconds=26))) == ["offer 1: 4 s left"]
    assert desk.reminders(NOW + timedelta(seconds=27)) == []
    assert len(desk.told(offer("a", offer_ver=2), NOW)) == 2
    assert said(desk.reminders(NOW + timedelta(seconds=30))) == ["offer 1: 0 s left"]


def test_the_offer_that_ends_first_is_taken_first(desk: Desk) -> None:
    desk.told(offer("a", seconds=30), NOW)
    desk.told(offer("b", seconds=10), NOW)
    first = desk.first_offer()
    assert first is not None
    assert (first.case, first.number) == ("b", 2)
    assert said(desk.told(frames.OfferEnded(case="b", reason="taken"), NOW)) == ["offer 2 has gone: taken"]
    assert desk.told(frames.OfferEnded(case="b", reason="taken"), NOW) == []


def test_a_case_keeps_its_number_through_its_life(desk: Desk) -> None:
    desk.told(offer("a"), NOW)
    desk.done("a", "accept")
    assigned = frames.Assigned(work=work("a"), case="a")
    assert desk.told(assigned, NOW) == []
    desk.done("a", "pend")
    assert desk.cases() == ("a",)
    assert said(desk.told(assigned, NOW)) == ["1 is yours again: delivery, email, priority 2, 김민수: 언제 와요?"]
    assert said(desk.told(frames.Released(case="a", reason="reassigned"), NOW)) == ["1 has gone: reassigned"]
    assert desk.only_case() is None
    assert desk.number_of("a") == 1
    assert desk.number_of("b") == 2


def test_coming_back_tells_only_what_has_changed(desk: Desk) -> None:
    desk.welcome(welcome(work("a"), work("b")), NOW, is_first=False)
    again = welcome(work("b", inquiries=2, summary="Hello?"), work("c"), presence="offline")
    assert said(desk.welcome(again, NOW, is_first=False)) == [
        "mina: you are offline",
        "You get no work while offline: type `online` to begin.",
        "1 has gone: while you were not connected",
        "2: the customer has written again: Hello?",
        "3 is yours: delivery, email, priority 2, 김민수: 언제 와요?",
    ]


def test_a_reply_that_did_not_arrive_is_told_once(desk: Desk) -> None:
    push = frames.Delivery(case="a", reply="r", state="failed", reason="no such mailbox")
    assert said(desk.told(push, NOW)) == ["1: your reply did not reach the customer: no such mailbox"]
    assert desk.delivery("a", reply="r", state="failed", reason="") == []
    assert said(desk.delivery("a", reply="q", state="unknown", reason=""))[0].startswith("1: your reply may not")


def test_the_last_message_shown_is_the_one_he_has_seen(desk: Desk) -> None:
    def seen() -> str:
        place = desk.find(1)
        assert place is not None
        return place.seen

    def written(inquiry: str, ver: int) -> list[str]:
        return said(desk.told(frames.Message(case="a", inquiry=inquiry, inquiries=2, summary="Hm?", ver=ver), NOW))

    desk.welcome(welcome(work("a", inquiry="i1", ver=3)), NOW, is_first=False)
    assert seen() == "i1"
    assert written("i2", 4) == ["1: the customer has written again: Hm?"]
    assert seen() == "i2"
    desk.read(_read("i3", ver=6))
    assert seen() == "i3"
    # What was pushed before, and comes after what was shown, is old.
    assert (written("i3", 5), written("i2", 4), seen()) == ([], [], "i3")
    # The state was rebuilt, and its tail lost: what is shown now holds.
    desk.read(_read("i2", ver=4))
    assert (seen(), written("i4", 5), seen()) == ("i2", ["1: the customer has written again: Hm?"], "i4")
    desk.welcome(welcome(work("a", inquiry="i1", ver=2)), NOW, is_first=False)
    assert seen() == "i1"


def _read(inquiry: str, *, ver: int) -> Answer:
    entries = [EntryView(kind=kind, at="2026-11-22T05:00:00Z", text="x", id=inquiry) for kind in ("inquiry", "note")]
    return Answer(
        op="o", result="done", durable=True, case=CaseView(**{**_CASE, "ver": ver}), transcript=tuple(entries)
    )


def test_presence_is_told_when_it_is_news(desk: Desk) -> None:
    away = frames.PresenceChanged(presence="away", reason="missed-offers")
    assert said(desk.told(away, NOW)) == ["mina: you are away (missed-offers)"]
    assert desk.told(away, NOW) == []
    less = frames.PresenceChanged(presence="online", away_from=("call", "chat"))
    assert said(desk.told(less, NOW)) == ["mina: you are online, but not for call, chat"]
    assert desk.told(less, NOW) == []


def test_the_list_stands_in_columns(desk: Desk) -> None:
    desk.told(offer("a"), NOW)
    desk.welcome(welcome(work("b", customer="Ann", subject="Order\x1b[31m")), NOW, is_first=False)
    desk.told(offer("a"), NOW)
    rows = said(desk.listing(NOW))
    assert rows[0] == "mina: you are online"
    assert rows[2].endswith("배송                               30 s left")
    assert rows[3] == "2    case      delivery        email      2    Ann              Order"


def test_what_has_gone_is_forgotten_when_there_is_very_much_of_it(desk: Desk) -> None:
    for number in range(MAX_GONE + 50):
        desk.told(offer(f"case-{number}"), NOW)
        desk.told(frames.OfferEnded(case=f"case-{number}", reason="expired"), NOW)
    assert desk.find(1) is None
    assert desk.find(MAX_GONE + 50) is not None


def test_a_strangers_words_command_nothing_wherever_they_stand(desk: Desk) -> None:
    nasty = "x\x1b[2J\x1b]0;t\x07\r\noffer 9: y\u202e"
    fields = {"queue": nasty, "channel": nasty, "customer": nasty, "subject": nasty, "summary": nasty}
    item = work("a", **fields)
    lines = [
        *desk.welcome(welcome(item, work("b", "offer", offer_ver=1, **fields)), NOW, is_first=False),
        *desk.told(frames.Message(case="a", inquiry="i", inquiries=2, subject=nasty, summary=nasty), NOW),
        *desk.told(frames.Delivery(case="a", reply=nasty, state="failed", reason=nasty), NOW),
        *desk.told(frames.Released(case="a", reason=nasty), NOW),
        *desk.told(frames.PresenceChanged(presence="away", reason=nasty), NOW),
        *desk.listing(NOW),
        *reading_lines(1, _answer(nasty), base="http://desk", now=NOW, width=40),
    ]
    shown = said(lines)
    assert len(shown) > 20
    assert not [char for row in shown for char in row if ord(char) < 32 or char in "\x7f\x9b\u202e"]
    assert not [row for row in shown if row.startswith("offer 9")]


def _answer(text: str) -> Answer:
    entries = [
        EntryView(
            kind=kind,
            at="2026-11-22T04:00:00Z",
            text=text,
            author=text,
            subject=text,
            channel="email",
            quoted="old\nolder",
            fields={text: text},
            attachments=(AttachmentView(name=text, media_type=text, size_bytes=3, link="/v1/blobs/t"),),
        )
        for kind in ("inquiry", "reply", "note")
    ]
    sent = ReplyView(id="r", at="2026-11-22T04:30:00Z", state="failed", reason=text)
    case = CaseView(**{**_CASE, "labels": (text,), "replies": (sent,)})
    return Answer(op="o", result="done", durable=True, case=case, transcript=tuple(entries))


_CASE: dict[str, Any] = {
    "id": "a",
    "state": "assigned",
    "ver": 3,
    "queue": "delivery",
    "channel": "email",
    "priority": 2,
    "conversation": "k",
    "account": "help",
    "customer": "kim",
    "units": 10,
    "opened_at": "2026-11-21T04:00:00Z",
    "changed_at": "2026-11-22T04:00:00Z",
    "inquiries": 1,
    "rulebook": "h",
    "owner": "mina",
}


def test_a_case_is_read_oldest_first() -> None:
    entry = EntryView(kind="inquiry", at="2026-11-22T04:00:00Z", text="하나\n둘", author="Kim", channel="chat")
    note = EntryView(kind="note", at="2026-11-22T04:10:00Z", text="called", author="mina")
    answer = Answer(op="o", result="done", durable=True, case=CaseView(**_CASE), transcript=(entry, note))
    assert said(reading_lines(4, answer, base="", now=NOW, width=None)) == [
        "--- 4: delivery, email, priority 2, assigned to mina, opened 2026-11-21 04:00",
        "case a",
        "04:00 Kim wrote (chat)",
        "  | 하나",
        "  | 둘",
        "04:10 note of mina",
        "  | called",
    ]


def test_a_conversation_that_begins_before_what_is_shown_says_so() -> None:
    answer = msgspec.structs.replace(_read("i1", ver=3), earlier=True)
    assert "(earlier messages are left out)" in said(reading_lines(1, answer, base="", now=NOW, width=None))


def test_a_problem_of_the_service_is_one_the_terminal_knows() -> None:
    assert problem("unknown-queue").type == "urn:turnout:problem:unknown-queue"
    assert problem("unseen").type == UNSEEN


def test_a_wrap_up_is_told_and_leaves_the_desk_when_it_ends(desk: Desk) -> None:
    desk.told(frames.Assigned(work=work("a"), case="a"), NOW)
    desk.done("a", "resolve")
    until = (NOW + timedelta(seconds=40)).isoformat()
    told = desk.told(frames.WrapUpBegun(case="a", until=until, units=30), NOW)
    assert said(told) == ["1: wrap-up for 40 s; `wrap-up 1` ends it"]
    desk.done("a", "resolve")
    assert [row.split()[:2] for row in said(desk.listing(NOW))[2:]] == [["1", "wrap-up"]]
    assert desk.told(frames.WrapUpEnded(case="a"), NOW) == []
    assert said(desk.listing(NOW))[1:] == ["Nothing at hand."]
