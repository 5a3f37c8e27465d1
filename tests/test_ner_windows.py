"""Vocabulary, windows, word vectors, plain text."""

import random
import struct
import time
from itertools import chain, pairwise
from unicodedata import normalize

import numpy as np
import pytest

from micrograd.ner.model import features, windows
from micrograd.ner.model.config import Config
from micrograd.ner.model.features import SPECIAL, Vocabulary
from micrograd.ner.text import tokens
from micrograd.ner.text.sentence import Sentence
from micrograd.nn import vectors

SENTENCES = [Sentence(["a", "b", "a"]), Sentence(["c"]), Sentence(["b", "a"])]


def test_windows_never_cross_sentences():
    known = features.collect(SENTENCES, ["case", "shape"], str, 1)
    assert known["E"].words == [*SPECIAL, "a", "b", "c"]
    cut = windows.windows(SENTENCES, known, 5)
    assert cut.rows()[:, :, 0].tolist() == [
        [1, 1, 3, 4, 3],
        [1, 3, 4, 3, 2],
        [3, 4, 3, 2, 2],
        [1, 1, 5, 2, 2],
        [1, 1, 4, 3, 2],
        [1, 4, 3, 2, 2],
    ]
    assert cut.rows(3)[:, 1].tolist() == [1, 1, 3, 2, 2]  # the pads have no case of their own
    assert len(cut) == 6 and cut.split(list("abcdef")) == [list("abc"), ["d"], ["e", "f"]]


@pytest.mark.parametrize("width", [1, 3, 7, 11])
def test_any_odd_width(width):
    lengths = np.random.default_rng(width).integers(1, 6, 20)
    rows = windows.window_places(lengths, width)
    half, start, expected, total = width // 2, 0, [], lengths.sum()
    for length in lengths:
        own = list(range(start, start + length))
        padded = [total] * half + own + [total + 1] * half
        expected += [padded[i : i + width] for i in range(length)]
        start += length
    assert rows.tolist() == expected


@pytest.mark.parametrize("width", [0, 4, -1])
def test_even_widths_are_refused(width):
    with pytest.raises(ValueError, match=f"width.* {width}"):
        Config(width=width)


def of(*words, min_count=1, **options):
    return Vocabulary.of(
        {word: words.count(word) for word in words},
        lambda word: features.folded(word, **options),
        min_count,
    )


def test_folding():
    plain = of("Paris", "in", "1984", "&amp;", "\ufeffx", lower=False, digits=False)
    assert plain.words[3:] == ["Paris", "in", "1984", "&", "x"]
    assert plain.id("paris") == plain.id("1985") == plain.id("<s>") == 0
    assert plain.id("&amp;") == plain.id("&") != 0
    folded = of("Paris", "1984")
    assert folded.words[3:] == ["paris", "0000"]
    assert folded.id("PARIS") == 3 and folded.id("2024") == 4


def test_rare_words_become_unknown():
    words = [word for sentence in SENTENCES for word in sentence.words]
    vocabulary = of(*words, min_count=2)
    assert vocabulary.words[3:] == ["a", "b"] and len(vocabulary) == 5
    assert [word for word in words if vocabulary.id(word) == 0] == ["c"]


def test_forms_of_features():
    forms = {feature.table: feature.form("McRae-12") for feature in features.FEATURES}
    assert forms == {
        "C": "initial",
        "P2": "mc",
        "P3": "mcr",
        "S2": "00",
        "S3": "-00",
        "F": "XxXx-0",
    }
    assert features.FORMS["P3"]("I") == features.FORMS["S3"]("I") == "i"


@pytest.mark.parametrize("word", ["Zürich", "MÉXICO", "É", "Việt", "Ångström-2", "갑"])
def test_a_letter_of_two_signs_is_the_letter(word):
    apart = normalize("NFD", word)
    assert apart != word
    for form in (features.folded, *features.FORMS.values()):
        assert form(apart) == form(word)


