import pytest

from channels.chat.options import ChatOptions, may_open

OPTIONS = ChatOptions(origins=("https://shop.example", "https://Test.example:8443", "http://localhost:3000"))
OWN = frozenset({"https://help.example"})


@pytest.mark.parametrize(
    ("origins", "is_allowed"),
    [
        (["https://shop.example"], True),
        (["HTTPS://SHOP.EXAMPLE"], True),
        (["https://test.example:8443"], True),
        (["http://localhost:3000"], True),
        (["https://help.example"], True),
        (["http://shop.example"], False),
        (["https://shop.example:8443"], False),
        (["https://shop.example.evil.example"], False),
        (["https://evil.example/https://shop.example"], False),
        (["null"], False),
        ([""], False),
        ([], False),
        (["https://shop.example", "https://shop.example"], False),
    ],
)
def test_who_may_open_a_chat(origins: list[str], is_allowed: bool) -> None:
    assert may_open(origins, OPTIONS, own=OWN) is is_allowed


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "shop.example",
        "https://",
        "https://shop.example/",
        "https://a@shop.example",
        "ftp://x",
        "https://x:0",
        "https://x:y",
    ],
)
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(ValueError, match="an origin is https://HOST"):
        ChatOptions(origins=(origin,))
