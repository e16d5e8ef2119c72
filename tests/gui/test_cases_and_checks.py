"""Cases are listed, checked, changed and saved as their writer would do it."""

from __future__ import annotations

import os
import stat
import threading
import tomllib
from pathlib import Path
from typing import Any

import pytest

from nanowarm.errors import CaseError
from nanowarm.gui.cases import Folder
from nanowarm.gui.checks import findings, key_lines
from nanowarm.gui.edits import edited
from nanowarm.gui.security import RefusedError
from nanowarm.shipped import copy_case, shipped_cases

HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "quotes": "\"'`\\",
    "right-to-left": "\u202eabc \u05e9\u05dc\u05d5\u05dd",
    "emoji": "\U0001f9ca\U0001f468\u200d\U0001f52c",
    "long": "x" * 10_000,
    "line ends": "a\nb\r\nc\td",
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    copy_case(str(tmp_path / "mine"), "vial-1mL")
    return Folder(tmp_path)


def test_cases_and_studies_are_listed_and_nothing_else(folder: Folder) -> None:
    texts = {
        "study.toml": 'schema = 1\ntitle = "S"\ncase = "mine/mine.toml"\n[grid]\n"mesh.size" = ["1 mm"]\n',
        "material.toml": 'name = "m"\nclass = "tissue"\n',
        "broken.toml": "schema = 1\n[mesh\n",
        "pyproject.toml": "[project]\n",
        "a/b/c/deep.toml": "schema = 1\n[mesh]\n",
        "a/b/c/d/too-deep.toml": "schema = 1\n[mesh]\n",
        ".hidden/case.toml": "schema = 1\n[mesh]\n",
        "runs/mine-1/case.toml": "schema = 1\n[mesh]\n",
        "runs/mine-1/log.txt": "",
    }
    for name, text in texts.items():
        (folder.root / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.root / name).write_text(text, encoding="utf-8")
    (folder.root / "binary.toml").write_bytes(b"schema = \xff")
    found = folder.found()
    kinds = {case.path: case.kind for case in found.cases}
    assert kinds == {"broken.toml": "case", "study.toml": "study", "mine/mine.toml": "case", "a/b/c/deep.toml": "case"}
    assert [folder.shown(run) for run in found.runs] == ["runs/mine-1"]


def test_the_case_of_a_run_is_never_opened_or_changed(folder: Folder) -> None:
    run = folder.root / "runs" / "mine-1"
    run.mkdir(parents=True)
    (run / "case.toml").write_text("schema = 1\n[mesh]\n", encoding="utf-8")
    (run / "log.txt").touch()
    with pytest.raises(RefusedError, match="belongs to a run"):
        folder.saved("runs/mine-1/case.toml", "schema = 1\n[mesh]\n", "")
    with pytest.raises(RefusedError, match="belongs to a run"):
        folder.opened("runs/mine-1/case.toml")


