"""The C that is exported stands alone, and prints what the program gives."""

import shutil
import subprocess

import numpy as np
import pytest

from micrograd import Value
from micrograd.cli import main
from micrograd.lowering import lower
from micrograd.lowering.replay import data_of
from tests.golden_models import MODELS
from tests.lowering_oracle import dense

COMPILER = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler on this machine")
STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-O1"]
CPP = ["-x", "c++", "-Wall", "-Wextra", "-Werror", "-O1"]  # a microcontroller's sketches are C++
LESSON = """
from micrograd import Value
w, b = Value(0.5, label="w"), Value(0.25, label="b")
def loss(x=(0.3, -1.5)):
    return (w * x[0] + b * x[1]).tanh() ** 2
"""


def printed(text, folder, flags=STRICT):
    """Return what a C program prints: numbers by name."""
    (folder / "program.c").write_text(text)
    compiled = [COMPILER, *flags, "program.c", "-o", "program", "-lm"]
    subprocess.run(compiled, cwd=folder, check=True, timeout=60)
    result = subprocess.run(
        ["./program"], cwd=folder, check=True, timeout=60, capture_output=True, text=True
    )
    numbers: dict[str, list[float]] = {}
    for line in result.stdout.splitlines():
        name, number = line.split()
        numbers.setdefault(name.partition("[")[0], []).append(float(number))
    return numbers


@needs_compiler
@pytest.mark.parametrize("name", MODELS)
def test_a_program_prints_the_same_numbers(name, tmp_path):
    program = MODELS[name]().program
    numbers = printed(program.export("c", main=True), tmp_path)
    sample = [data_of(program.leaf_values(name))[None] for name in program.inputs]
    loss, gradients = program.value_and_grad(*sample)
    assert numbers.pop("loss") == [pytest.approx(loss, rel=1e-12)]
    assert len(numbers) == len(gradients)
    for key, gradient in gradients.items():
        ours = numbers.get(f"d{key}") or numbers.get(f"delta{key}")
        right = dense(gradient, program, key).ravel()
        np.testing.assert_allclose(ours, right, rtol=1e-11, atol=1e-13)


def test_no_function_has_a_name_of_a_small_processors_library():
    """avr-libc declares square() in <math.h>."""
    text = "".join(MODELS[name]().program.export("c") for name in ("deep_mse", "mixed"))
    assert "squared(" in text and "square(" not in text


@needs_compiler
@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler on this machine")
@pytest.mark.parametrize("name", ["window_of_ids", "max_chains", "mixed", "irregular"])
def test_a_program_is_cpp_too(name, tmp_path):
    program = MODELS[name]().program
    numbers = printed(program.export("c", main=True), tmp_path, CPP)
    sample = [data_of(program.leaf_values(name))[None] for name in program.inputs]
    assert numbers["loss"] == [pytest.approx(program.value_and_grad(*sample)[0], rel=1e-12)]


@needs_compiler
@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler on this machine")
def test_no_name_is_a_word_of_cpp(tmp_path):
    words = ["new", "class", "this", "template", "operator", "xor", "nullptr", "wchar_t"]
    values = [Value(0.5, label=word) for word in words]
    program = lower(lambda x: sum(values, x).tanh(), 0.1)
    assert len(printed(program.export("c", main=True), tmp_path, CPP)) == 1 + len(words)


@needs_compiler
def test_an_irregular_graph_with_lookups_stands_alone(tmp_path, irregular):
    program = MODELS["window_of_ids"]().program
    numbers = printed(program.export("c", main=True), tmp_path)
    sample = [data_of(program.leaf_values(name))[None] for name in program.inputs]
    _, gradients = program.value_and_grad(*sample)
    np.testing.assert_allclose(
        numbers["dE"], dense(gradients["E"], program, "E").ravel(), rtol=1e-11
    )


def test_the_file_has_the_names_of_the_notes_and_the_shapes(tmp_path):
    file = tmp_path / "net.c"
    text = MODELS["window_fused"]().program.export("c", str(file))
    assert file.read_text() == text and "main(" not in text and "malloc" not in text
    assert "const double *restrict W1,   /* (3, 6) */" in text
    assert "double *restrict dW1,        /* (3, 6), result: the gradient of W1 */" in text
    assert "h1[i] = tanh(z1[i]);" in text
    assert [line for line in text.splitlines() if line.startswith("#include")] == [
        "#include <math.h>",
        "#include <string.h>",
    ]
    assert max(map(len, text.splitlines())) <= 120


def test_main_is_for_c():
    with pytest.raises(ValueError, match="main=True is for export to \"c\", not to 'jax'"):
        MODELS["constants"]().program.export("jax", main=True)


@needs_compiler
def test_the_command_prints_a_program(tmp_path, capsys):
    (tmp_path / "lesson.py").write_text(LESSON)
    assert main(["lower", f"{tmp_path}/lesson.py:loss", "--export", "c", "--main"]) == 0
    numbers = printed(capsys.readouterr().out, tmp_path)
    assert numbers["loss"] == [pytest.approx(np.tanh(0.15 - 0.375) ** 2)]


def test_the_command_asks_for_c_with_main(tmp_path, capsys):
    (tmp_path / "lesson.py").write_text(LESSON)
    assert main(["lower", f"{tmp_path}/lesson.py:loss", "--main"]) == 2
    assert "--export c" in capsys.readouterr().err
