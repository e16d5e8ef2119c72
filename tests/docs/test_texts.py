"""What the documentation says is so: commands, keys, files and sources exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from nanowarm.sections import CaseInput
from nanowarm.studies.study_file import StudyInput

ROOT = Path(__file__).parents[2]


def test_every_command_line_of_the_documentation_is_one_that_the_program_takes(
    command_lines: list[tuple[str, str]], commands: dict[str, Any]
) -> None:
    assert len(command_lines) > 20
    for page, line in command_lines:
        words = [word for word in shlex.split(line.split(" > ")[0])[1:] if word != "--debug"]
        assert words[0] in commands, f"{page}: {line}"
        known = {option for parameter in commands[words[0]].params for option in parameter.opts} | {"--help"}
        assert not [word for word in words[1:] if word.startswith("-") and word not in known], f"{page}: {line}"


def test_every_command_has_a_line_that_shows_it(command_lines: list[tuple[str, str]], commands: dict[str, Any]) -> None:
    shown = {shlex.split(line)[1] for _, line in command_lines}
    assert set(commands) - shown <= {"report"}  # a table tells of it


def test_every_shipped_file_that_a_command_line_names_exists(command_lines: list[tuple[str, str]]) -> None:
    named = {word for _, line in command_lines for word in shlex.split(line) if re.match(r"(cases|meshes)/", word)}
    assert named
    assert not [name for name in named if not (ROOT / name).is_file()]


@pytest.mark.parametrize(("record", "page"), [(CaseInput, "page"), (StudyInput, "study_page")], ids=["case", "study"])
def test_every_key_of_the_schema_is_on_its_page(own_modules: Path, record: type[BaseModel], page: str) -> None:
    from pages import case_reference

    schema = record.model_json_schema()
    text = getattr(case_reference, page)()
    for name, part in [("", schema), *schema.get("$defs", {}).items()]:
        assert not name or f"(record-{name.lower()})=" in text, name
        rows = text.split(f"(record-{name.lower()})=")[-1].split("(record-")[0] if name else text.split("(record-")[0]
        for key in part.get("properties", {}):
            assert f"| `{key}` |" in rows or key == "kind", f"{name}.{key}"


def test_every_value_of_the_library_is_on_a_page(own_modules: Path) -> None:
    from pages import library_reference

    text = library_reference.materials() + library_reference.particles() + library_reference.coils()
    text += library_reference.damage_sets()
    files = list((ROOT / "solver" / "nanowarm" / "library").glob("*/*.toml"))
    assert len(files) > 40
    assert text.count("\n## ") + text.startswith("## ") == len(files)
    for file in files:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        body = text[text.index(f"## {content['name']}\n") :].split("\n## ")[0]
        for key, value in content.items():
            assert not isinstance(value, dict) or "source" not in value or f"| `{key}` |" in body, f"{file.name}: {key}"


def test_every_page_of_the_theory_cites_a_source(texts: dict[str, str]) -> None:
    theory = {page: text for page, text in texts.items() if "/theory/" in page and not page.endswith("index.md")}
    assert len(theory) == 9
    for page, text in theory.items():
        assert "{cite}`" in text, page


def test_every_entry_of_the_sources_has_authors_title_and_year(own_modules: Path) -> None:
    from pages.citations import sources

    for source in sources().values():
        assert {"author", "title", "year"} <= set(source.fields), source.key


def test_text_of_the_library_is_shown_as_it_is(own_modules: Path) -> None:
    from pages.markup import plain, table

    assert plain("a_b *c* [d](e) <f> $g$ |h|") == r"a\_b \*c\* \[d\](e) \<f\> \$g\$ \|h\|"
    assert table(("one", "two"), [["a\nb", "c"]]).splitlines() == ["{.sortable}", "| one | two |", "| --- | --- |", "| a b | c |"]


@pytest.mark.parametrize("record", [CaseInput, StudyInput], ids=["case", "study"])
def test_every_key_of_the_schema_says_what_it_is_for_editors_and_the_reference(record: type[BaseModel]) -> None:
    schema = record.model_json_schema()
    keys = {
        (name, key): part.get("description", "")
        for name, section in [("", schema), *schema["$defs"].items()]
        for key, part in section.get("properties", {}).items()
        if key != "kind"
    }
    assert len(keys) > 25
    assert not [key for key, told in keys.items() if len(told) < 5 or told.startswith(("[", "a number with a unit"))]
    assert not [name for name, section in schema["$defs"].items() if "Args:" in section.get("description", "")]
