from typing import Any

import pytest
from msgspec.structs import replace

from channels.notify.wording import summary
from tests.suites.notices import notice

DUE = ", due 2025-10-09T08:54:20.000Z."


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Escalation step 1 (first response): case c1 in queue billing, priority 2" + DUE),
        ({"clock": ""}, "Escalation step 1: case c1 in queue billing, priority 2" + DUE),
        ({"kind": "warning"}, "SLA warning (first response): case c1 in queue billing, priority 2" + DUE),
        ({"kind": "warning", "clock": ""}, "SLA warning: case c1 in queue billing, priority 2" + DUE),
        (
            {"kind": "breach", "clock": "resolution"},
            "SLA breach (resolution): case c1 in queue billing, priority 2" + DUE,
        ),
        (
            {"kind": "breach", "clock": "third_party"},
            "SLA breach (third party): case c1 in queue billing, priority 2" + DUE,
        ),
        ({"kind": "breach", "clock": ""}, "SLA breach: case c1 in queue billing, priority 2" + DUE),
        (
            {"kind": "delivery-failed", "due_at_ms": None},
            "A reply could not be delivered: case c1 in queue billing, priority 2.",
        ),
        ({"kind": "missed-offers", "queue": ""}, "Offers were missed: case c1, priority 2" + DUE),
        ({"kind": "moon", "due_at_ms": None}, "Notice (moon): case c1 in queue billing, priority 2."),
    ],
)
def test_a_notice_in_one_line(changes: dict[str, Any], text: str) -> None:
    assert summary(replace(notice(), **changes)) == text
