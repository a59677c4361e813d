"""How ``turnout up`` ends."""

import pytest
from click.testing import CliRunner

from router.cli import up
from router.runtime.errors import ProcessStuck, StartFailed, TaskDied


def _died() -> TaskDied:
    died = TaskDied("the task 'watchdog' ended")
    died.__cause__ = ProcessStuck("the consumer inquiries default has not polled for 61 s")
    return died


@pytest.mark.parametrize(
    ("failure", "code", "said"),
    [
        (_died(), 70, "the consumer inquiries default has not polled for 61 s"),
        (StartFailed("the port is taken"), 2, "the port is taken"),
    ],
    ids=["stuck", "not started"],
)
def test_it_says_why_and_ends_with_a_code(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, code: int, said: str
) -> None:
    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(up, "serve", fail)
    monkeypatch.setattr(up, "install_logs", lambda _: None)
    ended = CliRunner().invoke(up.up, [], env={"TURNOUT__DATA_DIR": "unused"})
    assert ended.exit_code == code
    assert said in ended.output
