"""What the acts on advisors promise."""

from typing import Any

import pytest

from router.contract.advisor import AdvisorState, Presence
from router.store.acts import Due, Outcome, PresenceAct, ProfileAct, Result
from tests.suites.store.bench import POOL, Desk


async def presence(desk: Desk, **members: Any) -> Outcome:
    return await desk.do(desk.act(PresenceAct, advisor="ann", **members))


class ProfileSuite:
    """Who an advisor is."""

    async def test_an_unknown_one_is_made_offline(self, desk: Desk) -> None:
        outcome = await desk.do(
            desk.act(ProfileAct, advisor="ann", budget=80, caps={"chat": 2}, profile='{"name":"Ann"}')
        )
        assert (outcome.result, outcome.number) == (Result.DONE, 1)
        person = await desk.person("ann")
        assert outcome.advisors == (person,)
        assert (person.presence, person.budget, person.caps) == (Presence.OFFLINE, 80, {"chat": 2})
        assert (person.profile, person.ver, person.elig, person.gen) == ('{"name":"Ann"}', 1, 1, 1)

    async def test_no_difference_is_the_same(self, desk: Desk) -> None:
        before = await desk.advisor("ann", caps={"chat": 2})
        again = await desk.do(desk.act(ProfileAct, advisor="ann", budget=100, caps={"chat": 2}, profile="{}"))
        assert (again.result, again.advisors, await desk.person("ann")) == (Result.SAME, (before,), before)
        assert await desk.work() == {}

    @pytest.mark.parametrize("change", [{"budget": 90}, {"caps": {"chat": 1}}, {"profile": '{"tier":"lead"}'}])
    async def test_a_difference_is_a_new_eligibility(self, desk: Desk, change: dict[str, Any]) -> None:
        before = await desk.advisor("ann", caps={"chat": 2})
        members = {"budget": 100, "caps": {"chat": 2}, "profile": "{}", **change}
        assert (await desk.do(desk.act(ProfileAct, advisor="ann", **members))).result is Result.DONE
        person = await desk.person("ann")
        assert (person.ver, person.elig, person.presence) == (before.ver + 1, before.elig + 1, Presence.ONLINE)
        assert set(await desk.work()) == {"a|ann"}

    async def test_it_is_announced(self, desk: Desk) -> None:
        await desk.do(desk.act(ProfileAct, advisor="ann", budget=100, profile="{}", actor="roster"))
        (entry,) = await desk.store.pending(POOL, 0)
        assert (entry.kind, entry.outcome, entry.about, entry.actor) == ("profile", "profile", "ann", "roster")
        assert (entry.advisor, entry.case) == (await desk.person("ann"), None)


