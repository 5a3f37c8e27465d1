"""Cut plain text into sentences and words, the way CoNLL corpora are cut, and keep the offsets.

Letters keep their marks (Unicode categories M: Devanagari, Thai, decomposed accents), emoji their
joiners and colours. Abbreviations and initials keep their full stop and end no sentence. The
signs of scripts without blanks stand alone (Chinese, kana, Thai): nothing says where words end.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import replace

from micrograd.ner.text.sentence import Sentence

LONGEST = 10_000  # characters of a sentence, and those kept back where no blank comes
TITLES = "Mr|Mrs|Ms|Dr|Prof|St|Mt|Ft|Gen|Col|Lt|Sgt|Capt|Sen|Rep|Gov|Rev|Hon|Pres|Adm|Maj|Messrs"
NUMBERED = "[Nn]o|[Vv]ol|pp?|[Ff]ig|Mar|Apr|Jun|Jul|Sep"  # where a number follows
SHORT = "Jr|Sr|Inc|Ltd|Co|Corp|Bros|vs|etc|al|Ave|Blvd|Jan|Feb|Aug|Sept|Oct|Nov|Dec|cf|approx|dept"
_STARTS = re.compile(
    "The|He|She|It|They|We|You|I|In|On|At|But|And|This|That|These|Those|There|His|Her|Its|Their|"
    "However|After|When|A|An|As|If"
)
_MARKED = (n for n in range(0x300, 0x1F000) if unicodedata.category(chr(n))[0] == "M")
_RUNS = itertools.groupby(enumerate(_MARKED), lambda pair: pair[1] - pair[0])
_MARKS = "".join(f"{run[0]}-{run[-1]}" for run in ([chr(n) for _, n in run] for _, run in _RUNS))
_W = rf"[\w\u200c\u200d{_MARKS}]"
_UPPER = "".join(sign for sign in map(chr, range(0x2000)) if sign.isupper())
_UNSPACED = "\u0e01-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1780-\u17d3\u3005-\u3007\u3041-\u30ff"
_UNSPACED += "\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
_ALONE = re.compile(f"([{_UNSPACED}][{_MARKS}]*)")
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
    | (?<![\w.])(?:(?:Ph|[^\W\d_])\.){{2,}}                   # U.S., e.g., Ph.D.
    | (?<![\w.])(?:{TITLES}|{SHORT})\.(?![\w.]) | (?<!\w)(?:{NUMBERED})\.(?=\s?\d)
    | (?<![\w.'’])[{_UPPER}]\.(?=[^\S\n]*(?:\n[^\S\n]*)?[{_UPPER}][\w.])  # initials
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
_ENDS = re.compile("[.!?…。।॥！？｡．؟۔։።။។]+")
_CLOSING = frozenset("\"'”’)]»」』）》")
_PARAGRAPH = re.compile(r"\n[ \t\r]*\n")
_OPEN = re.compile(rf"(?<!\S)(?:\S*(?:[{_UPPER}]|{NUMBERED})\.\s+)?\S*\Z")  # more may change it
Spans = list[tuple[int, int]]
Pieces = list[tuple[str, list[Sentence]]]


def spans(text: str, borders: Iterable[int] = ()) -> Spans:
    """Give where each token begins and ends; `borders` are places where one has to end."""
    cuts, found, begin = set(borders), Spans(), 0
    for number, part in enumerate(_ALONE.split(text)):
        own = [(0, len(part))] if number % 2 else map(re.Match.span, _TOKEN.finditer(part))
        found += [(a + begin, b + begin) for a, b in own]
        begin += len(part)
    pieces = ([a, *sorted(cuts.intersection(range(a + 1, b))), b] for a, b in found)
    return list(itertools.chain.from_iterable(map(itertools.pairwise, pieces)))


def sentences(text: str, borders: Iterable[int] = ()) -> list[Sentence]:
    """Cut a text into sentences: an empty line ends one, as do 10,000 characters without an end."""
    out, begin = list[Sentence](), 0
    for piece, found in itertools.chain.from_iterable(_pieces([(text, spans(text, borders))])):
        for one in found:
            out.append(replace(one, offsets=[(a + begin, b + begin) for a, b in one.offsets]))
        begin += len(piece)
    return out


def _pieces(parts: Iterable[tuple[str, Spans]]) -> Iterator[Pieces]:
    held, words, places = "", list[str](), Spans()  # of the sentence that has not ended
    for part, found in parts:
        begin, before, done = 0, len(held), Pieces()
        held += part
        for start, end in ((a + before, b + before) for a, b in found):
            word, gap = held[start:end], held[begin + places[-1][1] : start] if places else ""
            if words and (start - begin > LONGEST or _PARAGRAPH.search(gap) or _ends(words, word)):
                done.append((held[begin:start], [Sentence(words, offsets=places)]))
                begin, words, places = start, [], []
            words.append(word)
            places.append((start - begin, end - begin))
        if done:
            yield done
        held = held[begin:]
    if held:
        yield [(held, [Sentence(words, offsets=places)] * bool(words))]


def _ends(words: list[str], following: str) -> bool:
    """Say whether a sentence ends with these words; what closes a quotation belongs to it."""
    opened = following not in "\"'" or words.count(following) % 2
    if _ENDS.fullmatch(following) or (opened and following in _CLOSING):
        return False
    mark = next((word for word in reversed(words) if word not in _CLOSING), words[0])
    if _ENDS.fullmatch(mark):
        return not (mark[0] in ".…" and following[0].islower())
    return mark.count(".") > 1 and mark[-1] == "." and _STARTS.fullmatch(following) is not None


def stream(parts: Iterable[str]) -> Iterator[Pieces]:
    """Cut text that comes in parts: each time its next pieces, and the sentence that ends in each.

    It comes out as soon as the word after it is known; pieces add up to the whole text, offsets
    count from the piece's beginning. Sentences are those of the whole text, unless 10,000
    characters come without a blank.
    """
    return _pieces(_known(parts))


def _known(parts: Iterable[str]) -> Iterator[tuple[str, Spans]]:
    """Join the parts, and give what has come as soon as no more text can change its tokens."""
    held = ""
    for part in parts:
        held += part
        known = next(_OPEN.finditer(held)).start()
        end = known if len(held) - known <= LONGEST else len(held)
        if end:
            yield held[:end], [place for place in spans(held) if place[0] < end]
            held = held[end:]
    yield held, spans(held)
