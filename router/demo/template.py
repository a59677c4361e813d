"""One thing that customers write about."""

import msgspec


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """A first message of a conversation. ``text`` holds ``{token}``, which names the message, near its start: the
    service shows advisors the first 200 characters in an offer.

    ``language``, ``skills`` (with the level wanted) and ``queue`` are stated by hand.
    """

    name: str
    language: str
    skills: dict[str, int]
    queue: str
    subject: str
    text: str
