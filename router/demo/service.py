"""The service under demonstration: a child process, started from files that the demo writes."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import yaml
from prometheus_client.parser import text_string_to_metric_families

from router.demo.errors import ServiceFailed
from router.runtime import run_file
from router.runtime.run_file import RunFile
from router.runtime.servers import valkey_guard

_START_S: Final = 60.0
_STOP_S: Final = 30.0
_COMMAND_S: Final = 30.0
_LOOK_AGAIN_S: Final = 0.1
_LOG_LINES: Final = 12
_SWEEP: Final = "turnout_sweep_found"

VIP_RULES: Final[dict[str, Any]] = {
    "rules": [
        {
            "name": "demo-vip",
            "match": {"message": {"words": ["platinum member", "VIP 고객"]}},
            "set": {"queue": "vip", "priority": 1, "labels": ["vip"]},
            "continue": True,
        }
    ]
}
"""Who is a VIP: no channel of the demo knows it of its customers, so they say it themselves."""


class ServiceFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What a service is started from: its folder, the content of settings and roster, the channels' weights."""

    folder: Path
    settings: dict[str, Any]
    roster: dict[str, Any]
    units: dict[str, int]

    @property
    def settings_file(self) -> Path:
        return self.folder / "settings.yaml"

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    def write(self) -> None:
        """Write them all."""
        rules = self.folder / "rules"
        rules.mkdir(parents=True, exist_ok=True)
        defaults = default_rules()
        shutil.copyfile(defaults / "rules.yaml", rules / "rules.yaml")
        rulebook = yaml.safe_load((defaults / "rulebook.yaml").read_text("utf-8"))
        _dump(rules / "rulebook.yaml", with_units(rulebook, self.units))
        _dump(rules / "demo.yaml", VIP_RULES)  # before the others by its name, so its rule is the first
        _dump(self.folder / "roster.yaml", self.roster)
        own = {
            "data_dir": str(self.data_dir),
            "rules_dir": str(rules),
            "roster_file": str(self.folder / "roster.yaml"),
        }
        _dump(self.settings_file, {**own, **self.settings})


class DemoService:
    """The running child. ``environ`` is what it gets as its environment."""

    def __init__(self, files: ServiceFiles, environ: Mapping[str, str]) -> None:
        self._files = files
        self._environ = dict(environ)
        self._process: subprocess.Popen[bytes] | None = None
        self.run_file: RunFile

    @property
    def log_file(self) -> Path:
        return self._files.folder / "service.log"

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises ``ServiceFailed``."""
        await asyncio.to_thread(self._files.write)
        self._spawn()
        try:
            async with asyncio.timeout(_START_S):
                self.run_file = await self._written()
                await self._ready()
        except TimeoutError as exc:
            raise ServiceFailed(f"the service was not ready within {_START_S:.0f} s:\n{self._last_lines()}") from exc

    async def watch(self) -> None:
        """Return never; raises ``ServiceFailed`` when the service ends by itself."""
        while True:
            self._check()
            await asyncio.sleep(_LOOK_AGAIN_S * 5)

    async def command(self, *arguments: str) -> bytes:
        """What a command of ``turnout`` prints, with the service's settings. Raises ``ServiceFailed``."""
        line = [sys.executable, "-m", "router.cli", *arguments, "--settings", str(self._files.settings_file)]
        process = await asyncio.create_subprocess_exec(
            *line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self._environ
        )
        try:
            async with asyncio.timeout(_COMMAND_S):
                out, err = await process.communicate()
        except BaseException:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            raise ServiceFailed(f"turnout {' '.join(arguments)}: {err.decode(errors='replace').strip()}")
        return out

    async def sweep_found(self) -> int:
        """What the safety sweep has found, from ``/metrics``."""
        async with _http() as http, http.get(f"{self.run_file.ops}/metrics") as answer:
            families = text_string_to_metric_families(await answer.text())
        return round(sum(sample.value for family in families if family.name == _SWEEP for sample in family.samples))

    async def stop(self) -> None:
        """End it, by force if it takes too long. Repeating it does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        self._ask_to_end(process)
        try:
            await asyncio.to_thread(process.wait, _STOP_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.to_thread(process.wait)

    def _ask_to_end(self, process: "subprocess.Popen[bytes]") -> None:
        if process.stdin is not None:  # the guard between us ends the service when its input closes
            process.stdin.close()
        else:
            process.terminate()

    def _spawn(self) -> None:
        """As a child that ends with us however we end, in a process group of its own: Ctrl-C is ours to handle."""
        by_kernel = sys.platform == "linux"
        lock = os.open(self._files.folder / "service.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        guard = [sys.executable, "-I", "-S", valkey_guard.__file__, "exec" if by_kernel else "watch", str(lock)]
        up = [sys.executable, "-m", "router.cli", "up", "--settings", str(self._files.settings_file)]
        with contextlib.closing(_Descriptor(lock)), self.log_file.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [*guard, str(os.getpid()), "", *up],
                stdin=subprocess.DEVNULL if by_kernel else subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=self._environ,
                pass_fds=(lock,),
                start_new_session=True,
            )

    async def _written(self) -> RunFile:
        while True:
            self._check()
            with contextlib.suppress(OSError):  # what is wrong with the folder is the service's to say
                if (found := run_file.read(self._files.data_dir)) is not None:
                    return found
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def _ready(self) -> None:
        async with _http() as http:
            while True:
                self._check()
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with http.get(f"{self.run_file.ops}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(_LOOK_AGAIN_S)

    def _check(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            raise ServiceFailed(f"the service ended with code {self._process.returncode}:\n{self._last_lines()}")

    def _last_lines(self) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-_LOG_LINES:])
        return "it wrote no log"


class _Descriptor:
    def __init__(self, number: int) -> None:
        self._number = number

    def close(self) -> None:
        os.close(self._number)


def default_rules() -> Path:
    """The folder of the rules that come with Turnout: found as files, since the demo uses no code of theirs."""
    spec = find_spec("rules")
    assert spec is not None, "rules is part of every installation"
    assert spec.submodule_search_locations, "rules is a package"
    return Path(spec.submodule_search_locations[0]) / "defaults"


def with_units(rulebook: dict[str, Any], units: Mapping[str, int]) -> dict[str, Any]:
    """The rulebook's document with these weights of channels, and no wrap-up: a demo has no time for it."""
    return {**rulebook, "channels": {channel: {"units": units[channel]} for channel in sorted(units)}}


def _dump(file: Path, content: Mapping[str, Any]) -> None:
    file.write_text(yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False), encoding="utf-8")


def _http() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5))
