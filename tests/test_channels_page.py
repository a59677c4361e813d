"""The page on setting up the channels: its settings can be set, its options are those there are, its addresses are
served. Run as a script it renews the tables of options."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from click.testing import CliRunner

from router.cli.main import main
from router.runtime.plugin_catalog import CHANNELS, PluginCatalog, install
from router.runtime.settings.model import Settings
from router.runtime.settings.table import describe
from router.runtime.settings.tree import build

FILE = Path(__file__).resolve().parents[1] / "docs" / "channels.md"
PAGE = FILE.read_text("utf-8")
TABLE = re.compile(r"(<!-- options: (\w+) -->\n)(.*?)(<!-- end of options -->)", re.DOTALL)
NAMES = PluginCatalog().names(CHANNELS)


def _table(channel: str) -> str:
    rows = ["| option | type | default | meaning |", "|---|---|---|---|"]
    for row in describe(PluginCatalog().adapter(channel).options_type()):
        cells = (f"`{row.path}`", row.type, f"`{row.default}`" if row.default else "", row.meaning)
        rows.append("| " + " | ".join(cells) + " |")
    return "\n" + "\n".join(rows) + "\n\n"


def _settings() -> Settings:
    (text,) = re.findall(r"^<!-- settings -->\n```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    problems: list[str] = []
    settings = build(Settings, yaml.safe_load(text), problems=problems)
    assert problems == []
    assert settings is not None
    return settings


def test_every_channel_has_the_table_of_its_options() -> None:
    found = {channel: text for _, channel, text, _ in TABLE.findall(PAGE)}
    assert sorted(found) == sorted(NAMES)
    for channel, text in found.items():
        assert text == _table(channel), "run: python tests/test_channels_page.py"


@pytest.mark.parametrize("channel", NAMES)
def test_every_option_says_what_it_means(channel: str) -> None:
    rows = describe(PluginCatalog().adapter(channel).options_type())
    assert rows
    assert [row.path for row in rows if not row.meaning] == []


def test_the_settings_of_the_page_have_an_account_of_each_channel() -> None:
    opened = install(_settings(), PluginCatalog())
    assert sorted(opened.channels) == sorted(NAMES)


def test_the_addresses_of_the_page_are_those_of_its_accounts() -> None:
    settings = _settings()
    paths = {
        urlsplit(text).path.strip("/") for text in re.findall(r"https://channels\.shop\.example/[^\s\"`),]+", PAGE)
    }
    accounts = {f"{one.channel}/{name}" for name, one in settings.accounts.items()}
    named = {"/".join(path.split("/")[:2]) for path in paths}
    assert named == {one for one in accounts if not one.startswith(("email/", "webhook/"))}


@pytest.mark.parametrize("channel", NAMES)
def test_the_command_lists_the_options_of_a_channel(channel: str) -> None:
    done = CliRunner().invoke(main, ["settings", "--channel", channel])
    assert done.exit_code == 0, done.output
    for row in describe(PluginCatalog().adapter(channel).options_type()):
        assert f"accounts.<name>.options.{row.path}  ({row.type}" in done.output
        assert row.meaning in done.output


def test_an_unknown_channel_is_refused_with_the_likely_one() -> None:
    done = CliRunner().invoke(main, ["settings", "--channel", "emial"])
    assert done.exit_code == 2
    assert "did you mean 'email'?" in done.output


def test_the_command_lists_the_options_of_a_notifier() -> None:
    done = CliRunner().invoke(main, ["settings", "--notifier", "webhook"])
    assert done.exit_code == 0, done.output
    assert "targets.<name>.options.url  (text, required)" in done.output


if __name__ == "__main__":
    FILE.write_text(TABLE.sub(lambda found: found[1] + _table(found[2]) + found[4], PAGE), "utf-8")
