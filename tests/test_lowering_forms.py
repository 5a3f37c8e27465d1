"""What the passes hand to one another: it prints, cannot be changed, and is checked."""

import re
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.functions import dot
from micrograd.lowering import cache, lower, passes
from micrograd.lowering.arrays.form import BrokenProgramError, check_arrays
from micrograd.lowering.arrays.ir import (
    BATCH,
    COMPUTED,
    FIXED,
    Array,
    B,
    Formula,
    Index,
    Read,
    Term,
)
from micrograd.lowering.arrays.notation import written
from micrograd.lowering.arrays.reads import read
from micrograd.lowering.code.expr import Assign, num, ref, whole
from micrograd.lowering.code.statements import Code, check_code
from micrograd.lowering.irregular.levels import Levels
from micrograd.lowering.passes import PASSES, Pass
from micrograd.lowering.trace.declared import FORWARD, INPUT
from micrograd.nn import Embedding
from tests.golden_models import MODELS
from tests.lowering_models import window_model
from tests.test_golden import made


def window():
    loss, parameters = window_model(inputs=4, hidden=3)
    return lower(loss, [0.1] * 4, [0.2] * 4, parameters=parameters)


def forms_of(program):
    return {"graph": program.graph, "chains": program._chains, **program.lowered.forms("parameter")}


# every form


@pytest.mark.parametrize("name", MODELS)
def test_every_form_prints(name):
    program = made(name).program
    forms = forms_of(program)
    irregular = isinstance(forms["arrays"], Levels)
    for step in PASSES:
        shown = program.explain(step.name)
        if irregular and step.name in ("adjoints", "code", "inlined"):
            assert forms[step.name] is None and "fits no arrays" in shown
            continue
        assert shown.strip() and " object at 0x" not in shown
        if irregular and step.name == "arrays":
            rows = shown.splitlines()
            assert all(re.match(r"(v\[\d+\]( to v\[\d+\])?|nowhere) +\w", row) for row in rows)
        assert len(str(forms[step.name])) < 100_000  # what is read is not written out again
    assert program.explain("text") == program.source


@pytest.mark.parametrize("name", ["window_pair", "window_of_ids", "max_chains", "irregular"])
def test_no_form_can_be_changed(name):
    forms = forms_of(made(name).program)
    for step in PASSES:
        form = forms[step.name]
        if form is not None:
            with pytest.raises(FrozenInstanceError):
                setattr(form, fields(form)[0].name, None)
    if not isinstance(forms["arrays"], Levels):
        for form, attribute in (
            ("arrays", "names"),
            ("adjoints", "gradients"),
            ("inlined", "into"),
        ):
            with pytest.raises(TypeError):
                getattr(forms[form], attribute)[None] = None


def test_index_notation_is_the_formula_of_the_lecture():
    lines = [line.partition("#")[0].strip() for line in window().explain("arrays").splitlines()]
    assert "z1[i]     = Σj W1[i,j] x[j] + b1[i]" in lines or (
        "z1[i]     = Σj x[j] W1[i,j] + b1[i]" in lines
    )
    lines = [line.partition("#")[0].strip() for line in window().explain("adjoints").splitlines()]
    assert "dW1[i,j]  = Σb delta1_c[b,i] x_c[b,j] + Σb delta1[b,i] x[b,j]" in lines


