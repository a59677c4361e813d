"""What a lead reads first of a notice: what has happened, not the number of a step."""

from typing import Any

import pytest
from msgspec.structs import replace

from channels.notify.headlines import title
from tests.suites.notices import notice

AT_MS = notice().at_ms
LATE: dict[str, Any] = {"trigger": "share", "due_at_ms": AT_MS}


@pytest.mark.parametrize(
    ("changes", "english", "korean"),
    [
        ({"trigger": "share"}, "No first response yet", "첫 응답 대기 중"),
        (LATE, "First response overdue", "첫 응답 기한 초과"),
        ({"trigger": "after", "due_at_ms": None}, "No first response yet", "첫 응답 대기 중"),
        ({"trigger": "after", "clock": "next_response"}, "The customer waits for an answer", "다음 응답 대기 중"),
        (LATE | {"clock": "next_response"}, "Next response overdue", "다음 응답 기한 초과"),
        ({"trigger": "share", "clock": "resolution"}, "Not resolved yet", "아직 해결되지 않음"),
        (LATE | {"clock": "resolution"}, "Resolution overdue", "해결 기한 초과"),
        ({"trigger": "share", "clock": "assignment"}, "Nobody has taken it yet", "담당자 배정 대기 중"),
        (LATE | {"clock": "assignment"}, "Assignment overdue", "배정 기한 초과"),
        ({"trigger": "share", "clock": "update"}, "The customer waits for an update", "진행 안내 필요"),
        (LATE | {"clock": "update"}, "Update to the customer overdue", "진행 안내 기한 초과"),
        ({"trigger": "share", "clock": "third_party"}, "A third party has not answered yet", "협력사 회신 대기 중"),
        (LATE | {"clock": "third_party"}, "Third party overdue", "협력사 회신 기한 초과"),
        ({"trigger": "missed", "clock": ""}, "Offers were missed", "배정 제안을 놓침"),
        ({"trigger": "message", "clock": ""}, "Read what the customer wrote", "고객 메시지 확인 필요"),
        ({"trigger": "by-hand", "clock": ""}, "Escalated by hand", "직접 에스컬레이션 요청"),
        ({"trigger": "by-hand"}, "Escalated by hand", "직접 에스컬레이션 요청"),
    ],
)
def test_a_step_is_called_after_what_it_came_for(changes: dict[str, Any], english: str, korean: str) -> None:
    told = replace(notice(), **changes)
    assert title(told, "en") == f"{english} (escalation step 1)"
    assert title(told, "ko") == f"{korean} (에스컬레이션 1단계)"


@pytest.mark.parametrize("changes", [{}, {"trigger": "moon"}, {"trigger": "share", "clock": "moon"}])
def test_a_step_of_a_version_that_says_something_else_is_called_by_its_number(changes: dict[str, Any]) -> None:
    told = replace(notice(), **changes)
    clock = "moon" if changes.get("clock") else "first response"
    assert title(told, "en") == f"Escalation step 1 ({clock})"
