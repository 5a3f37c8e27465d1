"""The page that plays a training, in a real browser: both its courses, keys, links, the plane."""

import math
import random
import re
from itertools import pairwise

import pytest

from micrograd.nn import MLP
from micrograd.stepper import training_page
from micrograd.training import Recording, descent, fit
from tests.browser.conftest import DRAWN
from tests.browser.test_step_page import chips, place
from tests.test_stepper_training import POINTS, TARGETS, squared


@pytest.fixture(scope="module")
def recording():
    """XOR by four units of ReLU, two of which die: the loss stands still at 0.25."""
    from micrograd.optim import SGD

    random.seed(2)
    model = MLP(2, [4, 1])

    def loss(batch):
        return sum(squared(model([*x]), t) for x, t in batch) * 0.25

    recording = Recording(model, every=10)
    step = recording.of(descent(model, loss, SGD(model.parameters(), lr=0.1)))
    fit(step, [*zip(POINTS, TARGETS)], 200, batch_size=4, progress=False)
    return recording


@pytest.fixture(scope="module")
def xor(recording):
    return training_page(recording, POINTS, TARGETS, squared, {"en": "XOR", "zh": "异或"})


SIGNS = [-1.0, 1.0, 1.0, -1.0]


def mean_loss(recording, frame):
    now = [parameter.data for parameter in recording.parameters]
    for parameter, number in zip(recording.parameters, recording.frames[frame][1]):
        parameter.data = number
    mean = sum(squared(recording.model([*x]), t).data for x, t in zip(POINTS, TARGETS)) / 4
    for parameter, number in zip(recording.parameters, now):
        parameter.data = number
    return mean


def test_the_training_and_why_it_stands_still(opened, recording, xor):
    shown = opened(xor)
    assert place(shown) == "1 / 21" and shown.locator("h1").inner_text().startswith("XOR")
    assert shown.locator("#heading").inner_text() == "Training: after 0 of 200 steps"
    for frame in (0, 1, 7):
        shown.locator("#scrub").fill(str(frame + 1))
        loss = chips(shown)[0].removeprefix("mean loss ").removesuffix(" of all 4 points")
        assert float(loss) == pytest.approx(mean_loss(recording, frame), abs=6e-5)
    shown.keyboard.press("End")
    assert place(shown) == "21 / 21"
    assert chips(shown) == [
        "mean loss 0.25 of all 4 points",
        "on their side 2 of 4",
        "dead units 2 of 4",
    ]
    said = shown.locator("#sentence").inner_text()
    assert said.startswith("The loss stands still at 0.25. Dead: layer 0 / neuron 1, layer 0 / ")
    assert shown.locator(".tiles .dead").count() == 2
    names = [tile.get_attribute("aria-label") for tile in shown.locator(".tiles figure").all()]
    assert names == [f"layer 0 / neuron {i}{': dead' if i % 2 else ''}" for i in range(4)]


def test_it_plays_and_pauses(opened, xor):
    shown = opened(xor)
    shown.locator("#play").click()
    shown.wait_for_function("track.at() > 2")
    shown.keyboard.press("Space")
    at = place(shown)
    shown.wait_for_timeout(500)
    assert place(shown) == at and shown.locator("#play").inner_text() == "Play"


def test_one_sample_at_any_step_of_the_training(opened, xor):
    shown = opened(xor, "#frame=21&sample=2")
    assert shown.locator("#sample").input_value() == "1"
    shown.keyboard.press("Enter")
    assert place(shown).startswith("1 / ") and shown.locator("#plays").input_value() == "passes"
    assert "passes nothing back" in shown.locator("#steps").inner_text()
    shown.locator("#view").select_option("full")
    said = shown.locator("#steps").inner_text()
    assert "ReLU is flat" in said  # at a dead unit nothing passes
    assert shown.locator("#all").is_visible()
    shown.keyboard.press("Enter")
    assert place(shown) == "21 / 21" and not shown.locator("#all").is_visible()


