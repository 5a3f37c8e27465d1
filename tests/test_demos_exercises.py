"""The exercises accept the reference, refuse wrong answers with a sentence, and never crash."""

import importlib

import pytest
from tasks import TASKS

exercises = importlib.import_module("exercises")

WRONG = {  # bodies; most are the slips of the notes
    "sigmoid_slope": [
        "return -math.exp(-z) / (1 + math.exp(-z))",
        "return 1 / (1 + math.exp(-z))",
        "s = 1 / (1 + math.exp(z))\nreturn s * s",
    ],
    "product": [
        "return x * y, upstream * x, upstream * y",
        "return x * y, y, x",
        "return x * y, upstream, upstream",
    ],
    "several_users": [
        "return upstreams[-1] * locals_[-1]",
        "return upstreams[0] * locals_[0]",
        "return sum(upstreams) * sum(locals_)",
    ],
    "eight_numbers": [
        "return [1, 1, 1, w, 0.25, 0.25 * w, a, a * 0.25 * w]",
        "s = 1 / (1 + math.exp(-z))\nreturn [1, 1, 1, w, s, s * w, a, a * s * w]",
        "s = 1 / (1 + math.exp(-z))\nd = s * (1 - s)\nreturn [1, 1, 1, w, d, d * w, d, d * d * w]",
    ],
    "delta": ["return slope * (W @ upper)", "return W.T @ upper", "return slope * W.sum(0)"],
    "bias_gradient": [
        "h = np.tanh(W @ x + b)\nreturn h * (1 - h * h)",
        "return u",
        "h = np.tanh(W @ x + b)\nreturn u * h",
    ],
    "checker": [
        "return 2 * x",
        "g = np.zeros(x.shape)\nfor i in np.ndindex(*x.shape):\n    o = x[i]\n"
        "    x[i] = o + 1e-5\n    a = f(x)\n    x[i] = o - 1e-5\n    b = f(x)\n    x[i] = o\n"
        "    g[i] = (a - b) / 2e-5\nreturn g",
        "x = np.array(x, float)\ng = np.zeros(x.shape)\nh = math.exp(-5)\n"
        "for i in np.ndindex(*x.shape):\n    o = x[i]\n    x[i] = o + h\n    a = f(x)\n"
        "    x[i] = o - h\n    b = f(x)\n    x[i] = o\n    g[i] = (a - b) / (2 * h)\nreturn g",
        "f(x) = f(x)",
        "x = np.array(x, float)\ng = np.zeros(len(x))\nfor i in range(len(x)):\n    o = x[i]\n"
        "    x[i] = o + 1e-5\n    a = f(x)\n    x[i] = o - 1e-5\n    b = f(x)\n    x[i] = o\n"
        "    g[i] = (a - b) / 2e-5\nreturn g",
    ],
    "hinge": [
        "a = [1 + c - s > 0 for c in corrupt]\nJ = sum(max(0, 1 + c - s) for c in corrupt)\n"
        "return J, -1, [int(x) for x in a]",
        "a = [c - s > 0 for c in corrupt]\nJ = sum(max(0, c - s) for c in corrupt)\n"
        "return J, -sum(a), [int(x) for x in a]",
        "J = sum(1 + c - s for c in corrupt)\nreturn J, -3, [1, 1, 1]",
        "a = [2 + c - s > 0 for c in corrupt]\nJ = sum(max(0, 1 + c - s) for c in corrupt)\n"
        "return J, -sum(a), [int(x) for x in a]",
        "a = [1 + c - s >= 0 for c in corrupt]\nJ = sum(max(0, 1 + c - s) for c in corrupt)\n"
        "return J, -sum(a), [int(x) for x in a]",
    ],
    "p_minus_y": [
        "p = np.exp(scores) / np.exp(scores).sum()\np[y] -= 1\nreturn p",
        "p = np.exp(scores - scores.max())\nreturn p / p.sum()",
        "p = np.exp(scores - scores.max())\np = -p / p.sum()\np[y] += 1\nreturn p",
    ],
    "sparse_rows": [
        "table[words] -= rate * gradients\nreturn table",
        "return table - rate * gradients.sum(0)",
        "return table",
    ],
    "whitening": [
        "c = data - data.mean(0)\n_, S, V = np.linalg.svd(c, full_matrices=False)\n"
        "return c @ V.T / S",
        "c = data - data.mean(0)\nreturn c / c.std(0)",
        "_, S, V = np.linalg.svd(data, full_matrices=False)\n"
        "return data @ V.T * len(data) ** 0.5 / S",
    ],
    "xavier": [
        "r = 6 / (fan_in + fan_out)\nreturn rng.uniform(-r, r, (fan_out, fan_in))",
        "r = (6 / (fan_in + fan_out)) ** 0.5\nreturn rng.uniform(-r, r, (fan_in, fan_out))",
        "r = (6 / fan_in) ** 0.5\nreturn rng.uniform(-r, r, (fan_out, fan_in))",
    ],
    "adam": [
        "m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g\n"
        "return x - 0.1 * m / (v**0.5 + 1e-8), m, v",
        "m, v = 0.9 * m + 0.1 * g, 0.9 * v + 0.1 * g * g\n"
        "s = m / (1 - 0.9**t) / ((v / (1 - 0.9**t)) ** 0.5 + 1e-8)\nreturn x - 0.1 * s, m, v",
        "m = beta * m + (1 - beta1) * g\nreturn x, m, v",
        "m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g\nreturn x - 0.1 * np.sign(g), m, v",
        "m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g\n"
        "return x - 0.1 * m / (1 - 0.9**t) / (v / (1 - 0.999**t)) ** 0.5, m, v",
    ],
    "dropout": ["return h / p", "return h", "return h * (1 - p)"],
    "entities": [
        "return []",
        "return [(i, i + 1, t[2:]) for i, t in enumerate(tags) if t != 'O']",
        "found = []\nfor i, t in enumerate(tags):\n    if t == 'O':\n        continue\n"
        "    if found and found[-1][1] == i:\n"
        "        found[-1] = (found[-1][0], i + 1, found[-1][2])\n"
        "    else:\n        found.append((i, i + 1, t[2:]))\nreturn found",
    ],
}
HEAD = "import math\nimport numpy as np\n"


