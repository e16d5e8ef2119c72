"""The view of the body in a report, used as a reader would.

The run has two cubes, x from -10 to 10 mm; its temperature is time [s] + x [mm] in degC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nanowarm.results.report import write_report

Run = Callable[..., Path]
Open = Callable[..., Any]

HOSTILE = '</script><img src=https://evil.example/x.png onerror=alert(1)> "quoted" & 🔥 \u202bעברית'
CONTROLS = ["point", "field", "span", "time", "play", "cut", "place", "closer", "farther", "reset"]


def seen(page: Any) -> Any:
    """The page with its view built."""
    page.locator("#view-root").scroll_into_view_if_needed()
    page.wait_for_selector("#view-root[data-ready=yes]")
    return page


def drawn(page: Any) -> None:
    """Wait until the last change is drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def pixels(page: Any) -> bytes:
    """Picture of the body, once it is drawn and the browser shows it."""
    shots: list[bytes] = []
    while len(shots) < 2 or (shots[-1] != shots[-2] and len(shots) < 10):
        drawn(page)
        shots.append(page.locator(".view-stage").screenshot())
    return shots[-1]


def shows(page: Any, words: str) -> None:
    """Wait until the picture is of a field, or of what else its caption says."""
    page.locator("#view-caption", has_text=words).wait_for()


def slide(page: Any, name: str, value: int) -> None:
    """Move a slider."""
    page.locator(f"#view-{name}").fill(str(value))
    drawn(page)


def temperatures(page: Any) -> None:
    """Choose the temperature, without the worst place."""
    page.select_option("#view-point", "")
    page.select_option("#view-field", label="temperature [°C]")
    shows(page, "temperature [°C]")


@pytest.fixture(scope="module")
def opened(field_run: Run, open_page: Open) -> Any:
    """The report of two cubes with its view built."""
    return seen(open_page(write_report(field_run())))


@pytest.fixture
def report(opened: Any) -> Any:
    """That report with its view as it opens."""
    opened.emulate_media(media="screen")
    opened.mouse.move(0, 0)
    for box in opened.locator("#view-regions input").all():
        box.check()
    opened.select_option("#view-point", "")
    opened.locator("#view-caption", has_not_text="The ring").wait_for()
    opened.select_option("#view-point", "0")
    shows(opened, "The ring")
    opened.locator("#view-reset").click()
    return opened


def test_the_view_is_built_only_when_it_is_scrolled_to(field_run: Run, open_page: Open) -> None:
    page = open_page(write_report(field_run()), viewport={"width": 800, "height": 300})
    assert page.locator("#view-root").get_attribute("data-ready") == "no"
    seen(page)
    assert page.locator(".view-stage canvas").is_visible()
    assert not page.locator(".view-fallback").is_visible()


def test_it_opens_with_the_field_that_decides_cut_through_its_worst_place(report: Any) -> None:
    assert report.locator("#view-caption").text_content().startswith("warming rate [°C/min], of the whole run; cut at ")
    assert re.search(r"cut at [xyz] = 5 mm", report.locator("#view-caption").text_content())  # the worst place is at 5, 5, 5 mm
    assert report.locator("svg text", has_text="worst: warming rate of right").count() == 1


def test_dragging_turns_the_body(report: Any) -> None:
    before, box = pixels(report), report.locator(".view-stage canvas").bounding_box()
    report.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    report.mouse.down()
    report.mouse.move(box["x"] + box["width"] / 2 + 120, box["y"] + box["height"] / 2 + 30)
    report.mouse.up()
    assert pixels(report) != before


def test_the_arrow_keys_turn_the_body_and_home_turns_it_back(report: Any) -> None:
    canvas = report.locator(".view-stage canvas")
    canvas.press("Home")  # also shows where the focus is
    before = pixels(report)
    canvas.press("ArrowLeft")
    assert pixels(report) != before
    canvas.press("Home")
    assert pixels(report) == before


def test_the_time_slider_changes_colours_and_the_words_for_the_time(report: Any) -> None:
    temperatures(report)
    report.select_option("#view-span", "run")
    slide(report, "time", 0)
    first = pixels(report)
    assert report.locator("#view-time-text").text_content() == "0 s, soak"
    slide(report, "time", report.locator("#view-time").get_attribute("max"))
    assert report.locator("#view-time-text").text_content() == "60 s, rewarm"
    assert pixels(report) != first


def test_choosing_a_field_changes_the_words_of_the_colours(report: Any) -> None:
    report.select_option("#view-field", label="CEM43 [min]")
    shows(report, "CEM43 [min]")
    assert report.locator(".view-scale-title").text_content() == "CEM43 [min]"
    # 10 to the power of x / 5 mm, from x = -10 to 10 mm
    ticks = report.locator(".view-ticks span").all_text_contents()
    assert (ticks[0], ticks[-1]) == ("0.01", "100")


