"""Finds the installed plug-ins by their entry points, and checks what the settings ask of them."""

from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from typing import Any, Final

from router.contract.ids import AccountId, PoolId
from router.runtime.errors import PluginFailed, PluginMissing, SettingsError
from router.runtime.notifiers import CALLED_BACK_AT, Notifier, Pace, Target
from router.runtime.plugins import Account, Adapter
from router.runtime.settings.model import Settings
from router.runtime.settings.tree import build, suggestion
from router.runtime.simulators import Simulator

CHANNELS: Final = "turnout.channels"
SIMULATORS: Final = "turnout.simulators"
NOTIFIERS: Final = "turnout.notifiers"


def installed(group: str) -> Iterable[metadata.EntryPoint]:
    """The entry points of this environment."""
    return metadata.entry_points(group=group)


class PluginCatalog:
    """The plug-ins by name. Nothing is imported before it is asked for."""

    def __init__(self, find: Callable[[str], Iterable[metadata.EntryPoint]] = installed) -> None:
        self._groups = {
            group: {point.name: point for point in find(group)} for group in (CHANNELS, SIMULATORS, NOTIFIERS)
        }

    def names(self, group: str) -> tuple[str, ...]:
        """The names that a group offers, sorted."""
        return tuple(sorted(self._groups[group]))

    def adapter(self, name: str) -> Adapter[Any]:
        """A new adapter. Raises ``PluginMissing`` or ``PluginFailed``, as the two below."""
        adapter: Adapter[Any] = self._make(CHANNELS, name)
        return adapter

    def simulator(self, name: str) -> Simulator:
        simulator: Simulator = self._make(SIMULATORS, name)
        return simulator

    def notifier(self, name: str) -> Notifier[Any]:
        notifier: Notifier[Any] = self._make(NOTIFIERS, name)
        return notifier

    def _make(self, group: str, name: str) -> Any:
        points = self._groups[group]
        if name not in points:
            raise PluginMissing(
                f"no installed package offers {name!r} in {group}{suggestion(name, points)}; "
                f"there are: {', '.join(sorted(points)) or 'none'}"
            )
        try:
            plugin = points[name].load()()
        except Exception as exc:  # a third party's code: whatever it raises, it can't be used
            raise PluginFailed(f"{name!r} of {group} cannot be loaded: {exc!r}") from exc
        if plugin.name != name:
            raise PluginFailed(f"{name!r} of {group} calls itself {plugin.name!r}: the two must be equal")
        return plugin


class Installation:
    """The plug-ins that the settings ask for, each with its accounts or targets, options checked."""

    def __init__(
        self,
        channels: Mapping[str, tuple[Adapter[Any], tuple[Account[Any], ...]]],
        notifiers: Mapping[str, tuple[Notifier[Any], tuple[Target[Any], ...]]],
    ) -> None:
        self.channels = channels
        self.notifiers = notifiers


def install(settings: Settings, catalog: PluginCatalog) -> Installation:
    """Make every plug-in that an account or target names and check their options. Raises ``SettingsError``
    with all problems together."""
    problems: list[str] = []
    channels: dict[str, tuple[Adapter[Any], tuple[Account[Any], ...]]] = {}
    for name in sorted({account.channel for account in settings.accounts.values()}):
        where = [f"accounts.{key}" for key, row in settings.accounts.items() if row.channel == name]
        if name == CALLED_BACK_AT:
            problems.append(
                f"{where[0]}.channel: an adapter can't be called {name!r}: /{name} on the channels' port is where "
                f"notifiers are called back; give the adapter's entry point in {CHANNELS} another name"
            )
        elif (adapter := _made(catalog.adapter, name, f"{where[0]}.channel", problems)) is not None:
            channels[name] = (adapter, _accounts(settings, adapter, problems))
    notifiers: dict[str, tuple[Notifier[Any], tuple[Target[Any], ...]]] = {}
    for name in sorted({target.notifier for target in settings.targets.values()}):
        where = [f"targets.{key}" for key, row in settings.targets.items() if row.notifier == name]
        if (notifier := _made(catalog.notifier, name, f"{where[0]}.notifier", problems)) is not None:
            notifiers[name] = (notifier, _targets(settings, notifier, problems))
    if problems:
        raise SettingsError(tuple(problems))
    return Installation(channels, notifiers)


def _made(make: Callable[[str], Any], name: str, path: str, problems: list[str]) -> Any:
    try:
        return make(name)
    except (PluginMissing, PluginFailed) as exc:
        problems.append(f"{path}: {exc}")
        return None


def _accounts(settings: Settings, adapter: Adapter[Any], problems: list[str]) -> tuple[Account[Any], ...]:
    made = []
    for key, row in settings.accounts.items():
        if row.channel != adapter.name:
            continue
        path = f"accounts.{key}.options"
        options = build(adapter.options_type(), row.options, path=path, problems=problems)
        if options is not None:
            made.append(Account(id=AccountId(key), pool=PoolId(row.pool), options=options))
    return tuple(made)


def _targets(settings: Settings, notifier: Notifier[Any], problems: list[str]) -> tuple[Target[Any], ...]:
    made = []
    for key, row in settings.targets.items():
        if row.notifier != notifier.name:
            continue
        path = f"targets.{key}.options"
        options = build(notifier.options_type(), row.options, path=path, problems=problems)
        if options is not None:
            pace = Pace(group_s=row.group_s, group_most_s=row.group_most_s, per_minute=row.per_minute)
            made.append(Target(id=key, options=options, pace=pace))
    return tuple(made)
