"""The operators of `match:`. Each builds a test for one field and value, or raises `Unfit`."""

from collections.abc import Callable
from typing import Any, Final

from rules.conditions.fields import Field, ListField, NumberField, TextField
from rules.conditions.view import View, fold, words_of

Test = Callable[[View], bool]

MAX_CHOICES: Final = 1_000
MAX_PHRASE: Final = 200
_MAX_NUMBER: Final = 32


class Unfit(ValueError):
    """The value can't be used with this operator or field; the message says why, for the rule's author."""


def equality(field: Field, value: object) -> Test:
    """The field equals the value; a list has it."""
    if isinstance(value, list):
        raise Unfit("a list needs an operator: write {one_of: [...]}")
    return one_of(field, [value])


def one_of(field: Field, value: object) -> Test:
    """The field, or an item of a list, is one of the values."""
    if isinstance(field, NumberField):
        numbers = frozenset(_numbers(value))
        read_number = field.read
        return lambda view: read_number(view) in numbers
    choices = frozenset(_texts(value))
    if isinstance(field, ListField):
        return lambda view, read=field.read: not choices.isdisjoint(read(view))  # type: ignore[misc]
    return lambda view, read=field.read: read(view) in choices  # type: ignore[misc]


def contains(field: Field, value: object) -> Test:
    """One of the phrases is somewhere in the text; a list has one of the items."""
    if isinstance(field, ListField):
        return one_of(field, value)
    read = _text_field(field, "contains").read
    phrases = _texts(value)
    return lambda view: _has_any(phrases, read(view))


def words(field: Field, value: object) -> Test:
    """One of the phrases stands in the text as whole words."""
    read_words = _text_field(field, "words").read_words
    forms = [_as_words(phrase) for phrase in _texts(value)]
    whole = frozenset(form.strip() for form in forms if _is_one_whole_word(form))
    others = tuple(form for form in forms if not _is_one_whole_word(form))
    plain = tuple(form for form in others if form.isascii())
    foreign = tuple(form for form in others if not form.isascii())

    def test(view: View) -> bool:
        # Whole words by set and foreign ones only in foreign text: this is the hot loop of every judgement.
        spaced, each = read_words(view)
        if not whole.isdisjoint(each) or _has_any(plain, spaced):
            return True
        return not spaced.isascii() and _has_any(foreign, spaced)

    return test


def prefix(field: Field, value: object) -> Test:
    """The text, or an item of a list, begins with one of the phrases."""
    starts = _texts(value)
    if isinstance(field, ListField):
        read_items = field.read
        return lambda view: any(item.startswith(starts) for item in read_items(view))
    read = _text_field(field, "prefix").read
    return lambda view: read(view).startswith(starts)


def in_range(field: Field, value: object) -> Test:
    """A number between two bounds, both included."""
    low, high = _bounds(value)
    if isinstance(field, NumberField):
        read_number = field.read
        return lambda view: low <= read_number(view) <= high
    if not isinstance(field, TextField) or not field.is_form:
        raise Unfit("`range` is for numbers and form fields")
    read = field.read
    return lambda view: _within(_number(read(view)), low, high)


def present(field: Field, value: object) -> Test:
    """The field isn't empty (or, for false, is); a number isn't zero."""
    if not isinstance(value, bool):
        raise Unfit("`present` expects true or false")
    read: Callable[[View], object] = field.read
    return lambda view: bool(read(view)) is value


OPERATORS: Final[dict[str, Callable[[Field, Any], Test]]] = {
    "one_of": one_of,
    "contains": contains,
    "words": words,
    "prefix": prefix,
    "range": in_range,
    "present": present,
}


def _has_any(phrases: tuple[str, ...], text: str) -> bool:
    for phrase in phrases:  # noqa: SIM110 - any() with a generator takes twice the time
        if phrase in text:
            return True
    return False


def _text_field(field: Field, operator: str) -> TextField:
    if not isinstance(field, TextField):
        raise Unfit(f"`{operator}` is for texts")
    return field


def _texts(value: object) -> tuple[str, ...]:
    """One phrase or a list of them, folded."""
    return tuple(_phrase(item) for item in _items(value))


def _items(value: object) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise Unfit("an empty list never holds")
    if len(items) > MAX_CHOICES:
        raise Unfit(f"more than {MAX_CHOICES:,} values")
    return items


def _phrase(item: object) -> str:
    if not isinstance(item, str):
        raise Unfit(f"expected text, got `{item}`; put it in quotes")
    if not item.strip():
        raise Unfit("an empty text is no condition; use {present: false}")
    if len(item) > MAX_PHRASE:
        raise Unfit(f"a text longer than {MAX_PHRASE} characters")
    return fold(item)


def _as_words(phrase: str) -> str:
    """The form in which a phrase stands in spaced text; see `words` in rules.conditions.match."""
    bare = phrase.rstrip("*")
    form = words_of(bare).spaced
    if not form.strip():
        raise Unfit(f'"{phrase}" holds no word')
    if any(_is_unspaced(character) for character in bare):
        return form.strip()
    return form.rstrip() if phrase.endswith("*") else form


def _is_one_whole_word(form: str) -> bool:
    return form.startswith(" ") and form.endswith(" ") and form.count(" ") == 2


def _is_unspaced(character: str) -> bool:
    """Whether words of this character's script are joined or take endings: Thai, Hangul Jamo and beyond."""
    return "\u0e00" <= character <= "\u0eff" or ("\u1100" <= character <= "\u11ff") or character >= "\u2e80"


def _numbers(value: object) -> list[int]:
    items = _items(value)
    for item in items:
        if type(item) is not int:
            raise Unfit(f"expected a whole number, got `{item}`")
    return items


def _bounds(value: object) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise Unfit("`range` expects [low, high]; null leaves one side open")
    low, high = (_bound(item, open_end) for item, open_end in zip(value, (-_INFINITE, _INFINITE), strict=True))
    if low > high:
        raise Unfit(f"the range [{value[0]}, {value[1]}] is empty")
    return low, high


def _bound(item: object, open_end: float) -> float:
    if item is None:
        return open_end
    if type(item) not in (int, float):
        raise Unfit(f"`range` expects numbers, got `{item}`")
    return float(str(item))


def _number(text: str) -> float | None:
    """The number that a form field holds, thousands separated or not; None for anything else."""
    if len(text) > _MAX_NUMBER:
        return None
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return None


def _within(number: float | None, low: float, high: float) -> bool:
    return number is not None and low <= number <= high


_INFINITE: Final = float("inf")
