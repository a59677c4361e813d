"""The notifier ``teams``: notices as adaptive cards, posted to a workflow of Microsoft Teams.

Microsoft: "Create incoming webhooks with Workflows for Microsoft Teams": a message with one attachment of the type
``application/vnd.microsoft.card.adaptive``, 28 KB at most.
"""

from typing import Final

from channels.notify.cards import CardNotifier, CardOptions
from channels.notify.wording import Words
from router.runtime.plugins import Notifier

NAME: Final = "teams"
CARD_TYPE: Final = "application/vnd.microsoft.card.adaptive"
VERSION: Final = "1.4"
_MAX_VALUE: Final = 1_000


def card(told: Words, link: tuple[str, str] | None) -> dict[str, object]:
    """The body."""
    facts = [{"title": label, "value": value[:_MAX_VALUE]} for label, value in told.facts]
    content: dict[str, object] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "fallbackText": told.title,
        "body": [
            {"type": "TextBlock", "text": told.title, "weight": "Bolder", "size": "Medium", "wrap": True},
            {"type": "FactSet", "facts": facts},
        ],
    }
    if link is not None:
        content["actions"] = [{"type": "Action.OpenUrl", "title": link[0], "url": link[1]}]
    return {"type": "message", "attachments": [{"contentType": CARD_TYPE, "contentUrl": None, "content": content}]}


def notifier() -> Notifier[CardOptions]:
    """The entry point's factory."""
    return CardNotifier(NAME, "Teams", card)
