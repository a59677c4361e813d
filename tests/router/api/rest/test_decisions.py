"""The last decision on a case in full, over real sockets."""

import asyncio

from click.testing import CliRunner

from router.cli.main import main
from router.contract.config import Role
from tests.suites.api_bench import ApiBench


async def test_everybody_is_in_it_best_first_while_the_rows_of_then_are_known(bench: ApiBench) -> None:
    lead = bench.key(Role.SUPERVISOR)
    minji = await bench.advisor("minji")
    await bench.advisor("jiwoo", skills={"billing": 3})
    ann = await bench.advisor("ann", languages={"ko": 9})
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write()
    async with bench.session(ann) as talk:
        await bench.online(talk)  # what has happened since changes nothing of it
    status, page = await bench.get(f"/v1/cases/{case}/decision", lead)
    assert (status, page["source"], page["winner"], page["agrees"]) == (200, "decided-again", "minji", True)
    assert (page["considered"], page["able"]) == (3, 1)
    first, *others = page["advisors"]
    assert (first["advisor"], first["place"]) == ("minji", 1)
    assert first["terms"]
    assert [(one["advisor"], one["filters"]) for one in others] == [
        ("ann", ["language", "presence"]),
        ("jiwoo", ["skill", "presence"]),
    ]
    _, korean = await bench.get(f"/v1/cases/{case}/decision?advisor=jiwoo&lang=ko", lead)
    (jiwoo,) = korean["advisors"]
    assert jiwoo["reasons"] == ["필요한 기술 수준에 미치지 못합니다", "이 채널에 온라인이 아닙니다"]
    status, found = await bench.get(f"/v1/cases/{case}/decision?advisor=jiwo", lead)
    assert (status, found["type"]) == (422, "urn:turnout:problem:unknown-advisor")
    assert len((await bench.get(f"/v1/cases/{case}/decision?limit=2", lead))[1]["advisors"]) == 2
    told = await asyncio.to_thread(
        CliRunner().invoke, main, ["explain", case, "--full", "--url", bench.url(""), "--key", lead]
    )
    assert [line[:13] for line in told.output.splitlines()[1:]] == [
        "1 of 3 adviso",
        "*   1. minji ",
        "     - ann: n",
        "     - jiwoo:",
    ]
    told = await asyncio.to_thread(
        CliRunner().invoke, main, ["explain", case, "--advisor", "jiwoo", "--url", bench.url(""), "--key", lead]
    )
    (line,) = told.output.splitlines()[2:]
    assert line == "     - jiwoo: without a needed skill at its level; not online for its channel"


async def test_afterwards_it_is_what_was_recorded_and_says_so(bench: ApiBench) -> None:
    lead = bench.key(Role.SUPERVISOR)
    async with bench.session(await bench.advisor("minji")) as talk:
        await bench.online(talk)
        case = await bench.write()
    bench.past.begin(bench.tail.roster.gen, bench.tail.roster.change + 1, ())
    _, page = await bench.get(f"/v1/cases/{case}/decision", lead)
    assert (page["source"], page["winner"], [one["advisor"] for one in page["advisors"]]) == (
        "recorded",
        "minji",
        ["minji"],
    )
    assert "isn't known here any more" in page["note"]
    assert not {"able", "agrees"} & page.keys()


async def test_who_may_not_see_the_case_may_not_see_who_else_could_have_had_it(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    case = await bench.write()
    assert (await bench.get(f"/v1/cases/{case}/decision", minji))[0] == 403
    assert (await bench.get("/v1/cases/none/decision", bench.key(Role.SUPERVISOR)))[0] == 404
