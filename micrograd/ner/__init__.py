"""Named-entity recognition by word windows.

from micrograd.ner import Tagger, defaults, read

train, dev = read("train.conll"), read("dev.conll")
config, training = defaults("margin", label="LOC")
tagger = Tagger(config)
history = tagger.fit(train.sentences, dev.sentences, training)
print(tagger.evaluate(dev.sentences).entities.overall)
tagger.save("model.npz")
Tagger.load("model.npz").predict(dev.sentences)        # BIO tags
"""

from micrograd.ner.corpus import shipped
from micrograd.ner.judging.scoring import score
from micrograd.ner.model.config import Config, Training, defaults
from micrograd.ner.tagger import Tagger
from micrograd.ner.text.conll import read, write
from micrograd.ner.text.sentence import Corpus, Sentence

__all__ = [
    "Config",
    "Corpus",
    "Sentence",
    "Tagger",
    "Training",
    "defaults",
    "read",
    "score",
    "shipped",
    "write",
]
