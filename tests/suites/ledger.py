"""What every ledger must do."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from router.contract.ids import ReplyId
from router.contract.messages import DeliveryState
from router.runtime.errors import LedgerUnsettled, StoreUnavailable
from router.runtime.ledger import NOBODY, Ledger, LedgerEntry, LedgerState, LivedLedger, MemoryLedger, final_entry

REPLY = ReplyId("r1")
SENT = final_entry(DeliveryState.SENT, 20, provider_message_id="p\n1")
FAILED = final_entry(DeliveryState.FAILED, 30, reason="no such\nuser 한국")


class MortalLedger(MemoryLedger):
    """While ``is_dead`` the process that uses it is as good as killed: it forgets nothing any more."""

    is_dead = False

    async def survived(self, reply: ReplyId) -> None:
        if self.is_dead:
            raise StoreUnavailable("the process is dead")
        await super().survived(reply)


Lose = Callable[[], Awaitable[object]]


async def vouch(ledger: LivedLedger, doubt_before_ms: int = 0) -> None:
    """Let claims go on in the life that the ledger is in."""
    standing = await ledger.standing()
    assert await ledger.vouch(standing.life, doubt_before_ms=doubt_before_ms)


class LedgerSuite:
    """A test class of an implementation gives the fixtures ``ledger``, for which somebody has vouched, and ``lose``,
    which leaves nothing of it."""

    async def test_one_of_many_attempts_gets_a_reply(self, ledger: Ledger) -> None:
        found = await asyncio.gather(*(ledger.claim(REPLY, attempt=f"a{number}", now_ms=10) for number in range(50)))
        assert found.count(None) == 1
        winner = f"a{found.index(None)}"
        others = {entry for entry in found if entry is not None}
        assert others == {LedgerEntry(state=LedgerState.SENDING, at_ms=10, attempt=winner)}

    async def test_repeating_a_claim_changes_nothing(self, ledger: Ledger) -> None:
        for now_ms in (10, 11):
            assert await ledger.claim(REPLY, attempt="a", now_ms=now_ms) is None
        found = await ledger.find(REPLY)
        assert found == LedgerEntry(state=LedgerState.SENDING, at_ms=10, attempt="a")

    async def test_a_half_sent_reply_is_shown_to_the_next(self, ledger: Ledger) -> None:
        await ledger.claim(REPLY, attempt="a", now_ms=10)
        found = await ledger.claim(REPLY, attempt="b", now_ms=20)
        assert found is not None
        assert not found.is_final
        assert (found.attempt, found.at_ms) == ("a", 10)

    @pytest.mark.parametrize("final", [SENT, FAILED, final_entry(DeliveryState.UNKNOWN, 1)])
    async def test_a_settled_reply_is_never_sent_again(self, ledger: Ledger, final: LedgerEntry) -> None:
        await ledger.claim(REPLY, attempt="a", now_ms=10)
        assert await ledger.settle(REPLY, final) == final
        for attempt in ("a", "b"):
            assert await ledger.claim(REPLY, attempt=attempt, now_ms=40) == final
        assert await ledger.find(REPLY) == final

    async def test_the_first_final_state_stands(self, ledger: Ledger) -> None:
        assert await ledger.settle(REPLY, SENT) == SENT
        assert await ledger.settle(REPLY, FAILED) == SENT
        assert await ledger.find(REPLY) == SENT

    async def test_what_was_not_sent_can_be_released_by_its_attempt_only(self, ledger: Ledger) -> None:
        assert not await ledger.release(REPLY, attempt="a")
        await ledger.claim(REPLY, attempt="a", now_ms=10)
        assert not await ledger.release(REPLY, attempt="b")
        assert not await ledger.release(REPLY, attempt="")
        assert await ledger.release(REPLY, attempt="a")
        assert await ledger.find(REPLY) is None
        assert await ledger.claim(REPLY, attempt="b", now_ms=20) is None

    async def test_a_settled_reply_is_not_released(self, ledger: Ledger) -> None:
        await ledger.claim(REPLY, attempt="a", now_ms=10)
        await ledger.settle(REPLY, SENT)
        assert not await ledger.release(REPLY, attempt="a")
        assert await ledger.find(REPLY) == SENT

    async def test_replies_are_apart(self, ledger: Ledger) -> None:
        await ledger.settle(REPLY, SENT)
        assert await ledger.find(ReplyId("r2")) is None

    async def test_tries_of_what_may_have_killed_are_counted_until_one_is_survived(self, ledger: Ledger) -> None:
        await ledger.claim(REPLY, attempt="a", now_ms=10)
        assert [await ledger.attempt(REPLY) for _ in range(3)] == [1, 2, 3]
        assert await ledger.attempt(ReplyId("r2")) == 1
        for _ in range(2):
            await ledger.survived(REPLY)
        assert await ledger.attempt(REPLY) == 1
        found = await ledger.find(REPLY)
        assert found == LedgerEntry(state=LedgerState.SENDING, at_ms=10, attempt="a")

    async def test_nothing_is_claimed_in_a_life_that_nobody_has_vouched_for(
        self, ledger: LivedLedger, lose: Lose
    ) -> None:
        await ledger.claim(REPLY, attempt="a", now_ms=10)
        await lose()
        for reply in (REPLY, ReplyId("r2")):
            with pytest.raises(LedgerUnsettled) as caught:
                await ledger.claim(reply, attempt="a", now_ms=11)
            assert caught.value.retryable
            assert await ledger.find(reply) is None
        await vouch(ledger)
        assert await ledger.claim(REPLY, attempt="b", now_ms=12) is None

    async def test_what_a_provider_says_is_written_down_in_any_life(self, ledger: LivedLedger, lose: Lose) -> None:
        await lose()
        assert await ledger.settle(REPLY, SENT) == SENT
        await vouch(ledger)
        assert await ledger.claim(REPLY, attempt="a", now_ms=11) == SENT

    async def test_the_first_to_vouch_for_a_life_has_done_so(self, ledger: LivedLedger, lose: Lose) -> None:
        before = await ledger.standing()
        assert before.is_settled
        await lose()
        now = await ledger.standing()
        assert not now.is_settled
        assert not await ledger.vouch("another", doubt_before_ms=1)
        assert not (await ledger.standing()).is_settled
        assert await ledger.vouch(now.life, doubt_before_ms=5_000)
        assert not await ledger.vouch(now.life, doubt_before_ms=7_000)
        assert (await ledger.standing()).is_settled
        assert await ledger.claim(REPLY, attempt="a", now_ms=9_000, published_at_ms=6_000) is None

    async def test_a_ledger_tells_when_a_reply_was_last_claimed(self, ledger: LivedLedger, lose: Lose) -> None:
        assert (await ledger.standing()).written_at_ms == 0
        await ledger.claim(REPLY, attempt="a", now_ms=10)
        assert (await ledger.standing()).written_at_ms > 0
        await lose()
        assert (await ledger.standing()).written_at_ms == 0

    async def test_a_reply_from_before_a_loss_is_nobodys_to_send(self, ledger: LivedLedger, lose: Lose) -> None:
        await lose()
        await vouch(ledger, doubt_before_ms=5_000)
        doubted = LedgerEntry(state=LedgerState.SENDING, at_ms=9_000, attempt=NOBODY)
        for now_ms in (9_000, 9_001):
            assert await ledger.claim(REPLY, attempt="a", now_ms=now_ms, published_at_ms=4_999) == doubted
        assert await ledger.find(REPLY) == doubted
        assert await ledger.settle(REPLY, SENT) == SENT

    async def test_what_came_after_it_or_was_nobody_elses_is_free(self, ledger: LivedLedger, lose: Lose) -> None:
        await lose()
        await vouch(ledger, doubt_before_ms=5_000)
        assert await ledger.claim(REPLY, attempt="a", now_ms=9_000, published_at_ms=5_000) is None
        assert await ledger.claim(ReplyId("r2"), attempt="a", now_ms=9_000) is None

    async def test_a_line_that_is_there_says_more_than_a_doubt(self, ledger: LivedLedger, lose: Lose) -> None:
        await lose()
        await ledger.settle(REPLY, FAILED)
        await vouch(ledger, doubt_before_ms=5_000)
        assert await ledger.claim(REPLY, attempt="a", now_ms=9_000, published_at_ms=1) == FAILED
