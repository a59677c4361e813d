"""What every log of conversations must do."""

import asyncio

import pytest

from router.contract.ids import ConversationId
from router.runtime.chat_log import START, ChatBounds, ChatLog, ChatPage, Cursor

ONE, TWO = ConversationId("one"), ConversationId("둘")
NOW_MS = 1_760_000_000_000
BOUNDS = ChatBounds(entries=10, size_bytes=1000, news=20)


async def fill(log: ChatLog, count: int, *, conversation: ConversationId = ONE, first: int = 1) -> list[Cursor]:
    return [
        await log.append(conversation, f"e{number}", f"body {number}".encode(), now_ms=NOW_MS + number)
        for number in range(first, first + count)
    ]


def ids(page: ChatPage) -> list[str]:
    return [entry.id for entry in page.entries]


class ChatLogSuite:
    """A test class of an implementation gives the fixture ``log``, with ``BOUNDS``."""

    async def test_places_are_dense_and_in_order(self, log: ChatLog) -> None:
        places = await fill(log, 5)
        assert places == [Cursor(NOW_MS + 1, number) for number in range(1, 6)]
        page = await log.read(ONE, after=START)
        assert [(entry.cursor, entry.id, entry.body) for entry in page.entries] == [
            (place, f"e{number}", f"body {number}".encode()) for number, place in enumerate(places, 1)
        ]
        assert not page.is_restarted

    async def test_the_same_id_again_adds_nothing(self, log: ChatLog) -> None:
        first = await log.append(ONE, "x", b"a", now_ms=NOW_MS)
        await fill(log, 3)
        again = await asyncio.gather(*(log.append(ONE, "x", b"b", now_ms=NOW_MS + 9) for _ in range(5)))
        assert set(again) == {first}
        page = await log.read(ONE, after=START)
        assert ids(page) == ["x", "e1", "e2", "e3"]
        assert page.entries[0].body == b"a"

    async def test_appends_at_the_same_time_get_places_of_their_own(self, log: ChatLog) -> None:
        places = await asyncio.gather(*(log.append(ONE, f"e{number}", b"", now_ms=NOW_MS) for number in range(8)))
        assert sorted(place.number for place in places) == list(range(1, 9))

    async def test_reading_goes_on_after_any_place(self, log: ChatLog) -> None:
        places = await fill(log, 7)
        for number, place in enumerate(places, 1):
            page = await log.read(ONE, after=place, limit=2)
            assert ids(page) == [f"e{later}" for later in range(number + 1, min(number + 3, 8))]
            assert not page.is_restarted

    async def test_nothing_was_ever_said(self, log: ChatLog) -> None:
        assert await log.read(ONE, after=START) == ChatPage(())

    async def test_bodies_and_ids_are_kept_as_they_are(self, log: ChatLog) -> None:
        await log.append(TWO, "하나-1", b"\x00\xff\r\n", now_ms=NOW_MS)
        (entry,) = (await log.read(TWO, after=START)).entries
        assert (entry.id, entry.body) == ("하나-1", b"\x00\xff\r\n")

    async def test_the_last_entries_are_kept(self, log: ChatLog) -> None:
        places = await fill(log, 25)
        page = await log.read(ONE, after=START)
        assert ids(page) == [f"e{number}" for number in range(16, 26)]
        assert ids(await log.read(ONE, after=places[3])) == ids(page)
        assert not (await log.read(ONE, after=places[3])).is_restarted

    async def test_large_entries_push_out_more(self, log: ChatLog) -> None:
        await fill(log, 9)
        await log.append(ONE, "large", b"x" * 970, now_ms=NOW_MS)
        assert ids(await log.read(ONE, after=START)) == ["e5", "e6", "e7", "e8", "e9", "large"]
        await log.append(ONE, "huge", b"x" * 5000, now_ms=NOW_MS)
        assert ids(await log.read(ONE, after=START)) == ["huge"]
        await fill(log, 2, first=20)
        assert ids(await log.read(ONE, after=START)) == ["e20", "e21"]

    async def test_an_id_whose_entry_is_gone_is_new_again(self, log: ChatLog) -> None:
        (first, *_) = await fill(log, 11)
        assert (await log.append(ONE, "e1", b"", now_ms=NOW_MS)).number == first.number + 11

    @pytest.mark.parametrize("beyond", [(1, 0), (-1, 0), (0, 1)])
    async def test_a_place_that_is_not_in_the_log_restarts_the_reader(
        self, log: ChatLog, beyond: tuple[int, int]
    ) -> None:
        last = (await fill(log, 3))[-1]
        stray = Cursor(last.began_ms + beyond[0], last.number + beyond[1])
        page = await log.read(ONE, after=stray)
        assert (ids(page), page.is_restarted) == (["e1", "e2", "e3"], True)
        assert (await log.read(TWO, after=stray)) == ChatPage((), is_restarted=True)

    async def test_logs_are_apart(self, log: ChatLog) -> None:
        await fill(log, 2)
        await fill(log, 1, conversation=TWO)
        assert ids(await log.read(TWO, after=START)) == ["e1"]

    # News.

    async def test_news_name_what_was_appended_since(self, log: ChatLog) -> None:
        await fill(log, 2)
        begin = await log.news(None, within_s=0.01)
        assert begin.conversations == frozenset()
        await fill(log, 2, conversation=TWO)
        await fill(log, 1, first=9)
        news = await log.news(begin.cursor, within_s=5)
        assert (news.conversations, news.has_gap) == (frozenset({ONE, TWO}), False)
        quiet = await log.news(news.cursor, within_s=0.01)
        assert (quiet.cursor, quiet.conversations, quiet.has_gap) == (news.cursor, frozenset(), False)

    async def test_a_repeat_is_no_news(self, log: ChatLog) -> None:
        await fill(log, 1)
        begin = await log.news(None, within_s=0.01)
        await fill(log, 1)
        assert (await log.news(begin.cursor, within_s=0.01)).conversations == frozenset()

    async def test_an_append_wakes_whoever_waits(self, log: ChatLog) -> None:
        begin = await log.news(None, within_s=0.01)
        waiting = [asyncio.create_task(log.news(begin.cursor, within_s=5)) for _ in range(2)]
        await asyncio.sleep(0)
        await fill(log, 1)
        for news in await asyncio.gather(*waiting):
            assert (news.conversations, news.has_gap) == (frozenset({ONE}), False)

    async def test_who_is_too_slow_is_told_of_the_gap(self, log: ChatLog) -> None:
        for known in (0, 2):
            await fill(log, known, conversation=TWO)
            begin = await log.news(None, within_s=0.01)
            for number in range(25):
                await log.append(ONE, f"n{known}-{number}", b"", now_ms=NOW_MS)
            news = await log.news(begin.cursor, within_s=5)
            assert news.has_gap
            assert not (await log.news(news.cursor, within_s=0.01)).has_gap

    @pytest.mark.parametrize("beyond", [(1, 0), (-1, 0), (0, 5)])
    async def test_a_place_that_a_failover_took_back_is_a_gap(self, log: ChatLog, beyond: tuple[int, int]) -> None:
        await fill(log, 3)
        last = (await log.news(None, within_s=0.01)).cursor
        news = await log.news(Cursor(last.began_ms + beyond[0], last.number + beyond[1]), within_s=0.01)
        assert (news.cursor, news.has_gap) == (last, True)