@pytest.mark.parametrize(
    ("shape", "places", "text"),
    [
        ((32,), np.arange(32).reshape(2, 4, 4), "x[16i+4j+k]"),
        ((3, 32), np.arange(32, 64).reshape(2, 4, 4), "x[1,16i+4j+k]"),
        ((32,), 8 + 4 * np.arange(6), "x[4i+8]"),
        ((32,), 4 + 8 * np.arange(3)[:, None] + np.arange(4), "x[8i+j+4]"),
        ((2, 4, 3), np.arange(24).reshape(2, 12), "x[place i,j of 2×12]"),
        ((2, 2), 3 * np.arange(2), "x[i,i]"),
        ((5, 4), np.add.outer(4 * np.arange(3) + 1, 8 * np.arange(2)), "x[i+2j,1]"),
        ((7,), np.add.outer(np.arange(5), np.arange(3)), "x[i+j]"),
        ((7,), np.array([0, 3, 1]), "x[(0,3,1)i]"),
        ((2, 7), np.array([[0, 3, 9], [0, 8, 1]]), "x[((0,0,1),(0,1,0))ij,((0,3,2),(0,1,1))ij]"),
        ((20,), np.array([0, 3, 1] * 5), "x[place(i)]"),
    ],
)
def test_index_notation_says_which_element_is_read(shape, places, text):
    x = Array(INPUT, shape, np.arange(np.prod(shape)), name="x")
    operand = read(x, places, range(places.ndim))
    term = Term((operand,), tuple(enumerate(places.shape)))
    array = Array(COMPUTED, places.shape, NO_NODES, terms=(term,), name="y")
    assert f"= {text} " in written([array], {x: "x", array: "y"})


E = Embedding(4, 3)
# the two elements of three that follow on x[1]
ABS = "dx[i] = 1/B where(x[i+1] > 0, 1, where(x[i+1] < 0, -1, 0)) [i<2] at [i+1]"


@pytest.mark.parametrize(
    ("loss", "sample", "after", "line"),
    [
        (lambda x: sum(x[:3]), [1.0] * 5, "arrays", "t1 = Σi<3 x[i]"),
        (lambda x: sum(x[::2]) * 2, [1.0] * 6, "arrays", "t2 = Σi x[2i]"),
        (lambda x: sum(x[:3:2]) * 2, [1.0] * 6, "arrays", "t2 = Σi<2 x[2i]"),
        (lambda x: sum(v.tanh() for v in x), [1.0] * 2, "dx", "dx[i] = 1/B (1 - t1[i] * t1[i])"),
        (
            lambda x: dot(x[:2], x[1:]),
            [1.0] * 3,
            "dx",
            "t2[i] = x[i+1] [i<2] + x[i] at [i+1]",
        ),
        (lambda x: dot(x, x[::-1]), [1.0] * 3, "arrays", "t1 = Σi x[i] x[(2,1,0)i]"),
        (lambda x: x.exp() * -2 + 1, 1.0, "arrays", "t2 = -2 t1 + 1"),
        (lambda x: sum(v.abs() for v in x[1:3]), [1.0] * 4, "dx", ABS),
        (
            lambda x: (x[0] / x[1]).tanh(),
            [1.0] * 2,
            "dx",
            "dx[i] = dt1 / x[1] at [0] - dt1 t1 / x[1] at [1]",
        ),
        (lambda i: sum(E(i)), 1, "arrays", "x[j] = E[i,j]"),
        (lambda i: dot(E(i), E(i)), 1, "dE", "dE[j,k] = dx[b,k] at [i[b],k]"),
        (lambda i: sum(E(i)), 1, "dE", "dE[j,k] = 1/B at [i[b],k]"),
    ],
)
def test_index_notation_leaves_nothing_to_guess(loss, sample, after, line):
    forms = lower(loss, sample).lowered.forms(INPUT)
    shown = forms["arrays" if after == "arrays" else "adjoints"].arrays
    text = written(shown, forms["inlined"].names)
    lines = [" ".join(row.partition("  #")[0].split()) for row in text.splitlines()]
    assert line in lines, text


def test_an_unknown_pass_is_refused_with_the_names():
    with pytest.raises(
        ValueError, match="no pass is called 'trees'; give graph, .*, text or calls"
    ):
        window().explain("trees")


# one more pass


def with_a_pass(monkeypatch, step, after):
    steps = list(PASSES)
    steps.insert(1 + [s.name for s in steps].index(after), step)
    monkeypatch.setattr(passes, "PASSES", tuple(steps))
    cache.forget()


