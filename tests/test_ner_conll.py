"""Reading and writing CoNLL files with every quirk they come with."""

from dataclasses import replace
from pathlib import Path

import pytest

from micrograd.ner.corpus import CORRUPT_SENTENCE, TRUE_SENTENCE, hold_out, shipped, together
from micrograd.ner.text import conll
from micrograd.ner.text.sentence import Corpus, Sentence, types_in

DATA = Path(__file__).parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="the reference corpora are not here")

CLEAN = "Museums\tO\nin\tO\nParis\tB-LOC\n\nHe\tO\nwon\tO\n"


def put(tmp_path, content):
    path = tmp_path / "file.conll"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def shape(corpus):
    return [(sentence.words, sentence.tags) for sentence in corpus]


EXPECTED = [
    (["Museums", "in", "Paris"], ["O", "O", "B-LOC"]),
    (["He", "won"], ["O", "O"]),
]


@pytest.mark.parametrize(
    "content",
    [
        CLEAN,
        CLEAN.rstrip("\n"),
        CLEAN.replace("\t", " "),
        CLEAN.replace("\t", "   "),
        CLEAN.replace("\n", "\r\n"),
        CLEAN.replace("\n\n", "\n\n\n\n"),
        CLEAN.replace("\n\n", "\n\t\n"),
        CLEAN.replace("\n\n", "\n \n"),
        "\ufeff" + CLEAN,
        "-DOCSTART- -X- O O\n\n" + CLEAN,
        "# id 7 domain=en\n" + CLEAN,
        "# a comment\n" + CLEAN.replace("\n\n", "\n\n# sent_id = 2\n"),
        "\n\n" + CLEAN + "\n\n",
        CLEAN.replace("\tO", "\tO\t "),
    ],
    ids=[
        "clean",
        "no final newline",
        "spaces",
        "runs of spaces",
        "CRLF",
        "blank lines",
        "lone TAB",
        "lone space",
        "BOM",
        "DOCSTART",
        "comment",
        "comments",
        "margins",
        "trailing",
    ],
)
def test_quirks_do_not_change_what_is_read(tmp_path, content):
    assert shape(conll.read(put(tmp_path, content))) == EXPECTED


def test_a_hash_can_be_a_word(tmp_path):
    corpus = conll.read(put(tmp_path, "#\tO\n#Paris\tB-LOC\n# not data\nx\tO\n"))
    assert corpus.sentences[0].words == ["#", "#Paris", "x"]
    assert list(corpus.sentences[0].lines) == [1, 2, 4]
    new = conll.read(put(tmp_path, "# B-NEW\nParis B-LOC\nx O\n"))  # a tag seen nowhere else
    assert new.sentences[0].words == ["#", "Paris", "x"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#tag\tO\nx\tO\n#b\tO\n", ["#tag", "x", "#b"]),
        ("# newdoc id = 3\n#tag NN\n# NN\n# a comment here\n", ["#tag", "#"]),
        ("#\n#tag\n# a comment\n", ["#", "#tag"]),
    ],
)
def test_a_hash_can_be_a_word_where_no_tags_are_read(tmp_path, text, words):
    assert conll.read(put(tmp_path, text), tag_column=None).sentences[0].words == words


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Ann NNP B-PER\n; :\nsaw VBD O\n", 2),
        ("$ 5\nAnn NNP B-PER\nsaw VBD O\n", 1),
        ("Ann B-PER\n;b\nsaw O\n# so it is\nit O\n", 2),
        ("Ann NNP B-PER\n# B-PER\n\nsaw VBD O\n", 2),
        ("# sent_id = 2\nAnn NNP B-PER\nsaw VBD O\n", None),
    ],
)
def test_a_comment_that_could_be_a_token_without_a_column_is_told(tmp_path, text, line):
    notes = conll.read(put(tmp_path, text)).notes
    assert [f"file.conll:{line}" in note and "comment" in note for note in notes] == [True] * bool(
        line
    )


def test_unicode_spaces_stay_inside_words(tmp_path):
    text = "10\u00a0km O\nParis\u2028x B-LOC\n\x85 O\n"
    words = conll.read(put(tmp_path, text)).sentences[0].words
    assert words == ["10\u00a0km", "Paris\u2028x", "\x85"]


