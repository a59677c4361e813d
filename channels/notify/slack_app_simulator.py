"""The stand-in of Slack for an app: takes messages as strictly as its pages say, lets people click, takes answers."""

import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

import msgspec
from aiohttp import ClientSession, web
from msgspec import Meta

from channels.kit.signatures import SLACK, Part, sign
from channels.kit.simulating import Desk, Port, busy, gone
from channels.notify.card_simulator import Field, Link, Markdown, PlainText, Text
from router.runtime.clock import Clock, SystemClock

_MAX_BYTES: Final = 128 * 1024
CHANNEL: Final = "C0SUPPORT"


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Members that Slack doesn't know are refused."""


class AppButton(_Strict, frozen=True, tag="button"):
    text: PlainText
    action_id: Annotated[str, Meta(min_length=1, max_length=255)]
    value: Annotated[str, Meta(min_length=1, max_length=2_000)] | None = None
    url: Link | None = None


class AppSection(_Strict, frozen=True, tag="section"):
    text: Markdown
    fields: Annotated[tuple[Field, ...], Meta(min_length=1, max_length=10)] | None = None
    accessory: AppButton | None = None


class AppActions(_Strict, frozen=True, tag="actions"):
    elements: Annotated[tuple[AppButton, ...], Meta(min_length=1, max_length=25)]

    def __post_init__(self) -> None:
        if len({each.action_id for each in self.elements}) < len(self.elements):
            raise ValueError("two buttons have the same action_id")


class AppContext(_Strict, frozen=True, tag="context"):
    elements: Annotated[tuple[Markdown, ...], Meta(min_length=1, max_length=10)]


Blocks = Annotated[tuple[AppSection | AppActions | AppContext, ...], Meta(min_length=1, max_length=50)]


class AppMessage(_Strict, frozen=True):
    """What ``chat.postMessage`` is given."""

    channel: Annotated[str, Meta(min_length=1)]
    text: Text
    blocks: Blocks


class Replacement(_Strict, frozen=True):
    """An answer that changes the message."""

    replace_original: Literal[True]
    text: str
    blocks: Blocks


class Whisper(_Strict, frozen=True):
    """An answer that only the one who clicked sees."""

    response_type: Literal["ephemeral"]
    replace_original: Literal[False]
    text: Text


class Shown(msgspec.Struct, kw_only=True):
    """A message as it stands in a channel; ``blocks`` as JSON would have them."""

    ts: str
    channel: str
    text: str
    blocks: list[dict[str, Any]]

    def buttons(self) -> dict[str, dict[str, Any]]:
        """Its buttons by ``action_id``; of several with the same one, the first."""
        found: dict[str, dict[str, Any]] = {}
        for block in self.blocks:
            for button in (*block.get("elements", ()), block.get("accessory")):
                if button and button.get("type") == "button":
                    found.setdefault(button["action_id"], button)
        return found


_MESSAGE: Final = msgspec.json.Decoder(AppMessage)
_ANSWERS: Final[Mapping[bool, msgspec.json.Decoder[Replacement | Whisper]]] = {
    True: msgspec.json.Decoder(Replacement),
    False: msgspec.json.Decoder(Whisper),
}


