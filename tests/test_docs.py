"""The pages for operators and supervisors say nothing that isn't so: every command, setting, metric, path, body and
YAML block on them is held against the code. Run as a script it renews the table of settings."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
import yaml
from click.testing import CliRunner
from msgspec.structs import replace

from router.api.acts import asking
from router.api.acts.asking import read_body
from router.api.rest.cases import ACTS
from router.api.routes import DESCRIBED
from router.cli.main import main
from router.runtime.plugin_catalog import PluginCatalog, install
from router.runtime.settings.model import Settings
from router.runtime.settings.table import describe
from router.runtime.settings.tree import build
from rules import load, load_roster
from rules.checking.lint import lint

ROOT = Path(__file__).resolve().parents[1]
DOCS = {name: ROOT / "docs" / f"{name}.md" for name in ("operators", "supervisors", "channels")}
PAGES = {name: path.read_text("utf-8") for name, path in DOCS.items()}
EXAMPLE = ROOT / "deploy" / "settings.example.yaml"
TABLE = re.compile(r"(<!-- settings table: .*? -->\n)(.*?)(<!-- end of settings table -->)", re.DOTALL)
# As written in the text: setting, command or metric; what is none of them is left alone.
SETTING = re.compile(r"`([a-z_]+(?:\.[a-z_]+)+)(?::[^`]*)?`")
METRIC = re.compile(r"turnout_[a-z_]+")
DECLARED = re.compile(r"(Counter|Gauge|Histogram)\(\s*\"(turnout_\w+)\"")


def _blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], re.DOTALL | re.MULTILINE)


def _marked(page: str, mark: str) -> list[str]:
    """The YAML blocks that a comment before them says what they are."""
    return re.findall(rf"<!-- {mark} -->\n```yaml\n(.*?)^```", PAGES[page], re.DOTALL | re.MULTILINE)


def _command_lines() -> Iterator[str]:
    for page, text in PAGES.items():
        for block in _blocks(page, "sh"):
            yield from block.replace("\\\n", " ").splitlines()
        yield from re.findall(r"`(turnout [^`]+)`", text)


def _settings_table() -> str:
    rows = ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for row in describe():
        cells = (f"`{row.path}`", row.type, f"`{row.default}`" if row.default else "", row.meaning)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n" + "\n".join(rows) + "\n\n"


def test_the_table_of_settings_is_what_can_be_set() -> None:
    found = TABLE.search(PAGES["operators"])
    assert found is not None
    assert found[2] == _settings_table(), "run: python tests/test_docs.py"


TURNOUT = sorted({line for line in _command_lines() if line.startswith("turnout ")})


@pytest.mark.parametrize("text", TURNOUT)
def test_a_command_is_there_with_its_options(text: str) -> None:
    words = shlex.split(text)[1:]
    command: click.Command = main
    while isinstance(command, click.Group) and words:
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, words[0]
        command, words = found, words[1:]
    options = {name for parameter in command.params for name in parameter.opts}
    given = [word.partition("=")[0] for word in words if word.startswith("-")]
    assert set(given) <= options
    for word in words:
        assert not word.endswith(".yaml") or (ROOT / word).is_file()


def test_the_pages_have_commands() -> None:
    assert len(TURNOUT) > 12


@pytest.mark.parametrize("page", PAGES)
def test_a_setting_that_is_named_is_there(page: str) -> None:
    known = {row.path for row in describe()}
    sections = {path.split(".")[0] for path in known if "." in path}
    named = {name for name in SETTING.findall(PAGES[page]) if name.split(".")[0] in sections}
    assert named - known == set()


def _metrics(folder: str) -> set[str]:
    found = [hit for path in (ROOT / folder).rglob("*.py") for hit in DECLARED.findall(path.read_text("utf-8"))]
    return {name if kind != "Counter" or name.endswith("_total") else f"{name}_total" for kind, name in found}


def test_the_metrics_of_the_page_are_those_there_are() -> None:
    named = set(METRIC.findall(PAGES["operators"]))
    own, channels = _metrics("router"), _metrics("channels")
    assert len(own) > 25
    assert named - own - channels == set()
    assert own - named == set()


@pytest.mark.parametrize("page", PAGES)
def test_links_and_paths_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", PAGES[page]):
        assert (DOCS[page].parent / target).exists(), target


def test_the_rules_and_the_roster_of_the_page_go_together() -> None:
    blocks = _marked("supervisors", "rules")
    rulebook = load({f"{number:02}.yaml": text for number, text in enumerate(blocks)})
    (roster,) = _marked("supervisors", "roster")
    assert len(blocks) > 4
    assert [str(problem) for problem in lint(rulebook, load_roster({"roster.yaml": roster}))] == []


def test_every_yaml_block_is_checked_by_one_of_these_tests() -> None:
    for page in PAGES:
        marked = [text for mark in ("rules", "roster", "settings", "case") for text in _marked(page, mark)]
        assert sorted(marked) == sorted(_blocks(page, "yaml"))


@pytest.mark.parametrize("text", [text for page in PAGES for text in _marked(page, "settings")])
def test_a_block_of_settings_can_be_set(text: str) -> None:
    problems: list[str] = []
    settings = build(Settings, yaml.safe_load(text), problems=problems)
    assert problems == []
    assert settings is not None
    install(replace(settings, accounts={}), PluginCatalog())  # targets' options, too; an account may be a reader's own


def test_the_example_of_settings_is_in_order() -> None:
    done = CliRunner().invoke(main, ["check", "--settings", str(EXAMPLE)], env={"TURNOUT_SETTINGS": ""})
    assert (done.exit_code, done.output) == (0, "settings, rules and roster are in order\n")


@pytest.mark.parametrize("text", [line for line in TURNOUT if line.startswith("turnout simulate ")])
def test_a_simulation_of_the_page_can_be_run(text: str) -> None:
    words = [str(ROOT / word) if (ROOT / word).exists() else word for word in shlex.split(text)[1:]]
    done = CliRunner().invoke(main, [*words, "--replications", "1", "--processes", "1"])
    assert done.exit_code == 0, done.output
    assert "1 replications of about " in done.output


def test_the_simulated_day_of_the_page_can_be_judged_by_the_rules_that_come_with_turnout(tmp_path: Path) -> None:
    (text,) = _marked("supervisors", "case")
    file, rules = tmp_path / "day.yaml", ROOT / "rules" / "defaults"
    file.write_text(text, "utf-8")
    words = ["simulate", str(file), "--rules", str(rules), "--roster", str(rules / "roster.yaml"), "--json"]
    done = CliRunner().invoke(main, [*words, "--replications", "1", "--processes", "1"])
    rows = msgspec.json.decode(done.output)
    assert [row["class"] for row in rows] == ["all", "late-parcel", "refund"]
    assert all(row["sla"] > 0.5 for row in rows)


CURLS = [line for line in _command_lines() if line.startswith("curl ") and "/v1/" in line]


@pytest.mark.parametrize("text", CURLS)
def test_a_call_of_the_api_is_one_it_serves(text: str) -> None:
    words = shlex.split(text)
    method = words[words.index("--request") + 1] if "--request" in words else "GET"
    path = next(word for word in words if "/v1/" in word).removeprefix("$API").partition("?")[0]
    served = [(one.method, re.sub(r"\{\w+\}", r"[^/]+", one.path)) for one in DESCRIBED]
    assert [one for one, pattern in served if one == method and re.fullmatch(pattern, path)], (method, path)
    assert "Authorization: Bearer $TURNOUT_KEY" in words
    if method == "POST":
        assert any(word.startswith("Idempotency-Key: ") for word in words)
        ask = read_body(ACTS[path.rpartition("/")[2]], _data(words).encode(), case="c", op="op")
        assert isinstance(ask, asking.CaseAsk)


def _data(words: list[str]) -> str:
    return words[words.index("--data") + 1]


def test_the_pages_have_calls() -> None:
    assert len(CURLS) > 5


def test_answers_that_are_shown_are_json() -> None:
    shown: list[Any] = [msgspec.json.decode(text) for page in PAGES for text in _blocks(page, "json")]
    assert all(isinstance(one, dict) for one in shown)


if __name__ == "__main__":
    page = PAGES["operators"]
    DOCS["operators"].write_text(TABLE.sub(lambda found: found[1] + _settings_table() + found[3], page), "utf-8")
