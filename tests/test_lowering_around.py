"""Numbers of Values that are in no graph: a read is refused, wherever the Value is kept."""

import contextvars
import sys
import types
import weakref
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from micrograd.engine import Value
from micrograd.lowering import lower
from micrograd.nn import MLP, Layer, Module

hidden = Value(2.0, label="hidden")
library = types.ModuleType("library_of_a_user")
library.inner = types.ModuleType("library_of_a_user.inner")
library.hidden, library.inner.many = Value(2.0), [Value(2.0)]
plain, nested = SimpleNamespace(w=Value(2.0)), {"a": {"b": [{"c": (Value(2.0),)}]}}
array, queue, some = np.array([Value(2.0)], object), deque([Value(2.0)]), {Value(2.0)}
made = defaultdict(lambda: Value(2.0), a=Value(2.0))
functions = {"f": lambda x: x[0] * plain.w.data}
first_of_a_list, context = [Value(2.0)].__getitem__, contextvars.ContextVar("context")
context.set(Value(2.0))
sys.modules["library_of_a_user"] = library


@dataclass
class Settings:
    w: Value


class Above(type):
    above = Value(2.0)


class OfTheClass(metaclass=Above):
    w = Value(2.0)

    @staticmethod
    def static(x):
        return x[0] * OfTheClass.w.data

    @classmethod
    def of_class(cls, x):
        return x[0] * cls.w.data


class Holder:
    def __init__(self):
        self.settings, self.deep = Settings(Value(2.0)), [SimpleNamespace(w=Value(2.0))]

    def method(self, x):
        return x[0] * self.settings.w.data

    def other(self, x):
        return x[0] * self.deep[0].w.data

    def of_globals(self, x):
        return x[0] * hidden.data

    @property
    def scale(self):
        return hidden.data

    def __call__(self, x):
        return self.method(x)


class Model(Module):
    def __init__(self):
        self.net, self._scale = MLP(1, [1]), Value(2.0)

    def __call__(self, x):
        return self.net(x) * self._scale.data


def by_default(x, w=Value(2.0)):  # noqa: B008
    return x[0] * w.data


def by_name(x, *, w=Value(2.0)):  # noqa: B008
    return x[0] * w.data


def deeper(x):
    return x[0] * hidden.data


def imports(x):
    import library_of_a_user

    return x[0] * library_of_a_user.hidden.data


def imports_a_part(x):
    from library_of_a_user import hidden as another

    return x[0] * another.data


holder, model = Holder(), Model()
KEPT = {
    "object": lambda x: x[0] * plain.w.data,
    "gradient": lambda x: x[0] * (plain.w.grad + 2.0),
    "operand": lambda x: x[0] * (plain.w + 1).parents[0].data,
    "getattr": lambda x: x[0] * getattr(plain, "w").data,  # noqa: B009
    "class": lambda x: x[0] * OfTheClass.w.data,
    "static method": OfTheClass.static,
    "class method": OfTheClass.of_class,
    "method": holder.method,
    "list of a method": holder.other,
    "global of a method": holder.of_globals,
    "called object": holder,
    "method that is called": lambda x: holder.method(x),
    "property": lambda x: x[0] * holder.scale,
    "module": model,
    "module of a default": lambda x, m=model: m(x),
    "default": by_default,
    "default by name": by_name,
    "partial": partial(lambda w, x: x[0] * w.data, Value(2.0)),
    "closure": (lambda kept: lambda x: x[0] * kept[0].data)([Value(2.0)]),
    "function that is called": lambda x: deeper(x),
    "function of a dict": lambda x: functions["f"](x),
    "library": lambda x: x[0] * library.hidden.data,
    "library within a library": lambda x: x[0] * library.inner.many[0].data,
    "library imported within": imports,
    "part of a library imported within": imports_a_part,
    "getattr of a library": lambda x: x[0] * getattr(library, "hidden").data,  # noqa: B009
    "globals": lambda x: x[0] * globals()["hidden"].data,
    "metaclass": lambda x: x[0] * OfTheClass.above.data,
    "method of a list": lambda x: x[0] * first_of_a_list(0).data,
    "weak reference": (lambda kept: lambda x: x[0] * kept().data)(weakref.ref(hidden)),
    "context": lambda x: x[0] * context.get().data,
    "array": lambda x: x[0] * array[0].data,
    "deque": lambda x: x[0] * queue[0].data,
    "set": lambda x: x[0] * next(iter(some)).data,
    "defaultdict": lambda x: x[0] * made["a"].data,
    "containers": lambda x: x[0] * nested["a"]["b"][0]["c"][0].data,
}


@pytest.mark.parametrize("where", KEPT)
def test_a_number_read_is_refused_wherever_the_value_is_kept(where):
    with pytest.raises(ValueError, match="is read while the function is traced"):
        lower(KEPT[where], [1.0])


def test_a_package_that_is_installed_and_uses_ours_is_a_users(monkeypatch):
    lessons = types.ModuleType("lessons")
    lessons.__file__ = "/lib/python3/site-packages/lessons.py"
    monkeypatch.setitem(sys.modules, "lessons", lessons)
    code = "from micrograd import Value\nw = Value(2.0)\ndef scaled(x): return x[0] * w.data"
    exec(compile(code, lessons.__file__, "exec"), vars(lessons))
    with pytest.raises(ValueError, match="is read while the function is traced"):
        lower(lessons.scaled, [1.0])


def test_what_is_reached_in_circles_is_walked_once():
    class Child(Layer):
        pass

    class Parent(Module):
        def __init__(self):
            self.child, self.rows = Child(2, 2), [Value(1.0)]
            self.child.parent, self.tables = self, {"me": self}
            self.rows.append(self.rows)
            self.tables["all"] = self.tables

        def __call__(self, x):
            return sum(self.child(x), self.rows[0])

    model = Parent()
    assert len(lower(model, [1.0, 2.0]).parameters) == 3
