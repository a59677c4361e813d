"""A line keeps its members as a sorted set of Redis does."""

from hypothesis import given
from hypothesis import strategies as st

from router.store.memory.rows import Line

_MEMBERS = st.sampled_from(["a", "b", "c", "d", "é", "한"])
_STEPS = st.lists(st.tuples(_MEMBERS, st.integers(-3, 3) | st.none()), max_size=30)


def filled(steps: list[tuple[str, int | None]]) -> tuple[Line, dict[str, int]]:
    """The line and the plain dict that come of setting (a score) and dropping (None) members."""
    line, plain = Line(), dict[str, int]()
    for member, score in steps:
        if score is None:
            line.drop(member)
            plain.pop(member, None)
        else:
            line.set(member, score)
            plain[member] = score
    return line, plain


@given(_STEPS)
def test_members_are_in_the_order_of_score_and_name(steps: list[tuple[str, int | None]]) -> None:
    line, plain = filled(steps)
    ordered = sorted((score, member) for member, score in plain.items())
    assert (line.first(99), len(line)) == (ordered, len(ordered))
    assert not ordered or line.head() == ordered[0]


@given(_STEPS, st.integers(-4, 4), st.integers(0, 5))
def test_upto_gives_the_first_that_are_not_beyond(steps: list[tuple[str, int | None]], score: int, limit: int) -> None:
    line, plain = filled(steps)
    ordered = sorted((value, member) for member, value in plain.items())
    assert line.upto(score, limit) == [entry for entry in ordered if entry[0] <= score][:limit]
