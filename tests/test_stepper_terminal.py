import io
import os
import re
import select
import subprocess
import sys
from unicodedata import category, east_asian_width

import pytest

from micrograd import Value, weighted_sum
from micrograd.cli import main
from micrograd.printing import printable, width
from micrograd.stepper.equations import equations
from micrograd.stepper.interface import TERMINAL
from micrograd.stepper.terminal import CLEAR, Walkthrough, takes_codes
from tests.stepper_graphs import every_row, worked_example

EXPRESSION = ["step", "(x + y) * max(y, z)", "--at", "x=1,y=2,z=0"]


def transcript(root, language="en"):
    output = io.StringIO()
    Walkthrough(root, language, output).transcript()
    return output.getvalue()


def test_the_transcript():
    lines = transcript(worked_example()).splitlines()
    assert lines[:6] == [
        "1/11  Inputs",
        "   x = 1, y = 2, z = 0",
        "   The inputs hold their values. No gradient is known yet.",
        "2/11  Forward pass: a",
        "   a = x + y = 1 + 2 = 3",
        "   a is x + y; with its operands known, its value is 3.",
    ]
    assert lines[lines.index("8/11  Backward pass: b → y") + 1 :][:3] == [
        "   downstream 3 = upstream 3 × local 1  (1 if y ≥ z else 0)",
        "   ∂f/∂y so far: 3, one more to come",
        "   max picked y, so the whole upstream gradient is routed to y. The gradient of",
    ]
    assert "   ∂f/∂f = 1" in lines


def test_it_is_plain_and_fits_80_columns():
    for text in (transcript(worked_example()), transcript(every_row())):
        assert "\x1b" not in text
        assert max(map(len, text.splitlines())) <= 80


def test_chinese_fits_80_columns():
    lines = transcript(worked_example(), "zh").splitlines()
    assert "8/11  反向传播：b → y" in lines
    assert "   ∂f/∂y 目前：3，还有一路未到" in lines
    assert max(map(len, lines)) <= 80 and max(len(s) for s in lines if "，" in s or "," in s) <= 80


def columns_of(text):
    """Return how many columns of a terminal each line takes."""
    return [
        sum(
            0 if category(c)[0] == "M" or category(c) == "Cf" else 1 + (east_asian_width(c) in "WF")
            for c in line
        )
        for line in text.splitlines()
    ]


def named(name):
    """Return a product whose operand and result have a name."""
    return weighted_sum([Value(2.0, label=name)] * 2, [Value(3.0, label=name)] * 2, Value(1.0))


@pytest.mark.parametrize("name", ["学习率", "学习率" * 7, "😀👩‍👩‍👧", "e\u0301" * 9, "x" * 22])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_lines_and_columns_are_as_wide_as_their_characters(name, language):
    lines = columns_of(transcript(named(name), language))
    assert 56 < max(lines) <= 80  # filled, not broken halfway
    output = io.StringIO()
    Walkthrough(named(name), language, output).interact(lambda _: "q")
    table = output.getvalue().splitlines()[-3:]
    word = {"en": " value ", "zh": " 值 "}[language]
    assert len({columns_of(line.partition(word)[0])[0] for line in table if word in line}) == 1


def test_labels_cannot_drive_the_terminal():
    text = transcript(Value(1, label="\x1b[2J\nx") * Value(2, label="y" * 10_000))
    assert "\x1b" not in text and max(map(len, text.splitlines())) <= 80


def walked(answers, root=None):
    output, asked = io.StringIO(), iter(answers)
    prompts = []

    def ask(prompt):
        prompts.append(prompt)
        return next(asked)

    Walkthrough(root or worked_example(), "en", output).interact(ask)
    assert set(prompts) == {TERMINAL["en"]["prompt"]}
    return [line.split()[0] for line in output.getvalue().splitlines() if "/11  " in line]


def test_keys():
    steps = walked(["", "n", "b", "b", "b", "g 11", "g3", "q"])
    assert steps == [f"{n}/11" for n in (1, 2, 3, 2, 1, 1, 11, 3)]
    assert walked(["g 11", ""]) == ["1/11", "11/11"]


