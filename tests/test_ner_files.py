"""Files of every shape go through whole, and what is no such file is called by its name."""

import bz2
import gzip
import json
import lzma
import random
import struct
import zipfile

import pytest

from micrograd import encodings
from micrograd.ner.text import conll, notation, records, schemes, tokens
from micrograd.ner.text.schemes import Span
from micrograd.ner.text.sentence import Corpus, Sentence
from micrograd.nn import vectors

WORDS = ["Paris", "in", "#tag", "#", ";", "$", "it's", "10\u00a0km", "नमस्ते", "Zürich", "O", "a,b"]
ENDS = ["\n", "\r\n", "\r"]
CODES = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"]


def generated(seed):
    """Give a file of a random shape: its text, where its columns are, and its sentences."""
    rng = random.Random(seed)
    tab, end = rng.random() < 0.5, rng.choice(ENDS)
    columns = rng.choice([2, 3, 4, 5])
    word, tag = rng.sample(range(columns), 2)
    word = word if word or rng.random() < 0.3 else 0
    lines, sentences = [], []
    if rng.random() < 0.3:
        lines += ["-DOCSTART- -X- O", ""]
    for _ in range(rng.randint(2, 8)):
        if rng.random() < 0.4:
            lines += ["# newdoc id = a", "# text = He saw it ."][: rng.randint(1, 2)]
        words = [rng.choice(WORDS) for _ in range(rng.randint(1, 7))]
        entities = [Span(i, i + 1, "LOC") for i in range(len(words)) if rng.random() < 0.4]
        tags = schemes.encode(entities, len(words))
        for one, known in zip(words, tags, strict=True):
            row = [f"x{rng.randint(0, 9)}" for _ in range(columns)]
            row[word], row[tag] = one, known
            gap = "\t" if tab else rng.choice([" ", "  "])
            lines.append(gap.join(row) + rng.choice(["", "", " ", "\t "] if not tab else ["", " "]))
        lines += ["", "", " "][: rng.randint(1, 3)]
        sentences.append((words, tags))
    text = end.join(lines) + (end if rng.random() < 0.7 else "")
    return text, word, tag, sentences


@pytest.mark.parametrize("seed", range(80))
def test_generated_files_go_through_whole(tmp_path, seed):
    text, word, tag, sentences = generated(seed)
    path, code = tmp_path / "x", CODES[seed % len(CODES)]
    data = text.encode(code)
    path.write_bytes(data)
    corpus = conll.read(path, word_column=word, tag_column=tag)
    assert [(s.words, s.tags) for s in corpus] == sentences
    assert conll.write(corpus, path).read_bytes() == data
    words = conll.read(path, word_column=word, tag_column=None)
    for sentence in words:
        sentence.tags = ["I-NEW"] * len(sentence.words)
    before = text.split("\n") if "\n" in text else text.split("\r")
    for column in (tag, None):
        after = conll.render(words, column).removeprefix("\ufeff")
        lines = after.split("\n") if "\n" in text else after.split("\r")
        numbers = {number for s in words for number in s.lines}
        for number, (old, new) in enumerate(zip(before, lines, strict=True), 1):
            if number not in numbers:
                assert old == new
            elif column is None:
                assert new.replace("\tI-NEW", "", 1).replace(" I-NEW", "", 1) == old
            else:
                a, b = old.split(), new.split()
                assert b[-1 if column == len(b) - 1 else column] == "I-NEW" or "\u00a0" in old
                assert len(a) == len(b)
    path.write_bytes(conll.render(words, tag).encode("utf-8"))
    again = conll.read(path, word_column=word, tag_column=tag, scheme=None)
    assert [s.words for s in again] == [words for words, _ in sentences]
    assert {t for s in again for t in s.tags} == {"I-NEW"}


SPELT = {
    "B-X": "B-LOC I-LOC O S-geo-loc",
    "B_X": "B_LOC I_LOC O S_geo-loc",
    "X-B": "LOC-B LOC-I O geo-loc-S",
    "X_B": "LOC_B LOC_I O geo-loc_S",
    "X": "LOC LOC O geo-loc",
    "B": "B I O S",
}


@pytest.mark.parametrize("name", SPELT)
def test_spellings_of_tags(name):
    tags = SPELT[name].split()
    used = notation.find(tags)
    assert used == name
    kinds = ["I" if name == "X" else letter for letter in "BIS"]
    types = ["NAME"] * 3 if name == "B" else ["LOC", "LOC", "geo-loc"]
    read = [notation.read(tag, used) for tag in tags if tag != "O"]
    assert read == [f"{kind}-{label}" for kind, label in zip(kinds, types, strict=True)]


