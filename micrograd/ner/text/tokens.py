"""Cut plain text into sentences and words, the way CoNLL corpora are cut, and keep the offsets.

Letters keep their marks (Unicode categories M: Devanagari, Thai, decomposed accents), emoji their
joiners and colours. Abbreviations and initials keep their full stop and end no sentence.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from micrograd.ner.text.sentence import Sentence

LONGEST = 10_000  # letters kept back in a stream that ends no sentence
TITLES = "Mr|Mrs|Ms|Dr|Prof|St|Mt|Ft|Gen|Col|Lt|Sgt|Capt|Sen|Rep|Gov|Rev|Hon|Pres|Adm|Maj|Messrs"
SHORT = "Jr|Sr|Inc|Ltd|Co|Corp|Bros|vs|etc|al|Ave|Blvd|Jan|Feb|Aug|Sept|Oct|Nov|Dec|cf|approx|dept"
_STARTS = re.compile(
    "The|He|She|It|They|We|You|I|In|On|At|But|And|This|That|These|Those|There|His|Her|Its|Their|"
    "However|After|When|A|An|As|If"
)


def _marks() -> str:
    """Give the ranges of all marks, to stand in a character class."""
    signs = map(chr, range(0x300, 0x1F000))
    runs = itertools.groupby(signs, key=lambda sign: unicodedata.category(sign)[0] == "M")
    marks = [list(run) for are_marks, run in runs if are_marks]
    return "".join(f"{run[0]}-{run[-1]}" for run in marks)


_W = rf"[\w\u200c\u200d{_marks()}]"
_PICTURE = "[\u203c-\u3299\U0001f000-\U0001faff]"
_COLOURED = f"{_PICTURE}[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff]*"
_CLITIC = r"['’](?:s|S|re|RE|ve|VE|ll|LL|d|D|m|M)(?!\w)"
_TOKEN = re.compile(
    rf"""
      (?:https?://|www\.)[^\s<>"]*[^\s<>".,;:!?)\]'’]          # addresses
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+ | (?:\w[\w-]*\.)+(?:com|org|net|edu|gov|uk|de)(?!\w)
    | (?:@|\#(?!\d+(?!{_W})))\w{_W}*                         # @names, #tags, not # 1
    | [\U0001f1e6-\U0001f1ff]{{2}} | [\d\#*]\ufe0f?\u20e3      # flags, keys
    | {_COLOURED}(?:\u200d{_COLOURED})*                       # emoji
    | (?<![\w.])(?:[^\W\d_]\.){{2,}}                          # U.S., e.g.
    | (?<![\w.])(?:{TITLES}|{SHORT})\.(?=\s|[,;:)]|$) | (?<!\w)[Nn]o\.(?=\s?\d)
    | (?<![\w.'’])[A-Z]\.(?=\s*[A-Z][\w.])                    # initials
    | (?<!\w)[:;=]['’o-]?(?:[()\[\]|]+|[DPp](?!\w))           # :-)
    | [^\W\d_]{_W}*\d(?:\.\d+)+(?!\w)                         # v2.0
    | {_W}+(?=n['’]t(?!\w)) | n['’]t(?!\w) | {_CLITIC}        # do n't, it 's
    | (?:can(?=not(?!\w))|Can(?=not(?!\w)))
    | \d+(?:[.,:/]\d+)*(?=[ap]\.?m(?!\w))                     # 5 pm
    | [+-]?(?<![\w.])\.?\d+(?:[.,:/-]\d+)*(?:{_W}*(?:-{_W}+)*)  # 1,000  2-1  2nd  2-year-old
    | {_W}+(?:(?!{_CLITIC})['’&-]{_W}+)*                      # O'Brien, well-known, AT&T
    | \.{{2,}} | -{{2,}} | !+(?=!) | ([!?*=_~])\1+ | \S       # one sign at a time
    """,
    re.VERBOSE,
)
_ENDS = re.compile(r"[.!?…。।！？]+")
_CLOSING = frozenset("\"'”’)]»")
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n")
_MAY_END = re.compile(rf"{_ENDS.pattern}|[{re.escape(''.join(_CLOSING))}]|{_PARAGRAPH.pattern}")


def spans(text: str, borders: Iterable[int] = ()) -> list[tuple[int, int]]:
    """Give where each token begins and ends; `borders` are places where one has to end."""
    out = [match.span() for match in _TOKEN.finditer(text)]
    cuts = set(borders)
    if not cuts:
        return out
    pieces = ([a, *sorted(cuts.intersection(range(a + 1, b))), b] for a, b in out)
    return list(itertools.chain.from_iterable(map(itertools.pairwise, pieces)))


def sentences(text: str, borders: Sequence[int] = ()) -> list[Sentence]:
    """Cut a text into sentences; an empty line always ends one, and is a document border never."""
    out: list[Sentence] = []
    begin = 0
    for end in [*(match.start() for match in _PARAGRAPH.finditer(text)), len(text)]:
        out += _paragraph(text[begin:end], begin, [place - begin for place in borders])
        begin = end
    return out


def _paragraph(text: str, offset: int, borders: Sequence[int]) -> Iterator[Sentence]:
    found = spans(text, borders)
    tokens = [text[start:end] for start, end in found]
    first = 0
    for number in range(len(tokens)):
        if number + 1 == len(tokens) or _ends(tokens, first, number):
            places = [(start + offset, end + offset) for start, end in found[first : number + 1]]
            yield Sentence(tokens[first : number + 1], offsets=places)
            first = number + 1


def _ends(tokens: list[str], first: int, number: int) -> bool:
    """Say whether a sentence ends with this token; what closes a quotation belongs to it."""
    following = tokens[number + 1]
    opened = following not in "\"'" or tokens[first : number + 1].count(following) % 2
    if _ENDS.fullmatch(following) or (opened and following in _CLOSING):
        return False
    last = number
    while last > first and tokens[last] in _CLOSING:
        last -= 1
    mark = tokens[last]
    if _ENDS.fullmatch(mark):
        return not (mark[0] in ".…" and following[0].islower())
    abbreviated = mark.count(".") > 1 and mark[-1] == "."
    return abbreviated and _STARTS.fullmatch(following) is not None


def stream(parts: Iterable[str]) -> Iterator[tuple[str, list[Sentence]]]:
    """Cut text that comes in parts: each time its next piece, and the sentences that end there.

    A sentence comes out as soon as the word after it is known; pieces add up to the whole text.
    Offsets count from the piece's beginning.
    """
    held, decided = "", 0
    for part in parts:
        held += part
        if len(held) <= LONGEST and not _MAY_END.search(held, decided):
            continue
        found = sentences(held)
        if len(found) > 1 or len(held) > LONGEST:
            done = found[:-1] or found
            end = found[-1].offsets[0][0] if len(found) > 1 else len(held)
            yield held[:end], done
            held, decided = held[end:], 0
        elif found:  # all but its last two words can no longer end it
            decided = found[0].offsets[-2:][0][0]
    if held:
        yield held, sentences(held)
