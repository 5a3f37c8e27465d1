"""Schedules against their closed forms and PyTorch's schedulers."""

import copy
import math
import pickle

import pytest

from micrograd import Value
from micrograd import schedules as s
from micrograd.optim import Adam, clip_norm, clip_value

RATE, STEPS = 0.4, 50
CLOSED_FORMS = {
    "constant": (s.constant(RATE), lambda _: RATE),
    "step": (s.step(RATE, 7, 0.5), lambda t: RATE / 2 ** math.floor(t / 7)),
    "exponential": (s.exponential(RATE, 0.07), lambda t: RATE / math.exp(0.07 * t)),
    "inverse": (s.inverse(RATE, 10), lambda t: RATE if t < 10 else RATE * 10 / t),
    "by epoch": (
        s.by_epoch(s.exponential(RATE, 0.1), 5),
        lambda t: RATE * math.exp(-(t // 5) / 10),
    ),
    "warm-up": (s.warm_up(s.constant(RATE), 20), lambda t: RATE * min(t / 20, 1)),
    "composed": (
        s.composed((10, s.constant(1.0)), (10, s.linear(1, 0, 10)), s.constant(0.5)),
        lambda t: 1.0 if t < 10 else 1 - (t - 10) / 10 if t < 20 else 0.5,
    ),
}


@pytest.mark.parametrize("name", CLOSED_FORMS)
def test_closed_form(name):
    schedule, expected = CLOSED_FORMS[name]
    for t in range(STEPS):
        assert schedule(t) == pytest.approx(expected(t), rel=1e-12, abs=1e-15)


def torch_rates(make, steps=STEPS):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE, momentum=0.9)
    scheduler = make(torch.optim.lr_scheduler, optimizer)
    for _ in range(steps):
        yield optimizer.param_groups[0]["lr"]
        optimizer.step()
        scheduler.step()


TORCH = {  # (ours, how PyTorch makes its own)
    "step": (s.step(RATE, 6, 0.3), lambda kinds, o: kinds.StepLR(o, 6, 0.3)),
    "exponential": (
        s.exponential(RATE, 0.05),
        lambda kinds, o: kinds.ExponentialLR(o, math.exp(-0.05)),
    ),
    "cosine": (s.cosine(RATE, 50, 0.01), lambda kinds, o: kinds.CosineAnnealingLR(o, 50, 0.01)),
    "linear": (s.linear(RATE / 4, RATE, 20), lambda kinds, o: kinds.LinearLR(o, 0.25, 1.0, 20)),
    "triangular": (s.triangular(0.1, 0.9, 8), lambda kinds, o: kinds.CyclicLR(o, 0.1, 0.9, 8)),
    "one cycle": (s.one_cycle(0.8, 52), lambda kinds, o: kinds.OneCycleLR(o, 0.8, 52)),
    "warm-up": (
        s.warm_up(s.constant(RATE), 9, 0.1),
        lambda kinds, o: kinds.LinearLR(o, 0.1, 1.0, 9),
    ),
    "composed": (
        s.composed((20, s.linear(RATE / 4, RATE, 20)), s.cosine(RATE, 30)),
        lambda kinds, o: kinds.SequentialLR(
            o, [kinds.LinearLR(o, 0.25, 1.0, 20), kinds.CosineAnnealingLR(o, 30)], [20]
        ),
    ),
}


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
@pytest.mark.parametrize("name", TORCH)
def test_torch(name):
    schedule, make = TORCH[name]
    for t, expected in enumerate(torch_rates(make)):
        assert schedule(t) == pytest.approx(expected, rel=1e-12, abs=1e-15), t


def test_plateau_follows_torch():
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    ours = s.Plateau(RATE, factor=0.5, patience=2)
    for t in range(STEPS):
        loss = 1 / (t + 1) if t < 15 else 0.3 + 0.01 * math.sin(t)
        theirs.step(loss)
        ours.report(loss)
        assert ours(t) == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
    assert ours(STEPS) < RATE / 100


def test_plateau_goes_on_from_its_state():
    whole, first, second = (s.Plateau(RATE, 0.5, patience=1) for _ in range(3))
    losses = [3, 2, 2, 2, 2, 2, 1, 1, 1, 1]
    for loss in losses:
        whole.report(loss)
    for loss in losses[:4]:
        first.report(loss)
    second.load_state_dict(first.state_dict())
    for loss in losses[4:]:
        second.report(loss)
    assert second.state_dict() == whole.state_dict()


def test_plateau_takes_negative_losses_and_stops_at_the_least_rate():
    plateau = s.Plateau(1.0, 0.1, patience=0, least=0.05)
    for score, expected in [(-1, 1.0), (-2, 1.0), (-2, 0.1), (-2, 0.05), (-3, 0.05)]:
        plateau.report(score)
        assert plateau(0) == expected


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="has none to go up"):
        s.one_cycle(1.0, 3)
    with pytest.raises(ValueError, match="as the last one"):
        s.composed((10, s.constant(1.0)))


