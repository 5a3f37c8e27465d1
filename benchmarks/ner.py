"""Measure the tagger: reading, tagging, both engines, PyTorch beside it, the scores it reaches.

    python benchmarks/ner.py [read] [tag] [tokens] [scalar] [pair] [torch] [sequence] [quality]
        [--data FOLDER]

Without a name all parts run; `quality` takes some minutes. `torch` needs PyTorch. The corpora are
read from FOLDER (default: ../shared/data beside the repository); one thread is used throughout.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # before NumPy is loaded, which reads it once

# ruff: noqa: E402
import numpy as np

from micrograd.cli import main as main_command
from micrograd.ner.model.config import defaults
from micrograd.ner.tagger import Tagger
from micrograd.ner.text import conll, tokens
from micrograd.ner.training.fitting import Trainer

DATA = Path(__file__).parents[2] / "shared" / "data"
TOKENS = 200_000


OTHERS = ("PER", "ORG", "MISC")
SMALL = {"hidden": 20, "dim": 10, "affix_dim": 5, "features": ("case", "shape")}


def corpus(name, part, drop=()):
    return conll.read(DATA / name / f"{part}.bio", drop=drop).sentences


def trainer(train, kind="margin", **changes):
    config, training = defaults(kind, **changes)
    tagger = Tagger(config)
    tagger.start(train, training.seed)
    return Trainer(tagger, train, training)


def epoch_of(run):
    """Train one epoch; give the seconds and the share of active samples."""
    count, size = len(run.sampler), run.training.batch
    order = np.random.default_rng(run.epoch).permutation(count)
    batches = [order[start : start + size] for start in range(0, count, size)]
    began, active = time.perf_counter(), 0.0
    for chosen in batches:
        active += run.step(chosen).get("active", 100.0) * len(chosen)
    seconds = time.perf_counter() - began
    run.next_epoch(0.0)
    return seconds, active / count


def sequence():
    """Time an epoch of the sequence models beside one of the classifier."""
    train = corpus("wikigold", "train")
    kinds = {
        "classifier": trainer(train, "softmax"),
        "sequence, max-margin": trainer(train, "sequence"),
        "sequence, likelihood": trainer(train, "sequence", loss="likelihood"),
    }
    times = {name: [] for name in kinds}
    for _ in range(4):
        for name, run in kinds.items():
            times[name].append(epoch_of(run)[0])
    base = np.median(times["classifier"])
    for name, seconds in times.items():
        middle = np.median(seconds)
        print(f"sequence: {name}: {middle:.2f} s per epoch, {middle / base:.2f} (<= 1.6)")


def tag():
    """Tag a million tokens in a process of its own, from file to file."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("margin", "softmax"):
            config, training = defaults(kind, epochs=1)
            tagger = Tagger(config)
            tagger.fit(corpus("wikigold", "train"), corpus("wikigold", "dev"), training)
            model, path = Path(folder) / f"{kind}.npz", Path(folder) / "million.conll"
            tagger.save(model)
            text = (DATA / "wikigold/train.bio").read_text(encoding="utf-8")
            path.write_text(text * 43, encoding="utf-8")
            command = [sys.executable, __file__, "tag-one", "--file", path, "--model", model]
            with (Path(folder) / "out.conll").open("w") as out:
                subprocess.run(command, check=True, stdout=out)


def tag_one(path, model):
    main_command(["tag", str(model), "--conll", "--input", str(path)])
    seconds = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"tag: {model.stem}: 1,000,000 tokens from file to file in {seconds:.1f} s of CPU "
        f"(<= 10), {memory:.0f} MB in all (<= 600)",
        file=sys.stderr,
    )


NOT_BEFORE = re.compile(r"[.,;:!?)\]}%’”]+|['’](?:s|S|re|ve|ll|d|m)|n['’]t")
NOT_AFTER = re.compile(r"[(\[{$£€“‘]")


def joined(words):
    """Put a sentence together again: its text, and where its words lie in it.

    No blank before closing signs and clitics, none after opening ones; a straight quotation mark
    opens and closes by turns.
    """
    text, places, glued, quotes = "", [], True, 0
    for word in words:
        quoted = word in ('"', "``", "''")
        closing = quoted and quotes % 2 == 1
        quotes += quoted
        text += "" if glued or closing or NOT_BEFORE.fullmatch(word) else " "
        places.append((len(text), len(text) + len(word)))
        text += word
        glued = (quoted and not closing) or bool(NOT_AFTER.fullmatch(word))
    return text, places


