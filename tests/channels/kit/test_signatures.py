import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.kit import signatures as s
from channels.kit.signatures import Received, Refusal, Scheme, sign, standard_headers, standard_secret, verify

# Vectors that the providers publish themselves.
STANDARD_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
STANDARD_BODY = b'{"test": 2432232314}'
STANDARD_AT = 1614265330
STANDARD_SIGNED = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(STANDARD_AT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
SLACK_BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name="
    b"foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2F"
    b"hooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id="
    b"398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SLACK_AT = 1531420618
SLACK_SIGNED = {
    "X-Slack-Request-Timestamp": str(SLACK_AT),
    "X-Slack-Signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
}
TWILIO_FORM = b"CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
GITHUB_BODY = b"Hello, World!"  # the form that Meta uses too

SECRET = b"It's a Secret to Everybody"
NOW_MS = 1_700_000_000_000


def received(headers: dict[str, str] | list[tuple[str, str]], body: bytes, **more: str) -> Received:
    pairs = list(headers.items()) if isinstance(headers, dict) else headers
    return Received(headers=tuple(pairs), body=body, **more)


@pytest.mark.parametrize(
    ("scheme", "secret", "request_", "now_ms"),
    [
        pytest.param(
            s.STANDARD,
            standard_secret(STANDARD_SECRET),
            received(STANDARD_SIGNED, STANDARD_BODY),
            STANDARD_AT * 1000,
            id="standard-webhooks",
        ),
        pytest.param(
            s.SLACK,
            b"8f742231b10e8888abcd99yyyzzz85a5",
            received(SLACK_SIGNED, SLACK_BODY),
            SLACK_AT * 1000,
            id="slack",
        ),
        pytest.param(
            s.META,
            SECRET,
            received(
                {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"},
                GITHUB_BODY,
            ),
            0,
            id="meta",
        ),
        pytest.param(
            s.TWILIO,
            b"12345",
            received({"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, TWILIO_FORM, url=TWILIO_URL),
            0,
            id="twilio",
        ),
        pytest.param(
            s.TELEGRAM,
            b"a-token_1",
            received({"X-Telegram-Bot-Api-Secret-Token": "a-token_1"}, b"{}"),
            0,
            id="telegram",
        ),
    ],
)
def test_a_published_vector_is_accepted_and_refused_with_another_secret(
    scheme: Scheme, secret: bytes, request_: Received, now_ms: int
) -> None:
    assert verify(scheme, [secret], request_, now_ms=now_ms) is None
    assert verify(scheme, [secret + b"x"], request_, now_ms=now_ms) is Refusal.WRONG
    assert verify(scheme, [b"other", secret], request_, now_ms=now_ms) is None
    assert verify(scheme, [], request_, now_ms=now_ms) is Refusal.WRONG


def _hmac(hash_: str, *parts: bytes) -> bytes:
    return hmac.new(SECRET, b"".join(parts), getattr(hashlib, hash_)).digest()


BODY = b'{"a": 1}'
URL = "https://desk.example/hook"
AT_TEXT = "2023-11-14T22:13:20Z"  # NOW_MS


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    ("scheme", "headers"),
    [
        pytest.param(s.X, {"x-twitter-webhooks-signature": "sha256=" + _b64(_hmac("sha256", BODY))}, id="x"),
        pytest.param(s.LINE, {"X-Line-Signature": _b64(_hmac("sha256", BODY))}, id="line"),
        pytest.param(
            s.ZENDESK,
            {
                "X-Zendesk-Webhook-Signature": _b64(_hmac("sha256", AT_TEXT.encode(), BODY)),
                "X-Zendesk-Webhook-Signature-Timestamp": AT_TEXT,
            },
            id="zendesk",
        ),
        pytest.param(s.INTERCOM, {"X-Hub-Signature": "sha1=" + _hmac("sha1", BODY).hex()}, id="intercom"),
        pytest.param(
            s.HUBSPOT,
            {
                "X-HubSpot-Signature-v3": _b64(_hmac("sha256", b"POST", URL.encode(), BODY, str(NOW_MS).encode())),
                "X-HubSpot-Request-Timestamp": str(NOW_MS),
            },
            id="hubspot",
        ),
        pytest.param(s.HELP_SCOUT, {"X-HelpScout-Signature": _b64(_hmac("sha1", BODY))}, id="help-scout"),
        pytest.param(s.JIRA, {"X-Hub-Signature": "sha256=" + _hmac("sha256", BODY).hex()}, id="jira"),
        pytest.param(s.TEAMS_OUTGOING, {"Authorization": "HMAC " + _b64(_hmac("sha256", BODY))}, id="teams"),
    ],
)
def test_each_provider_signs_as_its_manual_says(scheme: Scheme, headers: dict[str, str]) -> None:
    assert verify(scheme, [SECRET], received(headers, BODY, url=URL), now_ms=NOW_MS) is None
    changed = received(headers, BODY + b" ", url=URL)
    assert verify(scheme, [SECRET], changed, now_ms=NOW_MS) is Refusal.WRONG


GOOD = standard_headers([SECRET], id_="m1", now_ms=NOW_MS, body=BODY)


def _with(**changes: str | None) -> Received:
    headers = {**GOOD, **{name.replace("_", "-"): value for name, value in changes.items() if value is not None}}
    return received(
        {name: value for name, value in headers.items() if changes.get(name.replace("-", "_"), "") is not None}, BODY
    )


@pytest.mark.parametrize(
    ("request_", "refusal"),
    [
        (_with(), None),
        (_with(webhook_signature=None), Refusal.MISSING),
        (_with(webhook_timestamp=None), Refusal.MISSING),
        (_with(webhook_id=None), Refusal.MISSING),
        (_with(webhook_id="m2"), Refusal.WRONG),
        (_with(webhook_signature=""), Refusal.MALFORMED),
        (_with(webhook_signature="v2," + "A" * 44), Refusal.MALFORMED),
        (_with(webhook_signature="v1,가나다"), Refusal.MALFORMED),
        (_with(webhook_signature="v1,not base64!"), Refusal.MALFORMED),
        (_with(webhook_signature="v1,AAAA"), Refusal.WRONG),
        (_with(webhook_signature="v1," + "AAAA" * 1000), Refusal.WRONG),
        (_with(webhook_timestamp="NaN"), Refusal.MALFORMED),
        (_with(webhook_timestamp="inf"), Refusal.MALFORMED),
        (_with(webhook_timestamp="1e9"), Refusal.MALFORMED),
        (_with(webhook_timestamp="-1"), Refusal.MALFORMED),
        (_with(webhook_timestamp="1_700_000_000"), Refusal.MALFORMED),
        (_with(webhook_timestamp="１７００００００００"), Refusal.MALFORMED),
        (_with(webhook_timestamp="9" * 400), Refusal.MALFORMED),
        (_with(webhook_timestamp=""), Refusal.MALFORMED),
        (_with(webhook_timestamp="1700000001"), Refusal.WRONG),
        (_with(webhook_timestamp="1600000000"), Refusal.OUT_OF_TIME),
        (received([*GOOD.items(), ("Webhook-Signature", GOOD["webhook-signature"])], BODY), Refusal.DOUBLED),
        (received([*GOOD.items(), ("WEBHOOK-TIMESTAMP", "1")], BODY), Refusal.DOUBLED),
        (received(GOOD, b"\xff\xfe not UTF-8"), Refusal.WRONG),
        (received({}, b""), Refusal.MISSING),
    ],
)
def test_what_is_wrong_is_a_refusal_and_never_an_exception(request_: Received, refusal: Refusal | None) -> None:
    assert verify(s.STANDARD, [SECRET], request_, now_ms=NOW_MS) is refusal


@pytest.mark.parametrize(
    ("late_s", "refusal"),
    [(300, None), (-300, None), (301, Refusal.OUT_OF_TIME), (-301, Refusal.OUT_OF_TIME)],
)
def test_a_replay_is_refused_after_the_tolerance_and_so_is_the_future(late_s: int, refusal: Refusal | None) -> None:
    assert verify(s.STANDARD, [SECRET], _with(), now_ms=NOW_MS + late_s * 1000) is refusal


def test_a_body_that_is_no_text_can_be_signed() -> None:
    body = b"\xff\xfe\x00"
    headers = standard_headers([SECRET], id_="m1", now_ms=NOW_MS, body=body)
    assert verify(s.STANDARD, [SECRET], received(headers, body), now_ms=NOW_MS) is None


def test_secrets_are_exchanged_without_a_gap() -> None:
    old, new = b"o" * 32, b"n" * 32
    both = standard_headers([new, old], id_="m1", now_ms=NOW_MS, body=BODY)
    for accepted in ([old], [new], [new, old]):
        assert verify(s.STANDARD, accepted, received(both, BODY), now_ms=NOW_MS) is None
    only_old = standard_headers([old], id_="m1", now_ms=NOW_MS, body=BODY)
    assert verify(s.STANDARD, [new, old], received(only_old, BODY), now_ms=NOW_MS) is None
    assert verify(s.STANDARD, [new], received(only_old, BODY), now_ms=NOW_MS) is Refusal.WRONG


def test_unknown_versions_are_passed_over_but_not_without_end() -> None:
    right = GOOD["webhook-signature"]
    assert verify(s.STANDARD, [SECRET], _with(webhook_signature=f"v2,xyz v1a,abc {right}"), now_ms=NOW_MS) is None
    flood = " ".join(["v1," + "A" * 44] * 50 + [right])
    assert verify(s.STANDARD, [SECRET], _with(webhook_signature=flood), now_ms=NOW_MS) is Refusal.WRONG


@pytest.mark.parametrize("body", [b"a=%FF%FE", b"a", b"\xff", b"&".join(b"a=1" for _ in range(1001))])
def test_a_form_that_is_none_is_refused(body: bytes) -> None:
    refusal = verify(s.TWILIO, [SECRET], received({"X-Twilio-Signature": "AAAA"}, body, url=URL), now_ms=NOW_MS)
    assert refusal in (Refusal.MALFORMED, Refusal.WRONG)


def test_what_we_sign_is_what_the_vector_says() -> None:
    parts = {
        s.Part.ID: STANDARD_SIGNED["webhook-id"].encode(),
        s.Part.TIMESTAMP: str(STANDARD_AT).encode(),
        s.Part.BODY: STANDARD_BODY,
    }
    assert sign(s.STANDARD, [standard_secret(STANDARD_SECRET)], parts) == STANDARD_SIGNED["webhook-signature"]


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "whsec_한국", "x" * 31, "whsec_" + "A" * 400])
def test_a_bad_secret_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ValueError, match="24 to 64 bytes") as caught:
        standard_secret(text)
    assert len(text) < 7 or text not in str(caught.value)


@given(
    st.sampled_from([value for value in vars(s).values() if isinstance(value, Scheme)]),
    st.lists(st.tuples(st.text(), st.text()), max_size=3),
    st.text(),
    st.binary(),
)
def test_no_request_makes_the_verifier_raise(
    scheme: Scheme, others: list[tuple[str, str]], value: str, body: bytes
) -> None:
    headers = [*others, (scheme.header, scheme.prefix + value)]
    headers += [(name, value) for name in (scheme.timestamp_header, scheme.id_header) if name]
    assert verify(scheme, [SECRET], received(headers, body), now_ms=NOW_MS) is not None