ONES = s.constant(1.0)
IMPOSSIBLE = {
    "step 0": lambda: s.step(0.1, 0),
    "step -1": lambda: s.step(0.1, -1),
    "step nan": lambda: s.step(0.1, math.nan),
    "linear 0": lambda: s.linear(1.0, 0.0, 0),
    "linear -1": lambda: s.linear(1.0, 0.0, -1),
    "cosine 0": lambda: s.cosine(1.0, 0),
    "cosine -1": lambda: s.cosine(1.0, -1),
    "triangular 0": lambda: s.triangular(0.0, 1.0, 0),
    "inverse 0": lambda: s.inverse(0.1, 0),
    "by_epoch 0": lambda: s.by_epoch(ONES, 0),
    "warm_up -1": lambda: s.warm_up(ONES, -1),
    "one_cycle start": lambda: s.one_cycle(1.0, 100, start=0.0),
    "one_cycle end": lambda: s.one_cycle(1.0, 100, end=0.0),
    "one_cycle rise": lambda: s.one_cycle(1.0, 100, rise=1.0),
    "one_cycle no rise": lambda: s.one_cycle(1.0, 100, rise=0.01),
    "one_cycle nan": lambda: s.one_cycle(math.nan, 100),
    "nan": lambda: s.constant(math.nan),
    "inf": lambda: s.exponential(math.inf, 1.0),
    "k": lambda: s.exponential(0.1, math.nan),
    "text": lambda: s.step("0.1", 3),
    "factor": lambda: s.step(0.1, 3, None),
    "last": lambda: s.linear(0.1, math.nan, 3),
    "cosine last": lambda: s.cosine(0.1, 3, math.inf),
    "low": lambda: s.triangular(math.nan, 1.0, 3),
    "high": lambda: s.triangular(0.0, math.nan, 3),
    "tau": lambda: s.inverse(math.inf, 3),
    "composed": lambda: s.composed(),
    "composed triple": lambda: s.composed((1, 2, 3), ONES),
    "composed bare": lambda: s.composed(ONES, ONES),
    "composed number": lambda: s.composed(5, ONES),
    "composed without an end": lambda: s.composed((math.nan, ONES), ONES),
    "composed for ever": lambda: s.composed((math.inf, ONES), ONES),
    "composed negative": lambda: s.composed((-1, ONES), ONES),
    "composed no function": lambda: s.composed((1, 0.1), ONES),
    "plateau rate": lambda: s.Plateau(0.0),
    "plateau factor": lambda: s.Plateau(0.1, 0.0),
    "plateau that grows": lambda: s.Plateau(0.1, 2.0),
    "plateau least above": lambda: s.Plateau(0.1, least=0.2),
    "plateau patience": lambda: s.Plateau(0.1, patience=-1),
    "plateau threshold": lambda: s.Plateau(0.1, threshold=math.nan),
    "plateau least": lambda: s.Plateau(0.1, least=math.inf),
}