def test_saving_replaces_the_file_whole_and_keeps_its_mode_line_ends_and_byte_order_mark(folder: Folder) -> None:
    file = folder.root / "mine" / "mine.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    file.chmod(0o640)
    opened = folder.opened("mine/mine.toml")
    assert "\r" not in opened["text"]
    folder.saved("mine/mine.toml", opened["text"].replace("20 kA/m", "21 kA/m"), opened["seen"])
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfschema = 1\r\n")
    assert b"21 kA/m" in content
    assert content.count(b"\n") == content.count(b"\r\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in file.parent.iterdir()) == ["mine.toml", "vial.geo"]


def test_a_file_that_another_program_has_changed_is_not_overwritten(folder: Folder) -> None:
    opened = folder.opened("mine/mine.toml")
    file = folder.root / "mine" / "mine.toml"
    file.write_text("# theirs\n[mesh]\n", encoding="utf-8")
    with pytest.raises(RefusedError, match="changed on disk") as refusal:
        folder.saved("mine/mine.toml", opened["text"], opened["seen"])
    assert refusal.value.status == 409
    assert file.read_text(encoding="utf-8") == "# theirs\n[mesh]\n"


def test_of_many_that_save_at_once_one_succeeds(folder: Folder) -> None:
    opened = folder.opened("mine/mine.toml")
    outcomes: list[str] = []

    def save(number: int) -> None:
        try:
            folder.saved("mine/mine.toml", f"# {number}\n{opened['text']}", opened["seen"])
            outcomes.append("saved")
        except RefusedError:
            outcomes.append("refused")

    threads = [threading.Thread(target=save, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused"] * 7 + ["saved"]


def test_saving_as_never_overwrites(folder: Folder) -> None:
    text = folder.opened("mine/mine.toml")["text"]
    folder.saved("mine/other.toml", text, "")
    (folder.root / "mine" / "other.toml").write_text("[mesh]\n", encoding="utf-8")
    with pytest.raises(RefusedError, match="a file of that name already"):
        folder.saved("mine/other.toml", text, "")
    assert (folder.root / "mine" / "other.toml").read_text(encoding="utf-8") == "[mesh]\n"
    with pytest.raises(CaseError, match="never overwritten"):
        folder.new("mine", "vial-1mL")


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("mine/mine.txt", "[mesh]", "only case files"),
        ("mine/x.toml", "[project]", "no case file"),
        ("mine/x.toml", "", "no case file"),
        ("mine/x.toml", "[mesh]\n# \ud800", "lone surrogate"),
        ("mine/x.toml", "[mesh]\n#" + "x" * 1_000_000, "too large"),
        ("nowhere/x.toml", "[mesh]", "no such folder"),
    ],
    ids=["not-toml", "no-case", "empty", "half-a-character", "too-large", "no-folder"],
)
def test_nothing_but_case_files_is_written(folder: Folder, path: str, text: str, reason: str) -> None:
    before = sorted(folder.root.rglob("*"))
    with pytest.raises(RefusedError, match=reason):
        folder.saved(path, text, "")
    assert sorted(folder.root.rglob("*")) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_file_stays(folder: Folder) -> None:
    opened = folder.opened("mine/mine.toml")
    (folder.root / "mine" / "mine.toml").chmod(0o440)
    with pytest.raises(RefusedError, match="read-only"):
        folder.saved("mine/mine.toml", opened["text"] + "#", opened["seen"])


def test_a_fault_is_told_with_its_line(folder: Folder) -> None:
    file = folder.root / "mine" / "mine.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[lines.index('temperature = "-150 degC"')] = "temperature = -150"
    lines[lines.index('region = "cpa"')] = 'region = "core"'
    lines[lines.index('name = "rewarm"')] = 'name = "rewarm"\nfoo = 1'
    text = "\n".join(lines)
    faults = {fault["key"]: fault for fault in findings(file, text)["faults"]}
    assert set(faults) >= {"initial.temperature", "stages.rewarm.foo"}
    for key, line in (("initial.temperature", "temperature = -150"), ("stages.rewarm.foo", "foo = 1")):
        assert text.split("\n")[faults[key]["line"] - 1] == line
    assert faults["stages.rewarm.foo"]["path"] == ["stages", 0, "foo"]
    assert file.read_text(encoding="utf-8") != text


def test_what_is_no_toml_is_told_with_its_line_and_the_user_s_file_is_not_touched(folder: Folder) -> None:
    found = findings(folder.root / "mine" / "mine.toml", "schema = 1\n[mesh\n")
    assert [fault["line"] for fault in found["faults"]] == [2]
    assert found["values"] is None


def test_a_text_that_is_not_saved_yet_finds_its_mesh_by_the_path_it_will_have(folder: Folder) -> None:
    text = (folder.root / "mine" / "mine.toml").read_text(encoding="utf-8")
    assert findings(folder.root / "mine" / "new.toml", text)["faults"] == []
    assert [fault["key"] for fault in findings(folder.root / "new.toml", text)["faults"]] == ["mesh.file"]


def test_keys_are_found_in_lists_of_sections_dotted_keys_and_values_of_several_lines() -> None:
    text = '# a\na.b = 1\n[[s]]\nx = [\n  1,\n  2,\n]\ny = """\n[z]\nz = 1\n"""\n[s.t]\nu = { v = 1 }\n[[s]]\n"x y" = 1 # ]\n'
    lines = dict(key_lines(text))
    wanted = {("a", "b"): 2, ("s", 0): 3, ("s", 0, "x"): 4, ("s", 0, "y"): 8, ("s", 0, "t"): 12, ("s", 0, "t", "u", "v"): 13}
    wanted |= {("s", 1): 14, ("s", 1, "x y"): 15, ("s",): 3}
    assert {path: lines[path] for path in wanted} == wanted
    assert ("z",) not in lines


@pytest.mark.parametrize("name", sorted(shipped_cases()))
def test_a_value_of_any_shipped_case_is_changed_in_its_own_line_only(name: str) -> None:
    text = shipped_cases()[name].read_text(encoding="utf-8")
    changed = edited(text, ("initial", "temperature"), "set", "-99.5 degC").split("\n")
    different = [(old, new) for old, new in zip(text.split("\n"), changed, strict=True) if old != new]
    assert len(different) == 1
    assert different[0][1].startswith('temperature = "-99.5 degC"')


def test_comments_and_order_stay_around_what_is_set_added_and_removed() -> None:
    text = '# head\ntitle = "a" # t\n\n[mesh] # m\nfile = "x.geo" # f\n\n[[stages]] # s\nname = "one"\n\n'
    text += '[output]\nevery = "1 s" # e\n'
    set_once = edited(text, ("mesh", "size"), "set", "2 mm")
    assert set_once == text.replace("# f\n", '# f\nsize = "2 mm"\n')
    added = edited(text, ("stages", 1), "set", {"name": "two"})
    assert added == text.replace("[output]", '[[stages]]\nname = "two"\n\n[output]')
    assert edited(text, ("output", "every"), "remove", None) == text.replace('every = "1 s" # e\n', "")
    assert edited(text, ("title",), "expression", "'b'") == text.replace('"a"', "'b'")


@pytest.mark.parametrize("given", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_text_is_set_as_text(given: str) -> None:
    changed = edited('title = "a"\n[mesh]\nsize = "1 mm"\n', ("title",), "set", given)
    assert tomllib.loads(changed) == {"title": given, "mesh": {"size": "1 mm"}}


@pytest.mark.parametrize(
    ("path", "action", "value"),
    [
        ((), "set", 1),
        (("title", "x"), "set", 1),
        (("s", 7), "set", {}),
        (("none",), "remove", None),
        (("title",), "expression", "1\nevil = 2"),
        (("title",), "expression", "[[["),
        (("title",), "set", None),
        (("s", "x"), "set", 1),
    ],
    ids=["nothing", "inside-a-value", "gap", "not-there", "two-lines", "no-toml", "null", "name-in-a-list"],
)
def test_what_would_change_anything_else_is_refused(path: tuple[Any, ...], action: Any, value: Any) -> None:
    with pytest.raises(RefusedError):
        edited('title = "a"\ns = [1]\n', path, action, value)
