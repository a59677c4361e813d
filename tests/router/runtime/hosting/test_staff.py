"""The directory of staff: whole before anybody is told, and up to date from then on."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from router.contract.ids import AdvisorId
from router.contract.topics import ADVISORS
from router.runtime.bus.protocol import Outgoing
from router.runtime.clock import SystemClock
from router.runtime.hosting.staff import StaffDirectory
from tests.suites.eventually import eventually
from tests.suites.notices import NoticeWorld

MINJI, JUN = AdvisorId("minji"), AdvisorId("jun")


@pytest.fixture
async def world() -> AsyncIterator[NoticeWorld]:
    made = NoticeWorld({})
    await made.hire("minji", contact="minji@shop.example", contacts={"slack_app": "U0MINJI"})
    yield made
    await made.close()


@pytest.fixture
async def staff(world: NoticeWorld) -> AsyncIterator[StaffDirectory]:
    made = StaffDirectory(world.bus, clock=SystemClock())
    task = asyncio.create_task(made.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_lay_there_is_known_before_it_is_current_and_what_comes_after(
    world: NoticeWorld, staff: StaffDirectory
) -> None:
    await staff.is_current.wait()
    minji = staff.member(MINJI, "slack_app")
    assert minji is not None
    assert (minji.name, minji.address) == ("Minji", "U0MINJI")
    assert staff.member(JUN, "slack_app") is None
    await world.hire("jun")
    await eventually(lambda: staff.member(JUN, "slack_app"))


@pytest.mark.parametrize(
    ("notifier", "address"), [("slack_app", "U0MINJI"), ("email", "minji@shop.example"), ("pager", "")]
)
async def test_an_address_is_the_notifiers_own(staff: StaffDirectory, notifier: str, address: str) -> None:
    await staff.is_current.wait()
    minji = staff.member(MINJI, notifier)
    assert minji is not None
    assert minji.address == address
    whose = staff.whose(address, notifier)
    assert (whose.id if whose else None) == (MINJI if address else None)


async def test_an_address_of_two_is_nobodys(world: NoticeWorld, staff: StaffDirectory) -> None:
    await staff.is_current.wait()
    await world.hire("jun", contacts={"slack_app": "U0MINJI"})
    await eventually(lambda: staff.member(JUN, "slack_app"))
    assert staff.whose("U0MINJI", "slack_app") is None


async def test_who_is_not_active_or_gone_is_nobody(world: NoticeWorld, staff: StaffDirectory) -> None:
    await staff.is_current.wait()
    await world.hire("minji", active=False)
    await eventually(lambda: staff.member(MINJI, "email") is None)
    await world.hire("jun", contact="jun@shop.example")
    await eventually(lambda: staff.member(JUN, "email"))
    await world.bus.publish([Outgoing(topic=ADVISORS, key="jun", value=None)])
    await eventually(lambda: staff.member(JUN, "email") is None)


async def test_what_is_no_advisor_is_passed_by(world: NoticeWorld, staff: StaffDirectory) -> None:
    await world.bus.publish([Outgoing(topic=ADVISORS, key="x", value=b"{")])
    await world.hire("jun")
    await eventually(lambda: staff.member(JUN, "email"))
