"""Shares between queues, as they are written."""

import pytest

from rules import RulebookError, content, load, restore

TEXT = """\
defaults: {queue: chats}
policies: {standard: {first_response_s: 3600, resolution_s: 7200}}
queues: {chats: {policy: standard}, mails: {policy: standard}}
outcomes: {solved: Done}
"""


def test_a_restored_rulebook_has_the_same() -> None:
    book = load({"a.yaml": f"{TEXT}shares: {{queues: {{chats: 2, mails: 0.5}}, late: 1.5}}\n"})
    again = restore(content(book))
    assert (again.shares, again.hash) == (book.shares, book.hash)
    assert again.shares is not None
    assert (again.shares.queues, again.shares.late) == ({"chats": 2.0, "mails": 0.5}, 1.5)


def test_without_them_the_content_is_as_it_was() -> None:
    assert b"shares" not in content(load({"a.yaml": TEXT}))


@pytest.mark.parametrize(
    ("shares", "where", "said"),
    [
        ("{queues: {chats: 1, mail: 2}}", "shares.queues.mail", 'there is no queue `mail` (did you mean "mails"?)'),
        ("{queues: {chats: 1}}", "shares.queues", "there is nothing to share: name two queues or more"),
        ("{queues: {}}", "shares.queues", "there is nothing to share: name two queues or more"),
        ("{queues: {chats: 0, mails: 1}}", "shares.queues.chats", "> 0"),
        ("{queues: {chats: 1, mails: 1}, late: 0.5}", "shares.late", ">= 1"),
        ("{late: 2}", "shares", "queues"),
    ],
)
def test_what_cannot_be(shares: str, where: str, said: str) -> None:
    with pytest.raises(RulebookError) as caught:
        load({"a.yaml": f"{TEXT}shares: {shares}\n"})
    told = [(problem.path, problem.message) for problem in caught.value.problems]
    assert any(path == where and said in message for path, message in told), told
