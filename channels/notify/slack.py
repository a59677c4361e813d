"""The notifier ``slack``: notices as messages of an incoming webhook, in Slack's Block Kit.

Slack: "Sending messages using incoming webhooks" and "Formatting text for app surfaces": `&`, `<` and `>` are the only
characters to escape; a section's text has at most 3,000 characters, a field 2,000, a section ten fields.
"""

from collections.abc import Mapping
from itertools import accumulate
from typing import Final

from channels.notify.cards import CardNotifier, CardOptions
from channels.notify.wording import Words
from router.runtime.plugins import Notifier

NAME: Final = "slack"
MAX_TEXT: Final = 3_000
MAX_FIELD: Final = 2_000
MAX_FIELDS: Final = 10
_ESCAPES: Final[Mapping[str, str]] = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def card(told: Words, link: tuple[str, str] | None) -> dict[str, object]:
    """The body. ``text`` is what notifications of the system and screen readers show."""
    fields = [{"type": "mrkdwn", "text": _fact(label, value)} for label, value in told.facts[:MAX_FIELDS]]
    headline = {"type": "mrkdwn", "text": f"*{_escaped(told.title, MAX_TEXT - 2)}*"}
    blocks: list[dict[str, object]] = [{"type": "section", "text": headline, "fields": fields}]
    if link is not None:
        button = {"type": "button", "text": {"type": "plain_text", "text": link[0]}, "url": link[1]}
        blocks.append({"type": "actions", "elements": [button]})
    return {"text": _escaped(told.title, MAX_TEXT), "blocks": blocks}


def _fact(label: str, value: str) -> str:
    name = _escaped(label, MAX_FIELD // 4)
    return f"*{name}*\n{_escaped(value, MAX_FIELD - len(name) - 3)}"


def _escaped(text: str, limit: int) -> str:
    """As Slack wants it, cut between characters rather than within what stands for one."""
    ends = accumulate(len(_ESCAPES.get(letter, letter)) for letter in text)
    return "".join(_ESCAPES.get(letter, letter) for letter, end in zip(text, ends, strict=True) if end <= limit)


def notifier() -> Notifier[CardOptions]:
    """The entry point's factory."""
    return CardNotifier(NAME, "Slack", card)