def test_moving_the_cut_changes_the_picture(report: Any) -> None:
    report.select_option("#view-cut", "x")
    slide(report, "place", 250)
    before = pixels(report)
    assert report.locator("#view-place-text").text_content() == "−5 mm"  # a quarter of the way from -10 to 10 mm
    slide(report, "place", 750)
    assert pixels(report) != before


@pytest.mark.parametrize(("name", "other"), [("left", "right"), ("right", "left")])
def test_hiding_a_region_leaves_the_other_one(report: Any, name: str, other: str) -> None:
    before = pixels(report)
    report.get_by_label(name, exact=True).uncheck()
    assert pixels(report) != before
    assert regions_read(report) == {other}


def regions_read(page: Any) -> set[str]:
    """Regions that the pointer finds, the body not cut."""
    page.select_option("#view-cut", "none")
    box, found = page.locator(".view-stage canvas").bounding_box(), set()
    for step in range(3, 10):
        page.mouse.move(box["x"] + box["width"] * step / 12, box["y"] + box["height"] / 2)
        drawn(page)
        found |= set(re.findall(r" in (\w+) at ", page.locator("#view-value").text_content()))
    return found


def test_the_value_under_the_pointer_is_that_of_the_run(report: Any) -> None:
    temperatures(report)
    report.select_option("#view-cut", "y")
    slide(report, "place", 500)
    slide(report, "time", 0)
    box = report.locator(".view-stage canvas").bounding_box()
    for part in (0.4, 0.5, 0.6):
        report.mouse.move(box["x"] + box["width"] * part, box["y"] + box["height"] / 2)
        drawn(report)
        told = report.locator("#view-value").text_content().replace("−", "-")
        value, region, x, y = re.match(r"([-\d.]+) °C in (\w+) at \(([-\d.]+), ([-\d.]+),", told).groups()
        assert float(value) == pytest.approx(float(x), abs=20 / 255)  # bytes tell a 255th of 20 degC apart
        assert region == ("left" if float(x) < 0 else "right")
        assert float(y) == pytest.approx(5.0, abs=0.01)


@pytest.mark.slow
def test_no_value_is_told_where_the_run_has_none(report: Any) -> None:
    report.select_option("#view-cut", "y")
    slide(report, "place", 500)
    box = report.locator(".view-stage canvas").bounding_box()
    told = set()
    for step in range(3, 10):
        report.mouse.move(box["x"] + box["width"] * step / 12, box["y"] + box["height"] / 2)
        drawn(report)
        words = report.locator("#view-value").text_content().replace("−", "-")
        if found := re.match(r"(.*) in \w+ at \(([-\d.]+),", words):
            told.add((found[1] == "no value", float(found[2]) < -5.0))
    # colder than x = -5 mm was never seen; a grid place more or less
    assert {(True, True), (False, False)} <= told


def test_the_keyboard_reaches_everything_in_the_order_of_the_page(report: Any) -> None:
    temperatures(report)
    report.locator(".view-stage canvas").focus()
    order = []
    for _ in range(12):
        report.keyboard.press("Tab")
        order.append(report.evaluate("() => document.activeElement.id || document.activeElement.type").removeprefix("view-"))
    assert order == [*CONTROLS[:7], "checkbox", "checkbox", *CONTROLS[7:]]


@pytest.mark.slow
def test_playing_ends_at_the_last_frame_and_never_starts_by_itself(report: Any) -> None:
    temperatures(report)
    last = report.locator("#view-time").get_attribute("max")
    slide(report, "time", int(last) - 2)
    assert report.locator("#view-play").text_content() == "Play"
    report.locator("#view-play").click()
    for _ in range(200):
        report.wait_for_timeout(20)
        if report.locator("#view-time").input_value() == last:
            break
    drawn(report)
    assert report.locator("#view-time").input_value() == last
    assert report.locator("#view-play").text_content() == "Play"


@pytest.mark.slow
def test_every_control_has_a_name(report: Any) -> None:
    for name in CONTROLS:
        described = report.locator(f"#view-{name}").evaluate("e => e.labels?.[0]?.textContent || e.textContent")
        assert described.strip(), name


@pytest.mark.parametrize("flags", [("--disable-3d-apis",)], ids=["no WebGL"])
def test_without_webgl_the_picture_stands_there_and_says_why(field_run: Run, open_page: Open, flags: tuple[str, ...]) -> None:
    page = open_page(write_report(field_run()), *flags)
    page.locator("#view-root").scroll_into_view_if_needed()
    page.wait_for_selector("#view-root[data-ready=failed]")
    assert page.locator(".view-fallback img").is_visible()
    assert "no WebGL 2" in page.locator(".view-message").text_content()
    assert not page.locator(".view-controls").is_visible()