def test_tags_that_can_be_read_in_two_ways_are_said():
    corpus = notation.normalise(conll.parse("a\tS-B\nb\tO\nc\tS-I\n"))
    assert corpus.notes == ["'S-I' is B-X or X-B; taken as the first, or --tags"]
    corpus = notation.normalise(conll.parse("a\tB-I\nb\tO\n"))
    assert corpus.notes == ["'B-I' is B-X or X-B; taken as the first, or --tags"]
    assert not notation.normalise(conll.parse("a\tS-B\nb\tO\n"), tags="BIOES,B-X").notes
    assert not notation.normalise(conll.parse("a\tO\n")).notes
    assert not notation.normalise(conll.parse("a\tS-B\nb\tO\nc\tS-LOC\n")).notes


def test_how_tags_are_written_is_said():
    for text, said in (
        ("a\tLOC-B\nb\tO\n", "BIO (tags written X-B), types LOC"),
        ("a\tB-LOC\n", "BIO, types LOC"),
        ("a\tO\n", "BIO, types none"),
    ):
        assert notation.normalise(conll.parse(text)).describe().endswith(f"read as {said}")


@pytest.mark.parametrize(
    ("types", "drop", "tags"),
    [
        ({"A": "C"}, [], "B-C I-C O B-B"),
        ({}, ["B"], "B-A I-A O O"),
        ({"A": "B"}, ["B"], "B-B I-B O O"),
        ({}, [], "B-A I-A O I-B"),
    ],
)
def test_types_are_renamed_and_left_out(types, drop, tags):
    """Where there is neither, even an illegal sequence stays."""
    corpus = Corpus([Sentence(list("abcd"), ["B-A", "I-A", "O", "I-B"])])
    notation.rename(corpus, types, drop)
    assert " ".join(corpus.sentences[0].tags) == tags


def test_lower_case_and_what_is_said_otherwise():
    corpus = notation.normalise(conll.parse("a\tb-loc\nb\ti-loc\nc\to\n"))
    assert corpus.sentences[0].tags == ["B-loc", "I-loc", "O"]
    text = "a\tI-LOC\nb\tI-LOC\nc\tB-LOC\n"
    assert notation.normalise(conll.parse(text), tags="IOB1").sentences[0].tags == [
        "B-LOC",
        "I-LOC",
        "B-LOC",
    ]
    with pytest.raises(ValueError, match="unknown tags 'BMX': expected some of"):
        notation.normalise(conll.parse(text), tags="BMX")


@pytest.mark.parametrize("tag", ["0", "_", "{}", '{"a":1}', "-", "1.5", "Q-LOC", "*", "[]"])
@pytest.mark.parametrize("repair", [False, True])
@pytest.mark.parametrize("other", ["O", "B-LOC"])
def test_what_is_no_tag_is_refused_always(tag, repair, other):
    with pytest.raises(ValueError, match=r"<text>:2: unknown tag.*--tags"):
        notation.normalise(conll.parse(f"a\t{other}\nb\t{tag}\n"), repair=repair)


def test_a_tag_as_long_as_a_line_is_not_repeated_whole():
    with pytest.raises(ValueError, match="x:2: unknown tag") as caught:
        notation.normalise(conll.parse("a\tB-LOC\nb\t" + "[" * 50_000, "x"))
    assert len(str(caught.value)) < 300


def test_a_line_without_a_tag_does_not_say_what_tags_there_are():
    corpus = conll.parse("a O\nParis\n# Paris\nb O\n", repair=True)
    assert corpus.sentences[0].words == ["a", "Paris", "b"]


@pytest.mark.parametrize("column", [-1, 1])
def test_a_line_without_a_tag_is_repaired(column):
    corpus = conll.parse("; x\na O\nx\nb O\n", tag_column=column, repair=True)
    assert corpus.sentences[0].words == ["a", "x", "b"]
    corpus.sentences[0].tags = ["B-X"] * 3
    assert conll.render(corpus) == "; x\na B-X\nx B-X\nb B-X\n"


def test_repairs_are_counted_and_said():
    text = "a\tB-LOC\nb\n\tO\nc\tI-PER\nd\tLOC\n"
    corpus = notation.normalise(conll.parse(text, repair=True), repair=True)
    assert corpus.sentences[0].words == ["a", "b", "", "c", "d"]
    assert corpus.sentences[0].tags == ["B-LOC", "O", "O", "B-PER", "B-LOC"]
    assert corpus.notes[:2] == [
        "repaired: 1 lines without a tag; first <text>:2: no tag: 'b'",
        "repaired: 1 empty words; first <text>:3: the word column is empty",
    ]
    assert any("labels without a letter" in note for note in corpus.notes)


