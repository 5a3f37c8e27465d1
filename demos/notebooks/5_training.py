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
# # Training · 训练
#
# θ ← θ − α∇J on XOR, with the hinge loss. Try other rates, optimisers and initialisations.

# %%
import random

from micrograd import mean
from micrograd.losses import binary_hinge, l2
from micrograd.nn import MLP
from micrograd.optim import SGD

random.seed(0)
points = [([0.0, 0.0], -1), ([0.0, 1.0], 1), ([1.0, 0.0], 1), ([1.0, 1.0], -1)]
model = MLP(2, [8, 1], activation="tanh", fused=True)
optimizer = SGD(model.parameters(), lr=0.2, momentum=0.5)
losses = []
for _ in range(100):
    loss = mean([binary_hinge(model(x), y) for x, y in points]) + l2(model, 1e-4)
    model.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.data)
print(f"{losses[0]:.3f} → {losses[-1]:.3f}", [model(x).data > 0 for x, _ in points])

# %%
import matplotlib.pyplot as plt

plt.plot(losses)
plt.xlabel("step")
plt.ylabel("J")
plt.show()
