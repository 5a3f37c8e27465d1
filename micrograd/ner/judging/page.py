"""Show tagged sentences: coloured in a terminal, or as a self-contained HTML page."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from micrograd.content_policy import digest
from micrograd.ner.text.schemes import spans
from micrograd.ner.text.sentence import Sentence
from micrograd.printing import printable

if TYPE_CHECKING:
    from rich.text import Text

STYLES = ("bold cyan", "bold magenta", "bold yellow", "bold green", "bold red", "bold blue")
HUES = (205, 30, 275, 150, 350, 90)

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/2 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.3rem; line-height: 1.3; }
mark { padding: .15em .3em; border-radius: .3em; color: inherit;
  background: hsl(var(--hue) 70% 88%); border-bottom: 2px solid hsl(var(--hue) 60% 40%); }
mark small { font-size: .7em; font-weight: 700; margin-left: .35em; }
span[title]:hover { outline: 1px dotted; }
@media (prefers-color-scheme: dark) { mark { background: hsl(var(--hue) 45% 24%); } }
""" + "".join(f".kind{number} {{ --hue: {hue}; }}\n" for number, hue in enumerate(HUES))

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title><style>{style}</style></head><body>
<h1>{title}</h1>
<p>{legend}</p>
{sentences}
</body></html>
"""


def _kinds(tagged: Sequence[Sequence[str]]) -> dict[str, int]:
    found = {span.type for tags in tagged for span in spans(tags)}
    return {kind: number % len(HUES) for number, kind in enumerate(sorted(found))}


def terminal(sentences: Sequence[Sentence], tagged: Sequence[Sequence[str]]) -> Text:
    """Give the sentences with [bracketed TYPE] names, coloured where the terminal can."""
    from rich.text import Text

    out, kinds = Text(), _kinds(tagged)
    for sentence, tags in zip(sentences, tagged, strict=True):
        done = 0
        for start, end, kind in spans(tags):
            out.append("".join(f"{printable(word)} " for word in sentence.words[done:start]))
            name = " ".join(sentence.words[start:end])
            out.append(printable(f"[{name} {kind}]"), STYLES[kinds[kind]]).append(" ")
            done = end
        out.append(printable(" ".join(sentence.words[done:])) + "\n")
    return out


def page(
    sentences: Sequence[Sentence],
    tagged: Sequence[Sequence[str]],
    confidences: Sequence[NDArray[np.float64]],
    title: str,
) -> str:
    """Give an HTML page with the names highlighted and every word's number on hover."""
    kinds = _kinds(tagged)
    legend = " ".join(_mark(kind, kinds[kind], "", "") for kind in kinds) or "no names found"
    body = "\n".join(
        f"<p>{_sentence(*parts, kinds)}</p>"
        for parts in zip(sentences, tagged, confidences, strict=True)
    )
    return _PAGE.format(
        title=_shown(title),
        policy=f"default-src 'none'; style-src {digest(_STYLE)}",
        style=_STYLE,
        legend=legend,
        sentences=body,
    )


def _shown(text: str) -> str:
    return html.escape(printable(text))


def _mark(kind: str, number: int, content: str, space: str) -> str:
    label = f"{space}<small>{_shown(kind)}</small>"
    return f'<mark class="kind{number}">{content}{label}</mark>'


def _sentence(
    sentence: Sentence, tags: Sequence[str], numbers: NDArray[np.float64], kinds: dict[str, int]
) -> str:
    words = [
        f'<span title="{value:+.2f}">{_shown(word)}</span>'
        for word, value in zip(sentence.words, numbers.tolist(), strict=True)
    ]
    out, done = [], 0
    for start, end, kind in spans(tags):
        out += words[done:start]
        out.append(_mark(kind, kinds[kind], " ".join(words[start:end]), " "))
        done = end
    return " ".join(out + words[done:])