def test_there_are_fifteen_tasks_with_wrong_answers_to_each():
    assert len(TASKS) == 15 and {task.name for task in TASKS} == {*WRONG}
    assert all(len(bodies) >= 3 for bodies in WRONG.values())


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_reference_is_right(task):
    assert exercises.verdict(task, HEAD + task.source(task.reference)) == ""


@pytest.mark.parametrize("task, body", [(t, body) for t in TASKS for body in WRONG[t.name]])
def test_a_wrong_answer_is_refused_with_a_sentence(task, body):
    why = exercises.verdict(task, HEAD + task.source(body))
    assert len(why) > 20 and "not written" not in why


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_answers_of_another_kind_are_refused_without_a_traceback(task):
    assert exercises.verdict(task, task.template) == "not written yet"
    assert "there is no function" in exercises.verdict(task, "")
    for body in ("return None", "return 'x'", "return {}", "return [[1], [2, 3]]", "pass"):
        why = exercises.verdict(task, HEAD + task.source(body))
        assert why and "Error" not in why and "object" not in why, why


def test_what_an_answer_returns_is_shown_and_how_it_is_called():
    task = TASKS[0]
    why = exercises.verdict(task, "def slope(z):\n    return {'z': z}")
    assert why.startswith("it returns {'z': -2.0}, which is not what is asked for: "), why
    for source in ("def slope():\n    return 1", "slope = 3"):
        assert exercises.verdict(task, source).endswith("to be called as slope(z)")


def test_the_reference_does_not_join_what_an_o_parts():
    names = {}
    exec(HEAD + TASKS[-1].source(TASKS[-1].reference), names)
    assert names["entities"](["B-PER", "O", "I-PER"]) == [(0, 1, "PER")]


def test_an_answer_that_fails_says_in_which_line():
    task = TASKS[0]
    for body, line in (("z = 2\nreturn z / 0", 6), ("raise SystemExit(3)", 5)):
        why = exercises.verdict(task, HEAD + task.source(body))
        assert why.startswith(f"line {line} does not run: "), why
    assert exercises.verdict(task, "def (:").startswith("line 1 is not Python")
    assert "is not Python" in exercises.verdict(task, b"x = '\xff'")


@pytest.mark.parametrize(
    "name, body",
    [
        ("delta", "slope *= W.T @ upper\nreturn slope"),
        ("bias_gradient", "b += W @ x\nh = np.tanh(b)\nu *= 1 - h * h\nreturn u"),
        (
            "p_minus_y",
            "scores -= scores.max()\np = np.exp(scores)\np /= p.sum()\n"
            "p[y] -= 1\nscores[:] = 0\nreturn p",
        ),
        ("dropout", "h *= p\nreturn h"),
    ],
)
def test_an_answer_may_change_what_it_was_given(name, body):
    """Right numbers were refused, beside others made of what was left of the arrays."""
    task = next(task for task in TASKS if task.name == name)
    for _ in range(2):
        assert exercises.verdict(task, HEAD + task.source(body)) == ""


def test_an_answer_may_begin_with_the_mark_of_its_encoding():
    """As editors on Windows write it."""
    source = HEAD + TASKS[0].source(TASKS[0].reference)
    assert exercises.verdict(TASKS[0], source.encode("utf-8-sig")) == ""


def test_new_writes_what_check_judges_and_keeps_what_is_there(tmp_path, capsys):
    assert exercises.new(tmp_path) == 0 and exercises.check(tmp_path) == 1
    assert "0 of 15 right" in capsys.readouterr().out
    for path, task in zip(sorted(tmp_path.glob("*.py")), TASKS):
        path.write_text(HEAD + task.source(task.reference), "utf-8")
    assert exercises.new(tmp_path) == 0 and exercises.check(tmp_path) == 0
    assert "15 of 15 right" in capsys.readouterr().out


def test_a_folder_without_answers_says_what_is_missing(tmp_path, capsys):
    assert exercises.check(tmp_path) == 1
    assert "is missing" in capsys.readouterr().out
    assert exercises.check(tmp_path / "nowhere") == 1
    assert "there is no folder" in capsys.readouterr().out
