"""The office, one case after the other."""

import pytest

from router.contract.advisor import Presence
from router.contract.case import CaseStatus
from router.contract.ids import AccountId, AdvisorId, CaseId, ConversationId, InquiryId
from router.contract.messages import Address, Customer, Inquiry
from router.simulation.case import Case, Group, Handling, Traffic
from router.simulation.contenders import contender
from router.simulation.installation import installation
from router.simulation.office import POOL, Office
from rules import ChannelWeight

CALL = Traffic(channel="call", per_hour=1, handle=Handling(mean_s=60), target_s=20)
CASE = Case(title="x", classes={"a": CALL}, advisors={"team": Group()}, channels={"call": ChannelWeight(units=100)})
ANN = AdvisorId("team-1")
FIRST, SECOND = CaseId("c0"), CaseId("c1")


@pytest.fixture
def office() -> Office:
    scene = installation(CASE)
    policy, rulebook = contender("balanced", CASE, scene.rulebook)
    made = Office(rulebook, policy, 1_000_000)
    made.hire(ANN, scene.workers[0].profile)
    made.present(ANN, Presence.ONLINE)
    made.settle()
    return made


def come(office: Office, case: CaseId) -> None:
    account = AccountId("simulation")
    inquiry = Inquiry(
        id=InquiryId(case),
        pool=POOL,
        account=account,
        channel="call",
        conversation=ConversationId(case),
        customer=Customer(id="customer"),
        reply_to=Address(account=account, address="nowhere"),
        received_at_ms=office.now_ms,
    )
    office.admit(inquiry, installation(CASE).verdicts[0])
    office.settle()


def test_a_case_that_is_done_leaves_nothing_behind(office: Office) -> None:
    come(office, FIRST)
    assert office.held[FIRST].state.owner == ANN
    assert office.next_timer_ms is not None
    office.resolve(FIRST, by=ANN)
    assert not office.held
    assert office.next_timer_ms is None
    assert office.roster[ANN].state.load == 0


def test_one_who_gives_up_leaves_the_line_and_the_next_moves_up(office: Office) -> None:
    for case in (FIRST, SECOND, CaseId("c2")):
        come(office, case)
    assert [held.state.state for held in office.held.values()] == [CaseStatus.ASSIGNED, *[CaseStatus.QUEUED] * 2]
    office.resolve(SECOND)
    office.resolve(FIRST, by=ANN)
    office.settle()
    assert [(name, held.state.owner) for name, held in office.held.items()] == [("c2", ANN)]


def test_what_is_forgotten_may_come_again(office: Office) -> None:
    for _ in range(2):
        come(office, FIRST)
        assert office.held[FIRST].state.ver == 1
        office.resolve(FIRST, by=ANN)
        office.settle()
