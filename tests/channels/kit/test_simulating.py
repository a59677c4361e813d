"""What the stand-ins of HTTP providers have in common."""

import pytest

from channels.messenger.simulator import MessengerSimulator
from channels.telegram.simulator import TelegramSimulator
from channels.web_form.simulator import WebFormSimulator
from channels.webhook.simulator import WebhookSimulator
from router.runtime.simulators import CustomerMessage, Entrance, Simulator


@pytest.mark.parametrize("kind", [MessengerSimulator, TelegramSimulator, WebFormSimulator, WebhookSimulator])
async def test_nobody_at_the_door_is_a_connection_error(kind: type[Simulator]) -> None:
    simulator = kind()
    await simulator.start("shop")
    await simulator.enter(Entrance(base_url="http://127.0.0.1:1/any"))
    with pytest.raises(ConnectionError):
        await simulator.send(CustomerMessage(ref="m", customer="c", thread="t", text="x"))
    await simulator.close()
    await simulator.close()
