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
# # The gradient check · 梯度检查
#
# f′(x) ≈ (f(x + h) − f(x − h)) / 2h, with an error of O(h²). The checker compares it with
# `backward()`, input by input.

# %%
from micrograd import Value
from micrograd.gradcheck import gradcheck

print(gradcheck(lambda x, y: (x * y).tanh() + x.exp(), at=[0.5, -1.0]))

# %% [markdown]
# A backward step written by hand, with the notes' slip in tanh′:

# %%
import math


def printed_tanh(x):
    out = Value(math.tanh(x.data), (x,), "tanh")

    def backward():
        x.grad += out.grad * out.data**2  # 1 − tanh² is right

    out._backward = backward
    return out


print(gradcheck(printed_tanh, at=[0.4]))

# %% [markdown]
# A corner is reported as one: at 0 the slopes of ReLU left and right differ. · 拐点会被指出。

# %%
print(gradcheck(lambda x: x.relu(), at=[0.0]))
