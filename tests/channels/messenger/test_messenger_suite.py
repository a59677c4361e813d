from channels.messenger.adapter import MessengerAdapter, adapter
from channels.messenger.options import MessengerOptions
from channels.messenger.simulator import simulator
from router.runtime.plugins import Adapter
from router.runtime.simulators import Simulator
from tests.suites.channels import ChannelSuite


class TestMessenger(ChannelSuite):
    def adapter(self) -> Adapter[MessengerOptions]:
        return adapter()

    def simulator(self) -> Simulator:
        return simulator()


def test_messenger_knows_no_key_of_ours() -> None:
    assert not MessengerAdapter.deduplicates
