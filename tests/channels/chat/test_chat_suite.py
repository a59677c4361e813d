"""The chat channel under the suite of all channels."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from channels.chat.adapter import ChatAdapter, adapter
from channels.chat.simulator import simulator
from router.contract.messages import DeliveryState
from router.runtime.plugins import Adapter
from router.runtime.simulators import Defect, Misbehaviour, Simulator
from tests.suites.channel_world import ChannelWorld
from tests.suites.channels import ChannelSuite


class TestChat(ChannelSuite):
    refusal_codes: ClassVar[Mapping[Defect, str]] = {
        Defect.BAD_SIGNATURE: "4401",
        Defect.MALFORMED: "4400",
        Defect.OVERSIZE: "1009",
        Defect.NOT_TEXT: "1007",
    }
    later_codes: ClassVar[frozenset[str]] = frozenset({"later"})
    takes_files: ClassVar[bool] = False

    def adapter(self) -> Adapter[Any]:
        return adapter()

    def simulator(self) -> Simulator:
        return simulator()

    @pytest.mark.parametrize("way", [Misbehaviour.BUSY])
    async def test_a_no_for_good_is_failed_and_a_no_for_now_is_not(
        self, world: ChannelWorld, way: Misbehaviour
    ) -> None:
        """Nobody can refuse a reply for good: it goes to a log of our own."""
        inquiry = await self._written(world)
        world.simulator.misbehave([way])
        assert (await world.delivery((await world.answer(inquiry, "r1")).id)).state is DeliveryState.SENT
        assert (await world.simulator.next_reply()).key == "r1"


def test_a_log_drops_repeats() -> None:
    assert ChatAdapter.deduplicates
