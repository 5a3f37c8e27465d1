"""The gradient to the word vectors: one part for each word, and only their rows move (L8).

For a window ∇ₓJ = Wᵀδ has 20 numbers, 4 for each of the 5 words. A step of SGD takes them as rows
of the table of vectors: words of both windows get the sum, all other rows stay as they are:

    python demos/sparse_rows.py [sparse_rows.svg]
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from windows import CORRUPT, TRUE, WORDS, places, shape, start

from micrograd import Value
from micrograd.lowering import lower
from micrograd.ner.model.graphs import loss_of
from micrograd.ner.model.network import gather, scatter
from micrograd.ner.training.engines import as_values
from micrograd.optim import SGD

OTHERS = ["London", "the", "river"]  # in the table, but in neither window
PAIR = {"true": TRUE, "corrupt": CORRUPT}


def parameters() -> dict[str, Any]:
    """Return the pair's scorer, its table longer by OTHERS."""
    arrays = start(shape())
    return arrays | {"E": np.vstack([arrays["E"], np.full((len(OTHERS), 4), 0.5)])}


def gradients(arrays: dict[str, Any]) -> dict[str, Any]:
    """Return ∇ₓJ of both windows, (1, 20) each, by the lowered program of J."""
    leaves = as_values(shape(), arrays)

    def loss(true: list[Value], corrupt: list[Value]) -> Value:
        return loss_of(shape(), "margin", [true, corrupt], [], leaves)

    inputs = [gather(shape(), arrays, places(window)) for window in PAIR.values()]
    program = lower(loss, *(x[0] for x in inputs), parameters=leaves)
    return program.value_and_grad(*inputs, wrt_inputs=True)[1]


def by_hand(arrays: dict[str, Any], window: list[str], sign: int) -> Any:
    """Return Wᵀδ, δ = ±u ∘ (1 − h²), a row for each word."""
    x = gather(shape(), arrays, places(window))[0]
    h = np.tanh(arrays["W"] @ x + arrays["b"])
    return (arrays["W"].T @ (sign * arrays["u"] * (1 - h * h))).reshape(5, 4)


def step(arrays: dict[str, Any], found: dict[str, Any], rate: float = 1.0) -> Any:
    """Update the table by the rows of both windows; return by how much each row changed."""
    gradient = np.concatenate([found[name] for name in PAIR])
    rows = scatter(shape(), places(*PAIR.values()), gradient)
    before = arrays["E"].copy()
    SGD({"E": arrays["E"]}, lr=rate).step(rows)
    return arrays["E"] - before


def show(parts: dict[str, Any], changes: Any) -> None:
    """Print the parts of both windows, word by word, and what became of each row."""
    for name, window in PAIR.items():
        print(f"{name} window: ∇ₓJ, a part for each word")
        for word, part in zip(window, parts[name]):
            print(f"   {word:12}" + "".join(f"{number:9.4f}" for number in part))
    print("a step with the rate 1: change of the row of")
    for word, change in zip([*WORDS, *OTHERS], changes):
        print(f"   {word:12}" + "".join(f"{number:9.4f}" for number in change))
    print("Only rows of words in the windows change; “in”, which is in both, by both its parts.")


def draw(changes: Any, path: str) -> None:
    """Draw the table of changes, 0 in white."""
    from figures import panels, save

    figure, (panel,) = panels(1, 1, 4.6, 4.2)
    picture = panel.pcolormesh(np.abs(changes), cmap="Greys", edgecolors="0.8", vmin=0)
    panel.set_yticks(np.arange(len(changes)) + 0.5, [*WORDS, *OTHERS])
    panel.set_xticks(np.arange(4) + 0.5, ["1", "2", "3", "4"])
    panel.set(
        title="one step on one pair of windows", xlabel="dimension", ylabel="row of the table"
    )
    panel.invert_yaxis()
    panel.grid(False)
    figure.colorbar(picture, label="size of the change")
    save(figure, path)


def main(path: str | None = None) -> Any:
    """Print the gradients and the step; return the changes, and draw them where a path is given."""
    arrays = parameters()
    found = gradients(arrays)
    parts = {name: found[name].reshape(5, 4) for name in PAIR}
    hand = [by_hand(arrays, TRUE, -1), by_hand(arrays, CORRUPT, 1)]
    same = np.allclose([*parts.values()], hand, rtol=0, atol=1e-12)
    print(f"By the lowered program and as Wᵀδ by hand: {'equal' if same else 'DIFFERENT'}")
    changes = step(arrays, found)
    show(parts, changes)
    if path:
        draw(changes, path)
    return changes


if __name__ == "__main__":
    main(*sys.argv[1:2])
