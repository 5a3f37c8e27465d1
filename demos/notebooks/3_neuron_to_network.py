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
# # From a neuron to a network · 从神经元到网络
#
# a = σ(wᵀx + b); a layer has a row of W for each neuron, z = Wx + b, a = f(z); the window score is
# s = uᵀ f(Wx + b).

# %%
import random

from micrograd.nn import MLP, Layer, Neuron

random.seed(1)
neuron = Neuron(2, activation="sigmoid")
print(neuron([0.5, -1.0]))

# %%
layer = Layer(2, 3, activation="sigmoid")
print([a.data for a in layer([0.5, -1.0])])

# %% [markdown]
# The score of a window of 5 words × 4 numbers, and its picture, collapsed by neuron:

# %%
score = MLP(20, [8, 1], activation="tanh")
s = score([random.uniform(-1, 1) for _ in range(20)])
print(s.data, len(score.parameters()), "parameters")
s
