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
# # Error sharing, and lowering · 误差分配与降级
#
# δ⁽ᵏ⁾ = f′(z⁽ᵏ⁾) ∘ (W⁽ᵏ⁾ᵀ δ⁽ᵏ⁺¹⁾), ∇W⁽ᵏ⁾ = δ⁽ᵏ⁺¹⁾ a⁽ᵏ⁾ᵀ: here by hand for a 4-3-1 network, then by the engine.

# %%
import random

import numpy as np

from micrograd.nn import MLP

random.seed(2)
net = MLP(4, [3, 1], activation="tanh")
x = np.array([0.5, -1.0, 0.25, 2.0])
W = np.array([[w.data for w in unit.w] for unit in net.layers[0].neurons])
u = np.array([w.data for w in net.layers[1].neurons[0].w])
delta = (1 - np.tanh(W @ x) ** 2) * u
net(x).backward()
engine = np.array([[w.grad for w in unit.w] for unit in net.layers[0].neurons])
print(np.abs(np.outer(delta, x) - engine).max())

# %% [markdown]
# Lowering derives the same from the scalar graph, as array code for a batch:

# %%
from micrograd.losses import max_margin
from micrograd.lowering import lower

program = lower(lambda x, x_c: max_margin(net(x), net(x_c)), [0.0] * 4, [0.0] * 4)
print(program.source)