class PresenceSuite:
    """Whether an advisor works."""

    async def test_without_a_profile_it_is_absent(self, desk: Desk) -> None:
        assert (await presence(desk, presence=Presence.ONLINE)).result is Result.ABSENT

    async def test_coming_online_calls_the_matcher(self, desk: Desk) -> None:
        await desk.advisor("ann", online=False)
        await desk.pass_ms(500)
        outcome = await presence(desk, presence=Presence.ONLINE)
        assert (outcome.result, outcome.number) == (Result.DONE, 2)
        person = await desk.person("ann")
        assert (person.presence, person.online_since_ms, person.idle_since_ms) == (Presence.ONLINE, desk.now, desk.now)
        assert set(await desk.work()) == {"a|ann"}

    @pytest.mark.parametrize("other", [Presence.AWAY, Presence.FINISHING, Presence.OFFLINE])
    async def test_leaving_changes_his_eligibility_and_keeps_his_work(self, desk: Desk, other: Presence) -> None:
        before = await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await presence(desk, presence=other, reason="lunch")
        person = await desk.person("ann")
        assert (person.presence, person.reason, person.elig, person.load) == (other, "lunch", before.elig + 1, 30)
        assert await desk.work() == {}

    async def test_the_same_presence_and_reason_is_the_same(self, desk: Desk) -> None:
        before = await desk.advisor("ann")
        outcome = await presence(desk, presence=Presence.ONLINE)
        assert (outcome.result, outcome.advisors, await desk.person("ann")) == (Result.SAME, (before,), before)

    async def test_he_is_there_but_for_some_channels_until_he_goes(self, desk: Desk) -> None:
        before = await desk.advisor("ann")
        outcome = await presence(desk, away_from=("call", "email"), op="key:1")
        ann = await desk.person("ann")
        assert (outcome.result, ann.presence, ann.away_from) == (Result.DONE, Presence.ONLINE, ("call", "email"))
        assert (ann.elig, ann.online_since_ms) == (before.elig + 1, before.online_since_ms)
        assert (await desk.store.pending(POOL, 0))[-1].advisor == ann
        assert (await presence(desk, away_from=("call", "email"))).result is Result.SAME
        assert (await presence(desk, presence=Presence.AWAY, reason="lunch")).advisors[0].away_from == ("call", "email")
        back = await presence(desk, presence=Presence.ONLINE, away_from=("call",))
        assert (back.advisors[0].presence, back.advisors[0].away_from) == (Presence.ONLINE, ("call",))
        assert (await presence(desk, away_from=())).advisors[0].away_from == ()
        await presence(desk, away_from=("call",))
        assert (await presence(desk, presence=Presence.OFFLINE)).advisors[0].away_from == ()
        assert (await presence(desk, away_from=("call",))).result is Result.SAME

    async def test_a_reason_stays_when_only_his_channels_change(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await presence(desk, presence=Presence.AWAY, reason="lunch")
        outcome = await presence(desk, away_from=("chat",), reason="too many")
        assert (outcome.advisors[0].presence, outcome.advisors[0].reason) == (Presence.AWAY, "lunch")

    async def test_to_be_there_for_a_channel_again_calls_the_matcher(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await presence(desk, away_from=("chat",))
        await desk.serve_all()
        await presence(desk, away_from=())
        assert set(await desk.work()) == {"a|ann"}

    async def test_it_is_announced_with_his_state(self, desk: Desk) -> None:
        await desk.advisor("ann")
        outcome = await presence(desk, presence=Presence.AWAY, reason="lunch")
        entry = (await desk.store.pending(POOL, 0))[-1]
        assert (entry.number, entry.kind, entry.outcome, entry.about) == (outcome.number, "presence", "away", "ann")
        assert (entry.advisor, entry.reason) == (await desk.person("ann"), "lunch")

    async def test_toggling_ends_a_row_of_missed_offers_and_leaves_a_call(self, desk: Desk) -> None:
        await desk.advisor("ann")
        for state in (Presence.AWAY, Presence.ONLINE) * 3:
            await presence(desk, presence=state)
        person = await desk.person("ann")
        assert (person.missed, person.presence) == (0, Presence.ONLINE)
        assert set(await desk.work()) == {"a|ann"}


class LeftSuite:
    """What a connection that comes in time disarms."""

    async def test_a_claim_spent_can_arm_what_comes_next(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await presence(desk, connect=1, lease_ms=desk.now + 30_000)
        await presence(desk, disconnect=1, grace_ms=desk.now + 5)
        await presence(desk, presence=Presence.OFFLINE, claim=("grace|0", desk.now + 5), left_ms=desk.now + 9)
        assert (await desk.person("ann")).timers == {"left|0": desk.now + 9}

    async def test_it_is_armed_though_the_presence_is_as_before(self, desk: Desk) -> None:
        await desk.advisor("ann", online=False)
        await presence(desk, connect=1, lease_ms=desk.now + 30_000)
        await presence(desk, disconnect=1, grace_ms=desk.now + 5)
        await presence(desk, claim=("grace|0", desk.now + 5), left_ms=desk.now + 9)
        assert (await desk.person("ann")).timers == {"left|0": desk.now + 9}

    async def test_a_connection_disarms_it(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await presence(desk, left_ms=desk.now + 9)
        await presence(desk, connect=2, lease_ms=desk.now + 30_000)
        assert (await desk.person("ann")).timers == {"lease|2": desk.now + 30_000}
        assert (await desk.store.status(POOL)).timers == 1


class ConnectionSuite:
    """The connections of an advisor, and the grace when the last is gone."""

    async def test_each_has_a_lease(self, desk: Desk) -> None:
        await desk.advisor("ann")
        outcome = await presence(desk, connect=1, lease_ms=desk.now + 30)
        assert (outcome.result, outcome.number) == (Result.DONE, 0)
        await presence(desk, connect=2, lease_ms=desk.now + 40)
        person = await desk.person("ann")
        assert person.timers == {"lease|1": desk.now + 30, "lease|2": desk.now + 40}
        assert person.connections == (1, 2)

    async def test_renewing_a_lease_is_nobody_elses_business(self, desk: Desk) -> None:
        before = await self._connected(desk, 1)
        change = (await desk.store.status(POOL)).change
        assert (await presence(desk, connect=1, lease_ms=desk.now + 99)).result is Result.SAME
        person = await desk.person("ann")
        assert (person.timers, person.ver) == ({"lease|1": desk.now + 99}, before.ver)
        assert (await desk.store.status(POOL)).change == change

    async def test_only_the_last_to_go_arms_the_grace(self, desk: Desk) -> None:
        await self._connected(desk, 1, 2)
        await presence(desk, disconnect=1, grace_ms=desk.now + 60)
        assert "grace|0" not in (await desk.person("ann")).timers
        await presence(desk, disconnect=2, grace_ms=desk.now + 60)
        assert (await desk.person("ann")).timers == {"grace|0": desk.now + 60}

    async def test_coming_back_ends_the_grace(self, desk: Desk) -> None:
        await self._connected(desk, 1)
        await presence(desk, disconnect=1, grace_ms=desk.now + 60)
        await presence(desk, connect=2, lease_ms=desk.now + 30)
        assert (await desk.person("ann")).timers == {"lease|2": desk.now + 30}

    async def test_one_that_is_not_there_is_the_same(self, desk: Desk) -> None:
        await self._connected(desk, 1)
        assert (await presence(desk, disconnect=7, grace_ms=desk.now + 60)).result is Result.SAME
        assert (await desk.person("ann")).connections == (1,)

    async def test_a_lease_that_ran_out_ends_its_own_connection(self, desk: Desk) -> None:
        await self._connected(desk, 1, 2)
        await desk.pass_ms(30)
        claims = (await desk.do(desk.act(Due))).claims
        assert [(claim.subject, claim.id, claim.timer, claim.fired) for claim in claims] == [
            ("a", "ann", "lease|1", False),
            ("a", "ann", "lease|2", False),
        ]
        claim = (claims[0].timer, claims[0].deadline_ms)
        outcome = await presence(desk, disconnect=1, grace_ms=desk.now + 60, claim=claim)
        assert outcome.result is Result.DONE
        assert (await desk.person("ann")).connections == (2,)

    async def test_a_lease_that_was_renewed_is_gone(self, desk: Desk) -> None:
        before = await self._connected(desk, 1)
        await presence(desk, connect=1, lease_ms=desk.now + 99)
        outcome = await presence(desk, disconnect=1, claim=("lease|1", before.timers["lease|1"]))
        assert (outcome.result, outcome.advisors) == (Result.GONE, (await desk.person("ann"),))
        assert (await desk.person("ann")).connections == (1,)

    async def test_the_grace_over_he_is_offline(self, desk: Desk) -> None:
        await self._connected(desk, 1)
        await presence(desk, disconnect=1, grace_ms=desk.now + 60)
        claim = ("grace|0", desk.now + 60)
        outcome = await presence(desk, presence=Presence.OFFLINE, reason="lost", claim=claim)
        assert outcome.result is Result.DONE
        person = await desk.person("ann")
        assert (person.presence, person.timers) == (Presence.OFFLINE, {})
        assert (await presence(desk, presence=Presence.OFFLINE, claim=claim)).result is Result.GONE

    @staticmethod
    async def _connected(desk: Desk, *numbers: int) -> AdvisorState:
        await desk.advisor("ann")
        for number in numbers:
            await presence(desk, connect=number, lease_ms=desk.now + 30)
        return await desk.person("ann")
