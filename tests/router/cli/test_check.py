"""``turnout check``: all that is wrong, together; what is only doubtful does no harm."""

import base64
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from router.cli.main import main
from tests.suites.stage import RULES

SECRET = "whsec_" + base64.b64encode(b"x" * 24).decode()
ROSTER = """
advisors:
  - {id: mina, name: Mina, tier: lead, skills: {billing: 5, technical: 5}, languages: {en: 9}}
  - {id: jun, name: Jun, languages: {en: 9}}
"""


def _check(folder: Path, settings: str, roster: str = ROSTER, rules: str = RULES) -> Result:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(rules, "utf-8")
    (folder / "roster.yaml").write_text(roster, "utf-8")
    file = folder / "settings.yaml"
    file.write_text(f"rules_dir: {folder}/rules\nroster_file: {folder}/roster.yaml\n{settings}", "utf-8")
    return CliRunner().invoke(main, ["check", "--settings", str(file)])


def test_what_is_in_order_is_said(tmp_path: Path) -> None:
    options = f"{{url: 'https://a.example/x', secrets: [{SECRET}]}}"
    settings = f"targets: {{webhook: {{notifier: webhook, options: {options}}}}}"
    checked = _check(tmp_path, settings)
    assert (checked.exit_code, checked.output.splitlines()[-1]) == (0, "settings, rules and roster are in order")


def test_a_ladder_without_its_target_is_a_warning(tmp_path: Path) -> None:
    checked = _check(tmp_path, "")
    assert checked.exit_code == 0
    assert "warning: " in checked.output
    assert "the settings have no target `webhook`" in checked.output


def test_everything_that_keeps_it_from_starting_is_said_at_once(tmp_path: Path) -> None:
    settings = "accounts: {shop: {channel: pigeon}}"
    roster = ROSTER.replace("tier: lead", "tier: lead, pool: south").replace("id: jun", "id: jun, skills: {piano: 3}")
    checked = _check(tmp_path, settings, roster)
    assert checked.exit_code == 2
    for said in ("pigeon", "the settings have no pool `south`", "the rulebook has no skill `piano`"):
        assert said in checked.output


@pytest.mark.parametrize("setting", ["rules_dir", "roster_file"])
def test_a_folder_or_file_that_is_not_there_is_said_with_its_setting(tmp_path: Path, setting: str) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(f"{setting}: {tmp_path}/nowhere\n", "utf-8")
    checked = CliRunner().invoke(main, ["check", "--settings", str(file)])
    assert checked.exit_code == 2
    assert f"{setting}: {tmp_path}/nowhere can't be read: No such file or directory" in checked.output


def test_the_next_openings_of_a_calendar_are_shown(tmp_path: Path) -> None:
    calendar = "calendars: {seoul: {time_zone: Asia/Seoul, week: {daily: ['09:00-18:00', '22:00-02:00']}}}\n"
    checked = _check(tmp_path, "", rules=RULES + calendar)
    assert "calendar seoul (Asia/Seoul, where it is " in checked.output
    days = [line for line in checked.output.splitlines() if line.endswith("  09:00-18:00, 22:00-02:00")]
    assert len(days) == 3
    settings = str(tmp_path / "settings.yaml")
    in_korean = CliRunner().invoke(main, ["check", "--settings", settings, "--lang", "ko"])
    assert "달력 seoul (Asia/Seoul, 현지 시각 " in in_korean.output


def test_a_calendar_file_that_is_over_is_a_warning(tmp_path: Path) -> None:
    calendar = "calendars: {seoul: {time_zone: Asia/Seoul, week: {daily: ['09:00-18:00']}, closures: [company.ics]}}\n"
    _check(tmp_path, "", rules=RULES + calendar)
    over = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20200504\nEND:VEVENT\nEND:VCALENDAR\n"
    (tmp_path / "rules" / "company.ics").write_text(over, "utf-8")
    checked = CliRunner().invoke(main, ["check", "--settings", str(tmp_path / "settings.yaml")])
    assert checked.exit_code == 0
    assert "`company.ics` closes nothing any more: its last day was 2020-05-04; export it anew" in checked.output
