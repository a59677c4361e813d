"""The notifier ``teams``: notices as adaptive cards, posted to a workflow of Microsoft Teams.

Microsoft: "Create incoming webhooks with Workflows for Microsoft Teams": a message with one attachment of the type
``application/vnd.microsoft.card.adaptive``, 28 KB at most. A workflow takes messages and carries none back, so the
only action of such a card is to open an address; to act on a case from Teams, open it.
"""

from typing import Final

from channels.notify.cards import CardNotifier, CardOptions, Links
from channels.notify.wording import Words
from router.runtime.notifiers import Bulletin, Notifier

NAME: Final = "teams"
CARD_TYPE: Final = "application/vnd.microsoft.card.adaptive"
VERSION: Final = "1.4"
_MAX_VALUE: Final = 1_000
_MAX_LINE: Final = 500


def card(told: Bulletin, said: Words, links: Links) -> dict[str, object]:
    """The body."""
    content: dict[str, object] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "fallbackText": said.title,
        "body": [
            _block(said.title, weight="Bolder", size="Medium"),
            *([_block(said.again, weight="Lighter")] if said.again else []),
            *_rest(said, links),
        ],
    }
    url = links.to(told.first.case)
    if url is not None and not said.lines:
        content["actions"] = [{"type": "Action.OpenUrl", "title": links.label, "url": url}]
    return {"type": "message", "attachments": [{"contentType": CARD_TYPE, "contentUrl": None, "content": content}]}


def _rest(said: Words, links: Links) -> list[dict[str, object]]:
    if not said.lines:
        facts = [{"title": label, "value": value[:_MAX_VALUE]} for label, value in said.facts]
        return [{"type": "FactSet", "facts": facts}]
    rows = [_row(line.text[:_MAX_LINE], links.to(line.case)) for line in said.lines]
    rows += [said.more] if said.more else []
    return [_block(row) for row in rows]


def _block(text: str, *, weight: str = "Default", size: str = "Default") -> dict[str, object]:
    return {"type": "TextBlock", "text": text, "weight": weight, "size": size, "wrap": True}


def _row(text: str, url: str | None) -> str:
    plain = text.replace("[", "(").replace("]", ")")
    return plain if url is None else f"[{plain}]({url.replace(')', '%29')})"


def notifier() -> Notifier[CardOptions]:
    """The entry point's factory."""
    return CardNotifier(NAME, "Teams", card)