class SlackSimulator(Desk[Shown]):
    """One workspace with one app. ``start``, then a service whose target has the options it returned, then ``enter``
    with the notifier's address; members of the channel are who is named."""

    def __init__(self, members: frozenset[str] = frozenset(), clock: Clock | None = None) -> None:
        super().__init__()
        self._clock = clock or SystemClock()
        self._port = Port()
        self._token = f"xoxb-{secrets.token_hex(12)}"
        self.signing_secret: Final = secrets.token_hex(16)
        self._places = members | {CHANNEL}
        self._count = 0
        self._asked: dict[str, Shown] = {}
        self._http: ClientSession | None = None
        self._entrance = ""
        self.whispers: list[str] = []
        """What those who clicked were told by themselves."""

    async def start(self) -> Mapping[str, Any]:
        """Listen, on the port of the last time if there was one; return options for a target."""
        app = web.Application(client_max_size=_MAX_BYTES)
        app.router.add_post("/api/chat.postMessage", self._take)
        app.router.add_post("/actions/{token}", self._answered)
        self.open()
        await self._port.open(app)
        self._http = ClientSession()
        return {
            "token": self._token,
            "signing_secrets": [self.signing_secret],
            "channel": CHANNEL,
            "api_url": f"{self._port.url}/api",
            "allow_private": True,
        }

    def enter(self, base_url: str) -> None:
        """Where the app's interactivity request URL leads."""
        self._entrance = base_url

    async def stop(self) -> None:
        """Be gone, with what is left hanging. Repeating it does nothing."""
        self.close()
        await self._port.close()
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def click(self, shown: Shown, action: str, user: str, **wrong: str) -> int:
        """Somebody clicks: the status of the app's answer. ``wrong`` replaces parts of the request that Slack would
        send: ``signature``, ``timestamp``, ``payload``, ``value``."""
        button = shown.buttons()[action]
        answer_at = secrets.token_hex(8)
        self._asked[answer_at] = shown
        self._count += 1
        pressed = {"type": "button", "action_id": action, "action_ts": f"1760000000.{self._count:06}"}
        payload = {
            "type": "block_actions",
            "user": {"id": user, "username": user.lower(), "team_id": "T0"},
            "container": {"type": "message", "message_ts": shown.ts, "channel_id": shown.channel},
            "message": {"type": "message", "ts": shown.ts, "text": shown.text, "blocks": shown.blocks},
            "response_url": f"{self._port.url}/actions/{answer_at}",
            "actions": [{**pressed, "value": wrong.get("value", button.get("value", ""))}],
        }
        text = wrong.get("payload", msgspec.json.encode(payload).decode())
        body = urlencode({"payload": text}).encode()
        stamp = wrong.get("timestamp", str(self._clock.now_ms() // 1000))
        signed = sign(SLACK, [self.signing_secret.encode()], {Part.TIMESTAMP: stamp.encode(), Part.BODY: body})
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": wrong.get("signature", signed),
        }
        assert self._http is not None, "start first"
        async with self._http.post(self._entrance, data=body, headers=headers) as response:
            return response.status

    # -- what the app sends

    async def _take(self, request: web.Request) -> web.StreamResponse:
        return await self.mistreated(request, self._taken, refused=gone, busy=busy)

    async def _taken(self, request: web.Request) -> web.Response:
        body = await request.read()
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            return self._no("invalid_auth")
        if request.content_type != "application/json":
            return self._no("invalid_form_data")
        try:
            posted = _MESSAGE.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            self.refusals.append(str(exc))
            return self._no("invalid_blocks")
        if posted.channel not in self._places:
            return self._no("channel_not_found")
        self._count += 1
        blocks = msgspec.to_builtins(msgspec.json.decode(body)["blocks"])
        shown = Shown(ts=f"1760000000.{self._count:06}", channel=posted.channel, text=posted.text, blocks=blocks)
        self.arrived.put_nowait(shown)
        return web.json_response({"ok": True, "channel": posted.channel, "ts": shown.ts})

    def _no(self, error: str) -> web.Response:
        self.refusals.append(error)
        return web.json_response({"ok": False, "error": error})

    async def _answered(self, request: web.Request) -> web.Response:
        shown = self._asked.get(request.match_info["token"])
        if shown is None:
            return self.refuse(404, "no such response_url")
        body = await request.read()
        try:
            whole = msgspec.json.decode(body)
            answer = _ANSWERS[bool(whole.get("replace_original"))].decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, AttributeError) as exc:
            return self.refuse(400, f"no answer: {exc}")
        if isinstance(answer, Whisper):
            self.whispers.append(answer.text)
        else:
            shown.text, shown.blocks = answer.text, whole["blocks"]
        return web.Response(text="ok")