def f1(pairs):
    right, size = map(sum, zip(*((len(a & b), len(a) + len(b)) for a, b in pairs)))
    return 200 * right / size


def token_scores():
    """Score the tokeniser on sentences put together again, sentence borders on whole files."""
    for name, part in (("wikigold", "train"), ("wikigold", "dev"), ("wikigold", "test")):
        parts = [joined(sentence.words) for sentence in corpus(name, part)]
        words = f1([(set(tokens.spans(text)), set(places)) for text, places in parts])
        ends = np.cumsum([len(text) + 1 for text, _ in parts]) - 1
        true = zip([0, *ends + 1], ends)
        whole = tokens.sentences(" ".join(text for text, _ in parts))
        said = {(one.offsets[0][0], one.offsets[-1][1]) for one in whole}
        sentences = f1([(said, set(true))])
        print(
            f"tokens: {name} {part}: F1 {words:.2f} (>= 99), of sentences {sentences:.2f} (>= 90)"
        )


def read():
    """Read and window 200,000 tokens in a process of its own, so that its memory is its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "big.conll"
        text = (DATA / "wikigold/train.bio").read_text(encoding="utf-8")
        path.write_text(text * -(-TOKENS // 23_379), encoding="utf-8")
        subprocess.run([sys.executable, __file__, "read-one", "--file", path], check=True)


def read_one(path):
    began = time.perf_counter()
    found = conll.read(path)
    tagger = Tagger()
    tagger.start(found.sentences)
    cut = tagger.windows(found.sentences)
    seconds = time.perf_counter() - began
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"read: {len(cut):,} tokens read, numbered and windowed in {seconds:.2f} s (<= 3), "
        f"{memory:.0f} MB in all (<= 300)"
    )


def scalar():
    run = trainer(corpus("wikigold", "train"), engine="scalar", features=())
    tracemalloc.start()
    for _ in range(3):
        tracemalloc.reset_peak()
        began = time.perf_counter()
        for number in range(400):
            run.step(np.array([number]))
        rate = 400 / (time.perf_counter() - began)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        print(f"scalar: peak {peak:.1f} MB over 400 pairs (traced, {rate:.0f} pairs/s)")
    tracemalloc.stop()
    run = trainer(corpus("wikigold", "train"), engine="scalar", features=(), delta=1e6, rate=1e-9)
    began = time.perf_counter()
    for number in range(400):
        run.step(np.array([number]))
    print(f"scalar: {400 / (time.perf_counter() - began):.0f} pairs/s, all of them active (>= 300)")
    run = trainer(corpus("wikigold", "train"), engine="scalar", features=())
    for epoch in range(2):
        seconds, active = epoch_of(run)
        print(
            f"scalar: {len(run.sampler) / seconds:.0f} pairs/s in epoch {epoch + 1}, "
            f"{active:.1f} % active"
        )


def pair():
    train = corpus("wikigold", "train")
    for features in ((), ("case",)):
        run = trainer(train, features=features)
        for epoch in range(3):
            seconds, active = epoch_of(run)
            print(
                f"pair: features {features or None}, epoch {epoch + 1}: "
                f"{1e6 * seconds / len(run.sampler):.0f} us per pair (<= 100), "
                f"{active:.1f} % active"
            )
    run = trainer(train, features=(), delta=1e6, rate=1e-9)
    seconds, _ = epoch_of(run)
    print(f"pair: {1e6 * seconds / len(run.sampler):.0f} us per pair where all are active")


def torch_epoch(run, dtype, sparse):
    """Make the same model in PyTorch from the same parameters; give a function of an epoch."""
    import torch

    torch.set_num_threads(1)
    arrays, sampler = run.tagger.arrays, run.sampler
    table = torch.nn.Embedding.from_pretrained(
        torch.tensor(arrays["E"], dtype=dtype), freeze=False, sparse=sparse
    )
    layer = torch.nn.Linear(*reversed(arrays["W"].shape)).to(dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(arrays["W"]))
        layer.bias.copy_(torch.tensor(arrays["b"]))
    u = torch.nn.Parameter(torch.tensor(arrays["u"], dtype=dtype))
    optimizer = torch.optim.SGD([*table.parameters(), *layer.parameters(), u], lr=run.optimizer.lr)
    both = sampler.take(np.arange(len(sampler))).ids[:, :, 0]
    true, corrupt = torch.tensor(both).long().chunk(2)

    def score(ids):
        return torch.tanh(layer(table(ids).flatten(1))) @ u

    delta = run.tagger.config.delta

    def epoch():
        order = torch.randperm(len(true))
        began, active = time.perf_counter(), 0
        for chosen in order.split(run.training.batch):
            optimizer.zero_grad()
            losses = torch.relu(delta - score(true[chosen]) + score(corrupt[chosen]))
            losses.mean().backward()
            optimizer.step()
            active += int((losses > 0).sum())
        return time.perf_counter() - began, 100 * active / len(true)

    return epoch


def beside_torch():
    import torch

    train = corpus("wikigold", "train")
    changes = {"dim": 50, "features": (), "hidden": 300, "batch": 64, "schedule": "constant"}
    run = trainer(train, **changes)
    runs = {"ours, float64, backward of active pairs": lambda: epoch_of(run)}
    every = trainer(train, **changes, delta=1e3)
    every.optimizer.lr = 1e-9
    runs["ours, float64, every pair active"] = lambda: epoch_of(every)
    for dtype in (torch.float64, torch.float32):
        for sparse in (True, False):
            name = f"PyTorch, {str(dtype)[6:]}, {'sparse' if sparse else 'dense'} table"
            runs[name] = torch_epoch(run, dtype, sparse)
    times = {name: [] for name in runs}
    active = {}
    for _ in range(11):
        for name, epoch in runs.items():
            seconds, active[name] = epoch()
            times[name].append(1e3 * seconds)
    middle = {name: np.median(found) for name, found in times.items()}
    fastest = min(seconds for name, seconds in middle.items() if "float32" in name)
    for name, found in times.items():
        print(
            f"torch: {name}: median {middle[name]:.0f} ms, best {min(found):.0f} ms per epoch of "
            f"{len(run.sampler):,} pairs, {middle[name] / fastest:.2f} of PyTorch's best in "
            f"float32 (last: {active[name]:.1f} % active)"
        )


def scores(title, kind, seeds, name="wikigold", drop=(), **changes):
    train, dev, test = (corpus(name, part, drop) for part in ("train", "dev", "test"))
    found, began = [], time.perf_counter()
    for seed in range(seeds):
        config, training = defaults(kind, seed=seed, **changes)
        tagger = Tagger(config)
        history = tagger.fit(train, dev, training)
        found.append((max(history["dev_f1"]), tagger.evaluate(test).f1))
    dev_f1, test_f1 = np.mean(found, axis=0)
    spread = " ".join(f"{value:.1f}" for _, value in found)
    print(
        f"quality: {title}: dev {dev_f1:.2f}, test {test_f1:.2f} (tests {spread}; "
        f"{(time.perf_counter() - began) / seeds:.0f} s per run)",
        flush=True,
    )


def quality():
    scores("LOC max-margin, 5 seeds (test >= 52)", "margin", 5)
    scores("the same, vectors frozen (clearly worse)", "margin", 5, frozen=True)
    scores("the same, centre word replaced", "margin", 5, sampler="word")
    scores("the same, words averaged", "margin", 5, average=True)
    scores("LOC alone, over whole sentences", "sequence", 5, drop=OTHERS, **SMALL)
    scores("softmax BIOES, 5 seeds (test >= 50.5)", "softmax", 5)
    scores("the lectures' form of it, 3 seeds", "softmax", 3, plain=True)
    scores("multiclass max-margin, 3 seeds", "multiclass", 3)
    scores("sequence max-margin, 5 seeds (test >= 49.5)", "sequence", 5)
    scores("sequence likelihood, 5 seeds (test >= 51)", "sequence", 5, loss="likelihood")
    scores("WNUT-17, softmax, 3 seeds (test >= 20)", "softmax", 3, "wnut17")


PARTS = {
    "read": read,
    "tag": tag,
    "tokens": token_scores,
    "scalar": scalar,
    "pair": pair,
    "torch": beside_torch,
    "sequence": sequence,
    "quality": quality,
}


def main():
    global DATA
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", help=", ".join(PARTS))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    DATA = options.data
    if options.parts == ["read-one"]:
        read_one(options.file)
        return
    if options.parts == ["tag-one"]:
        tag_one(options.file, options.model)
        return
    if not DATA.is_dir():
        parser.error(f"there is no folder {DATA}: name the one with the corpora by --data FOLDER")
    for name in options.parts or PARTS:
        if name not in PARTS:
            parser.error(f"no part {name!r}: expected some of {', '.join(PARTS)}")
        PARTS[name]()


if __name__ == "__main__":
    main()
