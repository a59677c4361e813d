"""What becomes of a click on a button in Slack: checked, done in the API for whoever clicked, shown in the message."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

import msgspec
from aiohttp import web

from channels.kit.failures import NoAnswer, Unreachable
from channels.kit.limits import read_body
from channels.kit.problems import Refused, malformed, not_authentic
from channels.kit.provider_call import ProviderCall
from channels.kit.requests import received
from channels.kit.signatures import SLACK, verify
from channels.notify.headlines import Language
from channels.notify.slack import escaped
from channels.notify.slack_app_options import SlackAppOptions
from router.runtime.notifiers import NotifierHost

LOG = logging.getLogger(__name__)

MAX_BYTES: Final = 256 * 1024
AT_ONCE: Final = 32
_ACTS: Final = frozenset({"take", "snooze"})
_TRIES: Final = 3
_PAUSE_S: Final = 1.0
_WHY: Final = {401: "refused", 403: "refused", 409: "gone"}
_SLACK_HOST: Final = "hooks.slack.com"
_TEXT: Final = 200
_SAID: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "take": "Taken by {who}.",
        "snooze": "Put off by {who}.",
        "stranger": "You are not in Turnout's roster under this Slack account.",
        "gone": "That is not possible any more: somebody else has the case, it does not wait, or you are not online, "
        "have no room or must not have it.",
        "failed": "Turnout could not do that just now. Please try again.",
        "refused": "Turnout does not let its Slack app do that. Please tell whoever runs it: `acts_key` is wrong.",
    },
    "ko": {
        "take": "{who} 님이 담당합니다.",
        "snooze": "{who} 님이 다음 알림을 미뤘습니다.",
        "stranger": "이 Slack 계정은 Turnout 명단에 없습니다.",
        "gone": "지금은 할 수 없습니다. 이미 다른 상담사가 맡았거나, 본인이 오프라인이거나, 여유가 없거나, "
        "배정에서 제외되었습니다.",
        "failed": "Turnout에서 처리하지 못했습니다. 다시 시도해 주세요.",
        "refused": "Turnout이 Slack 앱의 요청을 거부했습니다. 운영 담당자에게 `acts_key` 확인을 요청해 주세요.",
    },
}


class _Choice(msgspec.Struct, frozen=True):
    target: str
    case: str


class _User(msgspec.Struct, frozen=True):
    id: str


class _Action(msgspec.Struct, frozen=True):
    action_id: str = ""
    action_ts: str = ""
    value: str = ""


class _Message(msgspec.Struct, frozen=True):
    text: str = ""
    blocks: list[dict[str, Any]] = []


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """As much of Slack's payload as is looked at."""

    type: str
    user: _User
    actions: list[_Action] = []
    response_url: str = ""
    message: _Message = _Message()


_PAYLOAD: Final = msgspec.json.Decoder(Interaction)
_CHOICE: Final = msgspec.json.Decoder(_Choice)


