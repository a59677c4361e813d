"""The notifier ``teams``: notices as adaptive cards, posted to a workflow of Microsoft Teams.

Microsoft: "Create incoming webhooks with Workflows for Microsoft Teams": a message with one attachment of the type
``application/vnd.microsoft.card.adaptive``, 28 KB at most: what is longer than anybody reads is cut, and a line of a
list has no link whose address is very long. A workflow takes messages and carries none back, so the only action of such
a card is to open an address; to act on a case from Teams, open it.
"""

from typing import Final

from channels.notify.cards import CardNotifier, CardOptions, Links
from channels.notify.wording import Words
from router.contract.limits import cut
from router.runtime.notifiers import Bulletin, Notifier

NAME: Final = "teams"
CARD_TYPE: Final = "application/vnd.microsoft.card.adaptive"
VERSION: Final = "1.4"
# Bytes as JSON: title twice and twenty lines, or title and facts, stay below 28 KB.
_MAX_TITLE: Final = 900
_MAX_LABEL: Final = 100
_MAX_VALUE: Final = 1_800
_MAX_LINE: Final = 700
_MAX_URL: Final = 400


def card(told: Bulletin, said: Words, links: Links) -> dict[str, object]:
    """The body."""
    title = cut(said.title, _MAX_TITLE)
    content: dict[str, object] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": VERSION,
        "fallbackText": title,
        "body": [
            _block(title, weight="Bolder", size="Medium"),
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
        facts = [{"title": cut(label, _MAX_LABEL), "value": cut(value, _MAX_VALUE)} for label, value in said.facts]
        return [{"type": "FactSet", "facts": facts}]
    rows = [_row(cut(line.text, _MAX_LINE), links.to(line.case)) for line in said.lines]
    rows += [said.more] if said.more else []
    return [_block(row) for row in rows]


def _block(text: str, *, weight: str = "Default", size: str = "Default") -> dict[str, object]:
    return {"type": "TextBlock", "text": text, "weight": weight, "size": size, "wrap": True}


def _row(text: str, url: str | None) -> str:
    plain = text.replace("[", "(").replace("]", ")")
    address = "" if url is None else url.replace(")", "%29")
    return f"[{plain}]({address})" if 0 < len(address) <= _MAX_URL else plain


def notifier() -> Notifier[CardOptions]:
    """The entry point's factory."""
    return CardNotifier(NAME, "Teams", card)
