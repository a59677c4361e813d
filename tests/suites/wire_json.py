"""Any JSON that a newer version might write, as strategies."""

from typing import Any, Final

from hypothesis import strategies as st

TEXTS: Final = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
NAMES: Final = st.text(alphabet="abcdefgh_가", min_size=1, max_size=8).map(lambda name: f"later_{name}")
INTEGERS: Final = st.integers(-(2**53) + 1, 2**53 - 1)

JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
