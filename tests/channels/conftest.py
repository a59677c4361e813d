"""A real browser, for what customers see."""

import os
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """Chromium; skipped where it is missing, a failure in CI."""
    playwright = pytest.importorskip("playwright.async_api", reason="install the Python package playwright")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        _missing("no browser here: install chromium so that it is on PATH (Debian: apt-get install chromium)")
    async with playwright.async_playwright() as started:
        launched = await started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        await launched.close()


def _missing(what: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)
