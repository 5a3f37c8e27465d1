"""The sentences that a graph was recorded of, as coloured tokens above its picture."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import NamedTuple

from micrograd.printing import printable, shorten


class Sentence(NamedTuple):
    """Words, the place of the one in the middle of the window, and what the sentence is.

    `role` is "true" or "corrupt", which have a colour each; `name` is shown in front of it.
    """

    role: str
    name: str
    words: Sequence[str]
    centre: int


def tokens(sentences: Sequence[Sentence]) -> str:
    """Return the sentences as HTML, a line each. Raises TypeError where they are none."""
    if isinstance(sentences, Sentence) or not _all(sentences, _is_sentence):
        raise TypeError(
            "the sentences of a page are a list of Sentence(role, name, words, centre), the words "
            f"a list of texts; not {shorten(sentences)}"
        )
    return "\n".join(map(_line, sentences))


def _all(items: object, fits: Callable[[object], bool]) -> bool:
    return isinstance(items, Sequence) and not isinstance(items, str) and all(map(fits, items))


def _is_sentence(item: object) -> bool:
    return isinstance(item, Sentence) and _all(item.words, lambda word: isinstance(word, str))


def _line(sentence: Sentence) -> str:
    words = " ".join(
        f"<{tag}>{_written(word)}</{tag}>"
        for place, word in enumerate(sentence.words)
        for tag in (("strong" if place == sentence.centre else "span"),)
    )
    return f'<p class="{_written(sentence.role)}"><b>{_written(sentence.name)}</b> {words}</p>'


def _written(text: str) -> str:
    return html.escape(printable(text))
