"""A case with its conversation, as lines for the terminal. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from router.api.sessions.frames import Answer
from router.api.transcripts import EntryView
from router.api.views import CaseView
from router.cli.advisor_text import Line, Span, line, one_line, quoted
from router.cli.advisor_time import shown_time

_STYLES: Final = {"inquiry": "", "reply": "cyan", "note": "magenta"}


def reading_lines(number: int, answer: Answer, *, base: str, now: datetime, width: int | None) -> list[Line]:
    """The answer to ``read``: the case, then all that was said, oldest first. ``base`` is the API's address, for
    the links of attachments."""
    lines = [*_case_lines(number, answer.case, now)] if answer.case else []
    if answer.earlier:
        lines.append(line(Span("(earlier messages are left out)", "dim")))
    for entry in answer.transcript:
        lines += _entry_lines(entry, base=base, now=now, width=width)
    return lines


def _case_lines(number: int, case: CaseView, now: datetime) -> Iterator[Line]:
    owner = f" to {case.owner}" if case.owner else ""
    yield line(
        Span(f"--- {number}: {case.queue}, {case.channel}, priority {case.priority}, ", "bold"),
        f"{case.state}{owner}, opened {shown_time(case.opened_at, now)}",
    )
    if case.labels:
        yield line("labels: ", one_line(", ".join(case.labels)))
    for name, clock in case.clocks.items():
        if clock.met_at is None and clock.due_at:
            yield line(f"{name.replace('_', ' ')} due ", shown_time(clock.due_at, now))
    for reply in case.replies:
        if reply.state in ("failed", "unknown"):
            yield line(Span(f"the reply of {shown_time(reply.at, now)} is {reply.state}: {reply.reason}", "bold red"))
    yield line(f"case {case.id}")


def _entry_lines(entry: EntryView, *, base: str, now: datetime, width: int | None) -> Iterator[Line]:
    style = _STYLES.get(entry.kind, "")
    yield line(Span(f"{shown_time(entry.at, now)} {_who(entry)}", f"bold {style}".strip()))
    if entry.subject:
        yield line("  subject: ", one_line(entry.subject))
    for name, value in entry.fields.items():
        yield line(f"  {one_line(name)}: ", one_line(value))
    yield from quoted(entry.text, width=width, style=style)
    if entry.quoted:
        yield line(Span(f"  ({len(entry.quoted.splitlines())} quoted lines left out)", "dim"))
    for file in entry.attachments:
        yield line(
            f"  file {one_line(file.name)} ({one_line(file.media_type)}, {file.size_bytes} bytes): ", base + file.link
        )


def _who(entry: EntryView) -> str:
    author = one_line(entry.author)
    match entry.kind:
        case "inquiry":
            return f"{author or 'the customer'} wrote ({entry.channel})"
        case "reply":
            return "automatic reply" if entry.automatic else f"{author} replied"
        case _:
            return f"note of {author}"