def test_columns_are_chosen(tmp_path):
    path = put(tmp_path, "1 Paris NNP B-LOC x\n2 won VBD O y\n")
    corpus = conll.read(path, word_column=1, tag_column=3)
    assert shape(corpus) == [(["Paris", "won"], ["B-LOC", "O"])]
    assert conll.render(corpus) == path.read_text()


def test_words_alone_can_be_read(tmp_path):
    assert shape(conll.read(put(tmp_path, "#\nParis\n"), tag_column=None)) == [(["#", "Paris"], [])]


def test_encoding_is_named(tmp_path):
    path = put(tmp_path, "Café\tO\nMünchen\tB-LOC\n".encode("latin-1"))
    assert conll.read(path, encoding="latin-1").sentences[0].words == ["Café", "München"]
    wide = put(tmp_path, "München\tB-LOC\n".encode("utf-16"))
    assert conll.read(wide, encoding="utf-16").sentences[0].words == ["München"]


def test_documents_are_counted(tmp_path):
    corpus = conll.read(put(tmp_path, f"-DOCSTART-\tO\n\n{CLEAN}\n-DOCSTART-\tO\n\n{CLEAN}"))
    assert [sentence.document for sentence in corpus] == [1, 1, 2, 2]
    assert corpus.documents == 2


BAD = [
    ("", ": no token", {}),
    ("\n\n \n", ": no token", {}),
    ("Paris\n", ":1: one column; the tag column is missing", {}),
    ("a\tO\nParis\n", ":2: no tag: 'Paris'; --repair .repair=True. reads it as O", {}),
    ("a\tO\nb\tB-X\nc B-X\n", ":3: a blank where the file has a TAB, before the tag: 'c B", {}),
    ("a\tO\nb c\tO\nc O\n", ":3: a blank where the file has a TAB", {"repair": True}),
    ("a\tO\nb c\tO\nb c\n", ":3: no tag: 'b c'; --repair .repair=True. reads it as O", {}),
    ("a NN I-NP O\nParis NNP\n", ":2: 2 columns where the file has 4", {}),
    ("a O\n" + "x " * 30_000, r":2: 30,000 columns where the file has 2: '(x ){30}'$", {}),
    ("a x O\nb y\n", ":2: no tag: 'b y'", {"tag_column": 2}),
    ("a x O\nb O\n", ":2: 2 columns where the file has 3", {"tag_column": 1}),
    ("a O\n; \n", ":2: no tag: ';'", {}),
    ("a O\n#tag\n", ":2: no tag: '#tag'", {}),
    ("a O\n$5 x O\n", ":2: 3 columns where the file has 2", {}),
    ("a\tO\n\tO\n", ":2: the word column is empty; --repair", {}),
    ("a\tO\nParis\tX-LOC\n", ":2: unknown tag 'X-LOC'", {}),
    ("a\tB-LOC\nParis\tLOC\n", ":2: unknown tag 'LOC'.*--repair", {}),
    ("a\tO\nb\tB:LOC\nc\tI:LOC\n", ":2: unknown tag 'B:LOC'", {}),
    ("a\tO\nb\tLOC/B\n", ":2: unknown tag 'LOC/B'", {"repair": True}),
    ("a\tO\nb\tB-LOC|I-PER\n", r":2: unknown tag 'B-LOC\|I-PER'", {}),
    ("a\tB-LOC\nb\tL-LOC\nc\tL-LOC\n", ":3: L-LOC may not stand here in BIOES", {}),
    ("a\tO\nb\tO\nc  B-X\n", ":3: a blank where the file has a TAB", {"repair": True}),
    ("a\tO\nParis\tB-\n", ":2: unknown tag 'B-'", {}),
    ("a\tB-LOC\nb\tI-PER\nc\tI-LOC\n", "--repair", {}),
    ("a\tB-LOC\nb\tO\nc\tI-PER\nd\tB-PER\n\ne\tB-LOC\n", ":3: I-PER may not stand here in BIO", {}),
    ("a\tB-LOC\nb\tE-PER\n", ":1: B-LOC may not stand here in BIOES", {}),
    (b"a\tO\nCaf\xe9\tO\n", ":2: byte 0xe9 is not utf-8.*--encoding", {}),
    ("a\tO\n", "unknown encoding 'klingon'", {"encoding": "klingon"}),
    ("a\0\tO\n", ":1: a zero byte", {}),
    ("a\tO\n" + "x" * 10_000_000, ":2: a line of 10,000,000 characters", {}),
    ("a\tO\n", ":1: no tag column 5; .* 2 columns between TABs", {"tag_column": 5}),
    ("a O\n", ":1: no tag column 5; the file has 2 columns, counted", {"tag_column": 5}),
    ("a\tO\n", ":1: no word column -3", {"word_column": -3}),
]


