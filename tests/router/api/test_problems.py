import msgspec
import pytest

from router.api.problems import CODES, Problem, of_failure, of_result, problem, response
from router.runtime.errors import StoreFull, StoreUnavailable
from router.service.errors import Contended, SkewedClock, Superseded
from router.store.acts import Result

SUCCESSES = {
    Result.QUEUED,
    Result.OFFERED,
    Result.ASSIGNED,
    Result.RETURNED,
    Result.APPENDED,
    Result.DUPLICATE,
    Result.DONE,
    Result.SAME,
}


@pytest.mark.parametrize("result", list(Result))
def test_every_result_is_a_success_or_a_problem_with_a_sentence(result: Result) -> None:
    found = of_result(result)
    if result in SUCCESSES:
        assert found is None
    else:
        assert found is not None
        assert found.status >= 400
        assert found.detail.endswith(".")


@pytest.mark.parametrize(
    ("result", "status", "retryable"),
    [
        (Result.GONE, 409, False),
        (Result.NOT_YOURS, 403, False),
        (Result.NO_ROOM, 409, False),
        (Result.CONFLICT, 409, True),
        (Result.ABSENT, 404, False),
        (Result.FULL, 503, True),
        (Result.FOREIGN, 503, True),
    ],
)
def test_results_have_the_status_that_clients_act_on(result: Result, status: int, retryable: bool) -> None:
    found = of_result(result)
    assert found is not None
    assert (found.status, found.retryable) == (status, retryable)


@pytest.mark.parametrize(
    ("exc", "status", "retryable"),
    [
        (Contended("c"), 409, True),
        (StoreUnavailable("redis://:hunter2@x"), 503, True),
        (StoreFull("redis://:hunter2@x"), 503, True),
        (Superseded("s"), 503, True),
        (SkewedClock("s"), 503, True),
        (ValueError("hunter2"), 500, False),
    ],
)
def test_failures_tell_what_to_do_and_no_secrets(exc: Exception, status: int, retryable: bool) -> None:
    found = of_failure(exc)
    assert (found.status, found.retryable) == (status, retryable)
    assert "hunter2" not in msgspec.json.encode(found).decode()


def test_what_may_be_retried_later_says_when() -> None:
    answer = response(problem("unavailable"))
    assert (answer.status, answer.headers["Retry-After"], answer.content_type) == (503, "2", "application/problem+json")


@pytest.mark.parametrize("code", CODES)
def test_every_problem_is_a_whole_one(code: str) -> None:
    found: Problem = problem(code)
    assert (found.type, found.status >= 400) == (f"urn:turnout:problem:{code}", True)
    assert found.title
