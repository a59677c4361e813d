"""The audit of a case's clocks over the API, and what the terminal makes of it."""

import asyncio
from datetime import datetime

from click.testing import CliRunner, Result

from router.cli.main import main
from router.contract.config import Role
from tests.suites.api_bench import ApiBench


async def _turnout(bench: ApiBench, token: str, *words: str) -> Result:
    url = f"http://127.0.0.1:{bench.server.port}"
    return await asyncio.to_thread(CliRunner().invoke, main, [*words, "--key", token, "--url", url])


async def test_a_case_shows_what_counted_for_its_clocks(bench: ApiBench) -> None:
    token = bench.key(Role.SUPERVISOR)
    case = await bench.write("Where is my parcel?")
    await bench.clock.advance_ms(90_000)
    status, page = await bench.get(f"/v1/cases/{case}/clocks", token)
    assert status == 200
    first = {clock["clock"]: clock for clock in page["clocks"]}["first_response"]
    assert (first["state"], first["used_s"], first["target_s"]) == ("running", 90, 3600)
    counted, ahead = first["stretches"]
    assert (counted["reason"], counted["used_s"], ahead["used_s"], ahead["ahead"]) == ("counted", 90, 3510, True)
    assert counted["ends_at"] == ahead["begins_at"] == page["at"]
    due = datetime.fromisoformat(first["due_at"])
    assert (due - datetime.fromisoformat(counted["begins_at"])).total_seconds() == 3600


async def test_the_clocks_of_a_case_are_for_those_who_may_see_the_case(bench: ApiBench) -> None:
    stranger = await bench.advisor("jun")
    case = await bench.write("Where is my parcel?")
    assert (await bench.get(f"/v1/cases/{case}/clocks", stranger))[0] in (403, 404)
    assert (await bench.get("/v1/cases/none/clocks", bench.key(Role.SUPERVISOR)))[0] == 404


async def test_the_terminal_says_it_in_words(bench: ApiBench) -> None:
    token = bench.key(Role.SUPERVISOR)
    case = await bench.write("Where is my parcel?")
    await bench.clock.advance_ms(90_000)
    told = await _turnout(bench, token, "clock", case, "--time-zone", "Asia/Seoul")
    assert told.exit_code == 0, told.output
    assert "first response: running, 1 min 30 s of 1 h used" in told.output
    assert "Asia/Seoul" in told.output
    explained = await _turnout(bench, token, "explain", case)
    assert explained.exit_code == 0, explained.output
    assert "why here:" in explained.output
    assert "rule " in explained.output
    in_korean = await _turnout(bench, token, "explain", case, "--lang", "ko")
    assert "배정 근거:" in in_korean.output


async def test_the_terminal_says_what_would_free_a_case(bench: ApiBench) -> None:
    await bench.advisor("minji")
    case = await bench.write()
    told = await _turnout(bench, bench.key(Role.SUPERVISOR), "explain", case)
    assert told.output.endswith(
        "what would free it, each alone:\n  it is taken when one of these comes online: minji\n"
    )


async def test_what_cannot_be_shown_is_said(bench: ApiBench) -> None:
    token = bench.key(Role.SUPERVISOR)
    for words, said in (
        (("clock", "none"), "never was"),
        (("explain", "none"), "never was"),
        (("clock", "none", "--time-zone", "Seoul"), "no such time zone"),
    ):
        told = await _turnout(bench, token, *words)
        assert told.exit_code == 2
        assert said in told.output.lower()
    wrong = await _turnout(bench, "not-a-key", "clock", "none")
    assert wrong.exit_code == 2
    assert "key" in wrong.output
    asked = ["clock", "c", "--key", "k", "--url", "http://127.0.0.1:1"]
    nowhere = await asyncio.to_thread(CliRunner().invoke, main, asked)
    assert (nowhere.exit_code, "doesn't answer" in nowhere.output) == (2, True)
