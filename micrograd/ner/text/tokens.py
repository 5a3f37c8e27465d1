"""Cut plain text into sentences and words, the way CoNLL corpora are cut."""

from __future__ import annotations

import re

from micrograd.ner.text.sentence import Sentence

_TOKEN = re.compile(
    r"""
      https?://\S+ | [@\#]\w+ | [\w.+-]+@[\w-]+(?:\.[\w-]+)+      # addresses, @names, #tags
    | (?:[^\W\d_]\.){2,}                                          # U.S., e.g.
    | (?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|Inc|Ltd|Co|vs|No)\.           # abbreviations
    | \w+(?=n['’]t\b) | n['’]t\b | ['’](?:s|re|ve|ll|d|m)\b       # do n't, it 's
    | \d+(?:[.,:/-]\d+)*\w*                                       # 1,000  2-1  10:30  2nd
    | \w+(?:(?!['’](?:s|re|ve|ll|d|m)\b)['’&-]\w+)*               # O'Brien, well-known
    | \.{2,} | -{2,} | \S                                         # one sign at a time
    """,
    re.VERBOSE,
)
_ENDS = frozenset(".!?…") | {"..."}
_CLOSING = frozenset("\"'”’)]»")


def words(text: str) -> list[str]:
    """Cut a text into words and punctuation marks."""
    return _TOKEN.findall(text)


def sentences(text: str) -> list[Sentence]:
    """Cut a text into sentences; an empty line always ends one."""
    out: list[Sentence] = []
    for paragraph in re.split(r"\n[ \t\r]*\n", text):
        current: list[str] = []
        tokens = words(paragraph)
        for position, token in enumerate(tokens):
            current.append(token)
            if _ends(current, tokens[position + 1 : position + 2]):
                out.append(Sentence(current))
                current = []
        if current:
            out.append(Sentence(current))
    return out


def _ends(current: list[str], following: list[str]) -> bool:
    """Say whether the sentence ends here; a mark that closes a quotation belongs to it."""
    if following and (following[0] in _ENDS or _closes(following[0], current)):
        return False
    bare = [token for token in current[-2:] if token not in _CLOSING]
    return bool(bare) and bare[-1] in _ENDS


def _closes(mark: str, current: list[str]) -> bool:
    return mark in _CLOSING and (mark != '"' or current.count('"') % 2 == 1)