class Clicks:
    """Takes clicks, at most ``AT_ONCE`` under way; more are refused for now, and Slack tells the one who clicked."""

    def __init__(self, targets: Mapping[str, SlackAppOptions], host: NotifierHost) -> None:
        self._targets = targets
        self._host = host
        self._secrets = [key.reveal().encode() for one in targets.values() for key in one.signing_secrets]
        self._under_way: set[asyncio.Task[None]] = set()

    async def asked(self, request: web.Request) -> web.Response:
        """200 for what is Slack's, with what is to be done begun; a problem for anything else."""
        try:
            clicked = await self._read(request)
            self._begin(clicked)
        except Refused as exc:
            return exc.answer()
        return web.Response()

    async def close(self, within_s: float) -> None:
        """Let what is under way end."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=within_s)
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _read(self, request: web.Request) -> Interaction:
        body = await read_body(request, max_bytes=MAX_BYTES)
        refusal = verify(SLACK, self._secrets, received(request, body), now_ms=self._host.clock.now_ms())
        if refusal is not None:
            LOG.info("a click is refused: %s", refusal, extra={"event": "slack_app.refused"})
            raise not_authentic()
        try:
            (payload,) = parse_qs(body.decode(), strict_parsing=True, max_num_fields=10)["payload"]
            return _PAYLOAD.decode(payload)
        except (ValueError, KeyError, msgspec.DecodeError, RecursionError):
            raise malformed("That is no interaction of Slack.") from None

    def _begin(self, clicked: Interaction) -> None:
        if clicked.type != "block_actions":
            return
        for action in clicked.actions[:1]:
            if action.action_id not in _ACTS:
                return  # a link was opened: Slack wants an answer, nothing more
            try:
                choice = _CHOICE.decode(action.value)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise malformed("That is no button of this app.") from None
            if choice.target not in self._targets:
                raise malformed("That is a button of a target that is gone.")
            if len(self._under_way) >= AT_ONCE:
                raise Refused(503, "Too many clicks at once.", retry_after_s=1.0)
            task = asyncio.create_task(self._act(clicked, action, choice), name="slack-click")
            self._under_way.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            LOG.error("a click failed", exc_info=error, extra={"event": "slack_app.error"})

    # -- one click

    async def _act(self, clicked: Interaction, action: _Action, choice: _Choice) -> None:
        options = self._targets[choice.target]
        member = self._host.whose(clicked.user.id)
        if member is None:
            await self._whisper(clicked, options, "stranger")
            return
        status = await self._ask(options, choice.case, action, advisor=member.id, user=clicked.user.id)
        if status in (200, 202):
            who = member.name or member.id
            line = _SAID[options.language][action.action_id].format(who=who)
            await self._answer(clicked, options, _changed(clicked.message, action.value, line))
        else:
            await self._whisper(clicked, options, _WHY.get(status, "failed"))

    async def _ask(self, options: SlackAppOptions, case: str, action: _Action, *, advisor: str, user: str) -> int:
        """The API's answer: its status, 0 for none. The same click has the same operation id, so a repeat is known."""
        call = ProviderCall(self._host.http, api="Turnout API", timeout_s=options.timeout_s)
        url = f"{options.acts_url.rstrip('/')}/v1/cases/{quote(case, safe='')}/{action.action_id}"
        headers = {
            "Authorization": f"Bearer {options.acts_key.reveal()}",
            "Turnout-On-Behalf-Of": advisor,
            "Idempotency-Key": f"slack.{action.action_ts}.{user}"[:128],
        }
        body = {"for_s": options.snooze_s} if action.action_id == "snooze" else {}
        for number in range(1, _TRIES + 1):
            try:
                answer = await call.post(url, body, headers=headers)
            except (Unreachable, NoAnswer):
                answer = None
            if answer is not None and answer.status < 500:
                if _WHY.get(answer.status) == "refused":
                    LOG.error("the API refuses acts_key: %s", answer.status, extra={"event": "slack_app.key_refused"})
                return answer.status
            if number < _TRIES:
                await self._host.clock.wait(asyncio.Event(), _PAUSE_S)
        return 0

    async def _whisper(self, clicked: Interaction, options: SlackAppOptions, what: str) -> None:
        """Tell the one who clicked, and nobody else."""
        text = _SAID[options.language][what]
        await self._answer(clicked, options, {"response_type": "ephemeral", "replace_original": False, "text": text})

    async def _answer(self, clicked: Interaction, options: SlackAppOptions, body: Mapping[str, object]) -> None:
        if not _is_slacks(clicked.response_url, options):
            LOG.warning("Slack names no address to answer at", extra={"event": "slack_app.no_address"})
            return
        call = ProviderCall(self._host.http, api="Slack", timeout_s=options.timeout_s)
        for number in range(1, _TRIES + 1):
            try:
                if (await call.post(clicked.response_url, body)).status < 500:
                    return
            except (Unreachable, NoAnswer):
                pass
            if number < _TRIES:
                await self._host.clock.wait(asyncio.Event(), _PAUSE_S)
        LOG.warning("a message in Slack isn't changed", extra={"event": "slack_app.unchanged"})


def _is_slacks(url: str, options: SlackAppOptions) -> bool:
    """Signed or not, nothing is posted to anybody else's address."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    own = urlsplit(options.api_url).netloc
    return (parts.scheme == "https" and parts.netloc == _SLACK_HOST) or (options.allow_private and parts.netloc == own)


def _changed(message: _Message, value: str, line: str) -> dict[str, object]:
    """The message without the buttons that were for this, and with what became of it."""
    note = {"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(line, _TEXT)}]}
    blocks: list[dict[str, Any]] = []
    for block in message.blocks:
        if block.get("type") == "actions":
            continue
        if isinstance(block.get("accessory"), dict) and block["accessory"].get("value") == value:
            blocks += [{name: part for name, part in block.items() if name != "accessory"}, note]
        else:
            blocks.append(block)
    if note not in blocks:
        blocks.append(note)
    return {"replace_original": True, "text": message.text, "blocks": blocks[:50]}