@pytest.mark.parametrize(("content", "message", "options"), BAD, ids=[bad[1][:30] for bad in BAD])
def test_bad_files_are_refused_with_their_line(tmp_path, content, message, options):
    with pytest.raises(ValueError, match=message):
        conll.read(put(tmp_path, content), **options)


def test_repair_reads_bare_labels_and_illegal_sequences(tmp_path):
    bare = conll.read(put(tmp_path, "New\tLOC\nYork\tLOC\nx\tO\nAnn\tPER\n"), repair=True)
    assert bare.sentences[0].tags == ["B-LOC", "I-LOC", "O", "B-PER"]
    broken = put(tmp_path, "a\tB-LOC\nb\tO\nc\tI-PER\nd\tI-LOC\n\ne\tB-PER\n")
    assert conll.read(broken, repair=True).sentences[0].tags == ["B-LOC", "O", "B-PER", "B-LOC"]


@pytest.mark.parametrize(
    "content",
    [
        CLEAN + "\n",
        CLEAN.replace("\t", " ") + "\n",
        "1\tParis\tNNP\tB-LOC\n\n",
        "-DOCSTART-\tO\n\n" + CLEAN + "\n-DOCSTART-\tO\n\nx\tO\n\n",
    ],
)
def test_writing_gives_the_file_back(tmp_path, content):
    path = put(tmp_path, content)
    conll.write(conll.read(path, word_column=-2), path)
    assert path.read_text() == content


def test_writing_needs_no_file():
    corpus = Corpus([Sentence(["Paris"], ["B-LOC"]), Sentence(["plain"])])
    assert conll.render(corpus) == "Paris\tB-LOC\n\nplain\n\n"
    assert corpus.sentences[0].line(0) == 0
    assert conll.render(Corpus([])) == ""


def test_documents_and_letters_are_written_where_there_was_no_file(tmp_path):
    sentences = [Sentence(["é"], ["O"], document=n) for n in (3, 3, 4)]
    path = conll.write(Corpus(sentences), tmp_path / "x")
    assert path.read_text("utf-8") == "é\tO\n\né\tO\n\n-DOCSTART-\tO\n\né\tO\n\n"
    corpus = Corpus([Sentence(["a"], ["O"], document=number) for number in (1, 1, 2, 2, 3)])
    assert (
        conll.render(corpus).replace("-DOCSTART-\tO\n\n", "|").replace("a\tO\n\n", "a") == "aa|aa|a"
    )


def test_what_is_said_of_tags_and_types_is_done(tmp_path):
    path = put(tmp_path, "a\tS-B\nb\tO\n")
    assert conll.read(path, tags="X-B").sentences[0].tags == ["B-S", "O"]
    assert conll.read(path, types={"B": "C"}).sentences[0].tags == ["B-C", "O"]
    assert conll.read(path).sentences[0].path == str(path)


def test_documents_of_several_files_stay_apart():
    one, other = (Corpus([Sentence(["a"], document=n) for n in (0, 1)], x, notes=[x]) for x in "xy")
    joined = together([one, replace(other, written="X")])
    assert [sentence.document for sentence in joined] == [0, 1, 2, 3]
    assert (joined.path, joined.scheme, joined.written) == ("x + y", "BIO", "B-X + X")
    assert joined.notes == ["x", "y"]


