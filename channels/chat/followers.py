"""Who is to hear when a conversation goes on: the open sockets of this process, woken by the log's news."""

import logging
from typing import Final, Protocol

from router.contract.ids import ConversationId
from router.runtime.chat_log import MAX_BLOCK_S, ChatLog, Cursor
from router.runtime.clock import Clock
from router.runtime.errors import StoreUnavailable

LOG = logging.getLogger(__name__)
_AGAIN_MS: Final = 500


class Follower(Protocol):
    def wake(self) -> None:
        """Read the log: something may be new."""


class Followers:
    """News are hints. A follower that is woken for nothing reads nothing; one that joins reads by himself."""

    def __init__(self, log: ChatLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._following: dict[ConversationId, list[Follower]] = {}
        self.is_away = False
        """Whether the news can't be read just now."""

    def join(self, conversation: ConversationId, follower: Follower) -> list[Follower]:
        """All that follow the conversation now, the newest last."""
        following = self._following.setdefault(conversation, [])
        following.append(follower)
        return list(following)

    def leave(self, conversation: ConversationId, follower: Follower) -> None:
        following = self._following[conversation]
        following.remove(follower)
        if not following:
            del self._following[conversation]

    async def run(self) -> None:
        """Wake those concerned, until cancelled."""
        cursor: Cursor | None = None
        while True:
            try:
                news = await self._log.news(cursor, within_s=MAX_BLOCK_S)
            except StoreUnavailable:
                if not self.is_away:
                    LOG.warning("the news of chats can't be read", extra={"event": "chat.news_away"})
                self.is_away = True
                cursor = None
                await self._clock.sleep_until_ms(self._clock.now_ms() + _AGAIN_MS)
                continue
            self.is_away = False
            self._wake(None if cursor is None or news.has_gap else news.conversations)
            cursor = news.cursor

    def _wake(self, conversations: frozenset[ConversationId] | None) -> None:
        """None: whoever it is."""
        concerned = self._following if conversations is None else self._following.keys() & conversations
        for conversation in concerned:
            for follower in self._following[conversation]:
                follower.wake()