@pytest.mark.parametrize("make", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be_is_refused_where_it_is_made(make):
    reasons = ("finite number", "above 0", "0 or more", "as the last one", "has none to go up")
    reasons += ("a Plateau reduces its rate",)
    with pytest.raises(ValueError, match="|".join(reasons)):
        make()


def test_no_warm_up_is_the_schedule():
    rate = s.exponential(0.1, 0.2)
    assert s.warm_up(rate, 0) is rate
    assert s.warm_up(rate, 1, 0.5)(0) == 0.05 and s.warm_up(rate, 1, 0.5)(1) == rate(1)


def test_schedules_go_through_their_first_and_last_step():
    assert [s.step(0.8, 1)(t) for t in range(3)] == [0.8, 0.4, 0.2]
    assert [s.linear(1.0, 0.0, 1)(t) for t in range(3)] == [1.0, 0.0, 0.0]
    assert [s.inverse(1.0, 1)(t) for t in (0, 1, 2, 4)] == [1.0, 1.0, 0.5, 0.25]
    assert [s.by_epoch(s.step(0.8, 1), 1)(t) for t in range(2)] == [0.8, 0.4]
    assert [s.composed((0, ONES), s.constant(2.0))(t) for t in range(2)] == [2.0, 2.0]
    assert [s.composed((1, ONES), s.constant(2.0))(t) for t in range(2)] == [1.0, 2.0]
    s.Plateau(0.1, patience=0)


MADE = {name: schedule for name, (schedule, _) in CLOSED_FORMS.items()} | {
    name: shape(RATE, 10) for name, shape in s.BY_NAME.items()
}


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
@pytest.mark.parametrize("name", MADE)
def test_an_optimiser_with_a_schedule_and_a_clip_is_pickled_and_copied(name, twin):
    x = Value(1.0)
    optimizer = Adam([x], lr=MADE[name], clip=clip_norm(0.5))
    other = twin(optimizer)
    (y,) = other.parameters.values()
    for _ in range(12):
        x.grad, y.grad = 3 * x.data, 3 * y.data
        optimizer.step()
        other.step()
    assert y is not x and y.data == x.data and other.settings() == optimizer.settings()
    assert pickle.loads(pickle.dumps(clip_value(0.5)))([2.0]) == [0.5]


def test_a_copied_schedule_has_a_plateau_of_its_own():
    plateau = s.Plateau(1.0, 0.5, 0)
    twin = copy.deepcopy(s.warm_up(plateau, 2))
    plateau.report(1.0)
    plateau.report(1.0)
    assert (plateau(9), twin(9)) == (0.5, 1.0)


def test_a_plateau_at_its_edges():
    still = s.Plateau(0.1, factor=1, least=0.1, patience=0)
    still.report(1.0)
    still.report(1.0)
    assert still(0) == 0.1
    exact = s.Plateau(1.0, factor=0.5, patience=0, threshold=0.0)
    exact.report(0.5)
    exact.report(0.5)  # no better than the best
    assert exact(0) == 0.5


@pytest.mark.parametrize("given", [None, 0.1, "x"])
@pytest.mark.parametrize("wrap", [s.warm_up, s.by_epoch])
def test_what_is_no_schedule_is_refused_where_it_is_given(wrap, given):
    with pytest.raises(TypeError, match="a schedule is a function of the steps done, not"):
        wrap(given, 10)


@pytest.mark.parametrize("name", [name for name in s.BY_NAME if name != "plateau"])
def test_there_is_no_rate_before_the_first_step(name):
    with pytest.raises(ValueError, match="t, the number of steps done, is 0 or more, not -1"):
        s.BY_NAME[name](0.1, 20)(-1)


def test_a_plateau_that_has_come_down_to_0_is_kept():
    plateau = s.Plateau(1e-300, factor=1e-30, patience=0)
    for _ in range(3):
        plateau.report(1.0)
    again = s.Plateau(1e-300, factor=1e-30, patience=0)
    again.load_state_dict(plateau.state_dict())
    assert again(0) == plateau(0) == 0.0
    with pytest.raises(ValueError, match="has the rate -1"):
        again.load_state_dict(plateau.state_dict() | {"rate": -1.0})


@pytest.mark.parametrize(
    "first, second, rate", [(1.0, 0.95, 0.5), (1.0, 0.85, 1.0), (-1.0, -1.05, 0.5)]
)
def test_better_is_better_by_a_share_of_the_best(first, second, rate):
    plateau = s.Plateau(1.0, factor=0.5, patience=0, threshold=0.1)
    plateau.report(first)
    plateau.report(second)
    assert plateau(0) == rate


@pytest.mark.parametrize(
    ("name", "rates"),  # of a rate of 1 over 20 epochs, at some of them
    [
        ("constant", {0: 1.0, 19: 1.0}),
        ("decay", {0: 1.0, 1: 1 / 1.3, 10: 1 / 4}),
        ("halve", {0: 1.0, 4: 1.0, 5: 0.5, 10: 0.25, 19: 0.125}),
        ("exponential", {0: 1.0, 10: math.exp(-1)}),
        ("inverse", {0: 1.0, 5: 1.0, 10: 0.5}),
        ("linear", {0: 1.0, 10: 0.55, 20: 0.1}),
        ("cosine", {0: 1.0, 10: 0.505, 20: 0.01}),
        ("triangular", {0: 0.1, 1: 0.55, 2: 1.0, 4: 0.1}),
        ("one_cycle", {0: 1 / 25, 5: 1.0, 19: 1 / 25 / 1e4}),
        ("warm_up", {0: 0.25, 1: 0.5, 2: 0.75, 3: 1.0, 19: 1.0}),
    ],
)
def test_schedules_by_name_have_these_rates(name, rates):
    schedule = s.BY_NAME[name](1.0, 20)
    assert {t: schedule(t) for t in rates} == pytest.approx(rates)
    assert math.isfinite(s.BY_NAME[name](1.0, 1)(0))  # also of one epoch


def test_the_plateau_by_name_halves_the_rate_after_two_epochs_without_progress():
    plateau = s.BY_NAME["plateau"](1.0, 20)
    rates = []
    for loss in (3.0, 3.0, 3.0, 2.0, 2.0, 2.0):
        plateau.report(loss)
        rates.append(plateau(0))
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.5, 0.25]


def test_a_line_ends_at_its_last_rate_to_the_last_digit():
    for rate, last, steps in ((1.0, 0.1, 7), (0.3, 0.7, 3), (1.0, 0.1, 1)):
        line = s.linear(rate, last, steps)
        assert (line(0), line(steps), line(steps + 5)) == (rate, last, last)
