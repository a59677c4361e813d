"""Values that must not be seen: masked by their type, wherever they are printed, logged or written out."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

MASK: Final = "********"


class Secret:
    """A password, key or address with a password in it.

    Printing, formatting and logging give the mask; JSON writers refuse it unless they are told to
    mask it (``masked``). The text itself comes out of ``reveal`` only.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __str__(self) -> str:
        return MASK

    __repr__ = __str__


class RawOptions(Mapping[str, Any]):
    """The options of a plug-in as they were written, before the plug-in's own type has checked them.

    Any of them may be a password that nobody has recognised yet, so printing shows the names only.
    """

    __slots__ = ("_options",)

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = dict(options)

    def __getitem__(self, key: str) -> Any:
        return self._options[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._options)

    def __len__(self) -> int:
        return len(self._options)

    def __repr__(self) -> str:
        return f"RawOptions({', '.join(f'{name}={MASK}' for name in self._options)})"


def masked(value: object) -> object:
    """An ``enc_hook`` for msgspec: what may be written in place of a secret."""
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, RawOptions):
        return dict.fromkeys(value, MASK)
    raise NotImplementedError(f"{type(value).__name__} cannot be written out")


def unmasked(kind: type, value: object) -> object:
    """A ``dec_hook`` for msgspec: builds the types of this module from what was read."""
    if kind is Secret and isinstance(value, str | Secret):
        return value if isinstance(value, Secret) else Secret(value)
    if kind is RawOptions and isinstance(value, Mapping):
        return RawOptions(value)
    expected = "text" if kind is Secret else "a mapping"
    raise ValueError(f"Expected {expected}, got `{type(value).__name__}`")
