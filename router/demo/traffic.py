"""Who writes what and when: the demo's traffic, from a seed. Pure.

A message is named by a token that stands in its text, so that it can be known again at every edge. A token
tells its conversation and its place in it; the same seed gives the same conversations and the same tokens.
"""

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

import msgspec

from router.demo.template import Template
from router.demo.templates import ALL, PHRASES

MAX_CONVERSATIONS: Final = 100_000
MAX_MESSAGES: Final = 10
_TOKEN: Final = re.compile(r"TN-\d{6}")
_REPLY_MARK: Final = re.compile(r"RP-\d{6}")

_BURST_EVERY_S: Final = 15.0
_BURST_S: Final = 2.0
_BURST_FACTOR: Final = 3.0
_SHARE_OF_MORE: Final = 0.2
_SHARE_OF_LATER: Final = 0.15
_CUSTOMERS: Final = (
    *("anna.smith", "oliver.jones", "priya.patel", "tom.wilson", "maria.rossi", "george.brown", "zoe.clark"),
    *("seoyeon.kim", "minjun.lee", "jiho.park", "yejin.choi", "donghyun.jung", "suji.kang", "taeyang.yoon"),
)


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One thread: when it begins, and what the customer will do in it. ``more`` holds the pauses before further
    messages; ``writes_later``: he comes back when his case was resolved."""

    number: int
    at_s: float
    channel: str
    customer: str
    template: Template
    more: tuple[float, ...] = ()
    writes_later: bool = False

    @property
    def thread(self) -> str:
        return f"thread-{self.number:05d}"


def schedule(*, seed: int, seconds: float, rate: float, channels: Sequence[str]) -> tuple[Conversation, ...]:
    """The conversations of a run, in order of their beginning; about ``rate`` first messages a second, more in
    bursts and less between them."""
    random = Random(f"traffic {seed}")  # noqa: S311 - nothing secret hangs on it
    found = []
    for number, at_s in enumerate(_beginnings(random, seconds, rate)):
        has_more = random.random() < _SHARE_OF_MORE
        found.append(
            Conversation(
                number=number,
                at_s=at_s,
                channel=channels[number % len(channels)],
                customer=f"{random.choice(_CUSTOMERS)}.{number}",
                template=random.choice(ALL),
                more=(random.uniform(0.2, 2.5),) if has_more else (),
                writes_later=random.random() < _SHARE_OF_LATER,
            )
        )
    return tuple(found)


def token(conversation: int, message: int) -> str:
    """The name of a conversation's nth message, counted from 0."""
    assert conversation < MAX_CONVERSATIONS, "a token has five digits for the conversation"
    assert message < MAX_MESSAGES, "a token has one digit for the message"
    return f"TN-{conversation:05d}{message}"


def tokens(text: str) -> tuple[str, ...]:
    """All tokens in a text, in their order, each once."""
    return tuple(dict.fromkeys(found.group() for found in _TOKEN.finditer(text)))


def reply_mark(number: int) -> str:
    """The name of an advisor's reply, which stands in its text."""
    return f"RP-{number:06d}"


def reply_marks(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_REPLY_MARK.findall(text)))


def opening(conversation: Conversation) -> str:
    return conversation.template.text.format(token=token(conversation.number, 0))


def further(conversation: Conversation, message: int, phrases: Sequence[str]) -> str:
    """A later message of the conversation, out of the phrases for its occasion."""
    return phrases[(conversation.number + message) % len(phrases)].format(token=token(conversation.number, message))


def phrases_of(conversation: Conversation, occasion: str) -> tuple[str, ...]:
    """``more``, ``answers`` or ``later``, in the customer's language."""
    found: tuple[str, ...] = getattr(PHRASES[conversation.template.language], occasion)
    return found


def _beginnings(random: Random, seconds: float, rate: float) -> Iterator[float]:
    """Poisson arrivals whose rate is higher in bursts, lower between them, and ``rate`` on the whole."""
    in_bursts = _BURST_FACTOR * _BURST_S / _BURST_EVERY_S
    between = (1 - in_bursts) / (1 - _BURST_S / _BURST_EVERY_S)
    at_s = 0.0
    for _ in range(MAX_CONVERSATIONS):
        is_burst = at_s % _BURST_EVERY_S >= _BURST_EVERY_S / 2 - _BURST_S / 2
        is_burst = is_burst and at_s % _BURST_EVERY_S < _BURST_EVERY_S / 2 + _BURST_S / 2
        at_s += random.expovariate(rate * (_BURST_FACTOR if is_burst else between))
        if at_s >= seconds:
            return
        yield at_s
