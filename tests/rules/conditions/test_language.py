import time

import pytest

from rules import language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("배송이 언제 되나요?", "ko"),
        ("iPhone 15 Pro Max 256GB 재고 있나요", "ko"),
        ("https://shop.example.com/items/1234567890/very-long-path 이거 있어요?", "ko"),
        ("ㅠㅠ", "ko"),
        ("荷物はいつ届きますか", "ja"),
        ("パスワード", "ja"),
        ("我的订单在哪里", "zh"),
        ("พัสดุของฉันอยู่ที่ไหน", "th"),
        ("Πού είναι το δέμα μου;", "el"),
        ("איפה החבילה שלי", "he"),
        ("Where is my parcel?", "en"),
        ("Refund please", "en"),
        ("I’d like to talk to you – naïve café order", "en"),
        ("Hola, ¿dónde está mi pedido?", None),
        ("No me ha llegado el pedido", None),
        ("Was ist an meinem Paket so teuer?", None),
        ("Jeg har bestilt varer for to uker siden", None),
        ("Wo ist mein Paket?", None),
        ("Bonjour, je voudrais un remboursement", None),
        ("Где моя посылка?", None),
        ("أين طردي", None),
        ("12345", None),
        ("", None),
        ("order 12345 ABC-77 XYZ-88 KKL-99", None),
        ("mail@example.com", None),
        ("\ud800\udfff", None),
    ],
)
def test_language_by_script(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_only_the_beginning_is_looked_at() -> None:
    assert language_of("the order " * 200 + "배송" * 100_000) == "en"


def test_a_huge_text_costs_no_more_than_its_beginning() -> None:
    huge = "가" * 5_000_000
    started = time.process_time()
    assert language_of(huge) == "ko"
    assert time.process_time() - started < 0.5