def test_a_new_pass_is_one_line(monkeypatch):
    checked = []

    def halved(forms):
        """Return the adjoints, all gradients halved."""
        form = forms["adjoints"]
        for array in form.gradients.values():
            half = tuple(replace(t, scale=t.scale.times(0.5)) for t in array.terms)
            object.__setattr__(array, "terms", half)
        return len(form.gradients)

    with_a_pass(
        monkeypatch, Pass("halved", halved, lambda form, _: checked.append(form)), "adjoints"
    )
    x = np.ones((2, 4))
    program = window()
    gradients = program.value_and_grad(x, -x)[1]
    assert checked == [len(program.parameters)]
    assert program.explain("halved") == "3"
    assert any(line.split()[:1] == ["halved"] for line in program.explain().splitlines())
    monkeypatch.undo()
    cache.forget()
    for name, gradient in window().value_and_grad(x, -x)[1].items():
        np.testing.assert_allclose(gradients[name], gradient / 2)


def test_what_a_pass_breaks_its_check_refuses(monkeypatch):
    def refuse(form, forms):
        raise BrokenProgramError("odd")

    with_a_pass(monkeypatch, Pass("count", lambda forms: 1, refuse), "code")
    with pytest.raises(BrokenProgramError, match="odd"):
        window()(np.ones((2, 4)), np.ones((2, 4)))
    cache.forget()


def turned(form):
    """Return a form with its arrays or lines in the wrong order."""
    if isinstance(form, Code):
        return replace(form, forward=form.forward[::-1])
    return replace(form, arrays=form.arrays[::-1])


@pytest.mark.parametrize("name", ["arrays", "adjoints", "code", "inlined"])
def test_what_a_pass_puts_in_the_wrong_order_is_refused(name, monkeypatch):
    steps = [
        replace(step, run=lambda forms, run=step.run: turned(run(forms)))
        if step.name == name
        else replace(step, check=lambda form, forms: None)
        for step in PASSES
    ]
    monkeypatch.setattr(passes, "PASSES", tuple(steps))
    cache.forget()
    with pytest.raises(BrokenProgramError):
        window().value_and_grad(np.ones((2, 4)), np.ones((2, 4)))
    cache.forget()


def test_a_forward_pass_has_no_adjoints():
    forms = window().lowered.forms(FORWARD)
    assert forms["adjoints"] is None and "def forward(" in str(forms["text"])


# broken forms


NO_NODES = np.zeros(0, np.int64)


def leaf(*shape, nodes=None, batched=False):
    count = int(np.prod(shape)) if nodes is None else nodes
    return Array(INPUT, shape, np.arange(count), batched, name="x")


def tanh(read, *shape, **options):
    formula = Formula("tanh", "tanh(x)", None, (("x", read),), ("1 - out * out",))
    axes = tuple(enumerate(shape))
    return Array(COMPUTED, shape, NO_NODES, terms=(Term((formula,), axes, **options),), name="h")


def reads(array, *index, shape=(2,), **options):
    return [array, tanh(Read(array, index, **options), *shape)]


TWO = leaf(2)
TABLE = np.array([0, 9])


