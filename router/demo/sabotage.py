"""Faults put in on purpose at the demo's own edges, to show that the account would find the service's. Pure."""

from enum import StrEnum
from typing import Final

from router.demo.template import Template
from router.demo.templates import ALL
from router.demo.traffic import Conversation, opening, token

_ONE_IN: Final = 4
_ELSEWHERE: Final = {"en": "ko-log-in", "ko": "en-invoice-copy"}


class Sabotage(StrEnum):
    """``LOSE``: a message is told to be accepted and never sent. ``DOUBLE``: a customer gets a reply twice.
    ``MISROUTE``: a message says something else than its template, so that it goes to somebody who can't answer
    what the template is about."""

    NONE = "none"
    LOSE = "lose"
    DOUBLE = "double"
    MISROUTE = "misroute"


def is_lost(sabotage: Sabotage, conversation: Conversation) -> bool:
    """Whether the conversation's first message gets lost on its way."""
    return sabotage is Sabotage.LOSE and conversation.number % _ONE_IN == 0


def times_seen(sabotage: Sabotage, conversation: Conversation) -> int:
    """How often a reply in the conversation reaches the customer."""
    return 2 if sabotage is Sabotage.DOUBLE and conversation.number % _ONE_IN == 0 else 1


def written(sabotage: Sabotage, conversation: Conversation) -> tuple[str, str]:
    """Subject and text of the first message."""
    template = conversation.template
    if sabotage is not Sabotage.MISROUTE or conversation.number % _ONE_IN:
        return template.subject, opening(conversation)
    other = _other(template)
    return other.subject, other.text.format(token=token(conversation.number, 0))


def _other(template: Template) -> Template:
    return next(other for other in ALL if other.name == _ELSEWHERE[template.language])
