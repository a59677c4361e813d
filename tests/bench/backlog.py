"""How long the matcher takes for one freed advisor, with many cases waiting in the real store, and with few.

Cases wait in two pools of one server, which are filled once for all runs. In turn an advisor of each is freed, and the
matcher, in this process, looks for his next case: work, heads, decision, match, done.
"""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from router.contract.ids import CaseId, ConversationId, InquiryId, PoolId
from router.service.configuration.policies import Policies
from router.service.configuration.rule_files import RuleFiles
from router.service.matching.matcher import Matcher
from router.service.measuring.metrics import ServiceMetrics
from router.store.acts import Admit, Result
from tests.bench.ground import Ground, batches, settle, staff
from tests.bench.office import Office
from tests.bench.results import Sample, percentile
from tests.bench.script import Author
from tests.bench.traffic import inquiry, write_policy

_TEMPLATES: Final = 28  # all pairs of a channel and a text
_AT_ONCE: Final = 256
_SPACE: Final = uuid.UUID("0d0f3f57-90a4-5c07-8f50-6f0a0f3b7d11")


async def measure(ground: Ground, _run: int) -> Sample:
    """Milliseconds for the longer backlog, the median; the baseline is the shorter one's."""
    few, many = ground.scale.backlogs
    took: dict[int, list[float]] = {few: [], many: []}
    async with AsyncExitStack() as stack:
        rooms = {size: await stack.enter_async_context(_room(ground, size)) for size in took}
        for turn in range(ground.scale.turns + 1):
            for size, (office, matcher) in rooms.items():
                seconds = await _turn(office, matcher)
                if turn:  # the first makes everything ready
                    took[size].append(seconds)
    middle = {size: percentile(seconds, 0.5) * 1000 for size, seconds in took.items()}
    parts = {f"p99_{size}": (percentile(seconds, 0.99) * 1000, "ms") for size, seconds in took.items()}
    return Sample(value=middle[many], baseline=middle[few], parts=parts)


async def _turn(office: Office, matcher: Matcher) -> float:
    await office.until_held(1)
    advisor, case = office.held.popitem()
    _, _, offered = await office.free(advisor, case)
    began = time.perf_counter()
    await matcher.settle()
    seconds = time.perf_counter() - began
    await offered
    return seconds


@asynccontextmanager
async def _room(ground: Ground, size: int) -> AsyncIterator[tuple[Office, Matcher]]:
    """A pool with one advisor, who is at work, and so many cases that wait."""
    pool = PoolId(f"waiting-{size}")
    rules, roster = write_policy(ground.folder / str(pool), 1, one_each=True)
    files = RuleFiles(str(rules), str(roster))
    author = Author(ground, pool, files)
    await author.open()
    templates = [(await author.admit(inquiry(pool, number))).admit for number in range(_TEMPLATES)]
    if not await ground.store.heads(pool):
        await staff(ground.store, pool, files.roster())
        await settle(ground.store, pool)
        await fill(ground, pool, templates, size)
    office = Office(pool, ground.store, files.rulebook())
    async with office.open():
        metrics = ServiceMetrics(CollectorRegistry())
        matcher = Matcher(office.actor, ground.store, office.tail, policies=Policies(files.rulebook()), metrics=metrics)
        await matcher.settle()
        yield office, matcher


async def fill(ground: Ground, pool: PoolId, templates: Sequence[Admit], size: int) -> None:
    """Cases as the templates have them, nobody being offered any. Their events are not kept."""
    gen, lease = (await ground.store.open_pool(pool)).gen, await ground.store.take(pool)
    for numbers in batches(range(size), _AT_ONCE):
        acts = [_copy(templates[number % len(templates)], number, gen=gen) for number in numbers]
        outcomes = await ground.store.apply(acts)
        assert {outcome.result for outcome in outcomes} == {Result.QUEUED}
        await ground.store.trim(pool, lease, outcomes[-1].number)
        await asyncio.sleep(0)


def _copy(template: Admit, number: int, *, gen: int) -> Admit:
    name = str(uuid.uuid5(_SPACE, f"{template.pool}/{number}"))
    return replace(
        template,
        gen=gen,
        case=CaseId(name),
        inquiry=InquiryId(name),
        conversation=ConversationId(f"talk-{name}"),
        plan=replace(template.plan, score=template.plan.score + number),
        placing=replace(template.placing, candidates=()),
    )