@pytest.mark.parametrize(
    ("arrays", "fault"),
    [
        ([leaf(2, 3, nodes=5)], r"x \(2, 3\) has 5 nodes"),
        (reads(TWO, Index(0))[::-1], "h reads x before it is computed"),
        (reads(TWO, Index(1)), "h reads x at the variables"),
        (reads(leaf(2, batched=True), Index(0)), "h reads x at the variables"),
        (reads(TWO, Index(0), shape=(3,)), "h reads x outside of its axis of 2"),
        (reads(TWO, Index(0, 1)), "outside of its axis"),
        (reads(TWO, Index(FIXED, 2)), "outside"),
        (reads(TWO, Index(FIXED, -1)), "outside of its axis"),
        (reads(TWO, Index(0, 0, 2)), "outside of its axis"),
        (reads(TWO, Index(0), Index(0)), r"h reads x \(2,\) as \(2,\)"),
        (reads(leaf(6), Index(0), Index(FIXED), split=(2, 2)), r"h reads x \(6,\) as \(2, 2\)"),
        (reads(TWO, table=TABLE, variables=(0,)), "by a table"),
        (reads(TWO, table=np.array([0, -1]), variables=(0,)), "by a table"),
        (reads(TWO, table=np.zeros(3, int), variables=(0,)), r"by a table \(3,\) of places"),
        (
            [
                TWO,
                Array(COMPUTED, (3,), NO_NODES, terms=(Term((TWO.whole,), ((0, 2),)),), name="h"),
            ],
            r"h has a term over \(\(0, 2\),\), not \(\(0, 3\),\)",
        ),
        (
            [
                TWO,
                Array(
                    COMPUTED,
                    (3,),
                    NO_NODES,
                    name="h",
                    terms=(Term((TWO.whole,), ((0, 2),), at=Read(leaf(3), (Index(0, 2),))),),
                ),
            ],
            "h is added to outside",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays, fault):
    with pytest.raises(BrokenProgramError, match=fault):
        check_arrays(arrays)


@pytest.mark.parametrize("loss", [leaf(2), leaf(batched=True)])
def test_a_loss_that_is_no_number_is_refused(loss):
    with pytest.raises(BrokenProgramError, match="the loss is no number"):
        check_arrays([loss], loss)
    check_arrays([loss])


def test_arrays_that_fit_are_let_pass():
    x = leaf(2, 3, batched=True)
    row = Read(x, (Index(FIXED, 1), Index(0)))
    formula = Formula("tanh", "tanh(x)", None, (("x", row),), ())
    check_arrays(
        [x, Array(COMPUTED, (3,), NO_NODES, True, (Term((formula,), ((BATCH, B), (0, 3))),))]
    )


def code(*lines, loss):
    return Code(
        (), (), tuple(lines), (), loss, names={line.array: line.array.name for line in lines}
    )


def scalar(name):
    return Array(COMPUTED, (), NO_NODES, name=name)


def test_lines_that_cannot_run_are_refused():
    a, b, c = map(scalar, "abc")
    with pytest.raises(BrokenProgramError, match="a uses b too early"):
        check_code(code(Assign(a, whole(b)), Assign(b, num(1)), loss=b))
    with pytest.raises(BrokenProgramError, match="a is computed twice"):
        check_code(code(Assign(a, num(1)), Assign(a, num(2)), loss=a))
    with pytest.raises(BrokenProgramError, match="a result is never computed"):
        check_code(code(Assign(a, num(1)), loss=c))
    check_code(code(Assign(a, num(1)), Assign(b, ref(a, ())), loss=b))


@pytest.mark.parametrize("name", ["window_pair", "max_chains", "rows_recorded"])
def test_the_forms_of_a_model_are_refused_out_of_order(name):
    forms = made(name).program.lowered.forms("parameter")
    arrays, adjoints = forms["arrays"].arrays, forms["adjoints"].arrays
    check_arrays((*arrays, *adjoints))
    with pytest.raises(BrokenProgramError, match="before it is computed"):
        check_arrays((*adjoints, *arrays))
    code = forms["inlined"]
    check_code(code)
    with pytest.raises(BrokenProgramError, match="too early"):
        check_code(replace(code, forward=code.backward, backward=code.forward))


def test_forms_are_dataclasses_without_data_of_leaves():
    """A program's arrays are shared by graphs of one structure: the data are the program's own."""
    one, two = (lower(Value(x, label="x").tanh() * 2) for x in (0.5, 0.25))
    assert one.lowered is two.lowered and one() != two()
    assert all(
        is_dataclass(form)
        for form in one.lowered.forms("parameter").values()
        if not isinstance(form, str)
    )
