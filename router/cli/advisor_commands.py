"""What an advisor types, read into what is to be done. Pure."""

import difflib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from router.cli.advisor_text import harmless
from router.cli.advisor_time import FORMS, read_time

WAITS_FOR: Final = ("customer", "third-party", "internal")
_PRESENCES: Final = ("online", "away", "finishing", "offline")
_NOTHING: Final = "nothing"


class Mistake(ValueError):
    """The line can't be read; the message says what would be."""


class Command(NamedTuple):
    """One command. ``number`` is the case's on the desk, 0 when none was named; ``members`` go into the frame
    as they are. ``is_open``: the text comes in the following lines, up to one with a single dot."""

    kind: str
    number: int = 0
    members: Mapping[str, object] = {}
    is_open: bool = False


class _Form(NamedTuple):
    usage: str
    meaning: str
    read: Callable[[str, datetime], Command]


def read_command(text: str, now: datetime) -> Command | None:
    """The command on a line; None when it is empty. Raises ``Mistake``."""
    word, _, rest = harmless(text).strip().partition(" ")
    if not word:
        return None
    form = FORMS_BY_NAME.get(word.lower())
    if form is None:
        near = difflib.get_close_matches(word.lower(), FORMS_BY_NAME, n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise Mistake(f"There is no command `{word[:40]}`.{hint} `help` lists them all.")
    try:
        return form.read(rest.strip(), now)
    except _Misused as exc:
        raise Mistake(f"{exc}Usage: {form.usage}") from exc


def help_rows() -> tuple[tuple[str, str], ...]:
    """Usage and meaning of every command."""
    return tuple((form.usage, form.meaning) for form in FORMS_BY_NAME.values())


class _Misused(ValueError):
    """A known command with something wrong behind it; the message, if any, ends in a space."""


def _numbered(rest: str, *, is_needed: bool = True) -> tuple[int, str]:
    """The case's number and what follows it."""
    word, _, more = rest.partition(" ")
    number = word.removeprefix("#")
    if number.isascii() and number.isdigit() and len(number) < 7 and int(number):
        return int(number), more.strip()
    if is_needed:
        raise _Misused("")
    return 0, rest


def _presence(kind: str) -> Callable[[str, datetime], Command]:
    def read(rest: str, _now: datetime) -> Command:
        return Command("presence", members={"presence": kind, "reason": rest})

    return read


def _away_from(rest: str, _now: datetime) -> Command:
    channels = tuple(rest.replace(",", " ").split())
    if not channels:
        raise _Misused("")
    return Command("presence", members={"presence": "online", "away_from": () if rest == _NOTHING else channels})


def _bare(kind: str) -> Callable[[str, datetime], Command]:
    def read(rest: str, _now: datetime) -> Command:
        if rest:
            raise _Misused("")
        return Command(kind)

    return read


def _offer(kind: str) -> Callable[[str, datetime], Command]:
    def read(rest: str, _now: datetime) -> Command:
        number, reason = _numbered(rest, is_needed=False)
        if reason and kind == "accept":
            raise _Misused("")
        return Command(kind, number, {"reason": reason} if reason else {})

    return read


def _not_me(rest: str, _now: datetime) -> Command:
    number, reason = _numbered(rest)
    return Command("not_me", number, {"reason": reason})


def _read(rest: str, _now: datetime) -> Command:
    number, more = _numbered(rest, is_needed=False)
    if more:
        raise _Misused("")
    return Command("read", number)


def _written(kind: str) -> Callable[[str, datetime], Command]:
    def read(rest: str, _now: datetime) -> Command:
        number, text = _numbered(rest)
        return Command(kind, number, {"text": text}, is_open=not text)

    return read


def _label(rest: str, _now: datetime) -> Command:
    number, rest = _numbered(rest)
    words = rest.split()
    if not words or any(word[0] not in "+-" or len(word) == 1 for word in words):
        raise _Misused("")
    add = tuple(word[1:] for word in words if word[0] == "+")
    remove = tuple(word[1:] for word in words if word[0] == "-")
    return Command("label", number, {"add": add, "remove": remove})


def _pend(rest: str, now: datetime) -> Command:
    number, rest = _numbered(rest)
    found = re.fullmatch(r"on\s+(\S+)(?:\s+until\s+(.+?))?(?:\s+because\s+(.+))?", rest)
    if found is None:
        raise _Misused("")
    if found[1] not in WAITS_FOR:
        raise _Misused(f"`{found[1][:40]}` is none of {', '.join(WAITS_FOR)}. ")
    members: dict[str, object] = {"on": found[1], "reason": found[3] or ""}
    if found[2]:
        members["until"] = _time(found[2], now)
    return Command("pend", number, members)


def _follow_up(rest: str, now: datetime) -> Command:
    number, rest = _numbered(rest)
    found = re.fullmatch(r"(?:at\s+)?(.+?)(?:\s+because\s+(.+))?", rest)
    if found is None:
        raise _Misused("")
    return Command("follow_up", number, {"at": _time(found[1], now), "reason": found[2] or ""})


def _time(text: str, now: datetime) -> datetime:
    found = read_time(text, now)
    if found is None:
        raise _Misused(f"`{text[:40]}` is no time: {FORMS}. ")
    if found <= now:
        raise _Misused(f"`{text[:40]}` is past. ")
    return found


def _resolve(rest: str, _now: datetime) -> Command:
    number, rest = _numbered(rest)
    outcome, _, reason = rest.partition(" ")
    if not outcome:
        raise _Misused("")
    return Command("resolve", number, {"outcome": outcome, "reason": reason.strip()})


def _consult(rest: str, _now: datetime) -> Command:
    number, rest = _numbered(rest)
    found = re.fullmatch(r"(?:(queue|tier|skill)\s+)?(\S+)(?:\s+(.+))?", rest)
    if found is None:
        raise _Misused("")
    members: dict[str, object] = {found[1] or "to": found[2], "note": found[3] or ""}
    if found[1] == "skill":
        name, _, level = found[2].partition("=")
        if level and not re.fullmatch(r"[1-9]|10", level):
            raise _Misused(f"`{level[:40]}` is no level from 1 to 10. ")
        members = {"skills": {name: int(level or 1)}, "note": found[3] or ""}
    return Command("consult", number, members)


def _hand_back(rest: str, _now: datetime) -> Command:
    number, name = _numbered(rest)
    if len(name.split()) > 1:
        raise _Misused("")
    return Command("hand_back", number, {"of": name} if name else {})


def _wrap_up(rest: str, _now: datetime) -> Command:
    number, more = _numbered(rest)
    if more and not re.fullmatch(r"[0-9]{1,5}", more):
        raise _Misused("")
    return Command("wrap_up", number, {"more_s": int(more)} if more else {})


def _for_minutes(kind: str) -> Callable[[str, datetime], Command]:
    def read(rest: str, _now: datetime) -> Command:
        number, minutes = _numbered(rest)
        if minutes and not re.fullmatch(r"[1-9][0-9]{0,3}", minutes):
            raise _Misused("")
        return Command(kind, number, {"for_s": 60 * int(minutes)} if minutes else {})

    return read


def _of_case(kind: str) -> Callable[[str, datetime], Command]:
    def read(rest: str, _now: datetime) -> Command:
        number, more = _numbered(rest)
        if more:
            raise _Misused("")
        return Command(kind, number, {})

    return read


def _escalate(rest: str, _now: datetime) -> Command:
    """``escalate N REASON [note TEXT]``: what follows the word ``note`` is for whoever has it next."""
    number, rest = _numbered(rest)
    reason, _, note = re.sub(r"^because\s+", "", rest).partition(" note ")
    if not reason.strip():
        raise _Misused("Say why. ")
    return Command("escalate", number, {"reason": reason.strip(), "note": note.strip()})


def _transfer(rest: str, _now: datetime) -> Command:
    """``members`` name ``queue``, ``to``, ``tier``, or ``either`` when it was not said which of the two is meant."""
    number, rest = _numbered(rest)
    found = re.fullmatch(r"(?:to\s+)?(?:(queue|advisor|tier)\s+)?(\S+)(?:\s+(.+))?", rest)
    if found is None:
        raise _Misused("")
    kind = {"queue": "queue", "advisor": "to", "tier": "tier"}.get(found[1] or "", "either")
    return Command("transfer", number, {kind: found[2], "reason": found[3] or ""})


_MEANINGS: Final = {
    "online": "take work",
    "away": "take none for a while",
    "finishing": "keep what you have, take nothing new",
    "offline": "leave",
}
FORMS_BY_NAME: Final[dict[str, _Form]] = {
    **{name: _Form(f"{name} [REASON]", _MEANINGS[name], _presence(name)) for name in _PRESENCES},
    "away-from": _Form(
        f"away-from CHANNEL ...|{_NOTHING}", "take work, but none of these channels; or of all again", _away_from
    ),
    "list": _Form("list", "show your presence, offers and work", _bare("list")),
    "accept": _Form("accept [N]", "take an offer; without a number the one that ends first", _offer("accept")),
    "decline": _Form("decline [N] [REASON]", "give an offer back", _offer("decline")),
    "read": _Form("read [N]", "show a case with its conversation", _read),
    "reply": _Form(
        "reply N [TEXT]", "answer the customer; without a text, the lines up to a single dot", _written("reply")
    ),
    "note": _Form("note N [TEXT]", "write an internal note, in the same way", _written("note")),
    "label": _Form("label N +NAME -NAME ...", "put labels on and take them off", _label),
    "pend": _Form(
        "pend N on customer|third-party|internal [until TIME] [because REASON]", "wait for somebody else", _pend
    ),
    "follow-up": _Form("follow-up N TIME [because REASON]", "have it back at a time", _follow_up),
    "resolve": _Form("resolve N OUTCOME [REASON]", "end the work", _resolve),
    "consult": _Form(
        "consult N NAME|queue QUEUE|tier TIER|skill NAME[=LEVEL] [QUESTION]",
        "ask for advice; the case stays yours",
        _consult,
    ),
    "hand-back": _Form("hand-back N [NAME]", "end your part in a case, or another's in yours", _hand_back),
    "acknowledge": _Form(
        "acknowledge N", "say that you look after a case: its ladder may stop", _of_case("acknowledge")
    ),
    "snooze": _Form("snooze N [MINUTES]", "put the next steps of its ladder off, 15 minutes", _for_minutes("snooze")),
    "park": _Form(
        "park N [MINUTES]", "set a case aside, for an hour: it takes none of your room", _for_minutes("park")
    ),
    "unpark": _Form("unpark N", "take up again what is parked or waits", _of_case("unpark")),
    "wrap-up": _Form("wrap-up N [SECONDS]", "end a wrap-up, or ask for so many seconds more", _wrap_up),
    "escalate": _Form(
        "escalate N REASON [note TEXT]", "take the case's next step by hand, with a note for the next", _escalate
    ),
    "transfer": _Form(
        "transfer N [queue|advisor|tier] NAME [REASON]", "hand the case on to a queue, an advisor or a tier", _transfer
    ),
    "not-me": _Form("not-me N [REASON]", "give an offer or a case to somebody else, and never have it again", _not_me),
    "help": _Form("help", "show this", _bare("help")),
    "quit": _Form("quit", "leave when everything you asked for is done", _bare("quit")),
}
