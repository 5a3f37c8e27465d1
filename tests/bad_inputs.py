"""What the tests of bad inputs share: the files they name, the sentences no message may hold."""

import gzip
import re
import zipfile

from micrograd.ner.model.config import Config
from micrograd.ner.tagger import Tagger
from micrograd.ner.text import conll

# What Python, argparse, NumPy and the system say by themselves: true, and of no help.
STOCK = re.compile(
    r"Traceback|\[Errno|has no attribute|unsupported operand|object is not|not supported between"
    r"|is not iterable|not subscriptable|not callable|cannot unpack|to unpack|must be str, not"
    r"|could not convert|invalid literal|division by zero|math domain|math range|math argument"
    r"|out of range$|codec can't|positional argument|unexpected keyword|NoneType|expected string"
    r"|a bytes-like|embedded null|invalid syntax|was never closed|unmatched|broadcast"
    r"|must be real number|cannot be interpreted|invalid choice|are required|unrecognized"
    r"|expected one argument|invalid int|invalid float|No such file|Is a directory|Permission"
    r"|unhashable|Unable to allocate|setting an array|inhomogeneous|zero-size|mismatch in its core"
    r"|could not be|takes \d+ pos|missing \d+ required|a fault of micrograd|unorderable|ambiguous"
)

CORPUS = "Ann\tB-PER\nsaw\tO\nOslo\tB-LOC\n.\tO\n\nRome\tB-LOC\nis\tO\nold\tO\n\n" * 12
FILES = {
    "lesson.py": "from micrograd import Value\nx = Value(2.0, label='x')\nloss = x * x\nn = 4\n",
    "layers.py": "from micrograd.nn import MLP\nout = MLP(2, [3, 1])([1.0, 2.0])\n",
    "syntax.py": "x = 1\ndef f(:\n",
    "raises.py": "x = 1\nraise RuntimeError('boom\\nand\\x1b[31m more')\n",
    "exits.py": "import sys\nsys.exit('enough')\n",
    "divides.py": "def f():\n    return 1 / 0\n\nf()\n",
    "imports.py": "import no_such_module\n",
    "memory.py": "raise MemoryError\n",
    "recursion.py": "def f():\n    return f()\n\nf()\n",
    "silent.py": "class Mute(Exception):\n    def __str__(self):\n        1 / 0\n\nraise Mute\n",
    "base.py": "class Own(BaseException):\n    pass\n\nraise Own('own')\n",
    "domain.py": "from micrograd import Value\nloss = Value(-1.0, label='\\x1b[31mred').log()\n",
    "list.py": "from micrograd import Value\nvalues = [Value(1.0)]\nnothing = None\n",
    "functions.py": "def bare(x):\n    return x\n\nnumber = 3\n",
    "latin.py": b"x = 'caf\xe9'\n",
    "utf16.py": "x = 1\n".encode("utf-16"),
    "utf16be.py": "\ufeffx = 1\n".encode("utf-16-be"),
    "zero.py": b"x = 1\0\n",
    "empty.py": "",
    "notes.txt": "Ann saw Oslo.\n",
    "my notes.txt": "Ann saw Oslo.\n",
    "empty.txt": "",
    "blank.txt": " \n\t\n",
    "latin.txt": b"caf\xe9\n",
    "late.txt": b"a\nb\ncaf\xe9\n",
    "zero.txt": b"a\0b\n",
    "train.conll": CORPUS,
    "words.conll": "Ann\nsaw\n",
    "wide.conll": "1\tAnn\tNNP\tB-PER\n2\tsaw\tVBD\tO\n",
    "ragged.conll": "Ann\tB-PER\nsaw\n",
    "tags.conll": "Ann\tB-PER\nsaw\tQ-X\n",
    "red.conll": "Ann\tB-PER\nsaw\t\x1b[31mred\n",
    "bare.conll": "Ann\tPER\nOslo\tB-LOC\n",
    "illegal.conll": "Ann\tB-PER\nsaw\tB-LOC\nX\tI-PER\n",
    "latin.conll": b"caf\xe9\tO\n",
    "zero.conll": b"a\0\tO\n",
    "long.conll": "Ann\tO\n" + "x" * 200_000 + "\tO\n",
    "nothing.conll": "Ann\tO\nsaw\tO\n\n" * 12,
    "one.conll": "Ann\tB-LOC\n",
    "noword.conll": "Ann\tO\n\tO\n",
    "predictions.conll": "Ann\tB-PER\tB-PER\nsaw\tO\tO\n",
    "badpredictions.conll": "Ann\tB-PER\tB-PER\nsaw\tO\tX\n",
    "archive.zip": b"PK\x03\x04 and so on",
    "paper.pdf": b"%PDF-1.7\n%\xe2\xe3\n",
    "old.doc": b"\xd0\xcf\x11\xe0\xa1\xb1",
    "new.rtf": rb"{\rtf1\ansi Ann saw Oslo.}",
    "damaged.gz": b"\x1f\x8b and so on",
    "cut.gz": gzip.compress(b"Ann 1 2 3\n" * 100)[:-12],
    "damaged.npz": b"PK\x03\x04" + bytes(100),
    "state.json": "{}",
    "cut.json": '{"format": "micrograd state", "vers',
    "vectors.txt": "Ann 1 2 3\nOslo 1 2 3\n",
    "badvectors.txt": "Ann 1 2 3\nOslo 1 x 3\n",
    "shortvectors.txt": "Ann " + " ".join("1" * 10) + "\nOslo 1 2\n",
    "wordvectors.txt": "Ann\nOslo\n",
    "binary.bin": b"3 10\nAnn " + bytes(40),
}


def write_files(folder):
    """Write the files that the rows name, a model, a folder, and a file nobody may read."""
    for name, content in FILES.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).write_bytes(data)
    (folder / "folder").mkdir()
    (folder / "folder.py").mkdir()
    with zipfile.ZipFile(folder / "two.zip", "w") as archive:
        archive.writestr("a.txt", "Ann 1 2 3\n")
        archive.writestr("b.txt", "Ann 1 2 3\n")
    sentences = conll.read(folder / "train.conll").sentences
    tagger = Tagger(Config(dim=3, case_dim=2, hidden=2, width=3))
    tagger.start(sentences)
    tagger.save(folder / "model.npz")
    (folder / "cut.npz").write_bytes((folder / "model.npz").read_bytes()[:900])
