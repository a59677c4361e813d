"""Prometheus's own check of what we expose."""

import os
import shutil
import subprocess

import pytest


def promtool() -> str:
    """The tool; without it a laptop skips the test and CI fails it."""
    found = shutil.which("promtool")
    if found is None:
        reason = "no promtool here: install Prometheus (Debian: apt-get install prometheus)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def problems_of(exposition: str) -> list[str]:
    """What ``promtool check metrics`` has to say about a page of metrics."""
    checked = subprocess.run(
        [promtool(), "check", "metrics"], input=exposition, capture_output=True, text=True, check=False, timeout=30
    )
    said = (checked.stdout + checked.stderr).splitlines()
    return said if said or checked.returncode == 0 else [f"promtool ended with {checked.returncode}"]