def test_rare_forms_of_features_are_unknown():
    sentences = [Sentence(["Xa", "Xb", "Xc", "yy"])]
    known = features.collect(sentences, ["shape"], str, 1)
    assert known["F"].words == [*SPECIAL, "Xx"]
    cut = windows.windows([Sentence(["Zz", "zz", "Zz"])], known, 1)
    assert cut.ids.tolist() == [[0, 3], [0, 0], [1, 1], [2, 2]]
    assert cut.kinds.tolist() == [0, 1, 0, 2, 3]


@pytest.mark.parametrize(
    ("word", "case"),
    [
        ("paris", "none"),
        ("Paris", "initial"),
        ("NATO", "all caps"),
        ("I", "initial"),
        ("iPhone", "any"),
        ("1984", "none"),
        ("McRae", "initial"),
        ("3D", "all caps"),
        (",", "none"),
    ],
)
def test_case_feature(word, case):
    assert features.case_of(word) == case


GLOVE = "the 0.1 0.2 0.3\nNew York 1 2 3\nparis -1 0 1e-1\n, 9 9 9\n"


def binary(rows, width):
    data = f"{len(rows)} {width}\n".encode()
    for word, values in rows.items():
        data += word.encode() + b" " + struct.pack(f"<{width}f", *values) + b"\n"
    return data


@pytest.mark.parametrize(
    "content",
    [
        GLOVE.encode(),
        ("4 3\n" + GLOVE).encode(),
        GLOVE.replace("\n", " \n").encode(),
        binary({"the": (0.1, 0.2, 0.3), "New York": (1, 2, 3)}, 3).replace(b"New York", b"New_York")
        + b"",
    ],
    ids=["GloVe", "word2vec text", "trailing blanks", "binary"],
)
def test_formats(tmp_path, content):
    path = tmp_path / "vectors"
    path.write_bytes(content)
    read = vectors.read_vectors(path, ["the", "New York", "New_York", "missing"])
    assert read.width == 3
    assert read.rows["the"] == pytest.approx([0.1, 0.2, 0.3])
    assert len(read.rows) == 2


def test_hit_rate_and_lower_case_fallback(tmp_path):
    path = tmp_path / "v"
    path.write_text(GLOVE)
    assert vectors.read_vectors(path, ["new york"]).other_case == 0
    path.write_text(GLOVE.replace("the", "The"))
    assert "the" in vectors.read_vectors(path, ["the"]).rows
    path.write_text(GLOVE)
    read = vectors.read_vectors(path, ["Paris", "the", "xyz"], 3)
    assert read.rows["Paris"] == pytest.approx([-1, 0, 0.1])
    assert read.describe() == (
        "2 of 3 words have a vector (66.7 %), 1 of them by their form in other case"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GLOVE.encode(), "vectors of width 3, but the model's is 4"),
        (b"a 1 2 3 4\nb 1 2\n", ":2: 2 numbers after the word; expected 4"),
        (b"a 1 2 3 4\nb 1 x 3 4\n", ":2: no number among"),
        (b"", ":1: no word vectors"),
        (b"word\n", ":1: no word vectors"),
        (
            binary({"a": (1, 2, 3, 4), "b": (1, 2, 3, 4)}, 4)[:-7],
            "ends in row 2 of 2; .* cut short",
        ),
    ],
)
def test_bad_vectors(tmp_path, content, message):
    path = tmp_path / "v"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        vectors.read_vectors(path, ["a", "b"], 4)


