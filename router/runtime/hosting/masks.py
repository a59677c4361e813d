"""Blanks out what must not travel: the operator's patterns, before a message reaches the bus. Pure."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from router.contract.messages import Inquiry
from router.runtime.errors import SettingsError
from router.runtime.settings.model import Mask

# Digits of other scripts and full-width ones: numbers written in them are numbers too.
_OTHER_DIGIT: Final = re.compile(r"(?![0-9])\d")


class Masks:
    """The patterns of the settings, in their order. Each match becomes ``[name]``.

    Patterns see every digit as 0-9, and count letters beyond ASCII as no part of a word: a number that
    stands right beside Hangul, without a space, begins at a ``\\b`` like any other. Raises ``SettingsError``
    for what is no regular expression.
    """

    def __init__(self, masks: Sequence[Mask]) -> None:
        problems: list[str] = []
        self._patterns: list[tuple[re.Pattern[str], str]] = []
        for index, mask in enumerate(masks):
            try:
                self._patterns.append((re.compile(mask.pattern, re.ASCII), f"[{mask.name}]"))
            except re.error as exc:
                problems.append(f"masks[{index}].pattern: not a regular expression: {exc}")
        if problems:
            raise SettingsError(tuple(problems))

    def inquiry(self, inquiry: Inquiry) -> Inquiry:
        """The inquiry with subject, text, quoted text and fields masked; itself if nothing matches."""
        if not self._patterns:
            return inquiry
        text, subject, quoted = (self.text(each) for each in (inquiry.text, inquiry.subject, inquiry.quoted))
        fields = {name: self.text(value) for name, value in inquiry.fields.items()}
        same = (text, subject, quoted, fields) == (inquiry.text, inquiry.subject, inquiry.quoted, inquiry.fields)
        return inquiry if same else replace(inquiry, text=text, subject=subject, quoted=quoted, fields=fields)

    def text(self, text: str) -> str:
        """One text, masked."""
        for pattern, name in self._patterns:
            text = _masked(pattern, name, text)
        return text


def _masked(pattern: re.Pattern[str], name: str, text: str) -> str:
    if text.isascii():
        return pattern.sub(lambda _: name, text)
    # The copy has the same length, so what is found in it lies at the same place in the text.
    kept, end = [], 0
    for found in pattern.finditer(_OTHER_DIGIT.sub(_ascii_digit, text)):
        if found.end() > found.start():
            kept += [text[end : found.start()], name]
            end = found.end()
    return "".join([*kept, text[end:]])


def _ascii_digit(found: re.Match[str]) -> str:
    return str(unicodedata.decimal(found.group()))