def test_a_click_chooses_the_point_and_the_step(opened, xor):
    shown = opened(xor)
    dot = shown.locator("#plane .point").nth(2).bounding_box()
    shown.mouse.click(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
    assert shown.locator("#sample").input_value() == "2" and "sample=3" in shown.evaluate(
        "location.href"
    )
    curve = shown.locator("#curve").bounding_box()
    shown.mouse.click(curve["x"] + curve["width"] * 0.52, curve["y"] + 20)
    assert place(shown) == "11 / 21"
    assert "frame=11" in shown.evaluate("location.href")


def test_a_click_on_the_mark_of_a_step_goes_to_it(opened, xor):
    shown = opened(xor, width=1920)
    for frame in range(0, 21, 4):
        shown.locator("#scrub").fill(str(frame + 1))
        mark = shown.locator("#curve .now").bounding_box()
        shown.locator("#scrub").fill("7")
        shown.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + 20)
        assert place(shown) == f"{frame + 1} / 21"


def test_a_link_shows_what_was_seen(opened, xor):
    hash = "#step=4&lang=zh&frame=9&sample=4&plays=passes"
    shown = opened(xor, hash)
    assert shown.evaluate("location.href").endswith(hash) and place(shown).startswith("4 / ")
    assert shown.locator("h1").inner_text().startswith("异或")
    shown.locator("#language").select_option("en")
    assert shown.locator("#told").inner_text() == ""
    damaged = opened(xor, "#frame=99&sample=0&plays=chess")
    assert "frame, sample, plays cannot be read" in damaged.locator("#told").inner_text()
    damaged.locator("#language").select_option("zh")
    assert "frame, sample, plays 无法识别" in damaged.locator("#told").inner_text()
    assert place(damaged) == "1 / 21"


APART = """() => ['#training .legend', '#plane', '#tiles', '#curve'].map(name => {
  const { top, bottom } = document.querySelector(name).getBoundingClientRect();
  return [top, bottom];
})"""
BOXES = """() => [...document.querySelectorAll('#picture .box')].map(box => {
  const { left, right } = box.getBoundingClientRect();
  return [left, right];
})"""


CUT = f"""() => {{
  const {{ left, right }} = document.querySelector('#picture').getBoundingClientRect();
  return ({BOXES})().filter(ends => ends[0] < left || ends[1] > right).length;
}}"""


def hinge_of(layers):
    random.seed(1)
    recording = Recording(MLP(2, layers, activation="tanh", fused=True))

    def hinge(output, target):
        return (1 - target * output).relu()

    recording.note(sum(hinge(recording.model([*x]), t) for x, t in zip(POINTS, SIGNS)))
    return training_page(recording, POINTS, SIGNS, hinge)


@pytest.mark.parametrize("layers", [[4, 1], [16, 16, 1]])
def test_the_network_is_seen_whole_in_every_window(opened, layers):
    shown = opened(hinge_of(layers), height=720)
    for width in range(840, 1920, 40):
        shown.set_viewport_size({"width": width, "height": 720})
        shown.wait_for_function(DRAWN)
        assert shown.evaluate(CUT) == 0, width


@pytest.mark.parametrize("layers, beyond", [([16, 16, 1], -2), ([10] * 5 + [1], 100)])
def test_a_deep_network_is_seen_whole_and_its_units_below_the_plane(opened, layers, beyond):
    html = hinge_of(layers)
    shown = opened(html, width=1280, height=720)
    places = shown.evaluate(APART)
    assert all(low[1] <= high[0] for low, high in pairwise(places))
    assert places[1][1] - places[1][0] > 200 and places[-1][1] <= 720
    frame = shown.locator("#picture").bounding_box()
    across = shown.evaluate(BOXES)
    assert len(across) == sum(layers) + 4
    assert all(
        frame["x"] <= left and right <= frame["x"] + frame["width"] for left, right in across
    )
    shown.keyboard.press("Enter")  # its passes are followed at the usual distances
    shown.wait_for_function(f"""() => {{
      const boxes = ({BOXES})();
      return boxes.length === {len(across)} && boxes.at(-1)[1] > {across[-1][1] + beyond};
    }}""")


