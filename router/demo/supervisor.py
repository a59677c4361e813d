"""A supervisor's look into the queues at the end: what waits there has reached no advisor, and is not lost."""

import time
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from router.demo.history import FoundWaiting
from router.demo.traffic import tokens

_MAX_CASES: Final = 1_000


async def find_waiting(api: str, key: str) -> tuple[FoundWaiting, ...]:
    """The messages that stand in the transcripts of waiting cases, read one by one over the API."""
    headers = {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=10)) as http:
        found: list[FoundWaiting] = []
        queues = (await _get(http, f"{api}/v1/queues"))["queues"]
        for queue in queues:
            for case in await _line(http, api, queue["queue"]):
                found += await _read(http, api, case)
        return tuple(found)


async def _line(http: aiohttp.ClientSession, api: str, queue: str) -> list[str]:
    cases: list[str] = []
    after: int | None = 0
    while after is not None and len(cases) < _MAX_CASES:
        page = await _get(http, f"{api}/v1/queues/{quote(queue)}/cases?after={after}")
        cases += [case["id"] for case in page.get("cases", ())]
        after = page.get("next")
    return cases


async def _read(http: aiohttp.ClientSession, api: str, case: str) -> list[FoundWaiting]:
    page = await _get(http, f"{api}/v1/cases/{quote(case, safe='')}")
    texts = [entry["text"] for entry in page.get("transcript", ()) if entry["kind"] == "inquiry"]
    names = [next(iter(tokens(text)), "") for text in texts]
    return [FoundWaiting(at=time.monotonic(), case=case, token=name) for name in names if name]


async def _get(http: aiohttp.ClientSession, url: str) -> Any:
    async with http.get(url) as answer:
        answer.raise_for_status()
        return await answer.json(content_type=None)
