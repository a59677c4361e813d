"""The e-mail channel under the suite of all channels."""

from collections.abc import Mapping
from typing import Any, ClassVar

from channels.email.adapter import adapter
from channels.email.simulator import simulator
from router.runtime.plugins import Adapter
from router.runtime.simulators import Defect, Simulator
from tests.suites.channels import ChannelSuite


class TestEmail(ChannelSuite):
    refusal_codes: ClassVar[Mapping[Defect, str]] = {Defect.MALFORMED: "553", Defect.OVERSIZE: "552"}
    later_codes: ClassVar[frozenset[str]] = frozenset({"451"})

    def adapter(self) -> Adapter[Any]:
        return adapter()

    def simulator(self) -> Simulator:
        return simulator()
