"""Reads over a pool's rows."""

from router.contract.ids import CaseId
from router.store.memory.rows import PoolRows
from router.store.protocol import CaseNames, Change, Head, LineSize, PoolStatus, RosterPage, Share, WorkBatch, WorkItem

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


def work(rows: PoolRows, share: Share, limit: int) -> WorkBatch:
    mine = [
        WorkItem(item=item, stamp=stamp, place=place)
        for item, (place, stamp) in rows.work.items()
        if share.takes(item, place)
    ]
    mine.sort(key=lambda item: item.place)
    items = tuple(mine[:limit])
    return WorkBatch(gen=rows.gen, change=rows.change, stamp=rows.stamp, now_ms=rows.now_ms, items=items)


def heads(rows: PoolRows) -> list[Head]:
    found = []
    for class_key, line in rows.lines.items():
        score, case = line.head()
        found.append(Head(class_key=class_key, score=score, case=CaseId(case)))
    return found


def line_sizes(rows: PoolRows) -> list[LineSize]:
    found = []
    for key, line in rows.lines.items():
        score, case = line.head()
        opened = rows.cases[CaseId(case)].opened_at_ms
        found.append(LineSize(class_key=key, length=len(line), case=CaseId(case), score=score, opened_at_ms=opened))
    return found


def case_names(rows: PoolRows, cursor: str) -> CaseNames:
    names = sorted(name for name in rows.cases if name > cursor)
    page = names[:PAGE]
    return CaseNames(cases=tuple(page), cursor=page[-1] if len(names) > PAGE else "")


def status(rows: PoolRows, witness_ms: int) -> PoolStatus:
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
        outbox_mark=rows.outbox_mark,
        level=rows.level,
        looked_ms=rows.looked_ms,
        witness_ms=witness_ms,
        timers=len(rows.timers),
        next_timer_ms=rows.timers.head()[0] if len(rows.timers) else None,
    )
