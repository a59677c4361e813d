"""The language of a text by its script: cheap, linear, and silent when unsure.

Scripts that one language alone commonly uses decide by their share of the letters. Korean needs less
than half, since Korean messages are full of Latin product names; Kana marks Japanese even among many
Han characters, which alone mean Chinese. A Latin text is English if enough of its words are common
English ones, one of them not shared with a neighbour language; else it is unknown, as are scripts that
several languages share (Cyrillic, Arabic, Devanagari). Web and mail addresses are left out.
"""

import re
from typing import Final

MAX_CHARACTERS: Final = 500

_KOREAN_SHARE: Final = 0.2
_KANA_SHARE: Final = 0.1
_SCRIPT_SHARE: Final = 0.5
_ENGLISH_SHARE: Final = 0.2
_SHORT_WORDS: Final = 4

_LETTERS: Final = re.compile(r"[^\W\d_]+")
_HANGUL: Final = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]+")
_KANA: Final = re.compile("[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f]+")
_HAN: Final = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]+")
_OTHERS: Final = (
    ("th", re.compile("[\u0e01-\u0e4e]+")),
    ("el", re.compile("[\u0370-\u03ff\u1f00-\u1fff]+")),
    ("he", re.compile("[\u0590-\u05ff]+")),
)
_LATIN: Final = re.compile("[A-Za-z\u00c0-\u024f]+")

# fmt: off
_ENGLISH: Final = frozenset((
    "about", "account", "after", "again", "and", "any", "are", "because", "been", "but", "by", "can",
    "cannot", "charged", "could", "did", "does", "delivery", "from", "get", "got", "had", "hello", "hey", "how", "if",
    "it", "its", "just", "like", "my", "need", "never", "not", "now", "our", "out", "password", "please",
    "received", "refund", "shipping", "should", "still", "thank", "thanks", "that", "the", "their",
    "them", "there", "they", "this", "twice", "want", "we", "were", "what", "when", "where", "which", "who",
    "why", "will", "with", "would", "you", "your",
))
_ENGLISH_AND_OTHERS: Final = frozenset((
    "all", "am", "an", "as", "at", "be", "do", "for", "has", "have", "help", "hi", "i", "in", "is",
    "me", "more", "no", "of", "on", "or", "so", "some", "to", "us", "was",
))
# fmt: on


def language_of(text: str) -> str | None:
    """The language's primary tag, or None when the first characters don't tell."""
    sample = text[:MAX_CHARACTERS]
    if "@" in sample or "://" in sample or "www." in sample:
        sample = " ".join(word for word in sample.split() if not _is_address(word))
    if sample.isascii():
        return _english(sample)
    letters = _count(_LETTERS, sample)
    if not letters:
        return None
    if _count(_HANGUL, sample) >= _KOREAN_SHARE * letters:
        return "ko"
    return _by_script(sample, letters)


def _by_script(sample: str, letters: int) -> str | None:
    if _count(_LATIN, sample) >= _SCRIPT_SHARE * letters:
        return _english(sample)
    kana = _count(_KANA, sample)
    han = _count(_HAN, sample)
    if kana + han >= _SCRIPT_SHARE * letters:
        return "ja" if kana >= _KANA_SHARE * (kana + han) else "zh"
    for language, script in _OTHERS:
        if _count(script, sample) >= _SCRIPT_SHARE * letters:
            return language
    return None


def _english(sample: str) -> str | None:
    words = _LATIN.findall(sample.lower())
    sure = len([word for word in words if word in _ENGLISH])
    common = sure + len([word for word in words if word in _ENGLISH_AND_OTHERS])
    if not sure or common < _ENGLISH_SHARE * len(words):
        return None
    return "en" if common > 1 or len(words) <= _SHORT_WORDS else None


def _count(script: re.Pattern[str], sample: str) -> int:
    """How many characters the script has; its patterns match whole runs, which is several times faster."""
    return sum(map(len, script.findall(sample)))


def _is_address(word: str) -> bool:
    return "://" in word or "@" in word or word.startswith("www.")
