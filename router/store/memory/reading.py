"""Reads over a pool's rows."""

import zlib

from router.contract.ids import CaseId
from router.store.memory.rows import PoolRows
from router.store.protocol import Change, Head, PoolStatus, RosterPage, WorkBatch, WorkItem

PAGE = 200
MAX_CHANGES = 500


def roster(rows: PoolRows, cursor: str) -> RosterPage:
    names = sorted(name for name in rows.advisors if name > cursor)
    page = names[:PAGE]
    return RosterPage(
        gen=rows.gen,
        change=rows.change,
        advisors=tuple(rows.advisors[name].snapshot() for name in page),
        cursor=page[-1] if len(names) > PAGE else "",
    )


def changes(rows: PoolRows, after: int) -> list[Change]:
    return [change for change in rows.changes if change.number > after][:MAX_CHANGES]


def work(rows: PoolRows, share: tuple[int, int], limit: int) -> WorkBatch:
    mine = [
        (place, WorkItem(item=item, stamp=stamp)) for item, (place, stamp) in rows.work.items() if is_mine(item, share)
    ]
    mine.sort(key=lambda entry: entry[0])
    items = tuple(item for _, item in mine[:limit])
    return WorkBatch(gen=rows.gen, change=rows.change, stamp=rows.stamp, now_ms=rows.now_ms, items=items)


def is_mine(item: str, share: tuple[int, int]) -> bool:
    """Whether a work item falls to share k of n. CRC-32, so that every process agrees."""
    k, n = share
    return n == 1 or zlib.crc32(item.encode()) % n == k


def heads(rows: PoolRows) -> list[Head]:
    found = []
    for class_key, line in rows.lines.items():
        score, case = line.head()
        found.append(Head(class_key=class_key, score=score, case=CaseId(case)))
    return found


def status(rows: PoolRows) -> PoolStatus:
    return PoolStatus(
        gen=rows.gen,
        format=rows.format,
        now_ms=rows.now_ms,
        change=rows.change,
        number=rows.number,
        trimmed=rows.trimmed,
        queued=sum(len(line) for line in rows.lines.values()),
        classes=len(rows.lines),
        work=len(rows.work),
        timers=len(rows.timers),
        next_timer_ms=rows.timers.head()[0] if len(rows.timers) else None,
    )