def test_empty_lines_are_no_vectors(tmp_path):
    path = tmp_path / "v"
    path.write_text("a 1 2\n\nb 3 4\n")
    assert set(vectors.read_vectors(path, ["a", "b"]).rows) == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Mr. O'Brien doesn't live in the U.S. anymore.",
            [["Mr.", "O'Brien", "does", "n't", "live", "in", "the", "U.S.", "anymore", "."]],
        ),
        (
            'He left. "Paris is tired," she said. "Go!" Then rain.',
            [
                ["He", "left", "."],
                ['"', "Paris", "is", "tired", ",", '"', "she", "said", "."],
                ['"', "Go", "!", '"'],
                ["Then", "rain", "."],
            ],
        ),
        (
            "It's $1,000.50 (twice)!\n\nat 10:30",
            [["It", "'s", "$", "1,000.50", "(", "twice", ")", "!"], ["at", "10:30"]],
        ),
        (
            "See https://a.b/c?d @me #tag #1 x@y.org",
            [["See", "https://a.b/c?d", "@me", "#tag", "#", "1", "x@y.org"]],
        ),
        ("Wait... what?!", [["Wait", "...", "what", "?", "!"]]),
        ("No! he said. the end", [["No", "!"], ["he", "said", ".", "the", "end"]]),
        ("well-known AT&T", [["well-known", "AT&T"]]),
        ('"Go!" "Stop!"', [['"', "Go", "!", '"'], ['"', "Stop", "!", '"']]),
        ("नमस्ते दुनिया। यह", [["नमस्ते", "दुनिया", "।"], ["यह"]]),
        ("Zu\u0308rich", [["Zu\u0308rich"]]),
        (
            "👍🏽👨\u200d👩\u200d👧 🇩🇪🇫🇷 5\ufe0f\u20e3",
            [["👍🏽", "👨\u200d👩\u200d👧", "🇩🇪", "🇫🇷", "5\ufe0f\u20e3"]],
        ),
        ("Dr. No, e.g. J. S. Bach", [["Dr.", "No", ",", "e.g.", "J.", "S.", "Bach"]]),
        (
            "É. Zola met А. С. Пушкин and J. Ørsted. Ý؟ So",
            [
                ["É.", "Zola", "met", "А.", "С.", "Пушкин", "and", "J.", "Ørsted", "."],
                [*"Ý؟"],
                ["So"],
            ],
        ),
        (
            "Apr. 5, p. 7: King Jr.'s Ph.D., Mar. No",
            [
                ["Apr.", "5", ",", "p.", "7", ":", "King", "Jr.", "'s", "Ph.D.", ",", "Mar", "."],
                ["No"],
            ],
        ),
        ("can't, cannot, they’ve", [["ca", "n't", ",", "can", "not", ",", "they", "’ve"]]),
        ("5pm +49 -5 2nd 2-year-old", [["5", "pm", "+49", "-5", "2nd", "2-year-old"]]),
        (":-) so ;P ---", [[":-)", "so", ";P", "---"]]),
        ("in the U.S. Theory", [["in", "the", "U.S.", "Theory"]]),
        ("“the U.S.” The end", [["“", "the", "U.S.", "”"], ["The", "end"]]),
        ("Use v2.0.1 The end", [["Use", "v2.0.1", "The", "end"]]),
        ("Acme Inc. The firm", [["Acme", "Inc.", "The", "firm"]]),
        (
            "张三在2020年花了1,000元。去U.S.和a.com。",
            [[*"张三在", "2020", *"年花了", "1,000", *"元。"], ["去", "U.S.", "和", "a.com", "。"]],
        ),
        ("東京タワー、か\u3099", [["東", "京", "タ", "ワ", "ー", "、", "か\u3099"]]),
        ("「好。」他说（真的！）。走", [[*"「好。」"], [*"他说（真的！）。"], ["走"]]),
        ("ไปที่ลาว 25%", [["ไ", "ป", "ที่", "ล", "า", "ว", "25", "%"]]),
        ("서울은 크다", [["서울은", "크다"]]),
        ("  \n\n ", []),
    ],
)
def test_plain_text(text, expected):
    assert [sentence.words for sentence in tokens.sentences(text)] == expected