def test_a_wrong_key_is_explained():
    output = io.StringIO()
    answers = iter(["g 12", "g", "what", "g 0", "q"])
    Walkthrough(worked_example(), "en", output).interact(lambda _: next(answers))
    text = output.getvalue()
    assert text.count("1/11  Inputs") == 1
    assert "No step 'g 12': give n, b, g 1 to g 11, or q." in text
    assert text.count("No step") == 4


def test_in_chinese_prompts_and_answers_are_too():
    output, prompts = io.StringIO(), []
    answers = iter(["g 12", "g 8", "b", "q"])

    def ask(prompt):
        prompts.append(prompt)
        return next(answers)

    Walkthrough(worked_example(), "zh", output).interact(ask)
    assert set(prompts) == {"[回车/n] 下一步  [b] 上一步  [g N] 到第 N 步  [q] 退出 > "}
    assert "没有 'g 12' 这一步：请按 n、b、g 1 到 g 11，或 q。" in output.getvalue()
    assert {*re.findall("[A-Za-z]{2,}", output.getvalue())} == {"max", "if", "else"}


@pytest.mark.parametrize("answer", ["g \u00b2", "g\u2460", "g " + "9" * 5000])
def test_what_only_looks_like_a_number_is_explained(answer):
    output, answers = io.StringIO(), iter([answer, "q"])
    Walkthrough(worked_example(), "en", output).interact(lambda _: next(answers))
    assert "give n, b, g 1 to g 11, or q." in " ".join(output.getvalue().split())


def test_inputs_without_names_are_numbers_each_side_said_once():
    text = transcript(Value(2.0) * Value(3.0) + 4)
    assert "1/8  Inputs\n   2, 3, 4\n" in text and "   v2 = 2 · 3 = 6\n" in text
    text = transcript(-Value(2.0))
    assert "   v1 = −2\n" in text
    text = transcript(Value(2.0, label="x") * Value(3.0))
    assert "   x = 2\n" in text and "   v2 = x · 3 = 2 · 3 = 6\n" in text
    assert r"v_{2} &= 2 \cdot 3 = 6 \\" in equations(Value(2.0) * Value(3.0))


@pytest.mark.parametrize("count, ending", [(12, "x11 = 11"), (40, "x11 = 11 and 28 more")])
def test_the_first_of_many_inputs_are_named_and_the_others_counted(count, ending):
    inputs = [Value(float(i), label=f"x{i}") for i in range(count)]
    told = " ".join(transcript(sum(inputs[1:], inputs[0])).partition("The inputs")[0].split())
    assert told.endswith(f"x10 = 10, {ending}")


def end(_):
    raise EOFError


def test_the_end_of_input_ends_it():
    output = io.StringIO()
    Walkthrough(worked_example(), "en", output).interact(end)
    assert output.getvalue().endswith("\n")


def test_what_is_not_known_yet_is_a_dash():
    output = io.StringIO()
    answers = iter(["g 6", "q"])
    Walkthrough(worked_example(), "en", output).interact(lambda _: next(answers))
    at_first, at_sixth = output.getvalue().split("6/11")
    assert "   a            value –          ∂f/∂a –" in at_first.splitlines()
    assert "   a            value 3          ∂f/∂a 2" in at_sixth.splitlines()
    assert "   y            value 2          ∂f/∂y –" in at_sixth.splitlines()


def test_a_long_list_of_values_is_cut():
    output = io.StringIO()
    Walkthrough(every_row(), "en", output).interact(end)
    assert "more" in output.getvalue().splitlines()[-2]


def test_the_command_prints_the_transcript(capsys):
    assert main(EXPRESSION) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "1/11  Inputs" and "∂f/∂y = 5" in out


def test_the_command_writes_a_page(tmp_path, capsys):
    path = tmp_path / "f.html"
    assert main([*EXPRESSION, "-o", str(path)]) == 0
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert capsys.readouterr().err == printable(f"wrote {path}\n")


