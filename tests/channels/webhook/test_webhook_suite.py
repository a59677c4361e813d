from channels.webhook.adapter import WebhookAdapter, adapter
from channels.webhook.options import WebhookOptions
from channels.webhook.simulator import simulator
from router.runtime.plugins import Adapter
from router.runtime.simulators import Simulator
from tests.suites.channels import ChannelSuite


class TestWebhook(ChannelSuite):
    def adapter(self) -> Adapter[WebhookOptions]:
        return adapter()

    def simulator(self) -> Simulator:
        return simulator()


def test_its_receiver_drops_repeats() -> None:
    assert WebhookAdapter.deduplicates
