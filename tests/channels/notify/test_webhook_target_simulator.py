"""The stand-in refuses what the notifier's page doesn't promise, so that a sound run proves something."""

from collections.abc import AsyncIterator, Callable, Mapping

import aiohttp
import msgspec
import pytest

from channels.kit.signatures import standard_headers, standard_secret
from channels.notify.webhook import document
from channels.notify.webhook_simulator import WebhookTargetSimulator
from router.runtime.clock import ManualClock
from router.runtime.simulators import Misbehaviour
from tests.suites.notices import told

SOUND = document(told())
JSON = {"Content-Type": "application/json"}

Change = Callable[[Mapping[str, str]], Mapping[str, str]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def desk(clock: ManualClock) -> AsyncIterator[WebhookTargetSimulator]:
    made = WebhookTargetSimulator(clock)
    await made.start()
    yield made
    await made.stop()


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> int:
    async with aiohttp.ClientSession() as client, client.post(url, data=body, headers=headers) as response:
        return response.status


def signed(desk: WebhookTargetSimulator, clock: ManualClock, body: bytes, *, id_: str = "n1") -> dict[str, str]:
    keys = [standard_secret(desk.secret)]
    return standard_headers(keys, id_=id_, now_ms=clock.now_ms(), body=body) | JSON


def changed(**fields: object) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(SOUND) | fields)


def without(field: str) -> bytes:
    whole = msgspec.json.decode(SOUND)
    del whole[field]
    return msgspec.json.encode(whole)


async def test_a_sound_notice_arrives_once(desk: WebhookTargetSimulator, clock: ManualClock) -> None:
    for _ in range(2):
        assert await post(desk.url, SOUND, signed(desk, clock, SOUND)) == 204
    arrived = desk.arrived.get_nowait()
    assert (arrived.id, arrived.case, arrived.kind) == ("n1", "c1", "step")
    assert desk.arrived.empty()
    assert desk.duplicates == {"n1": 1}
    assert desk.refusals == []


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda headers: headers | {"webhook-signature": "v1," + "A" * 43 + "="}, "signature wrong"),
        (lambda headers: headers | {"webhook-signature": "v1,~"}, "signature malformed"),
        (lambda headers: headers | {"webhook-signature": headers["webhook-signature"][3:]}, "signature malformed"),
        (lambda headers: headers | {"webhook-id": "n2"}, "signature wrong"),
        (lambda headers: headers | {"webhook-timestamp": "NaN"}, "signature malformed"),
        (lambda headers: headers | {"webhook-timestamp": "1"}, "signature out-of-time"),
        (lambda headers: {k: v for k, v in headers.items() if k != "webhook-signature"}, "signature missing"),
        (lambda headers: {k: v for k, v in headers.items() if k != "webhook-id"}, "signature missing"),
        (lambda headers: {k: v for k, v in headers.items() if k != "webhook-timestamp"}, "signature missing"),
    ],
)
async def test_a_wrong_signature_is_refused(
    desk: WebhookTargetSimulator, clock: ManualClock, change: Change, why: str
) -> None:
    assert await post(desk.url, SOUND, change(signed(desk, clock, SOUND))) == 401
    assert desk.refusals == [why]
    assert desk.arrived.empty()


async def test_another_secret_is_refused(desk: WebhookTargetSimulator, clock: ManualClock) -> None:
    stranger = WebhookTargetSimulator(clock)
    assert await post(desk.url, SOUND, signed(stranger, clock, SOUND)) == 401


async def test_an_old_request_is_refused(desk: WebhookTargetSimulator, clock: ManualClock) -> None:
    headers = signed(desk, clock, SOUND)
    await clock.advance_ms(302_000)
    assert await post(desk.url, SOUND, headers) == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        SOUND[:-1],
        SOUND.replace(b"billing", b"\xff\xfe"),
        changed(type="reply"),
        changed(case=""),
        changed(case=7),
        changed(priority=0),
        changed(step=-1),
        changed(at="yesterday"),
        changed(due_at=1_760_000_000),
        changed(staff="kim"),
        changed(text="what the customer wrote"),
        changed(id="n2"),
        *(without(field) for field in ("type", "id", "summary", "target", "pool", "case", "at", "due_at", "staff")),
    ],
)
async def test_a_wrong_payload_is_refused(desk: WebhookTargetSimulator, clock: ManualClock, body: bytes) -> None:
    assert await post(desk.url, body, signed(desk, clock, body)) == 400
    assert len(desk.refusals) == 1
    assert desk.arrived.empty()


async def test_other_content_is_refused(desk: WebhookTargetSimulator, clock: ManualClock) -> None:
    headers = signed(desk, clock, SOUND) | {"Content-Type": "text/plain"}
    assert await post(desk.url, SOUND, headers) == 415


async def test_too_much_is_refused(desk: WebhookTargetSimulator, clock: ManualClock) -> None:
    body = changed(summary="x" * 70_000)
    assert await post(desk.url, body, signed(desk, clock, body)) == 413


@pytest.mark.parametrize(("way", "status"), [(Misbehaviour.REFUSE, 410), (Misbehaviour.BUSY, 503)])
async def test_it_says_no_when_told_to(
    desk: WebhookTargetSimulator, clock: ManualClock, way: Misbehaviour, status: int
) -> None:
    desk.misbehave([way])
    assert await post(desk.url, SOUND, signed(desk, clock, SOUND)) == status
    assert desk.arrived.empty()
    assert await post(desk.url, SOUND, signed(desk, clock, SOUND)) == 204


@pytest.mark.parametrize(("way", "taken"), [(Misbehaviour.CUT_BEFORE, 0), (Misbehaviour.CUT_AFTER, 1)])
async def test_it_cuts_the_line_when_told_to(
    desk: WebhookTargetSimulator, clock: ManualClock, way: Misbehaviour, taken: int
) -> None:
    desk.misbehave([way])
    with pytest.raises(aiohttp.ClientError):
        await post(desk.url, SOUND, signed(desk, clock, SOUND))
    assert desk.arrived.qsize() == taken
