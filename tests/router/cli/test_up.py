"""How ``turnout up`` ends."""

import errno
from pathlib import Path

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


def test_a_port_that_is_taken_is_named_with_the_settings_to_change() -> None:
    failed = StartFailed("ops port could not be started: OSError(98, 'address already in use')")
    failed.__cause__ = OSError(errno.EADDRINUSE, "address already in use")
    first, second = up.reasons(failed)
    assert first.startswith("ops port could not be started: ")
    assert "http.ops_port" in second


def test_a_data_directory_that_cannot_be_made_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(up, "install_logs", lambda _: None)
    (tmp_path / "file").write_text("", "utf-8")
    environ = {"TURNOUT__DATA_DIR": str(tmp_path / "file" / "data"), "TURNOUT_SETTINGS": ""}
    ended = CliRunner().invoke(up.up, [], env=environ)
    assert ended.exit_code == 2
    assert f"data_dir {tmp_path}/file/data can't be made: Not a directory" in ended.output
