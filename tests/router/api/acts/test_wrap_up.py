"""Wrapping up over the session: it is told, may be ended, and goes on only as far as the channel lets it."""

from importlib.resources import files

import pytest

from router.contract.config import Role
from rules import load
from tests.suites.api_bench import ApiBench, Talk

SHORT, LONG = "email: {units: 10", "email: {units: 10, wrap_up_s: 600, wrap_up_more_s: 900"


@pytest.fixture
def bench_rules(bench: ApiBench) -> ApiBench:
    defaults = files("rules") / "defaults"
    texts = {name: (defaults / name).read_text("utf-8") for name in ("rulebook.yaml", "rules.yaml")}
    assert SHORT in texts["rulebook.yaml"]
    bench.policies.activate(load({name: text.replace(SHORT, LONG) for name, text in texts.items()}))
    return bench


async def _resolved(bench: ApiBench, talk: Talk) -> str:
    await bench.online(talk)
    case = await bench.write()
    await talk.next("offer")
    await talk.do("accept", case=case)
    await talk.do("resolve", case=case, outcome="solved")
    return str(case)


async def test_it_is_told_and_ended(bench_rules: ApiBench) -> None:
    minji = await bench_rules.advisor("minji")
    async with bench_rules.session(minji) as talk:
        case = await _resolved(bench_rules, talk)
        assert (await talk.next("released"))["reason"] == "resolved"
        told = await talk.next("wrap_up")
        assert (told["case"], told["units"]) == (case, 10)
        longer = await talk.do("wrap_up", case=case, more_s=900)
        assert (longer["result"], longer["durable"]) == ("done", True)
        assert (await talk.next("wrap_up"))["until"] > told["until"]
        await talk.do("wrap_up", case=case)
        assert (await talk.next("wrap_up_ended")) == {"type": "wrap_up_ended", "case": case}
        assert (await talk.refused("wrap_up", case=case))["type"] == "urn:turnout:problem:gone"
    assert (await bench_rules.person("minji")).load == 0


async def test_a_new_session_sees_it(bench_rules: ApiBench) -> None:
    minji = await bench_rules.advisor("minji")
    async with bench_rules.session(minji) as talk:
        await _resolved(bench_rules, talk)
        until = (await talk.next("wrap_up"))["until"]
    async with bench_rules.session(minji) as talk:
        (work,) = talk.welcome["work"]
        assert (work["kind"], work["deadline"]) == ("wrap-up", until)


async def test_no_longer_than_the_channel_lets_it(bench_rules: ApiBench) -> None:
    minji = await bench_rules.advisor("minji")
    async with bench_rules.session(minji) as talk:
        case = await _resolved(bench_rules, talk)
        await talk.next("wrap_up")
        found = await talk.refused("wrap_up", case=case, more_s=901)
        assert (found["status"], found["detail"]) == (
            403,
            "On the channel email a wrap-up goes on for at most 900 s at a time.",
        )
        status, done = await bench_rules.post(f"/v1/cases/{case}/wrap-up", minji, op="rest")
        assert (status, done["result"]) == (200, "done")


async def test_it_is_an_advisors_to_end(bench_rules: ApiBench) -> None:
    boss = bench_rules.key(Role.SUPERVISOR)
    status, found = await bench_rules.post("/v1/cases/nobody/wrap-up", boss, op="one")
    assert (status, found["type"]) == (403, "urn:turnout:problem:forbidden")


async def test_no_longer_in_all_than_the_channel_lets_it(bench: ApiBench) -> None:
    texts = {name: (files("rules") / "defaults" / name).read_text("utf-8") for name in ("rulebook.yaml", "rules.yaml")}
    bound = f"{LONG}, wrap_up_most_s: 700"
    bench.policies.activate(load({name: text.replace(SHORT, bound) for name, text in texts.items()}))
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        case = await _resolved(bench, talk)
        await talk.next("wrap_up")
        assert (await talk.do("wrap_up", case=case, more_s=650))["result"] == "done"
        found = await talk.refused("wrap_up", case=case, more_s=900)
        assert (found["status"], found["type"]) == (403, "urn:turnout:problem:forbidden")
        assert found["detail"].startswith("On the channel email a wrap-up lasts 700 s at most: ")
        assert (await talk.do("wrap_up", case=case))["result"] == "done"
