# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# %% [markdown]
# # Tagging names · 命名实体标注
#
# A window scorer is trained by max-margin, J = Σ max(0, 1 + s_c − s), on the corpus of the package,
# and tags sentences it has not seen.

# %%
from micrograd.ner import Sentence, Tagger, defaults, shipped

corpus = shipped()
config, training = defaults("softmax", hidden=50, epochs=4)
tagger = Tagger(config)
tagger.fit(corpus.train.sentences, corpus.dev.sentences, training)
print(tagger.evaluate(corpus.test.sentences).entities.overall)

# %%
words = ["Paris", "Hilton", "flew", "from", "Paris", "to", "Texas", "."]
tags = tagger.predict([Sentence(words, ["O"] * len(words))])[0]
print(*map("/".join, zip(words, tags)))