def test_the_command_reads_a_value_of_a_file(tmp_path, capsys):
    source = tmp_path / "mine.py"
    source.write_text("from micrograd import Value\nloss = Value(3, label='w') ** 2\n")
    assert main(["step", f"{source}:loss"]) == 0
    assert "∂loss/∂w = 6" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["step", "x +", "--at", "x=1"], "micrograd step: cannot read"),
        (["step", "log(x)", "--at", "x=0"], "log(x) has no finite value at x = 0.0"),
        (["step", "none.py:f"], "none.py"),
        ([*EXPRESSION, "-o", "f.svg"], "f.svg: the steps are written as a page"),
        ([*EXPRESSION, "-o", "/nowhere/at/all.html"], "there is no folder"),
        (["step", "sqrt(x)", "--at", "x=0"], "sqrt(x) has no finite slope"),
    ],
)
def test_errors_are_one_line(arguments, message, capsys):
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert message in err and len(err.splitlines()) == 1 and "Traceback" not in err


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colours_mark_the_roles(monkeypatch):
    pytest.importorskip("rich", reason="rich is not installed")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    output = Terminal()
    Walkthrough(worked_example(), "en", output).transcript()
    assert "upstream \x1b[33m3\x1b[0m × local \x1b[35m1\x1b[0m" in output.getvalue()


def test_an_old_console_of_windows_gets_no_codes_and_is_asked_for_lines(monkeypatch):
    console = pytest.importorskip("rich.console", reason="rich is not installed")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert takes_codes(Terminal())
    monkeypatch.setattr(console, "detect_legacy_windows", lambda: True)
    output = Terminal()
    Walkthrough(worked_example(), "en", output).transcript()
    assert "upstream 3 × local 1" in output.getvalue() and "\x1b" not in output.getvalue()
    assert not takes_codes(output)


def pseudo_terminal():
    return pytest.importorskip("pty", reason="this system has no terminals of ours").openpty()


def through_a_terminal(typed, *options, **environment):
    """Run the command in a pseudo-terminal and return what it wrote."""
    program = f"import sys; sys.path[:0] = {sys.path!r}; from micrograd.cli import main; main()"
    terminal, other_end = pseudo_terminal()
    command = [sys.executable, "-c", program, *EXPRESSION, *options]
    usual = {"TERM": "xterm-256color", "COLUMNS": "100", "PYTHONUTF8": "1"}
    environment = os.environ | usual | environment
    # Not pty.fork: other tests leave threads behind, which a fork must not be made among.
    with subprocess.Popen(
        command, stdin=other_end, stdout=other_end, stderr=other_end, env=environment
    ):
        os.close(other_end)
        os.write(terminal, typed)
        written = b""
        while select.select([terminal], [], [], 20)[0]:
            try:
                written += os.read(terminal, 65536)
            except OSError:
                break
    os.close(terminal)
    return written.decode()


def test_a_terminal_of_one_column_is_asked_too():
    pytest.importorskip("rich", reason="rich is not installed")
    assert through_a_terminal(b"nq", COLUMNS="1").count("quit >") == 2


@pytest.mark.parametrize("columns", [80, 40, 20])
def test_a_narrow_terminal_gets_whole_words_below_one_another(columns):
    pytest.importorskip("rich", reason="rich is not installed")
    written = through_a_terminal(b"g 11\n?q", NO_COLOR="1", COLUMNS=str(columns))
    drawn = re.sub(r"\x1b\[[\d;]*\w", "", written.replace(CLEAR, "\n"))
    lines = [line.rstrip() for line in drawn.splitlines()]
    assert max(map(len, lines)) <= columns and any("∂f/∂y = 5" in line for line in lines)
    start = next(i for i, line in enumerate(lines) if "+ distributes" in line)
    table = next(i for i in range(start, len(lines)) if re.match(r"   x( |$)", lines[i]))
    sentence = lines[start:table]
    assert all(re.match(r"   \S", line) for line in sentence)
    assert " ".join(map(str.strip, sentence)).endswith("the contributions sum: now 5.")
    prompt = [line for line in lines if "quit >" in line or "next" in line]
    assert all(line.count("[") == line.count("]") for line in prompt)
    assert any(line.startswith("No step '?'") for line in lines)


