from channels.webhook.adapter import WebhookAdapter, adapter
from channels.webhook.options import WebhookOptions
from channels.webhook.simulator import WebhookSimulator, simulator
from router.runtime.plugin_catalog import PluginCatalog
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


def test_both_are_found_by_their_entry_points() -> None:
    catalog = PluginCatalog()
    assert isinstance(catalog.adapter("webhook"), WebhookAdapter)
    assert isinstance(catalog.simulator("webhook"), WebhookSimulator)
