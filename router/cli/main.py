"""The command ``turnout``: its subcommands are imported when they are called."""

import importlib
from typing import Final

import click

_COMMANDS: Final = {
    "up": ("router.cli.up", "Start the service: all roles in one process, or some of them."),
    "demo": ("router.cli.demo", "Watch the whole line at work for a minute."),
    "advisor": ("router.cli.advisor", "Answer cases as an advisor, in the terminal."),
    "explain": ("router.cli.explain", "Say why a case is where it is, and what it waits for."),
    "clock": ("router.cli.clock", "Show what counted for a case's SLA clocks."),
    "keys": ("router.cli.keys", "Make, list and revoke keys of the API."),
    "dead-letters": ("router.cli.dead_letters", "List, show, replay and drop what could not be handled."),
    "rebuild": ("router.cli.rebuild", "Make the state store anew from the bus."),
    "simulate": ("router.cli.simulate", "Try a policy, a rulebook or a roster on simulated customers."),
    "check": ("router.cli.check", "Check settings, rules and roster, all problems together."),
    "schema": ("router.cli.schema", "Print the JSON Schema of the rulebook or the roster, for an editor."),
    "status": ("router.cli.status", "Say how the running service does."),
    "settings": ("router.cli.settings", "List every setting with default, type and meaning."),
}


class _Lazy(click.Group):
    """Imports a command when it is asked for: ``turnout --help`` need not load a Kafka client."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="turnout", prog_name="turnout")
def main() -> None:
    """Turnout routes every customer's message to the right advisor, and the answer back."""
