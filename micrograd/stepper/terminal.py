"""The step-through in a terminal: plain text of 80 columns, colour where the terminal has it."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any, TextIO

from micrograd.engine import Value
from micrograd.graph import LEAF, Graph
from micrograd.printing import folded, printable, terminal_size, width, wrapped
from micrograd.render.captions import names_of
from micrograd.render.numerals import shown
from micrograd.stepper.array_program import ArrayProgram, code_row, named, of_graph, told
from micrograd.stepper.interface import INTERFACE, TERMINAL
from micrograd.stepper.keys import ask_keys
from micrograd.stepper.trace import one_root, trace

COLUMNS = 80
ROLES = {"value": "blue", "gradient": "yellow", "local": "magenta", "sum": "green"}
CLEAR = "\x1b[2J\x1b[H"  # the screen, so that every step is drawn in the same place
MOST_VALUES = 12  # inputs of the first step, lines of the table of values under a step
NAMES = 12  # columns of the names in it, at least


class Walkthrough:
    """Show the steps below `root` one by one or all at once.

    `output` gets plain text unless it is a terminal, where rich colours it; rich leaves the
    colours out where NO_COLOR is set. With the `program` that `lower(...)` made of the
    graph, each step shows its line of array code. Raises ValueError for a graph of several roots,
    and for the program of another graph.
    """

    def __init__(
        self,
        root: Value | Graph,
        language: str = "en",
        output: TextIO | None = None,
        program: ArrayProgram | None = None,
    ) -> None:
        recorded = one_root(root)
        self.program = of_graph(program, recorded)
        self.graph = named(recorded, program)
        self.language = language
        self.steps = trace(self.graph, language=language)["steps"]
        self.names = names_of(self.graph)
        self.words = INTERFACE[language] | TERMINAL[language]
        self.output = output or sys.stdout
        self.lines = _liner(self.output)

    def transcript(self) -> None:
        """Print every step."""
        for step in self.steps:
            self._print(self._told(step))

    def _print(self, lines: list[str]) -> None:
        print(*lines, sep="\n", file=self.output)

    def interact(self, ask: Callable[[str], str] = input) -> None:
        """Show one step at a time, as `ask` tells; end at q, at the end of input, or by Ctrl-C."""
        self._interact(ask, lambda: self.words["prompt"])

    def interact_by_keys(self) -> None:
        """Show one step at a time in the same place, as single keys of the terminal tell."""
        self._interact(ask_keys, lambda: _fitted(self.words["prompt.keys"]), CLEAR)

    def _interact(
        self, ask: Callable[[str], str], prompted: Callable[[], str], clear: str = ""
    ) -> None:
        at = 0
        while True:
            prompt, told = prompted(), self._told(self.steps[at])  # the terminal may have changed
            self.output.write(clear)
            room = terminal_size().lines - len(told) - len(prompt.splitlines())
            self._print(told + self._values(at, room if clear else None))
            try:
                at = self._next(at, ask, prompt)
            except (EOFError, KeyboardInterrupt, StopIteration):
                self._print([""])
                return

    def _next(self, at: int, ask: Callable[[str], str], prompt: str) -> int:
        """Return the step to show after the one at `at`; ask until there is one."""
        last = len(self.steps) - 1
        while True:
            answer = ask(prompt).strip().lower()
            command, _, rest = answer.partition(" ")
            if command in ("q", "quit"):
                raise StopIteration
            if command in ("", "n"):
                if at == last:
                    raise StopIteration
                return at + 1
            if command == "b":
                return max(0, at - 1)
            if command == "last":
                return last
            number = rest if command == "g" else command.removeprefix("g")
            if re.fullmatch(r"\s*[0-9]{1,9}\s*", number) and 1 <= int(number) <= last + 1:
                return int(number) - 1
            told = self.words["bad.step"].format(answer=repr(answer), last=last + 1)
            self._print(self.lines([(told, "")]))

    def _told(self, step: dict[str, Any]) -> list[str]:
        """Return the lines of a step."""
        place = f"{step['step']}/{len(self.steps)}"
        lines = self.lines([(f"{place}  {self._heading(step)}", "bold")])
        for part in (self._equation(step), self._sum(step)):
            if part:
                lines += self.lines([("   ", ""), *part])
        lines += self.lines([(f"   {step['sentence']}", "")])
        if self.program and step["kind"] != "inputs":
            lines += self._code(self.program, step)
        return lines

    def _code(self, program: ArrayProgram, step: dict[str, Any]) -> list[str]:
        """Return the line of the program that the step is in, and what its node is there."""
        if step["kind"] == "forward":
            node, name = step["node"], self.names[step["node"]]
            spot = program.line(self.graph.values[node])
        else:
            node = step["operand" if step["kind"] == "backward" else "node"]
            name = self._derivative(node)
            spot = program.line_of_gradient(self.graph.values[node])
        texts = code_row(program, spot, self.language), told(spot, name, self.language)
        return [line for text in texts if text for line in self.lines([(f"   {text}", "")])]

    def _heading(self, step: dict[str, Any]) -> str:
        heading = self.words[f"pass.{step['kind']}"]
        if step["kind"] == "inputs":
            return heading
        what = self.names[step["node"]]
        if step["kind"] == "backward":
            what += f" → {self.names[step['operand']]}"
        return self.words["heading"].format(step=heading, what=what)

    def _equation(self, step: dict[str, Any]) -> list[tuple[str, str]]:
        kind = step["kind"]
        if kind == "inputs":
            inputs = [*self._inputs()]
            listed, rest = inputs[:MOST_VALUES], len(inputs) - MOST_VALUES
            more = f" {self.words['more'].format(count=rest)}" if rest > 0 else ""
            return [(", ".join(listed), "value"), (more, "")]
        if kind == "seed":
            name = self.names[step["node"]]
            return [(f"∂{name}/∂{name} = ", ""), (shown(step["value"]), "gradient")]
        if kind == "forward":
            value = shown(step["value"])
            sides = dict.fromkeys((self.names[step["node"]], step["formula"], step["numbers"]))
            told = "".join(f"{side} = " for side in sides if side != value)
            return [(told, ""), (value, "value")]
        local = shown(step["local"])
        formula = "" if step["formula"] in (local, "") else f"  ({step['formula']})"
        words = self.words
        return [
            (f"{words['downstream']} ", ""),
            (shown(step["contribution"]), "sum"),
            (f" = {words['upstream']} ", ""),
            (shown(step["upstream"]), "gradient"),
            (f" × {words['local']} ", ""),
            (local, "local"),
            (formula, ""),
        ]

    def _sum(self, step: dict[str, Any]) -> list[tuple[str, str]]:
        if step["kind"] != "backward":
            return []
        name, total = self._derivative(step["operand"]), (shown(step["total"]), "sum")
        if not step["left"]:
            return [(f"{name} = ", ""), total]
        words, key = self.words, "tocome" if step["left"] == 1 else "tocome.more"
        before, after = words["sum.sofar"].split("{total}")
        more = words[key].format(count=step["left"])
        return [(before.format(name=name), ""), total, (after.format(more=more), "")]

    def _derivative(self, id: int) -> str:
        return f"∂{self.names[self.graph.roots[0]]}/∂{self.names[id]}"

    def _inputs(self) -> Iterator[str]:
        """Yield the inputs that have a name, or the numbers of all where none has one."""
        named = any(label for label, op in zip(self.graph.labels, self.graph.ops) if op == LEAF)
        for id, label in enumerate(self.graph.labels):
            if self.graph.ops[id] == LEAF and bool(label) == named:
                number = shown(self.graph.data[id])
                yield f"{self.names[id]} = {number}" if named else number

    def _values(self, at: int, room: int | None) -> list[str]:
        """Return what is known so far, a dash for what is not, in at most `room` lines."""
        graph, (values, gradients, waiting) = self.graph, _known(self.steps[: at + 1])
        named = [id for id, op in enumerate(graph.ops) if op != LEAF or graph.labels[id]]
        listed = named[:MOST_VALUES]
        column = max([NAMES, *(width(self.names[id]) for id in listed)])
        rows = []
        for id in listed:
            known = graph.ops[id] == LEAF or id in values
            name = (
                f"{self._derivative(id)} {self.words['sofar']}"
                if waiting.get(id)
                else (self._derivative(id))
            )
            rows.append(
                self.lines(
                    [
                        (f"   {_padded(self.names[id], column)} {self.words['value']} ", ""),
                        (f"{shown(graph.data[id]) if known else '–':<10}", "value"),
                        (f" {name} ", ""),
                        (shown(gradients[id]) if id in gradients else "–", "gradient"),
                    ]
                )
            )
        while rows and room is not None and sum(map(len, rows)) + (len(named) > len(rows)) > room:
            rows.pop()
        more = f"   {self.words['more'].format(count=len(named) - len(rows))}"
        rest = self.lines([(more, "")]) if rows and len(named) > len(rows) else []
        return [line for row in rows for line in row] + rest


def _known(steps: list[dict[str, Any]]) -> tuple[set[int], dict[int, float], dict[int, int]]:
    """Return after `steps` the nodes computed, the gradients so far, and what those wait for."""
    values = {step["node"] for step in steps if step["kind"] == "forward"}
    gradients = {step["node"]: step["value"] for step in steps if step["kind"] == "seed"}
    backward = [step for step in steps if step["kind"] == "backward"]
    gradients |= {step["operand"]: step["total"] for step in backward}
    return values, gradients, {step["operand"]: step["left"] for step in backward}


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))


def _plain(text: str) -> str:
    return folded(printable(text), COLUMNS, "      ")


def takes_codes(output: TextIO) -> bool:
    """Return whether a terminal obeys codes: Emacs's shows them, and so do Windows's old ones."""
    from rich.console import Console

    console = Console(file=output)
    return not (console.is_dumb_terminal or console.legacy_windows)


def _fitted(prompt: str) -> str:
    """Return a prompt in lines of the terminal, none of which ends within a key's brackets."""
    whole = re.sub(r"(?<! ) (?! )", "\xa0", prompt.rstrip())
    columns = max(1, terminal_size().columns - 1)
    return wrapped(whole, columns, "", break_long_words=False).replace("\xa0", " ") + " "


def _liner(output: TextIO) -> Callable[[list[tuple[str, str]]], list[str]]:
    """Return a function that makes the lines of (text, role) parts, as wide as the terminal."""
    if not output.isatty():
        return lambda parts: _plain("".join(text for text, _ in parts)).split("\n")
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    system: Any = "auto" if takes_codes(output) else None
    console = Console(file=output, highlight=False, color_system=system)

    def lines(parts: list[tuple[str, str]]) -> list[str]:
        text = Text.assemble(*((printable(text), ROLES.get(role, role)) for text, role in parts))
        at = indent = len(text.plain) - len(text.plain.lstrip())
        columns, rows = min(COLUMNS, terminal_size().columns), []
        for line in folded(text.plain[indent:], columns - indent).split("\n"):
            at = text.plain.index(line, at) + len(line)
            rows.append(text[at - len(line) : at])
        row = Padding(Text("\n").join(rows), (0, 0, 0, indent), expand=False)
        with console.capture() as captured:
            console.print(row, width=columns)
        return captured.get().rstrip("\n").split("\n")

    return lines
