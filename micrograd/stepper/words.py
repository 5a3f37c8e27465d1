"""The stepper's sentences, in English and Chinese: the one place for its words.

The trace, the terminal and the page fill in the same templates. What follows a sentence begins
with the blank that stands between two, in Chinese none.
"""

from __future__ import annotations

from micrograd.ops import BY_NAME, WEIGHTED_SUM

SENTENCES: dict[str, dict[str, str]] = {
    "en": {
        "inputs": "The inputs hold their values. No gradient is known yet.",
        "forward": "{node} is {formula}; with its operands known, its value is {value}.",
        "seed": "The backward pass starts at {node}: its gradient is set to {value}.",
        "distributes": "{op} distributes: {operand} gets the whole upstream gradient.",
        "distributes.turned": "{op} distributes: {operand} gets the upstream gradient with its "
        "sign turned, because it is subtracted.",
        "switches": "{op} switches: the gradient to {operand} is upstream times the value of "
        "{other}, {local}.",
        "routes": "{op} picked {operand}, so the whole upstream gradient is routed to {operand}.",
        "routes.zero": "{op} did not pick {operand}, so none of the upstream gradient reaches it.",
        "scales": "{op} scales: upstream is multiplied by its slope at {operand}, {local}.",
        "scales.zero": "{op} is flat at {operand}: its slope is 0, so nothing passes.",
        "handmade": "{node} has a backward function of its own; it hands {operand} its share.",
        "handmade.unknown": "{node} has a backward function of its own; it hands {operand} its "
        "share, of which no local gradient can be read off.",
        "sums": " {operand} is used several times, so the contributions sum: now {total}.",
        "sofar": " The gradient of {operand} so far is {total}; one more contribution is to come.",
        "sofar.more": " The gradient of {operand} so far is {total}; {count} more contributions "
        "are to come.",
        "hands": "{node} hands each of its operands upstream times its local gradient.",
        "box.forward": "{node} is computed; operations in it: {count}.",
        "box.backward": "{node} passes gradients back; operations in it: {count}.",
        "box.backward.zero": "{node} passes nothing back: every gradient that it hands out is 0.",
    },
    "zh": {
        "inputs": "输入已有数值，梯度都还未知。",
        "forward": "{node} 等于 {formula}；操作数已知，所以它的值是 {value}。",
        "seed": "反向传播从 {node} 开始：它的梯度设为 {value}。",
        "distributes": "{op} 分发：上游梯度原样传给 {operand}。",
        "distributes.turned": "{op} 分发：{operand} 是减数，上游梯度变号后传给它。",
        "switches": "{op} 交换：传给 {operand} 的梯度等于上游梯度乘以 {other} 的值 {local}。",
        "routes": "{op} 选中了 {operand}，上游梯度全部传给 {operand}。",
        "routes.zero": "{op} 没有选中 {operand}，上游梯度不传给它。",
        "scales": "{op} 缩放：上游梯度乘以它在 {operand} 处的斜率 {local}。",
        "scales.zero": "{op} 在 {operand} 处是平的：斜率为 0，梯度不再向后传。",
        "handmade": "{node} 自带反向函数，由它决定传给 {operand} 的梯度。",
        "handmade.unknown": "{node} 自带反向函数，由它决定传给 {operand} 的梯度；"
        "局部梯度不得而知。",
        "sums": "{operand} 被多次使用，各路梯度相加：现在是 {total}。",
        "sofar": "{operand} 的梯度目前是 {total}，还有一路未到。",
        "sofar.more": "{operand} 的梯度目前是 {total}，还有 {count} 路未到。",
        "hands": "{node} 把上游梯度乘以各自的局部梯度，传给它的每个操作数。",
        "box.forward": "{node} 算出；其中的运算：{count} 次。",
        "box.backward": "{node} 把梯度向后传；其中的运算：{count} 次。",
        "box.backward.zero": "{node} 什么也不往后传：它给出的梯度都是 0。",
    },
}

SYMBOLS = {"mul": "×", "sub": "−", "neg": "−", "div": "÷", "pow": "power", "not_less": "≥"}


def operation(op: str, symbol: str) -> str:
    """Return the word for an operation that a sentence can start with."""
    return SYMBOLS.get(op, symbol)


def reason(op: str, position: int, operands: int, local: float) -> str:
    """Return the key of the sentence that says why a contribution is what it is."""
    row = BY_NAME.get(op)
    if row is None:
        return "handmade.unknown" if local != local else "handmade"
    if row is WEIGHTED_SUM:
        return "distributes" if position == operands - 1 and operands % 2 else "switches"
    if row.role == "distributes":
        return "distributes" if local == 1 else "distributes.turned"
    return f"{row.role}.zero" if local == 0 and row.role != "switches" else row.role


def other(position: int) -> int:
    """Return the place of the factor that a factor of a product is multiplied by."""
    return position ^ 1


def sentence(language: str, key: str, **names: object) -> str:
    """Return the sentence `key` with `names` put in."""
    return SENTENCES[language][key].format(**names)