def test_a_view_whose_memory_was_taken_shows_the_picture_and_comes_back_with_the_memory(report: Any) -> None:
    report.locator(".view-stage canvas").press("Home")
    before = pixels(report)
    memory = "document.querySelector('canvas').getContext('webgl2').getExtension('WEBGL_lose_context')"
    report.evaluate(f"() => {{ window.memory = {memory}; window.memory.loseContext(); }}")
    report.wait_for_selector("#view-root[data-ready=failed]")
    assert report.locator(".view-fallback img").is_visible()
    assert "taken the view's memory away" in report.locator(".view-message").text_content()
    report.evaluate("() => window.memory.restoreContext()")
    seen(report).locator(".view-stage canvas").focus()
    assert pixels(report) == before


def touched(page: Any, *ways: tuple[tuple[float, float], tuple[float, float]]) -> None:
    """Lay a finger at the begin of each way, seen from the middle of the body [px], and draw all of them to the ends."""
    page.locator(".view-stage").scroll_into_view_if_needed()
    box = page.locator(".view-stage canvas").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    fingers = page.context.new_cdp_session(page)

    def send(kind: str, part: float, count: int) -> None:
        points = [
            {"id": number, **{axis: middle[i] + (1 - part) * begin[i] + part * end[i] for i, axis in enumerate("xy")}}
            for number, (begin, end) in enumerate(ways[:count])
        ]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    for count in range(1, len(ways) + 1):
        send("touchStart", 0.0, count)
    for step in range(1, 11):
        send("touchMove", step / 10, len(ways))
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    drawn(page)


def scale(page: Any) -> float:
    """Pixels of one millimetre."""
    bar = page.locator("svg line").first.evaluate("line => Math.abs(line.x2.baseVal.value - line.x1.baseVal.value)")
    return bar / float(page.locator("svg text", has_text="mm").first.text_content().split()[0])


@pytest.mark.slow
def test_two_fingers_zoom_and_turn_and_one_finger_scrolls_the_page(field_run: Run, open_page: Open) -> None:
    page = seen(open_page(write_report(field_run()), viewport={"width": 390, "height": 700}, has_touch=True))
    page.locator(".view-stage").scroll_into_view_if_needed()
    before, scrolled = scale(page), page.evaluate("scrollY")
    touched(page, ((0, -30), (0, -75)), ((0, 30), (0, 75)))  # 60 px apart, and then 150
    assert scale(page) / before == pytest.approx(2.5, rel=0.05)
    turned = pixels(page)
    touched(page, ((-40, 30), (-40, -30)), ((40, 30), (40, -30)))
    assert pixels(page) != turned
    assert page.evaluate("scrollY") == scrolled
    touched(page, ((0, 30), (0, -80)))
    page.wait_for_function(f"scrollY > {scrolled}")


def test_without_a_program_the_picture_stands_there(field_run: Run, open_page: Open) -> None:
    page = open_page(write_report(field_run()), java_script_enabled=False)
    assert page.locator(".view-fallback img").is_visible()
    assert not page.locator(".view-controls").is_visible()


@pytest.mark.slow
def test_hostile_names_are_shown_as_text(field_run: Run, open_page: Open) -> None:
    page = seen(open_page(write_report(field_run((HOSTILE, "x" * 10_000), title=HOSTILE))))
    assert page.locator("#view-regions span").first.text_content() == HOSTILE
    assert page.locator("#view-regions span").last.text_content() == "x" * 10_000
    assert page.locator("img[src*=evil]").count() == 0
    assert page.evaluate("document.querySelector('#view-root').scrollWidth <= document.querySelector('#view-root').clientWidth")


@pytest.mark.slow
def test_a_phone_scrolls_downwards_only(field_run: Run, open_page: Open) -> None:
    page = seen(open_page(write_report(field_run()), viewport={"width": 375, "height": 700}, has_touch=True))
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    assert page.locator("#view-play").bounding_box()["height"] >= 44  # [px], of a finger


def test_the_printed_page_has_the_body_as_it_was_turned_and_no_controls(report: Any) -> None:
    temperatures(report)
    drawn(report)
    printed = report.pdf()
    assert printed.startswith(b"%PDF-")
    report.emulate_media(media="print")
    assert report.locator(".view-print").is_visible()
    assert report.locator(".view-print").evaluate("image => image.naturalWidth") > 300
    assert report.locator("#view-caption").is_visible()
    assert not [name for name in CONTROLS if report.locator(f"#view-{name}").is_visible()]
    assert not report.locator(".view-fallback").is_visible()