@pytest.mark.parametrize(
    "lines",
    [
        ["Rain in the U.S. north\n", *["Snow in Oslo\n"] * 100, "It melts. Then\n", "rain\n"],
        ["1. in x.y\n"] * 100,
    ],
)
def test_lines_that_end_no_sentence_are_cut_once(monkeypatch, lines):
    """They were cut again with every line: 56 kB of headlines, 20 kB of a list took a minute."""
    _check_stream(lines)
    cut, real = [], tokens.spans
    monkeypatch.setattr(tokens, "spans", lambda text: cut.append(text) or real(text))
    list(tokens.stream(lines))
    assert sum(map(len, cut)) < 1.2 * sum(map(len, lines))


def _check_stream(parts):
    """Check that a stream's pieces are the text, and its sentences those of the whole text."""
    pieces, text = list(chain.from_iterable(tokens.stream(parts))), "".join(parts)
    assert "".join(piece for piece, _ in pieces) == text
    for piece, found in pieces:
        assert piece and len(found) <= 1
        for one in found:
            assert [piece[a:b] for a, b in one.offsets] == one.words
    whole = [one.words for one in tokens.sentences(text)]
    assert [one.words for _, found in pieces for one in found] == whole, parts


WORDS = """Co Mr No no U.S U.S. e.g. A J I B. Smith The the he can n't don't 's 1 1,000 .5 pm p.m. -
-- ... … . ! ? ' " “ ” ( ) ] : ; :) , www.a.com http://x.y/z. a@b.co @you #1 😀 \u0301 。 字 カー +
* v2.0 etc & ’s É. Ж. p. Apr. Ph.D. Jr. ؟"""
SIGNS = [*WORDS.split(), "\n", "\n\n", "\n \n", "\r\n", "\t", "\xa0", *"     "]


@pytest.mark.parametrize("seed", range(200))
def test_a_text_is_cut_alike_whole_and_in_any_parts(seed):
    """`Co.1,000` and "U.S. A.", then "Smith", were not."""
    chance = random.Random(seed)
    text = "".join(chance.choices(SIGNS, k=chance.randint(1, 12)))
    ends = sorted(chance.choices(range(len(text) + 1), k=4))
    _check_stream(list(text))
    _check_stream([text[a:b] for a, b in pairwise([0, *ends, len(text)])])
    _check_stream(text.splitlines(keepends=True))


@pytest.mark.parametrize("text", ["It fell. So ", "It fell. J. Doe ", "“Yes.” He ", "So.\n\nIt "])
def test_a_sentence_comes_as_soon_as_the_word_after_it_is_known(text):
    parts = iter([*text, "end"])  # the last blank says that the word is whole
    [(piece, _), *_] = next(tokens.stream(parts))
    assert text.startswith(piece) and list(parts) == ["end"]


@pytest.mark.parametrize(
    "parts", [[], ["\n", "\n", "Ann. It\n"], ["It fell.\n", "\n", "\n", "So\n"]]
)
def test_a_stream_of_few_words_is_the_text(parts):
    _check_stream(parts)


@pytest.mark.parametrize("parts", [["word " * 5_000], ["word "] * 5_000, ["a b", *["! "] * 15_000]])
def test_a_sentence_without_an_end_is_cut(parts):
    _check_stream(parts)
    assert {len(piece) // 100 for piece, _ in chain.from_iterable(tokens.stream(parts))} >= {
        tokens.LONGEST // 100
    }


def test_blanks_after_an_initial_are_looked_through_once():
    """A pattern that tries every way to share them out takes minutes for these."""
    began = time.process_time()
    _check_stream(["A." + " " * 200_000 + "x y\n"])
    assert time.process_time() - began < 5


def test_characters_without_a_blank_do_not_wait():
    parts = iter([".........."] * 3_000)
    [(piece, _), *_] = next(tokens.stream(parts))
    assert len(piece) < 1.1 * tokens.LONGEST
