"""Every key of the runtime in Redis or Valkey: its type, members and lifetime, and where it comes from.

The keys of one bus share a hash tag, so they lie in one slot: a bus on streams is one shard's. They are in
no other place: their backup is the server's own log (design section 3).
"""

from typing import Final

_BUS: Final = "{turnout-bus}"
_CHAT: Final = "{turnout-chat}"
_LEDGER: Final = "turnout:ledger"


class BusKeys:
    """The keys of one bus on streams.

    ========  ======  ============================================================  ====================
    key       type    members                                                       lifetime
    ========  ======  ============================================================  ====================
    topics    hash    topic -> its partitions and cleanup                           for ever
    log       stream  one partition's records; id = offset + 1                      retention, compaction
    ends      hash    a topic: partition -> next offset, P:t last time, P:b bytes    for ever
    index     hash    a compacted partition: key -> id of its last record           until its tombstone goes
    stale     zset    a compacted partition: id -> when it may be dropped (ms)      until dropped
    cursors   hash    a topic: PARTITION/GROUP -> next offset to read               the group's
    members   zset    a group: member -> end of its lease (ms)                      the lease
    owners    hash    a group: TOPIC/PARTITION -> EPOCH MEMBER                      until released or expired
    wake      stream  a group: one entry, renewed when members change               the group's
    groups    zset    group -> the bus's age when it was last used (ms)             a day of use without it
    upkeep    hash    age_ms, last_ms, used_ms:LIBRARY (the bus's age at its last)   for ever
    epoch     string  the last epoch given to any assignment                        for ever
    joins     string  the last number given to a member                             for ever
    ========  ======  ============================================================  ====================
    """

    topics: Final = f"{_BUS}:topics"
    groups: Final = f"{_BUS}:groups"
    upkeep: Final = f"{_BUS}:upkeep"
    epoch: Final = f"{_BUS}:epoch"
    joins: Final = f"{_BUS}:joins"

    def log(self, topic: str, partition: int) -> str:
        return f"{_BUS}:log:{topic}/{partition}"

    def ends(self, topic: str) -> str:
        return f"{_BUS}:ends:{topic}"

    def index(self, topic: str, partition: int) -> str:
        return f"{_BUS}:index:{topic}/{partition}"

    def stale(self, topic: str, partition: int) -> str:
        return f"{_BUS}:stale:{topic}/{partition}"

    def cursors(self, topic: str) -> str:
        return f"{_BUS}:cursors:{topic}"

    def members(self, group: str) -> str:
        return f"{_BUS}:members:{group}"

    def owners(self, group: str) -> str:
        return f"{_BUS}:owners:{group}"

    def wake(self, group: str) -> str:
        return f"{_BUS}:wake:{group}"


class LedgerKeys:
    """The keys of the ledger of replies: each step is over one reply's and the standing.

    ========  ======  =================================================================  ==================
    key       type    members                                                            lifetime
    ========  ======  =================================================================  ==================
    standing  hash    life (of the server, when somebody last vouched), doubt_before_ms  for ever
                      (what was published before and has no line may be out),
                      written_at_ms (when a reply was last claimed)
    line      string  STATE, ATTEMPT, then JSON, a line each                             15 days
    attempts  string  how often a suspect was tried                                      15 days
    ========  ======  =================================================================  ==================

    A lost ledger is made anew from the deliveries topic (``ledger_settling``); attempts are lost.
    """

    standing: Final = _LEDGER

    def line(self, reply: str) -> str:
        return f"{_LEDGER}:{reply}"

    def attempts(self, reply: str) -> str:
        return f"{_LEDGER}:{reply}:attempts"


class ChatKeys:
    """The keys of the logs of conversations: one slot, since an append is one step over a log and the news.

    =====  ======  =====================================================================  =====================
    key    type    members                                                                lifetime
    =====  ======  =====================================================================  =====================
    log    stream  a conversation's entries: i (id), b (body); id = MOMENT-NUMBER, dense  30 days after the last
    marks  hash    a conversation: "i" + an entry's id -> its place; bytes (of bodies)    with the log
    news   stream  c (conversation), one an append over all; id = MOMENT-NUMBER, dense    the last 10,000
    =====  ======  =====================================================================  =====================
    """

    news: Final = f"{_CHAT}:news"

    def log(self, conversation: str) -> str:
        return f"{_CHAT}:log:{conversation}"

    def marks(self, conversation: str) -> str:
        return f"{_CHAT}:marks:{conversation}"