@pytest.mark.parametrize("columns", [80, 40, 20])
def test_a_narrow_terminal_gets_chinese_to_its_edge(columns):
    """Lines break between any two characters, but not before punctuation or within a key."""
    pytest.importorskip("rich", reason="rich is not installed")
    typed = {"NO_COLOR": "1", "COLUMNS": str(columns)}
    written = through_a_terminal(b"g 11\n?q", "--language", "zh", **typed)
    drawn = re.sub(r"\x1b\[[\d;]*\w", "", written.replace(CLEAR, "\n"))
    lines = [line.rstrip() for line in drawn.splitlines()]
    assert max(map(width, lines)) <= columns
    assert not [line for line in lines if line.strip()[:1] in "，。；：、" and line.strip()]
    assert all(line.count("[") == line.count("]") for line in lines)
    start = next(i for i, line in enumerate(lines) if "+ 分发" in line)
    table = next(i for i in range(start, len(lines)) if re.match(r"   x( |$)", lines[i]))
    whole = "".join("".join(lines[start:table]).split())
    assert whole == "+分发：上游梯度原样传给y。y被多次使用，各路梯度相加：现在是5。"
    full = [width(line) for line in lines[start : table - 1]]
    assert all(columns - columns_left <= 8 for columns_left in full)  # a word, or two characters


@pytest.mark.parametrize("columns, lines", [(80, 9), (80, 12), (40, 10), (40, 14), (20, 19)])
def test_a_step_with_its_values_fits_a_low_terminal(columns, lines):
    pytest.importorskip("rich", reason="rich is not installed")
    size = {"COLUMNS": str(columns), "LINES": str(lines)}
    written = through_a_terminal(b"nnnq", NO_COLOR="1", **size)
    for drawn in written.split(CLEAR)[1:]:
        text = re.sub(r"\x1b\[[\d;]*\w", "", drawn).rstrip()
        assert text.count("\n") < lines and re.match(r"\d+/11 ", text)


def test_keys_are_single_again_after_a_stop():
    """A shell gives the terminal back with lines, as it had it itself."""
    program = (
        "import os, signal, sys, termios, threading, time\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from micrograd.stepper.keys import ask_keys\n"
        "lines = termios.tcgetattr(0)\n"
        "def stop():\n"
        "    time.sleep(0.3)\n"
        "    termios.tcsetattr(0, termios.TCSADRAIN, lines)\n"
        "    os.kill(os.getpid(), signal.SIGCONT)\n"
        "    time.sleep(0.3)\n"
        "    print('ready\\n', end='', flush=True)\n"
        "threading.Thread(target=stop).start()\n"
        "print(f'key {ask_keys(\"\")} {termios.tcgetattr(0) == lines}\\n', end='', flush=True)\n"
    )
    terminal, other_end = pseudo_terminal()
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=other_end, stdout=other_end, stderr=other_end
    ) as process:
        written = b""
        while b"ready" not in written:
            written += os.read(terminal, 1024)
        os.write(terminal, b"n")
        while b"key n True" not in written and select.select([terminal], [], [], 3)[0]:
            written += os.read(terminal, 1024)
        process.kill()
    os.close(other_end)
    os.close(terminal)
    assert b"key n True" in written


def test_a_terminal_gets_colour_unless_it_asks_for_none():
    pytest.importorskip("rich", reason="rich is not installed")
    coloured = through_a_terminal(b"n\ng 11\nq\n")
    assert "\x1b[34m" in coloured and "2/11" in coloured and "11/11" in coloured
    plain = through_a_terminal(b"n\nq\n", NO_COLOR="1")
    assert "\x1b[34m" not in plain and "2/11" in plain


def test_a_dumb_terminal_is_asked_for_lines_and_gets_nothing_it_does_not_know():
    pytest.importorskip("rich", reason="rich is not installed")
    written = through_a_terminal(b"n\ng 9\nq\n", TERM="dumb")
    assert "\x1b" not in written and "2/11" in written and "3/11" not in written
    assert "9/11" in written and written.count(TERMINAL["en"]["prompt"]) == 3
