"""The notifier ``slack``: notices as messages of an incoming webhook, in Slack's Block Kit.

Slack: "Sending messages using incoming webhooks" and "Formatting text for app surfaces": `&`, `<` and `>` are the only
characters to escape; a section's text has at most 3,000 characters, a field 2,000, a section ten fields. There are no
buttons: Slack reports every click, one on a mere link too, and warns whoever clicked when nobody answers that; an
incoming webhook has nobody who could.
"""

from collections.abc import Mapping
from itertools import accumulate
from typing import Final

from channels.notify.cards import CardNotifier, CardOptions, Links
from channels.notify.wording import Words
from router.runtime.notifiers import Bulletin, Notifier

NAME: Final = "slack"
MAX_TEXT: Final = 3_000
MAX_FIELD: Final = 2_000
MAX_FIELDS: Final = 10
_ESCAPES: Final[Mapping[str, str]] = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def card(told: Bulletin, said: Words, links: Links) -> dict[str, object]:
    """The body. ``text`` is what notifications of the system and screen readers show."""
    blocks = opening(said)
    if said.lines:
        blocks += listed(said, links)
    elif (url := links.to(told.first.case)) is not None:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": _row(links.label, url)}})
    return {"text": escaped(said.title, MAX_TEXT), "blocks": blocks}


def opening(said: Words) -> list[dict[str, object]]:
    """The headline and, of what may stand there already, that it may."""
    if not said.again:
        return [headline(said)]
    return [
        headline(said),
        {"type": "section", "text": {"type": "mrkdwn", "text": f"_{escaped(said.again, MAX_TEXT - 2)}_"}},
    ]


def headline(said: Words) -> dict[str, object]:
    """The block with the title and, of a single notice, the facts."""
    text = {"type": "mrkdwn", "text": f"*{escaped(said.title, MAX_TEXT - 2)}*"}
    if not said.facts:
        return {"type": "section", "text": text}
    fields = [{"type": "mrkdwn", "text": _fact(label, value)} for label, value in said.facts[:MAX_FIELDS]]
    return {"type": "section", "text": text, "fields": fields}


def listed(said: Words, links: Links) -> list[dict[str, object]]:
    """A block a line: several lines in one would have to be cut to its length."""
    rows = [_row(line.text, links.to(line.case)) for line in said.lines]
    if said.more:
        rows.append(escaped(said.more, MAX_TEXT))
    return [{"type": "section", "text": {"type": "mrkdwn", "text": row}} for row in rows]


def _row(text: str, url: str | None) -> str:
    if url is None:
        return escaped(text, MAX_TEXT)
    address = _escaped_url(url)
    return f"<{address}|{escaped(text.replace('|', ' '), MAX_TEXT - len(address) - 3)}>"


def _escaped_url(url: str) -> str:
    return url.replace("&", "&amp;").replace("<", "%3C").replace(">", "%3E").replace("|", "%7C")


def _fact(label: str, value: str) -> str:
    name = escaped(label, MAX_FIELD // 4)
    return f"*{name}*\n{escaped(value, MAX_FIELD - len(name) - 3)}"


def escaped(text: str, limit: int) -> str:
    """As Slack wants it, cut between characters rather than within what stands for one."""
    ends = accumulate(len(_ESCAPES.get(letter, letter)) for letter in text)
    return "".join(_ESCAPES.get(letter, letter) for letter, end in zip(text, ends, strict=True) if end <= limit)


def notifier() -> Notifier[CardOptions]:
    """The entry point's factory."""
    return CardNotifier(NAME, "Slack", card)
