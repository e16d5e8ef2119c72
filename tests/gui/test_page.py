"""The page in a real browser; its fixture fails on console errors and on requests to anywhere else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from nanowarm.sections import CaseInput

expect = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright").expect
NASTY = "<img src=x onerror=alert(1)><script>alert(1)</script> \"' \u202e\u05e9\u05dc\u05d5\u05dd \U0001f9ca " + "x" * 10_000


def _open(page: Any, path: str) -> None:
    page.locator("#cases button").filter(has_text=path).first.click()
    page.wait_for_selector("#status.good, #status.bad")


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def test_a_value_changed_in_the_form_is_changed_in_the_text_and_saved_with_its_comment(server: Any, page: Any) -> None:
    file = server.folder / "vial" / "vial.toml"
    before = _text(file)
    _open(page, "vial/vial.toml")
    page.get_by_label("amplitude").fill("23 kA/m")
    page.get_by_label("frequency", exact=True).focus()
    page.wait_for_selector("#unsaved:visible")
    page.keyboard.press("Control+s")
    page.wait_for_selector("#unsaved", state="hidden")
    assert _text(file) == before.replace('"20 kA/m" ', '"23 kA/m" ')
    file.write_text(before, encoding="utf-8")


def test_every_field_says_what_it_is_in_the_words_of_the_schema(page: Any) -> None:
    _open(page, "vial/vial.toml")
    fields = page.locator("#panel-form .field:visible")
    keys = [json.loads(fields.nth(place).get_attribute("data-path")) for place in range(fields.count())]
    assert ["field", "frequency"] in keys
    told = CaseInput.model_json_schema()["$defs"]["UniformField"]["properties"]["frequency"]["description"]
    assert fields.nth(keys.index(["field", "frequency"])).locator(".hint").inner_text() == told
    without = [key for place, key in enumerate(keys) if not fields.nth(place).locator(".hint").count()]
    own = (["mesh", "parameters"], ["output", "probes"])  # whose names are the user's
    assert not [key for key in without if key[-1] != "kind" and key[:-1] not in own]


def test_what_is_typed_while_a_check_is_answered_is_not_lost(server: Any, page: Any) -> None:
    _open(page, "vial/vial.toml")
    page.get_by_label("amplitude").fill("24 kA/m")
    page.get_by_label("frequency", exact=True).fill("361 kHz")  # before the form has been made again
    page.wait_for_timeout(800)
    page.get_by_label("amplitude").focus()
    expect(page.locator("#text")).to_have_value(re.compile('"361 kHz"'))
    assert '"24 kA/m"' in page.input_value("#text")


def test_a_fault_is_marked_at_its_line_and_at_its_field_while_one_types(page: Any) -> None:
    _open(page, "vial/vial.toml")
    page.click("#tab-text")
    text = page.input_value("#text").replace('"-150 degC"', "-150")
    page.fill("#text", text)
    page.wait_for_selector("#status.bad")
    line = 1 + text.split("\n").index("temperature = -150")
    assert page.locator(".gutter .fault").all_inner_texts() == [str(line)]
    page.click("#tab-form")
    field = page.get_by_label("temperature", exact=True).first
    assert field.get_attribute("aria-invalid") == "true"
    said = page.locator(f"#{field.get_attribute('aria-describedby')}").inner_text()
    assert "write the unit" in said
    page.click("#tab-text")
    page.fill("#text", "[mesh\n")
    expect(page.locator("#status")).to_contain_text("until the text is TOML")


def test_hostile_text_is_shown_as_text(server: Any, page: Any) -> None:
    folder = server.folder / "hostile"
    folder.mkdir()
    name = "<b>'x\" \u202e"
    case = {"schema": 1, "title": NASTY, "regions": {name: {"material": NASTY}}}
    (folder / f"{name}.toml").write_text(tomli_w.dumps(case), "utf-8")
    page.reload()
    _open(page, "hostile")
    expect(page.locator("#title")).to_contain_text("<img")
    assert page.locator("#title").inner_text().rstrip() == NASTY.rstrip()
    assert page.locator("main img, main script, main b").count() == 0
    for width in (1440, 375):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    (folder / f"{name}.toml").unlink()


def test_a_file_that_has_changed_on_disk_is_not_overwritten_and_the_text_is_not_lost(server: Any, page: Any) -> None:
    file = server.folder / "vial" / "vial.toml"
    before = _text(file)
    _open(page, "vial/vial.toml")
    page.click("#tab-text")
    page.fill("#text", f"# mine\n{before}")
    file.write_text(f"# theirs\n{before}", encoding="utf-8")
    page.click("#save")
    page.get_by_role("button", name="Save mine as …").click()
    page.fill("#save-path", "vial/mine.toml")
    page.locator("dialog button.main").click()
    expect(page.locator("#path")).to_have_text("vial/mine.toml")
    assert _text(file) == f"# theirs\n{before}"
    assert _text(server.folder / "vial" / "mine.toml") == f"# mine\n{before}"
    file.write_text(before, encoding="utf-8")
    (server.folder / "vial" / "mine.toml").unlink()


@pytest.mark.slow
def test_a_new_case_is_run_from_the_page_and_its_report_opened(server: Any, page: Any) -> None:
    page.click("#new")
    page.select_option("#new-source", "vial-1mL")
    page.fill("#new-name", "fresh")
    page.locator("dialog button.main").click()
    expect(page.locator("#path")).to_have_text("fresh/fresh.toml")
    page.get_by_label("size", exact=True).fill("3 mm")
    page.get_by_label("size", exact=True).press("Enter")
    page.wait_for_selector("#unsaved:visible")
    page.click("#run")
    page.wait_for_selector(".verdict.met", timeout=90_000)
    assert page.locator(".verdict").inner_text().startswith("✓ All criteria met")
    assert page.locator("#watch svg path.mean").count() == 1
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Open the report").click()
    report = opened.value
    report.wait_for_load_state()
    assert re.fullmatch(r".*: met", report.title())
    assert report.evaluate("window.origin") == "null"
    assert page.context.cookies()
    report.close()


def test_every_control_has_a_name_and_the_views_change_with_the_keyboard(page: Any) -> None:
    _open(page, "vial/vial.toml")
    controls = "[...document.querySelectorAll('button, input, select, textarea, summary')]"
    named = "one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length"
    unnamed = page.evaluate(f"() => {controls}.filter((one) => one.offsetParent && !({named})).map((one) => one.outerHTML)")
    assert unnamed == []
    page.focus("#tab-form")
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel-text").is_visible()
    assert page.get_attribute("#tab-text", "aria-selected") == "true"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(page: Any, scheme: str) -> None:
    """WCAG 2.2: at least 4.5 to 1 for text; pairs of colours that stand on each other in the style sheet."""
    page.emulate_media(color_scheme=scheme)
    pairs = [
        ("ink", "ground"),
        ("ink", "card"),
        ("soft", "ground"),
        ("soft", "card"),
        ("soft", "met-ground"),
        ("bad", "bad-ground"),
        ("bad", "card"),
    ]
    pairs += [("good", "good-ground"), ("accent-ink", "accent"), ("accent", "card"), ("soft", "hover"), ("ink", "missed-ground")]
    pairs += [(f"t-{kind}", "card") for kind in ("remark", "text", "head", "key", "number")]
    read = "name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()"

    def luminance(name: str) -> float:
        code = page.evaluate(read, name)
        parts = [int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for pair in pairs:
        dark, light = sorted(map(luminance, pair))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, pair
