"""The notifier ``slack_app``: notices as messages of a Slack app, with buttons that act for the advisor who clicks.

Slack: "chat.postMessage", "Verifying requests from Slack", "Handling user interaction", "Block Kit". The app needs the
scope ``chat:write``, and ``im:write`` to write to people; its interactivity request URL is this notifier's base URL.
A click is answered at once; the act is done in the API with a notifier's key, and then the message is changed. Slack
knows no repeats of a message: after a crash in the middle of a post the same one may stand there twice.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from aiohttp import web

from channels.kit.failures import NoAnswer, Unreachable
from channels.kit.provider_call import ProviderCall, RawAnswer
from channels.notify import slack
from channels.notify.cards import Links, names_of
from channels.notify.headlines import Language
from channels.notify.slack_app_options import SlackAppOptions
from channels.notify.slack_clicks import Clicks
from channels.notify.wording import Line, Naming
from router.runtime.errors import SendLater
from router.runtime.notifiers import Bulletin, Notifier, NotifierHost, OpenNotifier, Target
from router.runtime.plugins import SendResult, failed, sent

NAME: Final = "slack_app"
TAKE: Final = "take"
SNOOZE: Final = "snooze"
OPEN: Final = "open"
# What Slack may mend by itself, or the operator without that anybody asks for the notice again.
_PASSING: Final = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"})
_LABELS: Final[dict[Language, dict[str, str]]] = {
    "en": {TAKE: "Take it", SNOOZE: "Snooze"},
    "ko": {TAKE: "담당하기", SNOOZE: "나중에 알림"},
}
_ENCODER: Final = msgspec.json.Encoder()


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a button stands for: Slack brings it back, signed."""

    target: str
    case: str


class _Answer(msgspec.Struct, frozen=True, kw_only=True):
    ok: bool
    error: str = ""
    ts: str = ""


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def message(told: Bulletin, options: SlackAppOptions, naming: Naming = str) -> dict[str, object]:
    """``text`` and ``blocks``: of a single notice with its buttons, of several a line with one button each."""
    said, links = options.words(told, naming), options.links()
    blocks = slack.opening(said)
    if said.lines:
        rows = slack.listed(said, links)
        blocks += [_with_button(row, line, told.target, options) for row, line in zip(rows, said.lines, strict=False)]
        blocks += rows[len(said.lines) :]
    else:
        blocks.append({"type": "actions", "elements": _buttons(told, options, links)})
    return {"text": slack.escaped(said.title, slack.MAX_TEXT), "blocks": blocks}


def _buttons(told: Bulletin, options: SlackAppOptions, links: Links) -> list[dict[str, object]]:
    case = told.first.case
    buttons = [_button(action, told.target, case, options) for action in (TAKE, SNOOZE)]
    if (url := links.to(case)) is not None:
        text = {"type": "plain_text", "text": links.label}
        buttons.append({"type": "button", "action_id": OPEN, "text": text, "url": url})
    return buttons


def _with_button(row: dict[str, object], line: Line, target: str, options: SlackAppOptions) -> dict[str, object]:
    return {**row, "accessory": _button(TAKE, target, line.case, options)}


def _button(action: str, target: str, case: str, options: SlackAppOptions) -> dict[str, object]:
    value = _ENCODER.encode(Choice(target=target, case=case)).decode()
    text = {"type": "plain_text", "text": _LABELS[options.language][action]}
    return {"type": "button", "action_id": action, "text": text, "value": value}


class SlackApp:
    """The notifier, before it works for any target."""

    name = NAME

    def options_type(self) -> type[SlackAppOptions]:
        return SlackAppOptions

    async def open(self, targets: Sequence[Target[SlackAppOptions]], host: NotifierHost) -> OpenNotifier:
        return OpenSlackApp({target.id: target.options for target in targets}, host)


class OpenSlackApp:
    """The notifier at work."""

    def __init__(self, targets: Mapping[str, SlackAppOptions], host: NotifierHost) -> None:
        self._targets = targets
        self._host = host
        self._clicks = Clicks(targets, host)

    async def send(self, bulletin: Bulletin) -> SendResult:
        """Post to the one whom it is for, by his member id in the roster; else to the target's channel. Failed if there
        is neither, or Slack says so for good. Raises ``SendLater``."""
        options = self._targets.get(bulletin.target)
        if options is None:
            return failed("there is no such target")
        channel = self._channel(bulletin, options)
        if not channel:
            return failed("nobody whom it is for has a `slack_app` contact in the roster, and the target no `channel`")
        call = ProviderCall(self._host.http, api="Slack API", timeout_s=options.timeout_s)
        headers = {"Authorization": f"Bearer {options.token.reveal()}"}
        posted = {"channel": channel, **message(bulletin, options, names_of(self._host))}
        try:
            answer = await call.post(f"{options.api_url}/chat.postMessage", posted, headers=headers)
        except Unreachable:
            raise SendLater("Slack did not answer") from None
        except NoAnswer:
            raise SendLater("Slack did not answer", may_have_arrived=True) from None
        return _result(answer)

    def _channel(self, bulletin: Bulletin, options: SlackAppOptions) -> str:
        for advisor in bulletin.staff:
            member = self._host.member(advisor)
            if member is not None and member.address:
                return member.address
        return options.channel

    async def asked(self, request: web.Request) -> web.StreamResponse:
        """A click, as Slack posts it."""
        return await self._clicks.asked(request)

    async def close(self, within_s: float) -> None:
        """Let acts that were asked for end."""
        await self._clicks.close(within_s)


def _result(answer: RawAnswer) -> SendResult:
    if answer.status == 429 or answer.status >= 500:
        raise SendLater(f"Slack answered {answer.status}", answer.retry_after_s)
    try:
        said = _ANSWER.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise SendLater("Slack's answer can't be read", may_have_arrived=True) from None
    if said.ok:
        return sent(said.ts or None)
    if said.error in _PASSING:
        raise SendLater(f"Slack says {said.error}", answer.retry_after_s)
    return failed(f"Slack says {said.error[:100] or answer.status}")


def notifier() -> Notifier[SlackAppOptions]:
    """The entry point's factory."""
    return SlackApp()