def test_nothing_is_left_empty_where_no_script_runs(opened, xor):
    shown = opened(xor, java_script_enabled=False)
    assert "Allow them for this page" in shown.locator("noscript").first.inner_text()
    assert not shown.locator("#plane").is_visible()


def test_a_printed_page_names_its_sample(opened, xor):
    shown = opened(xor)
    shown.emulate_media(media="print")
    assert shown.locator("#sample").is_visible()


def test_a_loss_with_a_penalty_is_told_from_the_mean_over_the_points(opened):
    random.seed(1)
    model = MLP(2, [2, 1], activation="tanh")
    recording, loss = Recording(model), []
    for _ in range(3):
        mean = sum(squared(model([*x]), t) for x, t in zip(POINTS, TARGETS)) * 0.25
        penalty = sum(p * p for p in model.parameters())
        loss.append(mean.data)
        recording.note(mean + penalty if len(loss) == 2 else mean)
    shown = opened(training_page(recording, POINTS, TARGETS, squared))
    assert [chip.split(" ")[0] for chip in chips(shown)] == ["mean", "on"]
    shown.locator("#next").click()
    assert chips(shown)[1].startswith("loss trained on ") and len(chips(shown)) == 3
    told = float(chips(shown)[1].split(" ")[3])
    assert told == pytest.approx(recording.losses[1], rel=1e-3) and told > loss[1]


def test_a_training_that_diverged_says_so(opened):
    random.seed(1)
    model = MLP(2, [2, 1])
    recording = Recording(model)
    for size in (1.0, 1e30, float("nan")):
        for parameter in model.parameters():
            parameter.data *= size
        recording.note(size)
    shown = opened(training_page(recording, POINTS, TARGETS, squared))
    shown.keyboard.press("End")
    assert "no longer finite" in shown.locator("#sentence").inner_text()
    assert "on their side 0 of 4" in chips(shown)
    shown.keyboard.press("Home")
    assert "no longer finite" not in shown.locator("#sentence").inner_text()


def test_a_training_that_diverged_is_played_to_its_end(opened):
    """Its loss has no value at last: the page says so, and shows no numbers of other frames."""
    model = MLP(2, [1])
    recording = Recording(model)
    for number in (0.5, 500.0):
        for parameter in model.parameters():
            parameter.data = number
        recording.note(number)
    shown = opened(training_page(recording, POINTS, TARGETS, lambda o, t: ((1 - t * 2) * o).exp()))
    assert "wrong side" in shown.locator("#sentence").inner_text()
    shown.keyboard.press("End")
    assert "the training diverged" in shown.locator("#sentence").inner_text()
    for sample, point in enumerate(POINTS):
        shown.locator("#sample").select_option(str(sample))
        now = "[...training.inputs, graph.root].map(id => page.record.data[id])"
        *numbers, loss = shown.evaluate(now)
        assert numbers == [*point]
        assert math.isnan(loss) == ((1 - TARGETS[sample] * 2) * 500 * (sum(point) + 1) > 700)
    assert [parameter.data for parameter in model.parameters()] == [500.0] * 3


def test_a_long_training_is_drawn(opened):
    recording = Recording(MLP(2, [1]), every=50_000)
    for step in range(200_000):
        recording.note(1 / (step + 1))
    shown = opened(training_page(recording, POINTS, TARGETS, squared))
    assert place(shown) == "1 / 5" and shown.locator("#most").inner_text() == "1"


def test_a_wrong_guess_in_the_passes_is_told_the_number(opened, xor):
    shown = opened(xor, "#plays=passes&view=full&step=2")
    shown.locator("#predict").check()
    shown.locator("#answer").fill("-123")
    shown.locator("#answer").press("Enter")
    said = shown.locator("#sentence").inner_text()
    assert re.match(r"Not quite: it is (\S+)\. .* its value is \1\.$", said)