@pytest.mark.parametrize(
    ("documents", "held"),
    [
        ([0] * 21, [9, 19]),
        ([n // 2 for n in range(22)], [18, 19]),
        ([n // 2 for n in range(19)], [18]),
        ([2 * n + 1 for n in range(20)], [9, 19]),  # files that begin with a document's mark
        ([2 * n for n in range(20)], [9, 19]),
    ],
)
def test_a_tenth_is_held_out_by_documents_where_there_are_ten(documents, held):
    every = [Sentence([str(n)], document=document) for n, document in enumerate(documents)]
    train, dev = hold_out(Corpus(every, "f", notes=["repaired"]))
    assert [int(s.words[0]) for s in dev] == held and len(train) + len(dev) == len(every)
    assert (train.path, train.notes, dev.path, dev.notes) == ("f", ["repaired"], "f, held out", [])


def test_nine_sentences_are_too_few_to_hold_one_out():
    with pytest.raises(ValueError, match="f: too few to hold any out, 9 sentences; name a --dev"):
        hold_out(Corpus([Sentence(["a"])] * 9, "f"))


@pytest.mark.parametrize("words", ["abc", [1], ["a", b"b"]])
def test_words_are_a_list_of_texts(words):
    with pytest.raises(TypeError, match="words are a list of texts, not "):
        Sentence(words)


def test_shipped_corpus_is_what_it_says():
    splits = shipped()
    sentences = [sentence for corpus in splits for sentence in corpus]
    assert len(sentences) >= 400
    assert {tuple(s.words) for s in sentences} >= {
        (*TRUE_SENTENCE.words, "."),
        (*CORRUPT_SENTENCE.words, "."),
    }
    assert types_in(splits.train) == types_in(splits.dev) == types_in(splits.test)
    assert types_in(splits.train) == ["LOC", "MISC", "ORG", "PER"]
    assert len({tuple(s.words) for s in sentences}) == len(sentences)
    assert [corpus.documents for corpus in splits] == [34, 6, 7]
    assert "34 documents, read as BIO, types LOC MISC ORG PER" in splits.train.describe()


def test_shipped_names_are_ambiguous_and_unseen():
    train, _, test = shipped()
    types = {}
    for sentence in train:
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            types.setdefault(word, set()).add(tag[2:])
    for name, kinds in {
        "Paris": {"LOC", "PER"},
        "Washington": {"LOC", "ORG", "PER"},
        "Jordan": {"LOC", "PER"},
        "Chelsea": {"LOC", "ORG", "PER"},
        "Reading": {"LOC", "ORG", ""},
    }.items():
        assert kinds <= types[name], name
    names = {w for s in test for w, t in zip(s.words, s.tags, strict=True) if t == "B-LOC"}
    assert len([name for name in names if name not in types]) > len(names) / 2


@needs_data
@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("wikigold/wikigold.conll.txt", (1696, 39007, "IO")),
        ("wnut17/wnut17train.conll", (3394, 62730, "BIO")),
        ("wnut17/emerging.test.annotated", (1287, 23394, "BIO")),
        ("wikigold/train.bio", (1023, 23379, "BIO")),
    ],
)
def test_reference_corpora_are_read_whole(name, counts):
    corpus = conll.read(DATA / name)
    assert (len(corpus), corpus.tokens, corpus.scheme) == counts


@needs_data
def test_original_and_split_files_hold_the_same_entities():
    whole = conll.read(DATA / "wikigold/wikigold.conll.txt")
    parts = [conll.read(DATA / f"wikigold/{name}.bio") for name in ("train", "dev", "test")]
    assert sorted(map(str, shape(whole))) == sorted(str(x) for part in parts for x in shape(part))


@pytest.mark.parametrize("text", ["; y", "# x y\n", "$ 5\nOslo\tO\n", "# newdoc\tO\nOslo\tO\n"])
@pytest.mark.parametrize("column", [3, 7])
def test_a_column_that_is_not_there_is_told_of_comments_too(text, column):
    """What looks like a comment is told from a token by its tag, where there is one."""
    with pytest.raises(ValueError, match=rf"f:\d: (no tag column {column}|one column)"):
        conll.parse(text, "f", tag_column=column)
