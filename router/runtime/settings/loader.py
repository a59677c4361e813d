"""Reads the settings: defaults, under a YAML file, under environment variables, and checks all of it at once.

A variable's name is the setting's path: ``TURNOUT__REDIS__URL`` is ``redis.url``. With ``_FILE`` at its end it
names a file that holds the value. In names of accounts and targets ``_`` stands for ``-``.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from router.runtime.errors import SettingsError
from router.runtime.settings.environment import overlay
from router.runtime.settings.model import BusKind, Mode, Settings
from router.runtime.settings.tree import build, suggestion
from router.runtime.settings.yaml_file import read_yaml

_MIN_KEY_CHARS: Final = 32


def load(environ: Mapping[str, str], file: Path | None = None) -> Settings:
    """The settings, or ``SettingsError`` with every problem of file and environment together."""
    problems: list[str] = []
    tree = _file_tree(file, problems)
    overlay(tree, environ, Settings, problems)
    settings = build(Settings, tree, problems=problems)
    if settings is not None:
        problems += _conflicts(settings)
    if settings is None or problems:
        raise SettingsError(tuple(problems))
    return settings


def _file_tree(file: Path | None, problems: list[str]) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        tree = read_yaml(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        problems.append(f"{file}: cannot be read: {exc}")
        return {}
    except yaml.YAMLError as exc:
        problems.append(f"{file}{_told(exc)}")
        return {}
    if tree is not None and not isinstance(tree, dict):
        problems.append(f"{file}: expected a mapping of names to values")
        return {}
    return tree or {}


def _told(exc: yaml.YAMLError) -> str:
    """Line, column and problem, on one line."""
    mark = exc.problem_mark if isinstance(exc, yaml.MarkedYAMLError) else None
    if mark is None or not isinstance(exc, yaml.MarkedYAMLError):
        return f": {exc}"
    return f":{mark.line + 1}:{mark.column + 1}: {', '.join(filter(None, (exc.context, exc.problem)))}"


def _conflicts(settings: Settings) -> Iterator[str]:
    """What is wrong between settings that are right each by itself."""
    if settings.bus.kind is BusKind.KAFKA and not settings.kafka.bootstrap:
        yield "kafka.bootstrap: missing, since bus.kind is kafka"
    key = settings.signing_key
    if key is None and settings.mode is Mode.SCALED:
        yield "signing_key: missing, since redis.url is set: all replicas need the same one"
    if key is not None and len(key.reveal()) < _MIN_KEY_CHARS:
        yield f"signing_key: must have at least {_MIN_KEY_CHARS} characters"
    for pool in settings.router.pools:
        if pool not in settings.pools:
            yield f"router.pools: {pool!r} is not in pools{suggestion(pool, settings.pools)}"
    for name, account in settings.accounts.items():
        if account.pool not in settings.pools:
            hint = suggestion(account.pool, settings.pools)
            yield f"accounts.{name}.pool: {account.pool!r} is not in pools{hint}"
    yield from _doubles("pools", settings.pools)
    yield from _ports(settings)
    yield from _masks(settings)
    yield from _proxies(settings)


def _doubles(path: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{path}: {name!r} stands there twice"


def _ports(settings: Settings) -> Iterator[str]:
    taken: dict[int, str] = {}
    for name in ("channels_port", "api_port", "ops_port"):
        port = getattr(settings.http, name)
        if port and port in taken:
            yield f"http.{name}: {port} is http.{taken[port]} already"
        taken[port] = name


def _masks(settings: Settings) -> Iterator[str]:
    for index, mask in enumerate(settings.masks):
        try:
            empty = re.compile(mask.pattern).match("") is not None
        except re.error as exc:
            yield f"masks[{index}].pattern: not a regular expression: {exc}"
        else:
            if empty:
                yield f"masks[{index}].pattern: matches the empty text"


def _proxies(settings: Settings) -> Iterator[str]:
    for index, proxy in enumerate(settings.http.trusted_proxies):
        try:
            trusts_all = not ipaddress.ip_network(proxy).prefixlen
        except ValueError as exc:
            yield f"http.trusted_proxies[{index}]: {exc}"
        else:
            if trusts_all:
                yield f"http.trusted_proxies[{index}]: {proxy!r} is everybody: anyone could name any address as his"
