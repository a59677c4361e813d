"""What an advisor may type, as a table."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from router.api.acts import asking
from router.cli.advisor_asks import frame_of, second_try, written
from router.cli.advisor_commands import Command, Mistake, help_rows, read_command
from router.cli.advisor_time import read_time, seconds_left, shown_time
from router.contract.ids import CaseId

SEOUL = timezone(timedelta(hours=9))
NOW = datetime(2026, 11, 22, 14, 0, tzinfo=SEOUL)

READ: list[tuple[str, Command | None]] = [
    ("", None),
    ("   \t ", None),
    ("online", Command("presence", 0, {"presence": "online", "reason": ""})),
    ("away-from call, chat", Command("presence", 0, {"presence": "online", "away_from": ("call", "chat")})),
    ("away-from nothing", Command("presence", 0, {"presence": "online", "away_from": ()})),
    ("AWAY lunch with 팀", Command("presence", 0, {"presence": "away", "reason": "lunch with 팀"})),
    ("finishing", Command("presence", 0, {"presence": "finishing", "reason": ""})),
    ("list", Command("list")),
    ("accept", Command("accept")),
    ("accept 3", Command("accept", 3)),
    ("accept #3", Command("accept", 3)),
    ("decline", Command("decline")),
    ("decline 2 not mine", Command("decline", 2, {"reason": "not mine"})),
    ("decline not mine", Command("decline", 0, {"reason": "not mine"})),
    ("read", Command("read")),
    ("read 12", Command("read", 12)),
    ("reply 1 안녕하세요  you", Command("reply", 1, {"text": "안녕하세요  you"})),
    ("reply 1", Command("reply", 1, {"text": ""}, is_open=True)),
    ("reply 1 stray\x1b[D arrow\x07", Command("reply", 1, {"text": "stray arrow"})),
    ("note 2 called", Command("note", 2, {"text": "called"})),
    ("label 1 +late -new +두번", Command("label", 1, {"add": ("late", "두번"), "remove": ("new",)})),
    ("pend 1 on customer", Command("pend", 1, {"on": "customer", "reason": ""})),
    (
        "pend 1 on third-party until 2h because the courier looks",
        Command(
            "pend",
            1,
            {"on": "third-party", "reason": "the courier looks", "until": NOW + timedelta(hours=2)},
        ),
    ),
    ("follow-up 1 tomorrow 9:00", Command("follow_up", 1, {"at": NOW.replace(day=23, hour=9), "reason": ""})),
    ("resolve 1 solved", Command("resolve", 1, {"outcome": "solved", "reason": ""})),
    ("resolve 1 refunded as agreed", Command("resolve", 1, {"outcome": "refunded", "reason": "as agreed"})),
    ("transfer 1 queue billing", Command("transfer", 1, {"queue": "billing", "reason": ""})),
    ("transfer 1 to advisor minji she knows", Command("transfer", 1, {"to": "minji", "reason": "she knows"})),
    ("transfer 1 billing", Command("transfer", 1, {"either": "billing", "reason": ""})),
    ("not-me 1 she asked for another", Command("not_me", 1, {"reason": "she asked for another"})),
    ("quit", Command("quit")),
]
REFUSED: list[tuple[str, str]] = [
    ("onlin", "Did you mean `online`?"),
    ("resovle 1 solved", "Did you mean `resolve`?"),
    ("xyzzy", "There is no command `xyzzy`. `help` lists"),
    ("reply", "Usage: reply N [TEXT]"),
    ("reply hello", "Usage: reply N [TEXT]"),
    ("reply 0 hello", "Usage: reply"),
    ("reply ² hello", "Usage: reply"),
    ("reply 99999999 hello", "Usage: reply"),
    ("accept 1 now", "Usage: accept"),
    ("list all", "Usage: list"),
    ("label 1", "Usage: label"),
    ("label 1 late", "Usage: label"),
    ("label 1 +", "Usage: label"),
    ("pend 1", "Usage: pend"),
    ("pend 1 customer", "Usage: pend"),
    ("pend 1 on courier", "`courier` is none of customer, third-party, internal."),
    ("pend 1 on customer until soon", "`soon` is no time: 30m, 2h"),
    ("pend 1 on customer until 2020-01-01", "`2020-01-01` is past."),
    ("pend 1 on customer until 99999d", "no time"),
    ("follow-up 1", "Usage: follow-up"),
    ("resolve 1", "Usage: resolve N OUTCOME [REASON]"),
    ("transfer 1", "Usage: transfer"),
    ("not-me", "Usage: not-me N [REASON]"),
]


@pytest.mark.parametrize(("text", "command"), READ, ids=[text or "(empty)" for text, _ in READ])
def test_a_line_is_read(text: str, command: Command | None) -> None:
    assert read_command(text, NOW) == command


@pytest.mark.parametrize(("text", "said"), REFUSED, ids=[text for text, _ in REFUSED])
def test_a_line_that_cannot_be_read_says_what_could(text: str, said: str) -> None:
    with pytest.raises(Mistake) as caught:
        read_command(text, NOW)
    assert said in str(caught.value)


def test_help_names_every_command_once() -> None:
    words = [usage.split()[0] for usage, _ in help_rows()]
    assert len(words) == len(set(words)) == 27


FRAMES: list[tuple[str, dict[str, Any]]] = [
    ("away-from call", {"type": "presence", "presence": "online", "reason": "", "away_from": ["call"]}),
    ("away lunch", {"type": "presence", "presence": "away", "reason": "lunch"}),
    ("accept 1", {"type": "accept", "case": "c", "offer_ver": 7}),
    ("decline 1 busy", {"type": "decline", "case": "c", "offer_ver": 7, "reason": "busy"}),
    ("read 1", {"type": "read", "case": "c"}),
    ("reply 1 안녕", {"type": "reply", "case": "c", "text": "안녕"}),
    ("note 1 x", {"type": "note", "case": "c", "text": "x"}),
    ("label 1 +a -b", {"type": "label", "case": "c", "add": ["a"], "remove": ["b"]}),
    ("pend 1 on internal until 1h", {"type": "pend", "on": "internal", "until": "2026-11-22T15:00:00+09:00"}),
    ("follow-up 1 18:30", {"type": "follow_up", "at": "2026-11-22T18:30:00+09:00", "on": "internal"}),
    ("resolve 1 solved", {"type": "resolve", "case": "c", "outcome": "solved"}),
    ("transfer 1 tier lead too hard", {"type": "transfer", "queue": "", "tier": "lead", "reason": "too hard"}),
    ("consult 1 minji", {"type": "consult", "case": "c", "to": "minji", "tier": ""}),
    ("consult 1 tier lead is it so?", {"type": "consult", "to": None, "tier": "lead", "note": "is it so?"}),
    ("consult 1 queue billing", {"type": "consult", "to": None, "queue": "billing", "note": ""}),
    ("consult 1 skill law=7 may we?", {"type": "consult", "skills": {"law": 7}, "note": "may we?"}),
    ("consult 1 skill law", {"type": "consult", "skills": {"law": 1}}),
    ("hand-back 1", {"type": "hand_back", "case": "c", "of": None}),
    ("hand-back 1 jun", {"type": "hand_back", "case": "c", "of": "jun"}),
    ("acknowledge 1", {"type": "acknowledge", "case": "c"}),
    ("park 1", {"type": "park", "case": "c", "for_s": 3_600}),
    ("park 1 20", {"type": "park", "case": "c", "for_s": 1_200}),
    ("unpark 1", {"type": "unpark", "case": "c"}),
    ("snooze 1", {"type": "snooze", "case": "c", "for_s": 900}),
    ("snooze 1 5", {"type": "snooze", "case": "c", "for_s": 300}),
    ("wrap-up 1", {"type": "wrap_up", "case": "c", "more_s": 0}),
    (
        "escalate 1 over my head note He wants the contract.",
        {"type": "escalate", "case": "c", "reason": "over my head", "note": "He wants the contract."},
    ),
    ("escalate #1 because I am not sure", {"type": "escalate", "case": "c", "reason": "I am not sure", "note": ""}),
    ("wrap-up 1 30", {"type": "wrap_up", "case": "c", "more_s": 30}),
    ("not-me 1 my aunt", {"type": "decline", "offer_ver": 7, "reason": "my aunt", "someone_else": True}),
    ("transfer 1 billing", {"type": "transfer", "case": "c", "queue": "billing", "to": None}),
    ("transfer 1 advisor minji", {"type": "transfer", "case": "c", "queue": "", "to": "minji"}),
]


@pytest.mark.parametrize(("text", "members"), FRAMES, ids=[text for text, _ in FRAMES])
def test_a_command_becomes_a_frame_that_the_service_reads(text: str, members: dict[str, Any]) -> None:
    command = read_command(text, NOW)
    assert command is not None
    sent = written(frame_of(command, op="s-1", case="c", offer_ver=7))
    assert msgspec.json.decode(sent).items() >= (members | {"op": "s-1"}).items()
    assert asking.read_frame(sent).op == "s-1"


def test_a_case_that_is_not_for_him_goes_on_to_somebody_else() -> None:
    command = read_command("not-me 1 my aunt", NOW)
    assert command is not None
    frame = frame_of(command, op="s-1", case="c")
    assert frame == asking.Transfer(op="s-1", case=CaseId("c"), reason="my aunt", note="my aunt", someone_else=True)


def test_only_a_bare_name_that_is_no_queue_is_tried_as_an_advisor() -> None:
    unknown = "urn:turnout:problem:unknown-queue"
    bare = Command("transfer", 1, {"either": "minji", "reason": "x"})
    assert second_try(bare, unknown) == Command("transfer", 1, {"to": "minji", "reason": "x"})
    assert second_try(bare, "urn:turnout:problem:gone") is None
    assert second_try(Command("transfer", 1, {"queue": "minji"}), unknown) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("30m", "2026-11-22T14:30:00+09:00"),
        ("+2 h", "2026-11-22T16:00:00+09:00"),
        ("3D", "2026-11-25T14:00:00+09:00"),
        ("14:30", "2026-11-22T14:30:00+09:00"),
        ("9:00", "2026-11-23T09:00:00+09:00"),
        ("tomorrow 23:59", "2026-11-23T23:59:00+09:00"),
        ("2026-11-24", "2026-11-24T00:00:00+09:00"),
        ("2026-11-24 08:15", "2026-11-24T08:15:00+09:00"),
        ("2026-11-24T08:15Z", "2026-11-24T08:15:00+00:00"),
        ("24:00", None),
        ("9:60", None),
        ("now", None),
        ("", None),
        ("99999d", None),
    ],
)
def test_a_time_is_read_in_the_zone_of_the_terminal(text: str, found: str | None) -> None:
    assert read_time(text, NOW) == (datetime.fromisoformat(found) if found else None)


def test_times_of_the_service_are_shown_as_they_are_here() -> None:
    assert shown_time("2026-11-22T05:30:00Z", NOW) == "14:30"
    assert shown_time("2026-11-22T16:30:00Z", NOW) == "2026-11-23 01:30"
    assert shown_time("nonsense", NOW) == "nonsense"
    assert seconds_left("2026-11-22T05:00:30.400Z", NOW) == 30
    assert seconds_left("2026-11-22T04:00:00Z", NOW.astimezone(UTC)) == 0
    assert seconds_left("", NOW) == 0