ODD = {
    "a column of numbers": ("1 EU NNP B-ORG\n2 is VB O\n\n1 x X O\n", "f:1: word column 0 counts"),
    "numbers from 0": ("0\tRome\tB-LOC\n1\tis\tO\n2\tbig\tO\n", "f:1: .* by --word-column"),
    "numbers with ranges": (
        "# x\n1-2\tdes\tO\n1\tde\tO\n2\tles\tB-X\n3\ty\tO\n",
        "f:2: word",
    ),
    "names of columns": (
        "WORD\tTAG\nis\tO\nOslo\tLOC\n",
        "f:1: 'WORD', 'TAG': the names",
    ),
    "and of three": ("Token POS NER\nis VB O\n", "f:1: 'Token', 'NER': the names"),
    "joined files": ("is\tO\nOslo\tB-X\n\ntokens\tner_tags\nx\tO\n", "f:4: .*remove the line"),
    "two line ends": ("a O\rb B-X\r\rc O\n", "f:1: a carriage return within the line"),
    "another blank": ("a\tO\nb\tB-X\u00a0\n", r"f:2: unknown tag 'B-X\\xa0'"),
    "no width": ("a\tO\nb\tX-B\nc\t\u200bX-B\n", r"f:3: unknown tag '\\u200bX-B'"),
    "a blank within": ("a\tO\nb\tB- X\n", "f:2: unknown tag 'B- X'"),
    "a sentence to a line": ("Rome is\tB-LOC O\nx y\tO B-LOC\n", "f:1: unknown tag 'B-LOC O'"),
    "no tag of a word": (
        "O\twhat\nB-X\tfive\n",
        "f:1: .* 'what', and nowhere O.*--tags X",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_what_would_be_misread_is_refused(name):
    text, message = ODD[name]
    with pytest.raises(ValueError, match=message):
        notation.normalise(conll.parse(text, "f"))


def test_labels_without_o_can_be_named():
    corpus = notation.normalise(conll.parse("New\tLOC\nYork\tLOC\n"), tags="X")
    assert corpus.sentences[0].tags == ["B-LOC", "I-LOC"]


@pytest.mark.parametrize("kind", ["college name", "O Globo", "B2B", "LOC,", "می\u200cخ", "a-B c"])
def test_types_may_hold_blanks_and_signs(kind):
    assert notation.read(f"B-{kind}", "B-X") == f"B-{kind}"


@pytest.mark.parametrize("mark", ["", "\ufeff", "\ufeff\ufeff"])
@pytest.mark.parametrize("gap", ["\t", " "])
def test_a_byte_order_mark_begins_any_line(mark, gap):
    """Files with a mark of their own were joined."""
    lines = ["# newdoc", "Rome_B", "", "-DOCSTART-_O", "", "x_B", "", "# a remark, long", "y_B", ""]
    text = "\n".join(mark + line.replace("_B", f"{gap}B-X").replace("_", gap) for line in lines)
    corpus = conll.parse(text)
    assert [s.words for s in corpus] == [["Rome"], ["x"], ["y"]] and corpus.documents == 2
    assert conll.render(corpus) == text
    for sentence in corpus:
        sentence.tags = ["B-NEW"]
    assert conll.render(corpus) == text.replace("B-X", "B-NEW")


def test_a_word_that_begins_as_a_border_does_is_one():
    corpus = conll.parse("-DOCSTART-x\tB-X\nb\tO\n\n-DOCSTART-\n\nc\tO\n")
    assert [s.words for s in corpus] == [["-DOCSTART-x", "b"], ["c"]]


@pytest.mark.parametrize(
    "line", ["# id 52-a\tdomain=en", "# text =", "# sent_id = 3", "# newpar x y"]
)
@pytest.mark.parametrize("column", [-1, None])
def test_comments_that_have_as_many_columns(line, column):
    """MultiCoNER's, and others that show what they are where no tag does."""
    row = " ".join(["Rome", *"_" * (len(line.split()) - 2), "O"])
    corpus = conll.parse(f"{line}\n{row}\n{row}\n{row}\n", tag_column=column)
    assert corpus.sentences[0].words == ["Rome"] * 3


def test_a_document_begins_where_its_word_says_so():
    text = "O\t0\t-X-\t-DOCSTART-\n\nB-PER\t1\tx\tIrma\n\nO\t0\t-X-\t-DOCSTART-\n\nO\t1\tx\ty\n"
    corpus = conll.parse(text, word_column=3, tag_column=0)
    assert [s.words for s in corpus] == [["Irma"], ["y"]] and corpus.documents == 2


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_files_are_called_so(pack):
    with pytest.raises(ValueError, match="x.gz: packed by .*: unpack it"):
        encodings.decode(pack(b"Rome B-LOC\n"), "x.gz")


@pytest.mark.parametrize("word", ["", " a", "a ", "a\tb", "a\nb", "a\r", "\ufeffa"])
def test_what_is_no_word_is_not_written(word):
    with pytest.raises(ValueError, match="cannot be written as a word"):
        conll.render(Corpus([Sentence(["a", word], ["O", "O"])]))


def test_a_sentence_has_a_tag_to_every_word():
    with pytest.raises(ValueError, match=r"not as many tags, \['O'\], as words, \['a', 'b'\]"):
        Sentence(["a", "b"], ["O"])


@pytest.mark.parametrize("mark", ["; a remark", "$ a remark", "# a remark", ";; x"])
def test_comments(mark):
    corpus = conll.parse(f"{mark}\na\tO\n;\tO\n$\tB-LOC\n{mark}\n#b\tO\n")
    assert corpus.sentences[0].words == ["a", ";", "$", "#b"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_lone_hash_is_a_comment_where_it_cannot_be_a_token(end):
    text = "#\na\tX\tO\n#\tX\tO\n".replace("\n", end)
    assert conll.parse(text).sentences[0].words == ["a", "#"]


def test_numbers_can_be_words_where_there_is_one_column():
    assert conll.parse("1\n2\n3\n", tag_column=None).sentences[0].words == ["1", "2", "3"]
    assert conll.parse("7\tO\n30\tO\n4\tB-X\n").sentences[0].words == ["7", "30", "4"]


def test_words_with_commas_are_no_table():
    corpus = conll.parse("1,000\tO\n2,000\tB-X\n3,000\tO\n")
    assert corpus.sentences[0].words == ["1,000", "2,000", "3,000"]


def test_a_corpus_is_not_written_to_a_column_that_it_has_not():
    with pytest.raises(ValueError, match="x: no column 2; the file has 2 columns"):
        conll.render(conll.parse("a O\n", "x"), 2)


def test_a_number_in_brackets_can_be_a_word():
    assert conll.parse("[1]\nSee\n", tag_column=None).sentences[0].words == ["[1]", "See"]


def test_documents_and_files_without_borders():
    text = "# newdoc id = 1\na\tO\n\n# newdoc id = 2\nb\tB-X\n"
    assert conll.parse(text).documents == 2
    assert "few empty lines: a sentence has 1,000 tokens" in conll.parse("a\tO\n" * 1000).notes[0]
    documents = "-DOCSTART-\tO\n" + "a\tO\n" * 400
    assert "few empty lines: a sentence has 400 tokens" in conll.parse(documents * 3).notes[0]
    assert not conll.parse(("a\tO\n" * 100 + "\n") * 30).notes
    assert "has 500 tokens" in conll.parse("a\tO\n" * 1000 + "\na\tO\n").notes[0]
    assert not conll.parse("a\tO\n" * 999).notes


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ('<?xml version="1.0"?>\n<a>\n', "XML"),
        ("<doc>\n<s>\n</s>\n", "XML"),
        ('<?xml version="1.0"?>\n<p>Ann saw\nOslo.</p>\n', "XML"),
        ("<!DOCTYPE html>\n<p>Ann saw\nOslo.</p>\n", "XML"),
        ('{"a": 1}\n{"a": 2}\n', "JSON"),
        ('[\n{"tokens": ["a"]}\n]\n', "JSON"),
        ("word,tag\nParis,B-LOC\nis,O\n", r"CSV \(columns separated by commas\)"),
        ("word;tag\nParis;B-LOC\nis;O\n", r"CSV \(columns separated by semicolons\)"),
        ("Paris, B-LOC\nis, O\n,, O\n", r"CSV \(columns separated by commas\)"),
        ("<html>\n<p>Ann saw\nOslo.</p>\n", "XML"),
        ("\ufeff<doc>\n<s>\n</s>\n", "XML"),
        ("Sentence #\tWord\tPOS\tTag\nSentence: 1\tIn\tIN\tO\n\tOslo\tNNP\tB-geo\n", "a table"),
        ('"sentence_id","word","tag"\n1,"In",O\n1,"Oslo",B-geo\n', "a table"),
    ],
)
def test_other_files_are_called_by_their_names(tmp_path, content, name):
    path = tmp_path / "x"
    path.write_text(content)
    with pytest.raises(ValueError, match=f"x:1: this looks like {name}.*expected one token"):
        conll.read(path)


def test_blank_lines_before_count():
    with pytest.raises(ValueError, match="x:3: this looks like CSV"):
        conll.parse("\n \nword,tag\nParis,B-LOC\nis,O\n", "x")


def test_text_with_commas_is_no_table():
    records.check_kind(["a, b and c, d", "e, f", "g, h, i, j"], "x", 1)  # as unlike as text is
    with pytest.raises(ValueError, match="x:1: this looks like CSV"):
        records.check_kind(["a,b,c", "a,b,c", '"a, a",b,c'], "x", 1)


@pytest.mark.parametrize("first", ["Sentence\tO", "sentence-word\tO"])
def test_a_sentence_can_be_a_word(first):
    assert conll.parse(f"{first}\nOslo\tB-LOC\n").tokens == 2


def test_brackets_and_angles_can_be_words():
    conll.parse("<s>\tO\n<x>\tB-X\n")
    corpus = conll.parse("[\tO\n{\tO\n<\tB-X\n>\tO\n")
    assert corpus.sentences[0].words == ["[", "{", "<", ">"]


@pytest.mark.parametrize("code", CODES)
def test_encodings_are_found_out_and_given_back(code):
    data = "Zürich\tB-LOC\n".encode(code)
    text, name = encodings.decode(data, "x")
    assert text.removeprefix("\ufeff") == "Zürich\tB-LOC\n" and text.encode(name) == data


@pytest.mark.parametrize("code", ["utf-16-le", "utf-16-be"])
def test_a_letter_whose_other_byte_is_zero_hides_no_utf_16(code):
    text = "Ādaži\tB-LOC\nin\tO\n"
    assert encodings.decode(text.encode(code), "x") == (text, code)


def test_a_guess_that_may_be_wrong_is_not_taken():
    with pytest.raises(ValueError, match=r"x:2: byte 0xfc is not utf-8; .* cp1252 for western"):
        encodings.decode("a\nZürich\n".encode("cp1252"), "x")
    with pytest.raises(ValueError, match=r"x:1: byte 0x81 is not utf-8; name the file's encoding"):
        encodings.decode(b"\x81\x82 \x83\n", "x")


TEXT = "Ann moved to New York."
SHAPES = {
    "doccano": '{"text": "%s", "label": [[0, 3, "PER"], [13, 21, "LOC"]]}',
    "doccano entities": '{"text": "%s", "entities": [{"label": "PER", "start_offset": 0, '
    '"end_offset": 3}, {"label": "LOC", "start_offset": 13, "end_offset": 21}]}',
    "spaCy": '["%s", {"entities": [[0, 3, "PER"], [13, 21, "LOC"]]}]',
    "spans": '{"text": "%s", "spans": [{"start": 0, "end": 3, "label": "PER"}, '
    '{"start": 13, "end": 21, "label": "LOC"}]}',
    "Label Studio, a choice too": '[{"data": {"text": "%s"}, "annotations": [{"result": [{"value": '
    '{"choices": ["news"]}}, {"value": {"start": 0, "end": 3, "labels": ["PER"]}}, {"value": '
    '{"start": 13, "end": 21, "labels": ["LOC"]}}]}]}]',
    "Label Studio": '[{"data": {"text": "%s"}, "annotations": [{"result": [{"value": {"start": 0, '
    '"end": 3, "labels": ["PER"]}}, {"value": {"start": 13, "end": 21, "labels": ["LOC"]}}]}]}]',
}


def test_a_tag_with_a_blank_is_written_between_tabs_alone():
    for text, after in (
        ("Ann\nsaw\n", "Ann\tB-Job Title\nsaw\tO\n"),
        ("Ann\tNN\nsaw\tVB\n", "Ann\tNN\tB-Job Title\nsaw\tVB\tO\n"),
        ("Ann NN\nsaw VB\n", ""),
    ):
        corpus = conll.parse(text, tag_column=None)
        corpus.sentences[0].tags = ["B-Job Title", "O"]
        if after:
            assert conll.render(corpus) == after
            continue
        with pytest.raises(ValueError, match="^'B-Job Title' has a blank, .*: put TABs there$"):
            conll.render(corpus)


def test_types_are_left_out_while_none_is_renamed(tmp_path):
    path = tmp_path / "x.conll"
    path.write_text("Ann\tB-PER\nsaw\tO\nOslo\tB-LOC\n")
    (sentence,) = conll.read(path, drop=["PER"])
    assert conll.read(path, drop="PER").sentences == [sentence]
    assert sentence.tags == ["O", "O", "B-LOC"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("written", [str, lambda line: json.dumps(json.loads(line), indent=1)])
def test_texts_with_spans(tmp_path, shape, written):
    path = tmp_path / "x.jsonl"
    path.write_text(written(SHAPES[shape] % TEXT) + "\n")
    (sentence,) = conll.read(path).sentences
    assert sentence.words == ["Ann", "moved", "to", "New", "York", "."]
    assert sentence.tags == ["B-PER", "O", "O", "B-LOC", "I-LOC", "O"]


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c"])
def test_only_line_ends_end_a_record(tmp_path, sign):
    """JSON may hold the other signs as they are, and `tag --jsonl` writes them so."""
    path = tmp_path / "x.jsonl"
    sign = sign if sign > "\x1f" else f"\\u{ord(sign):04x}"
    record = f'{{"text": "Ann{sign}saw Oslo.", "label": [[8, 12, "LOC"]]}}'
    for end in ("\n", "\r\n", "\r"):
        path.write_bytes((end + record + end).encode() * 2)
        assert [s.tags[2] for s in conll.read(path)] == ["B-LOC"] * 2
        assert [f"{s.path}:{s.line(0)}" for s in conll.read(path)] == [f"{path}:2", f"{path}:4"]


@pytest.mark.parametrize(
    "name", ["Yahoo! Answers", "New\\n\\nYork", "Panic! At the Disco", "St. John"]
)
def test_no_sentence_ends_within_a_span(name):
    end = 4 + len(name.replace("\\n", "n"))
    corpus = records.parse(f'{{"text": "See {name} now. Then", "label": [[4, {end}, "X"]]}}', "x")
    entities = [" ".join(s.words[a:b]) for s in corpus for a, b, _ in schemes.spans(s.tags)]
    assert entities == [" ".join(name.replace("\\n", " ").replace("!", " !").split())]


@pytest.mark.parametrize("label", ["null", "[]"])
def test_a_text_may_have_no_spans(label):
    corpus = records.parse(f'{{"text": "a b", "label": {label}}}', "x")
    assert corpus.sentences[0].tags == ["O", "O"]


@pytest.mark.parametrize(
    ("record", "sentences"),
    [
        ('{"text": "Italian-born", "label": [[0, 7, "X"]]}', "Italian/B-X -born/O"),
        ('{"text": "NewYork", "label": [[0, 3, "A"], [3, 7, "B"]]}', "New/B-A York/B-B"),
        ('{"text": "Oslo", "label": [[0.0, 4.0, "X"]]}', "Oslo/B-X"),
        ('\ufeff{"text": "Oslo", "label": [[0, 4, "X"]]}', "Oslo/B-X"),
        ('{"text": "Oslo", "annotations": [{"result": []}]}', "Oslo/O"),
        (
            '{"text": "New\\r\\nYork", "ents": [{"start": 0, "end": 9, "label": "X", '
            '"text": "New\\\\nYork"}]}',
            "New/B-X York/I-X",
        ),
        (
            '{"text": "Oslo", "annotations": [{"was_cancelled": true, "result": []}, '
            '{"result": [{"value": {"start": 0, "end": 4, "text": "Oslo", "labels": ["X"]}}]}]}',
            "Oslo/B-X",
        ),
        ('{"text": "Oslo", "label": null, "entities": [[0, 4, "X"]]}', "Oslo/B-X"),
        (
            '{"text": "Oslo", "annotations": [{"result": [{"from_id": "a", "to_id": "b", "type": '
            '"relation"}, {"value": {"start": 0, "end": 4, "labels": ["X"]}}]}]}',
            "Oslo/B-X",
        ),
        (
            '{"id": "# the longer", "text": "Oslo", "label": [[0, 3, "A"], [0, 4, "B"]]}',
            "Oslo/B-B",
        ),
        (
            '{"text": "See Yahoo!It fell", "label": [[4, 10, "X"]]}',
            "See/O Yahoo/B-X !/I-X | It/O fell/O",
        ),
    ],
)
def test_spans_become_tags(record, sentences):
    corpus = records.parse(f"\n{record}\n\n", "x", repair=True)
    shown = [" ".join(map("/".join, zip(s.words, s.tags, strict=True))) for s in corpus]
    assert " | ".join(shown) == sentences
    assert [len(s.lines) for s in corpus] == [len(s.words) for s in corpus]
    told = ["repaired: 1 spans over others"] * ("# the longer" in record)
    if cut := {"Italian/B-X -born/O": 1, "New/B-A York/B-B": 1}.get(sentences):
        told += [f"words cut at the borders of names, as those to tag are not: {cut}"]
    assert [note.partition(";")[0] for note in corpus.notes] == told


def test_words_of_chinese_do_not_tell_where_names_are():
    """Cut at the borders of its names, as no text to tag is, a file taught nothing but them."""
    text = "张三在北京工作。"
    record = json.dumps({"text": text, "label": [[0, 2, "PER"], [3, 5, "LOC"]]})
    (sentence,) = records.parse(record, "x")
    assert [sentence.words] == [one.words for one in tokens.sentences(text)]
    assert " ".join(sentence.tags) == "B-PER I-PER O B-LOC I-LOC O O O"


def test_spans_cut_words_and_bad_ones_are_refused():
    cut = records.parse('{"text": "non-Italian", "label": [[4, 11, "LOC"]]}', "x")
    assert (cut.sentences[0].words, cut.sentences[0].tags) == (["non-", "Italian"], ["O", "B-LOC"])
    over = '{"text": "New York", "label": [[0, 8, "LOC"], [4, 8, "X"]]}'
    assert records.parse(over, "x", repair=True).sentences[0].tags == ["B-LOC", "I-LOC"]
    for text, message in (
        (over, "x:1: .* lies over .*--repair"),
        ('{"text": "a", "label": []}\n{"label": []}', "x:2: a record without a text"),
        ('{"text": "a", "label": []}\n{', "x:2: no JSON"),
        ('{"text": "a", "label": [[0, 9, "X"]]}', "x:1: .* is not inside its text of 1"),
        ('{"text": "a", "label": [[1, 0, "X"]]}', "x:1: .* is not inside"),
        ('{"text": "a  b", "label": [[1, 3, "X"]]}', "x:1: .*, or blank"),
        ('{"text": "ab", "label": [[-2, 1, "X"]]}', "x:1: .* is not inside"),
        ('{"text": "a", "label": [[0, 1]]}', "x:1: no span"),
        ('{"text": "a", "label": [["0", "1", 3]]}', "x:1: no span"),
        ('{"text": "a", "label": []}\n["a", {}, 3]', "x:2: a record without a text"),
        ('{"text": "a", "label": []}\n[1, {}]', "x:2: a record without a text"),
        ('{"text": "a", "label": []}\n{"text": 5}', "x:2: a record without a text"),
        (
            '{"text": "ab", "label": [[0, 1, "X"], [0, 1, 5]]}',
            r"x:1: no span: \[0, 1, 5\]; expected",
        ),
        (
            '{"text": "abcdefg", "label": [[0, 1, "X"], [2, 6, "X"], [4, 7, "X"]]}',
            "x:1: .* lies over",
        ),
        ('{"text": "a", "label": [7]}', "x:1: no span"),
        ('{"text": "a"}', "x:1: no span: .*; expected start, end and one type, in a list called"),
        ('{"text": "a", "named_entities": [[0, 1, "X"]]}', "x:1: no span"),
        ('{"text": "a", "annotations": [{"start": 0, "end": 1, "label": "X"}]}', "x:1: no span"),
        ('{"data": {"text": "a"}, "annotations": [], "predictions": [3]}', "x:1: no span"),
        ('{"text": "a", "label": [[0, 1, ["X", "Y"]]]}', "x:1: no span: .*'X', 'Y'"),
        ('{"text": "a", "label": [[0, 1, ""]]}', "x:1: no span"),
        ('{"text": "ab", "label": [[0, 1, 3]]}', "x:1: no span"),
        ('{"text": "a", "label": 7}', "x:1: no span"),
        ('{"text": "ab", "label": [[0, 1.5, "X"]]}', "x:1: no span"),
        ('{"text": "ab", "label": [[0, Infinity, "X"]]}', "x:1: no span"),
        ('{"text": "ab", "label": [[true, 2, "X"]]}', "x:1: no span"),
        ('{"text": "a", "entities": [{"start": 0, "label": "X"}]}', "x:1: no span"),
        ('{"text": "a", "annotations": 3}', "x:1: no span"),
        ('{"text": "a", "label": []}\n{"text": "a", "annotations": [3]}', "x:2: no span"),
        ('{"text": "a", "annotations": [{"result": [3]}]}', "x:1: no span"),
        ('["a", 3]', "x:1: no span"),
        ('{"text": "a", "spans": [], "answer": "reject"}', "x:1: its answer is .reject.: leave"),
        (
            '{"text": "😀 Oslo now", "spans": [{"start": 3, "end": 7, "type": "X", '
            '"text": "Oslo"}]}',
            "x:1: .* holds 'slo ', not 'Oslo'; an emoji counts as 1",
        ),
        ('{"text": "a", "annotations": [{"was_cancelled": true, "result": []}]}', "x:1: no span"),
        (
            '{"text": "a", "label": []}\n' + "[" * 50_000,
            "x:2: no JSON: (nested too deep|Expecting value)",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            records.parse(text, "x")


def test_packed_vectors(tmp_path):
    content = b"2 3\nthe 1 2 3\nparis 4 5 6\n"
    packed, zipped = tmp_path / "v.gz", tmp_path / "v.zip"
    packed.write_bytes(gzip.compress(content))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("v.txt", content)
    for path in (packed, zipped):
        assert vectors.read_vectors(path, ["paris"]).rows["paris"].tolist() == [4, 5, 6]
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr("w.txt", content)
    with pytest.raises(ValueError, match=r"2 files in the archive \(v.txt, w.txt\)"):
        vectors.read_vectors(zipped, ["a"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"2 2\na 1 2\nb 1 2 3\n", ":3: a number too many"),
        (b"a 1 2\nb 1 2 3\n", ":2: a number too many"),
        (b"a 1 2\nb nan 2\n", ":2: nan or inf"),
        (b"a 1 2\nb inf 2\n", ":2: nan or inf"),
        (b"a 1 2\nb 1e39 2\n", ":2: nan or inf"),
        (b"a 1_0 2\nb 1 2\n", ":2: a number too many"),  # the first row's word has a blank
        (b"c 1 2\na 1_0 2\n", ":2: no number among '1_0 2'; expected 2"),
        (b"2 2\na 1 2\n", "v: ends after row 1 of 2; the file is cut short"),
        (b"3 2\na 1 2\n\n  \nb 1 2\n\n", "v: ends after row 2 of 3; the file is cut short"),
        (b"3 99999999999\na", ":1: no word vectors"),
        (b"9" * 5000 + b" 2\na 1 2", ":2: a number too many"),
        (b"\xba\x16O/\x00", "fastText's binary model"),
        (b"\x93NUMPY\x01", "a NumPy array"),
        (b"\x80\x04\x95", "a pickle"),
        (b"BZh91", "bzip2"),
        (b"\xfd7zXZ\x00", "xz"),
    ],
)
def test_damaged_or_foreign_vectors(tmp_path, content, message):
    path = tmp_path / "v"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        vectors.read_vectors(path, ["a", "b"])


@pytest.mark.parametrize("end", ["", "\n"])
def test_rows_of_a_binary_file_that_its_header_does_not_count_are_read(tmp_path, end):
    """They were left out in silence, while those of a text were read."""
    path, last = tmp_path / "v", end.encode()
    rows = [word + b" " + struct.pack("<2f", 1, n) for n, word in enumerate((b"a", b"b", b"c"))]
    path.write_bytes(b"1 2\n" + last.join(rows) + last)
    found = vectors.read_vectors(path, ["a", "c"]).rows
    assert {word: row.tolist() for word, row in found.items()} == {"a": [1, 0], "c": [1, 2]}
    path.write_bytes(path.read_bytes() + b"d 123")
    with pytest.raises(ValueError, match="v: ends in row 4 of 4; the file is cut short"):
        vectors.read_vectors(path, ["a", "c"])


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfthe 1 2\nparis 3 4\n",
        b"\xef\xbb\xbf2 2\nthe 1 2\nparis 3 4\n",
        b"the    1   2\nparis  3   4\n",
        b"the\t 1 2\nparis\t 3 4\n",
        b"  the 1 2\n\n paris 3 4 \r\n",
        b"2 2\nthe  1  2\nparis  3  4\n",
        b"3 2\nthe 1 2\n 5 6\n\nparis 3 4",
        b"1 2\nthe 1 2\nparis 3 4\n",  # rows were added
        b"the 1 2\nNew  York 5 6\n 7 8\nparis 3 4\n",
    ],
)
def test_vectors_after_a_mark_and_between_any_blanks(tmp_path, content):
    path = tmp_path / "v"
    path.write_bytes(content)
    found = vectors.read_vectors(path, ["the", "paris", "New  York"])
    rows = {word: row.tolist() for word, row in found.rows.items() if word != "New  York"}
    assert found.width == 2 and rows == {"the": [1, 2], "paris": [3, 4]}
