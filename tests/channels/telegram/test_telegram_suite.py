from channels.telegram.adapter import TelegramAdapter, adapter
from channels.telegram.options import TelegramOptions
from channels.telegram.simulator import simulator
from router.runtime.plugins import Adapter
from router.runtime.simulators import Simulator
from tests.suites.channels import ChannelSuite


class TestTelegram(ChannelSuite):
    def adapter(self) -> Adapter[TelegramOptions]:
        return adapter()

    def simulator(self) -> Simulator:
        return simulator()


def test_telegram_knows_no_key_of_ours() -> None:
    assert not TelegramAdapter.deduplicates
