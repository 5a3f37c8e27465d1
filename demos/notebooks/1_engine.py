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
# # The engine · 引擎
#
# A `Value` remembers how it was computed. `backward()` walks that record from the result to the
# leaves: downstream = upstream × local, summed where a value has several users.

# %%
from micrograd import Value

x, y, z = Value(1.0, label="x"), Value(2.0, label="y"), Value(0.0, label="z")
f = (x + y) * y.max(z)
f.backward()
print(f.data, x.grad, y.grad, z.grad)

# %% [markdown]
# The last line of a cell shows the graph. What `backward()` did, contribution by contribution:

# %%
for step in f.steps():
    print(f"{step.operand.label or '·'}: {step.upstream} × {step.local} = {step.contribution}")

# %%
f

# %% [markdown]
# Exercise: give z the value 3. Which gradients change, and why? · 练习：把 z 改为 3，哪些梯度会变，为什么？

# %%
z.data = 3.0
f.forward()
f.backward()
print(f.data, z.grad)
