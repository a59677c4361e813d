"""What a customer wrote, apart from what his program quoted."""

import pytest

from channels.email.quote_phrases import FORWARDED, ORIGINAL, WROTE
from channels.email.quotes import split_quoted

KEPT = [
    "plain text",
    "From: here to there it took a week",
    "On the phone he said: wait",
    "In 2024 I wrote:",
    "5 > 3, and that is all",
    "Date: tomorrow\nTo: my house",
    "--\nKim\nCEO",
    "____\nno block follows",
    "어제 작성:\n제가 쓴 것입니다",
    "a" * 1000 + " wrote:",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_a_quotation_stays(text: str) -> None:
    assert split_quoted(f"Hello\n{text}\n\n\nBye") == (f"Hello\n{text}\n\n\nBye", "")


@pytest.mark.parametrize(
    "above",
    [
        "On Tue, Mar 5, 2024 at 3:21 PM Support <help@shop.example> wrote:",
        "2024년 3월 5일 (화) 오후 3:21, 고객 센터님이 작성:",
        "2024-03-05 15:21, 고객 센터님이 쓴 글:",
        "2024年3月5日(火) 15:21 サポート <help@shop.example>:",
        "2024年3月5日 サポートさんのメッセージ：",
        "在 2024年3月5日，客服 <help@shop.example> 写道：",
        "Am 05.03.24 um 15:21 schrieb Support:",
        "Le mar. 5 mars 2024 à 15:21, Support <help@shop.example> a écrit :",
        "El mar, 5 mar 2024 a las 15:21, Support (<help@shop.example>) escribió:",
        "Il giorno mar 5 mar 2024 alle ore 15:21 Support <help@shop.example> ha scritto:",
        "Em ter., 5 de mar. de 2024 às 15:21, Support <help@shop.example> escreveu:",
        "Op di 5 mrt 2024 om 15:21 schreef Support <help@shop.example>:",
        "Den tis 5 mars 2024 kl 15:21 skrev Support <help@shop.example>:",
        "wt., 5 mar 2024 o 15:21 Support <help@shop.example> napisał(a):",
        "вт, 5 мар. 2024 г. в 15:21, Support <help@shop.example> написал:",
        "Support <help@shop.example>, 5 Mar 2024 Sal, 15:21 tarihinde şunu yazdı:",
        "Vào Th 3, 5 thg 3, 2024 vào lúc 15:21 Support <help@shop.example> đã viết:",
    ],
)
def test_the_line_above_a_quotation_goes_with_it_in_every_language(above: str) -> None:
    found = split_quoted(f"Mine.\n\n{above}\n\n> theirs\n\nAnd mine again.")
    assert found.text == "Mine.\n\nAnd mine again."
    assert above in found.quoted
    assert "> theirs" in found.quoted
    assert split_quoted(f"Mine.\n\n{above}\n\ntheirs, without marks").text == "Mine."


@pytest.mark.parametrize("phrase", [phrase for each in ORIGINAL.values() for phrase in each])
def test_all_below_the_mark_of_an_original_is_quoted(phrase: str) -> None:
    for line in (f"-----{phrase}-----", f"--- {phrase.title()} ---", f"{phrase}:"):
        assert split_quoted(f"Mine.\n{line}\ntheirs").text == "Mine."


@pytest.mark.parametrize("phrase", [phrase for each in FORWARDED.values() for phrase in each])
def test_forwarded_mail_is_no_quotation(phrase: str) -> None:
    text = f"Look.\n---------- {phrase} ----------\nFrom: x\nDate: y\nSubject: z\n\n> even this"
    assert split_quoted(text) == (text, "")


def test_phrases_can_match_at_all() -> None:
    phrases = [phrase for each in (*ORIGINAL.values(), *FORWARDED.values()) for phrase in each]
    phrases += [phrase for each in WROTE.values() for wrote in each for part in wrote for phrase in part]
    assert [phrase for phrase in phrases if phrase != phrase.lower()] == []


def test_nothing_is_lost_in_the_split() -> None:
    text = "a\n> b\nc\n\nOn 5 Mar 2024, x wrote:\n> d\ne"
    found = split_quoted(text)
    assert sorted(line for part in found for line in part.split("\n") if line) == sorted(
        line for line in text.split("\n") if line
    )


def test_an_attribution_is_found_over_several_lines() -> None:
    text = "Mine\n\nOn Tuesday, the fifth of March 2024,\nSupport of the Shop\n<help@shop.example>\nwrote:\n\n> theirs"
    assert split_quoted(text).text == "Mine"
