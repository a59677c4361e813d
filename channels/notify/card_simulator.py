"""The stand-ins of Slack's and Teams' incoming webhooks: they take a card as strictly as the products' pages say."""

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from channels.kit.simulating import Desk, Port, busy, gone
from channels.notify import slack

_ESCAPED: Final = re.compile(
    r"(?:[^&<>]|&(?:amp|lt|gt);|<https?://[^<>|\s]+\|(?:[^&<>|]|&(?:amp|lt|gt);)*>)*", re.DOTALL
)
_MAX_TEAMS_BYTES: Final = 28 * 1024
_MAX_SLACK_BYTES: Final = 128 * 1024


class _Posted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Members that the products don't know are refused here: a misspelt one would be dropped silently there."""


Text = Annotated[str, Meta(min_length=1, max_length=slack.MAX_TEXT)]


class Markdown(_Posted, frozen=True):
    type: Literal["mrkdwn"]
    text: Text

    def __post_init__(self) -> None:
        if _ESCAPED.fullmatch(self.text) is None:
            raise ValueError("&, < and > must be escaped")


class Field(Markdown, frozen=True):
    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.text) > slack.MAX_FIELD:
            raise ValueError(f"a field has at most {slack.MAX_FIELD} characters")


class Section(_Posted, frozen=True, tag="section"):
    text: Markdown
    fields: Annotated[tuple[Field, ...], Meta(min_length=1, max_length=slack.MAX_FIELDS)] | None = None


class PlainText(_Posted, frozen=True):
    type: Literal["plain_text"]
    text: Annotated[str, Meta(min_length=1, max_length=75)]


Link = Annotated[str, Meta(pattern=r"^https?://\S+$", max_length=3_000)]


class SlackMessage(_Posted, frozen=True):
    """Without buttons: Slack takes them, but warns whoever clicks one, since an incoming webhook answers no click."""

    text: Text
    blocks: Annotated[tuple[Section, ...], Meta(min_length=1, max_length=50)]


class TextBlock(_Posted, frozen=True, tag="TextBlock"):
    text: Text
    weight: Literal["Default", "Bolder", "Lighter"]
    size: Literal["Default", "Small", "Medium", "Large", "ExtraLarge"]
    wrap: bool


class Fact(_Posted, frozen=True):
    title: Annotated[str, Meta(min_length=1)]
    value: Annotated[str, Meta(min_length=1)]


class FactSet(_Posted, frozen=True, tag="FactSet"):
    facts: Annotated[tuple[Fact, ...], Meta(min_length=1)]


class OpenUrl(_Posted, frozen=True, tag="Action.OpenUrl"):
    title: Annotated[str, Meta(min_length=1)]
    url: Link


class AdaptiveCard(_Posted, frozen=True, tag="AdaptiveCard"):
    schema: Annotated[str, Meta(pattern="adaptive-card")] = msgspec.field(name="$schema")
    version: Literal["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]
    body: Annotated[tuple[TextBlock | FactSet, ...], Meta(min_length=1)]
    fallback_text: str = msgspec.field(name="fallbackText", default="")
    actions: tuple[OpenUrl, ...] = ()


class CardAttachment(_Posted, frozen=True):
    content_type: Literal["application/vnd.microsoft.card.adaptive"] = msgspec.field(name="contentType")
    content: AdaptiveCard
    content_url: None = msgspec.field(name="contentUrl")


class TeamsMessage(_Posted, frozen=True, tag="message"):
    attachments: Annotated[tuple[CardAttachment, ...], Meta(min_length=1, max_length=10)]


M = TypeVar("M", SlackMessage, TeamsMessage)


class CardSimulator(Desk[M], Generic[M]):
    """One channel of a team. ``start``, then a service whose target has the options it returned."""

    def __init__(self, kind: type[M], *, max_bytes: int, yes: Callable[[], web.Response]) -> None:
        super().__init__()
        self._decoder: msgspec.json.Decoder[M] = msgspec.json.Decoder(kind)
        self._max_bytes = max_bytes
        self._yes = yes
        self._port = Port()
        self._path = f"/hooks/{secrets.token_urlsafe(16)}"

    @property
    def url(self) -> str:
        """Where it takes cards, once started; the same after another start."""
        return f"{self._port.url}{self._path}"

    async def start(self) -> Mapping[str, Any]:
        """Listen, on the port of the last time if there was one; return options for a target."""
        app = web.Application()
        app.router.add_post("/{path:.*}", self._take)
        self.open()
        await self._port.open(app)
        return {"url": self.url, "allow_private": True}

    async def stop(self) -> None:
        """Be gone, with what is left hanging. Repeating it does nothing."""
        self.close()
        await self._port.close()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        return await self.mistreated(request, self._taken, refused=gone, busy=busy)

    async def _taken(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.path != self._path:
            return self.refuse(404, "no such channel")
        if request.content_type != "application/json":
            return self.refuse(400, "the content type is not application/json")
        if len(body) > self._max_bytes:
            return self.refuse(413, "the card is too large")
        try:
            self.arrived.put_nowait(self._decoder.decode(body))
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            return self.refuse(400, f"not a card: {exc}")
        return self._yes()


def slack_simulator() -> CardSimulator[SlackMessage]:
    """A channel of Slack."""
    return CardSimulator(SlackMessage, max_bytes=_MAX_SLACK_BYTES, yes=lambda: web.Response(text="ok"))


def teams_simulator() -> CardSimulator[TeamsMessage]:
    """A channel of Teams, behind a workflow."""
    return CardSimulator(TeamsMessage, max_bytes=_MAX_TEAMS_BYTES, yes=lambda: web.Response(status=202))
