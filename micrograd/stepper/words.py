"""The stepper's sentences, in English and Chinese: the one place for its words.

The trace, the terminal and the page fill in the same templates.
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
        "sums": "{operand} has several users, so their contributions sum: now {total}.",
        "sofar": "The gradient of {operand} so far is {total}; one more contribution is to come.",
        "sofar.more": "The gradient of {operand} so far is {total}; {count} more contributions "
        "are to come.",
        "hands": "{node} hands each of its operands upstream times its local gradient.",
        "box.forward": "{node} computes its {count} values.",
        "box.backward": "{node} passes gradients back through its {count} values.",
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
        "sums": "{operand} 被多次使用，各路梯度相加：现在是 {total}。",
        "sofar": "{operand} 的梯度目前是 {total}，还有一路未到。",
        "sofar.more": "{operand} 的梯度目前是 {total}，还有 {count} 路未到。",
        "hands": "{node} 把上游梯度乘以各自的局部梯度，传给它的每个操作数。",
        "box.forward": "{node} 算出它的 {count} 个值。",
        "box.backward": "{node} 把梯度向后传过它的 {count} 个值。",
    },
}

SYMBOLS = {"mul": "×", "sub": "−", "neg": "−", "div": "÷", "pow": "power"}


def operation(op: str, symbol: str) -> str:
    """Return the word for an operation that a sentence can start with."""
    return SYMBOLS.get(op, symbol)


def reason(op: str, position: int, operands: int, local: float) -> str:
    """Return the key of the sentence that says why a contribution is what it is."""
    row = BY_NAME.get(op)
    if row is None:
        return "handmade"
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


INTERFACE: dict[str, dict[str, str]] = {
    "en": {
        "language": "Language",
        "theme": "Theme",
        "theme.system": "system",
        "theme.light": "light",
        "theme.dark": "dark",
        "picture": "Picture of the computation graph",
        "controls": "Step controls",
        "first": "First",
        "back": "Back",
        "play": "Play",
        "pause": "Pause",
        "next": "Next",
        "last": "Last",
        "scrub": "Step",
        "speed": "Speed",
        "speed.slow": "slow",
        "speed.normal": "normal",
        "speed.fast": "fast",
        "by": "Backward step",
        "by.edge": "each edge",
        "by.node": "each node",
        "view": "Detail",
        "level.full": "every value",
        "level.sums": "sums folded",
        "level.neuron": "neurons",
        "level.layer": "layers",
        "level.parts": "parts",
        "level.network": "network",
        "close": "Close the opened box",
        "predict": "Predict",
        "guess": "Your prediction",
        "check": "Check",
        "reveal": "Reveal",
        "right": "Right: {value}.",
        "wrong": "Not quite: it is {value}.",
        "ask.forward": "What is the value of {node}?",
        "ask.backward": "What does {node} hand to {operand}?",
        "ask.box": "What changes? Press Reveal.",
        "keys": "Keys: ← → or Page Up/Down step · Home End first/last · Space play/pause · "
        "+ − 0 zoom",
        "zoom": "Zoom",
        "zoom.in": "Enlarge",
        "zoom.out": "Reduce",
        "zoom.fit": "Fit the window",
        "page.title": "step by step",
        "whatif": "What if an input were different? Both passes are computed anew.",
        "whatif.handmade": "This graph has a node with a backward function of its own, which the "
        "page cannot compute.",
        "reset": "Reset",
        "outcome": "{root} is now {value} (recorded: {recorded}).",
        "bad.number": "Give a number.",
        "bad.value": "{node} = {formula} has no finite value there; the last numbers stay.",
        "bad.slope": "{node} = {formula} has no slope there; the last numbers stay.",
        "all": "All steps",
        "column.pass": "pass",
        "column.what": "what",
        "column.numbers": "numbers",
        "column.why": "in words",
        "heading": "{step}: {what}",
        "pass.inputs": "Inputs",
        "pass.forward": "Forward pass",
        "pass.seed": "Seed",
        "pass.backward": "Backward pass",
        "pass.walk": "Walk",
        "value": "value",
        "grad": "grad",
        "sofar": "so far",
        "tocome": "one more to come",
        "tocome.more": "{count} more to come",
        "bad.link": "The link's {name} cannot be read; the default stands.",
        "input": "input",
        "constant": "constant",
        "downstream": "downstream",
        "upstream": "upstream",
        "local": "local",
        "values": "values",
        "at": "at",
        "number.in": "{name} in {node}",
        "open": "Open {name}, {count} values",
        "sample": "1 of {count} samples",
        "others": "the other {count} samples",
        "sum.title": "Σ",
        "inputs.title": "inputs",
        "more": "and {count} more",
    },
    "zh": {
        "language": "语言",
        "theme": "主题",
        "theme.system": "跟随系统",
        "theme.light": "浅色",
        "theme.dark": "深色",
        "picture": "计算图",
        "controls": "步骤控制",
        "first": "开头",
        "back": "上一步",
        "play": "播放",
        "pause": "暂停",
        "next": "下一步",
        "last": "末尾",
        "scrub": "步骤",
        "speed": "速度",
        "speed.slow": "慢",
        "speed.normal": "中",
        "speed.fast": "快",
        "by": "反向步长",
        "by.edge": "每条边",
        "by.node": "每个节点",
        "view": "细节",
        "level.full": "每个值",
        "level.sums": "折叠求和",
        "level.neuron": "按神经元",
        "level.layer": "按层",
        "level.parts": "分段",
        "level.network": "网络",
        "close": "合上展开的框",
        "predict": "先猜后看",
        "guess": "你的预测",
        "check": "核对",
        "reveal": "揭晓",
        "right": "正确：{value}。",
        "wrong": "不对：应为 {value}。",
        "ask.forward": "{node} 的值是多少?",
        "ask.backward": "{node} 传给 {operand} 的梯度是多少?",
        "ask.box": "什么会变?按“揭晓”查看。",
        "keys": "按键：← → 或 Page Up/Down 逐步 · Home End 开头/末尾 · 空格 播放/暂停 · + − 0 缩放",
        "zoom": "缩放",
        "zoom.in": "放大",
        "zoom.out": "缩小",
        "zoom.fit": "适合窗口",
        "page.title": "逐步演示",
        "whatif": "如果输入改变会怎样？两遍计算都会重新进行。",
        "whatif.handmade": "图中有节点自带反向函数，页面无法重新计算。",
        "reset": "还原",
        "outcome": "{root} 现在是 {value}（原为 {recorded}）。",
        "bad.number": "请输入一个数。",
        "bad.value": "{node} = {formula} 在那里没有有限值；保留上一次的数。",
        "bad.slope": "{node} = {formula} 在那里没有斜率；保留上一次的数。",
        "all": "全部步骤",
        "column.pass": "阶段",
        "column.what": "对象",
        "column.numbers": "数值",
        "column.why": "说明",
        "heading": "{step}：{what}",
        "pass.inputs": "输入",
        "pass.forward": "前向传播",
        "pass.seed": "种子",
        "pass.backward": "反向传播",
        "pass.walk": "讲解",
        "value": "值",
        "grad": "梯度",
        "sofar": "目前",
        "tocome": "还有一路未到",
        "tocome.more": "还有 {count} 路未到",
        "bad.link": "链接中的 {name} 无法识别，采用默认值。",
        "input": "输入",
        "constant": "常数",
        "downstream": "下游",
        "upstream": "上游",
        "local": "局部",
        "values": "个值",
        "at": "取",
        "number.in": "{node} 中的 {name}",
        "open": "展开 {name}，{count} 个值",
        "sample": "{count} 个样本中的 1 个",
        "others": "其余 {count} 个样本",
        "sum.title": "Σ",
        "inputs.title": "输入",
        "more": "另有 {count} 个",
    },
}

# What a Value or a gradient {node} is in its line of an array program.
LINES: dict[str, dict[str, str]] = {
    "en": {
        "element": "{node} is element {at} of {name}{batched}.",
        "element.whole": "{node} is {name}{batched}.",
        "term": "{node} is part of the sum that is element {at} of {name}{batched}.",
        "term.whole": "{node} is part of the sum {name}{batched}.",
        "shared": "{node} equals element {at} of {name}{batched}.",
        "shared.whole": "{node} equals {name}{batched}.",
        "within": "{node} is computed within this line, without a name of its own.",
        "number": "{node} is {name}: it needs no line of its own.",
        "slot": "{node} is element {at} of {name}: this graph is too irregular for array lines.",
        "nowhere": "The program leaves {node} out: no parameter needs it.",
        "batched": ", for one sample of the batch",
    },
    "zh": {
        "element": "{node} 是 {name} 的元素 {at}{batched}。",
        "element.whole": "{node} 就是 {name}{batched}。",
        "term": "{node} 是求和的一部分，和是 {name} 的元素 {at}{batched}。",
        "term.whole": "{node} 是和 {name} 的一部分{batched}。",
        "shared": "{node} 等于 {name} 的元素 {at}{batched}。",
        "shared.whole": "{node} 等于 {name}{batched}。",
        "within": "{node} 在这一行里算出，没有自己的名字。",
        "number": "{node} 就是 {name}，不需要单独的一行。",
        "slot": "{node} 是 {name} 的元素 {at}：这个图太不规则，写不成数组代码。",
        "nowhere": "程序不计算 {node}：没有参数需要它。",
        "batched": "（批中的一个样本）",
    },
}

# The page's words around an array program.
PROGRAM: dict[str, dict[str, str]] = {
    "en": {
        "program": "The array program",
        "program.help": "The {count} values of the picture became these lines. The marked line is "
        "the one of this step; the numbers say how many values or gradients each line computes, "
        "and lead to its first step.",
        "line": "line {line}",
        "column.line": "line",
        "value.here": "1 value",
        "values.here": "{count} values",
        "gradient.here": "1 gradient",
        "gradients.here": "{count} gradients",
        "inputs.some": "{count} inputs are elements of these arguments.",
        "values.some": "{count} values of this step are computed here.",
        "gradients.some": "{count} gradients of this step are computed here.",
        "lines.more": "{count} more lines take part.",
        "to.line": "{count}: first step of line {line}",
    },
    "zh": {
        "program": "数组程序",
        "program.help": "图中的 {count} 个值变成了这些行。标出的是当前步骤所在的行；数字表示每行"
        "算出多少个值或梯度，点击可跳到该行的第一步。",
        "line": "第 {line} 行",
        "column.line": "行",
        "value.here": "1 个值",
        "values.here": "{count} 个值",
        "gradient.here": "1 个梯度",
        "gradients.here": "{count} 个梯度",
        "inputs.some": "{count} 个输入是这些参数的元素。",
        "values.some": "这一步有 {count} 个值在这里算出。",
        "gradients.some": "这一步有 {count} 个梯度在这里算出。",
        "lines.more": "还涉及另外 {count} 行。",
        "to.line": "{count}：第 {line} 行的第一步",
    },
}

# The playground's words: its field, and why an expression cannot be read.
PLAYGROUND: dict[str, dict[str, str]] = {
    "en": {
        "expression": "Expression",
        "examples": "Examples",
        "examples.choose": "choose …",
        "bad.syntax": "This cannot be read at character {at}.",
        "bad.character": "An expression cannot hold {text} (character {at}).",
        "bad.deep": "The expression is nested too deeply; name its parts: a = ...; b = ...; a * b.",
        "bad.long": "The expression is longer than {count} characters.",
        "bad.large": "The graph has {count} nodes; the page draws up to {most}.",
        "bad.allowed": "{text} is not allowed here: an expression may hold numbers, names, "
        "+ − * / **, assignments and the functions of the operations.",
        "bad.name": "{name} has no value here.",
        "bad.twice": "{name} is given twice; use another name.",
        "bad.function": "There is no function {name}; there are {names}.",
        "bad.count": "{name} does not take {operands} operands.",
        "bad.constant": "The second argument of {name} must be a number.",
        "bad.point": "{text} has no finite value at these numbers.",
        "bad.unused": "{name} got a value but does not occur.",
        "bad.empty": "The expression is empty; write one such as (x + y) * max(y, z).",
    },
    "zh": {
        "expression": "表达式",
        "examples": "例子",
        "examples.choose": "选择……",
        "bad.syntax": "第 {at} 个字符处无法读懂。",
        "bad.character": "表达式里不能有 {text}（第 {at} 个字符）。",
        "bad.deep": "嵌套太深；请给各部分取名：a = ...; b = ...; a * b。",
        "bad.long": "表达式超过 {count} 个字符。",
        "bad.large": "这个图有 {count} 个节点，页面最多画 {most} 个。",
        "bad.allowed": "这里不能写 {text}：表达式可以有数、名字、+ − * / **、赋值"
        "和各个运算的函数。",
        "bad.name": "{name} 在这里还没有值。",
        "bad.twice": "{name} 给了两次；请换一个名字。",
        "bad.function": "没有函数 {name}；可用的有 {names}。",
        "bad.count": "{name} 不能有 {operands} 个操作数。",
        "bad.constant": "{name} 的第二个参数必须是一个数。",
        "bad.point": "{text} 在这些数处没有有限值。",
        "bad.unused": "{name} 有值，但没有出现。",
        "bad.empty": "表达式是空的；例如写 (x + y) * max(y, z)。",
    },
}
