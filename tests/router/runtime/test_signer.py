from pathlib import Path
from stat import S_IMODE

import pytest

from router.runtime.errors import TokenRefused
from router.runtime.secret import Secret
from router.runtime.signer import Signer, kept_key

SIGNER = Signer([Secret("a" * 32)])
OTHER = Signer([Secret("b" * 32)])


@pytest.mark.parametrize("text", ["", "x", "account/inquiry/1", "한국어 | text.with.dots", "9" * 500])
def test_a_token_gives_its_text_back(text: str) -> None:
    assert SIGNER.open("p", SIGNER.sign("p", text), now_ms=0) == text


def test_a_token_expires() -> None:
    token = SIGNER.sign("p", "x", expires_at_ms=1000)
    assert SIGNER.open("p", token, now_ms=999) == "x"
    with pytest.raises(TokenRefused, match="too old"):
        SIGNER.open("p", token, now_ms=1000)


def _tampered(token: str) -> list[str]:
    body, mac = token.split(".")
    flipped = ("A" if body[0] != "A" else "B") + body[1:]
    return [
        f"{flipped}.{mac}",
        f"{body}.{mac[:-4]}",
        f"{body}.",
        f".{mac}",
        body,
        f"{token}.x",
        "",
        ".",
        "a.b",
        "!!.!!",
        "한.국",
        "\ud800.x",
        "A" * 100_000,
    ]


@pytest.mark.parametrize("token", _tampered(SIGNER.sign("p", "x")), ids=range(13))
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused):
        SIGNER.open("p", token, now_ms=0)


def test_a_token_is_good_for_its_purpose_and_installation_only() -> None:
    token = SIGNER.sign("p", "x")
    with pytest.raises(TokenRefused):
        SIGNER.open("q", token, now_ms=0)
    with pytest.raises(TokenRefused):
        OTHER.open("p", token, now_ms=0)


def test_keys_can_be_changed_without_refusing_what_is_out() -> None:
    changed = Signer([Secret("b" * 32), Secret("a" * 32)])
    assert changed.open("p", SIGNER.sign("p", "x"), now_ms=0) == "x"
    assert OTHER.open("p", changed.sign("p", "y"), now_ms=0) == "y"
    assert changed.is_stamp("p", "x", SIGNER.stamp("p", "x"))
    with pytest.raises(ValueError, match="needs a key"):
        Signer([])


def test_a_stamp_survives_lost_case_and_proves_its_text() -> None:
    stamp = SIGNER.stamp("p", "x")
    assert len(stamp) == 16
    assert stamp.isalnum()
    assert SIGNER.is_stamp("p", "x", stamp.upper())
    for purpose, text, given in (("q", "x", stamp), ("p", "y", stamp), ("p", "x", ""), ("p", "x", "한\ud800")):
        assert not SIGNER.is_stamp(purpose, text, given)
    assert SIGNER.stamp("p", "lone \ud800") != stamp


def test_the_kept_key_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "signing.key"
    key = kept_key(path)
    assert kept_key(path) == key
    assert len(key.reveal()) >= 32
    assert S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["signing.key"]
