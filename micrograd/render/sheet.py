"""How pictures look: a rule for each class, in their style sheet and written into the elements."""

from __future__ import annotations

import re
from functools import cache

FONT = "system-ui, Segoe UI, DejaVu Sans, sans-serif"
LIGHT = {
    "paper": "#ffffff",
    "ink": "#17191c",
    "quiet": "#565d66",
    "line": "#868e99",
    "box": "#f6f8fa",
    "value": "#0a5ea8",
    "gradient": "#b54708",
    "gradient-soft": "#ffeeda",
    "local": "#6d3fc0",
    "local-soft": "#efe6ff",
    "sum": "#0f6b3f",
    "sum-soft": "#dff5e7",
}
DARK = {
    "paper": "#14171b",
    "ink": "#eceff3",
    "quiet": "#a4adb8",
    "line": "#7d8794",
    "box": "#1f242a",
    "value": "#79b8ff",
    "gradient": "#ffb077",
    "gradient-soft": "#43290f",
    "local": "#c9a6ff",
    "local-soft": "#33214f",
    "sum": "#7ee2a8",
    "sum-soft": "#14382a",
}
SHAPES = """
.frame {{ stroke-width: 1.5; }}
.group .frame, .part .frame, .parameters .frame, .inputs .frame {{ stroke-width: 2.5; }}
.name {{ font-size: 18px; font-weight: 700; }}
.note {{ font-size: 13px; text-anchor: end; }}
.row {{ font-size: 13px; }}
.value, .gradient {{ font-size: 18px; text-anchor: end; }}
.line {{ fill: none; stroke-width: 1.6; }}
.chip text {{ font-size: 13px; text-anchor: middle; }}
.chip rect {{ stroke-width: 1.2; }}
.contribution text {{ font-weight: 700; }}
.problem {{ font-size: 14px; }}
.title {{ font-size: 14px; font-weight: 700; text-anchor: middle; }}
.start {{ font-size: 14px; font-weight: 700; }}
.neuron .value, .neuron .gradient {{ font-size: 14px; text-anchor: middle; }}
.plate .value, .plate .gradient {{ font-size: 14px; }}
.slim .value {{ font-size: 14px; }}
.network .line {{ stroke-width: 0.8; stroke-opacity: 0.6; }}
"""
# Written out, not as variables: libraries that turn SVG into other formats know none.
COLOURS = """
text {{ fill: {ink}; }}
.paper, .count rect {{ fill: {paper}; }}
.frame, .behind {{ fill: {box}; stroke: {line}; }}
.sum .frame {{ fill: {sum-soft}; stroke: {sum}; }}
.note, .row, .count text {{ fill: {quiet}; }}
.value {{ fill: {value}; }}
.gradient, .problem, .contribution text {{ fill: {gradient}; }}
.line, .count rect {{ stroke: {line}; }}
.head {{ fill: {line}; }}
.contribution rect {{ fill: {gradient-soft}; stroke: {gradient}; }}
.local rect {{ fill: {local-soft}; stroke: {local}; }}
.local text {{ fill: {local}; }}
"""
ELEMENT = re.compile(r'<(/?)(\w+)((?: [\w-]+="[^"]*")*)(/?)>')
Rule = tuple[list[str], dict[str, str]]  # selectors, and what they give


def style(body: str, light: bool) -> str:
    """Return the rules for what is in `body`: light ones, and dark ones for who has set so.

    Without `light` the dark ones stand on what `styled` writes into the elements.
    """
    named = re.findall(r'class="([\w ]+)"', body)
    classes = {*_dotted(" ".join(named)), "text", "rect"}
    dark = f"@media (prefers-color-scheme: dark) {{\n{_written(DARK_RULES, classes)}\n}}"
    return f"\n{_written(LIGHT_RULES, classes)}\n{dark}\n" if light else f"\n{dark}\n"


def styled(body: str) -> str:
    """Return SVG with light rules in its elements: office programs misread style sheets."""
    around = list[str]()

    def element(found: re.Match[str]) -> str:
        closing, tag, attributes, empty = found.groups()
        if closing:
            around.pop()
            return found[0]
        named = re.search(r' class="([^"]*)"', attributes)
        classes = named[1] if named else ""
        looks = _attributes(tag, classes, tuple(around))
        if not empty:
            around.append(classes)
        return f"<{tag}{attributes}{looks}{empty}>"

    return ELEMENT.sub(element, body)


def unstyled(body: str) -> str:
    """Return what `styled` was given."""
    names = {name for _, looks in LIGHT_RULES for name in looks}
    return re.sub(rf' (?:{"|".join(names)})="[^"]*"', "", body)


@cache
def _attributes(tag: str, classes: str, around: tuple[str, ...]) -> str:
    looks = dict[str, str]()
    for selectors, given in LIGHT_RULES:
        if any(_selects(selector, tag, classes, around) for selector in selectors):
            looks |= given
    return "".join(f' {name}="{value}"' for name, value in looks.items())


def _selects(selector: str, tag: str, classes: str, around: tuple[str, ...]) -> bool:
    *outer, own = selector.split()
    return own in (tag, *_dotted(classes)) and {*outer} <= {*_dotted(" ".join(around))}


def _dotted(classes: str) -> list[str]:
    return [f".{name}" for name in classes.split()]


def _written(rules: list[Rule], known: set[str]) -> str:
    """Return those rules that have a selector of what is known, as they stand in a style sheet."""
    return "\n".join(
        f"{', '.join(f'.micrograd {one}' for one in selectors)} "
        f"{{ {' '.join(f'{name}: {value};' for name, value in given.items())} }}"
        for selectors, given in rules
        if any({*one.split()} <= known for one in selectors)
    )


def _rules(sheet: str, colours: dict[str, str]) -> list[Rule]:
    found = re.findall(r"^(.+) \{ (.+); \}$", sheet.format_map(colours), re.MULTILINE)
    return [
        (selectors.split(", "), dict(one.split(": ") for one in given.split("; ")))
        for selectors, given in found
    ]


LIGHT_RULES, DARK_RULES = _rules(SHAPES + COLOURS, LIGHT), _rules(COLOURS, DARK)
