"""The audit of a case's clocks over the API, and what the terminal makes of it."""

import asyncio
import re
from datetime import datetime
from pathlib import Path

from click.testing import CliRunner, Result
from msgspec import json

from router.cli.main import main
from router.contract.config import Role
from rules import content, load
from tests.suites.api_bench import ApiBench

DEFAULTS = Path(__file__).parents[4] / "rules" / "defaults"


def policy_files(first_s: int) -> dict[str, str]:
    """The files of the rulebook that the bench goes by, with another promise of a first response."""
    texts = {name: (DEFAULTS / name).read_text("utf-8") for name in ("rulebook.yaml", "rules.yaml")}
    assert "quick: {first_response_s: 3600," in texts["rulebook.yaml"]
    return {
        name: text.replace("quick: {first_response_s: 3600,", f"quick: {{first_response_s: {first_s},")
        for name, text in texts.items()
    }


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
        "what would free it, each alone:\n  it is taken when one of these comes online for it: minji\n"
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


async def test_what_a_rulebook_would_do_to_the_cases_is_shown_to_supervisors(bench: ApiBench) -> None:
    case = await bench.write("Where is my parcel?")
    await bench.clock.advance_ms(90_000)
    shorter = load(policy_files(60))
    body = {"rulebook": json.decode(content(shorter))}
    status, page = await bench.post("/v1/rulebooks/forecast", bench.key(Role.SUPERVISOR), body)
    assert status == 200, page
    assert (page["rulebook"], page["cases"], page["touched"], page["earlier"]) == (shorter.hash, 1, 1, 1)
    assert page["overdue"] == {"first_response": 1}
    (shown,) = page["shown"]
    assert (shown["case"], shown["overdue"]) == (case, ["first_response"])
    move = shown["clocks"]["first_response"]
    moved = datetime.fromisoformat(move["due_at"]) - datetime.fromisoformat(move["would_be_at"])
    assert moved.total_seconds() == 3_540
    assert (await bench.post("/v1/rulebooks/forecast", await bench.advisor("jun"), body))[0] == 403
    wrongs: tuple[dict[str, object], ...] = ({"rulebook": {"queues": 3}}, {"rules": {}}, {})
    for wrong in wrongs:
        assert (await bench.post("/v1/rulebooks/forecast", bench.key(Role.SUPERVISOR), wrong))[0] == 400


async def test_the_terminal_checks_rules_against_the_cases_that_are_there(bench: ApiBench, tmp_path: Path) -> None:
    case = await bench.write("Where is my parcel?")
    (tmp_path / "rules").mkdir()
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"rules_dir: {tmp_path}/rules\nroster_file: {DEFAULTS}/roster.yaml\n", "utf-8")
    for first_s, told in ((3600, "these rules move the clocks of none"), (7200, f"case {case} in queue ")):
        for name, text in policy_files(first_s).items():
            (tmp_path / "rules" / name).write_text(text, "utf-8")
        token = bench.key(Role.SUPERVISOR)
        checked = await _turnout(bench, token, "check", "--settings", str(settings), "--cases")
        assert checked.exit_code == 0, checked.output
        assert told in checked.output
    for name, text in policy_files(3600).items():
        (tmp_path / "rules" / name).write_text(text.replace("policy: quick", "policy: standard"), "utf-8")
    checked = await _turnout(bench, token, "check", "--settings", str(settings), "--cases")
    assert "  another policy: standard for 1\n" in checked.output
    assert re.search(rf"  case {case} in queue [a-z-]+, policy standard\n", checked.output)
