"""The text of a Gmsh recipe, read exactly as Gmsh's own scanner reads it; nothing here imports Gmsh."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from nanowarm.errors import MeshError

# Gmsh reads a file by its suffix where it knows it, in lower or upper case but not mixed; every other
# file is a script unless it starts as below (OpenFile.cpp of Gmsh 4.15).
_BY_SUFFIX = frozenset(
    (
        *(
            ".stl",
            ".nii",
            ".brep",
            ".rle",
            ".brp",
            ".xao",
            ".iges",
            ".igs",
            ".step",
            ".stp",
            ".sat",
            ".unv",
            ".vtk",
        ),
        *(
            ".wrl",
            ".vrml",
            ".iv",
            ".mesh",
            ".off",
            ".obj",
            ".diff",
            ".med",
            ".mmed",
            ".rmed",
            ".bdf",
            ".nas",
            ".neu",
        ),
        *(".p3d", ".pnm", ".pbm", ".pgm", ".ppm", ".bmp", ".jpg", ".jpeg", ".png", ".ply2", ".ply", ".cgns"),
    )
)
# Gmsh starts a program for each of these.
_PROGRAMS = frozenset((".gz", ".py", ".m", ".exe", ".pro"))
# Beginnings of the files that it takes for a mesh or for results, whatever their suffix.
_DATA_HEADERS = (b"$PTS", b"$NO", b"$PARA", b"$ELM", b"$MeshFormat", b"$Comments", b"$PostFormat", b"$View")
_LONGEST_HEADER = 16
_LONGEST_STRING = 1023  # Gmsh reads what follows in a longer string as script

_TOKEN = re.compile(
    r"""(?P<space>[ \t\n\r\f]+)
      | (?P<comment>//[^\n]*|/\*.*?\*/)
      | (?P<string>"[^"]*"|'[^']*')
      | (?P<open>/\*|"|')
      | (?P<number>\d+\.?\d*(?:[Ee][-+]?\d+)?|\.\d+(?:[Ee][-+]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
      | (?P<sign>>>|::|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """One word, string, number or sign of a recipe.

    Args:
        kind: "name", "string", "number" or "sign".
        text: the characters; of a string those between its quotes.
        line: number of the line it begins on, from 1.
    """

    kind: str
    text: str
    line: int


@dataclass(frozen=True)
class Script:
    """A recipe's text.

    Args:
        path: where it was read.
        text: all characters, one per byte.
        tokens: what Gmsh sees: no comments, no blanks.
    """

    path: Path
    text: str
    tokens: tuple[Token, ...]


def is_script(path: Path) -> bool:
    """Whether Gmsh would run the file as a script.

    Raises:
        MeshError: the file is missing, or Gmsh would start a program to read it.
    """
    suffix = path.suffix
    if suffix.lower() in _PROGRAMS:
        raise MeshError(f"{path}: Gmsh would start a program to read a {suffix} file; that is refused")
    if suffix.lower() in _BY_SUFFIX and suffix in (suffix.lower(), suffix.upper()):
        return False
    return not _bytes(path, _LONGEST_HEADER).startswith(_DATA_HEADERS)


def read_script(path: Path) -> Script:
    """The tokens of a recipe.

    Raises:
        MeshError: the file is missing, or its comments or strings do not end where they seem to.
    """
    text = _bytes(path).decode("latin-1")
    if "\\" in str(path):
        raise MeshError(f"{path}: Gmsh takes a backslash for the end of a folder's name; rename the file or folder")
    if "\0" in text:
        raise MeshError(f"{path}: a recipe is text, and this file holds zero bytes; give the .geo file")
    tokens = []
    line = 1
    for match in _TOKEN.finditer(text):
        kind = str(match.lastgroup)
        if kind == "open" or (kind == "string" and len(match[0]) - 2 >= _LONGEST_STRING):
            raise MeshError(f"{path}:{line}: a comment or string is not closed or too long; close it")
        if kind not in ("space", "comment"):
            tokens.append(Token(kind, match[0][1:-1] if kind == "string" else match[0], line))
        line += match[0].count("\n")
    return Script(path, text, tuple(tokens))


def _bytes(path: Path, count: int = -1) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError as error:
        raise MeshError(f"{path}: can't be read ({error.strerror}); check the name") from None


@dataclass(frozen=True)
class Recipe:
    """A recipe with everything that it reads.

    Args:
        scripts: the recipe, then each script it includes, merges or implies, once.
        files: paths of those scripts and of all other files they read.
    """

    scripts: tuple[Script, ...]
    files: tuple[Path, ...]


def read_recipe(path: Path) -> Recipe:
    """A recipe, or any other file for Gmsh, with all files that Gmsh would read along with it.

    Raises:
        MeshError: a file is missing, its name is computed, or Gmsh would start a program to read it.
    """
    scripts: list[Script] = []
    seen: dict[Path, None] = {}
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop(0)
        if file in seen:
            continue
        seen[file] = None
        # Gmsh silently reads the options file of every file that it opens.
        options = file.with_name(file.name + ".opt")
        if options.exists():
            waiting.append(options)
        if is_script(file):
            scripts.append(read_script(file))
            waiting += _named_files(scripts[-1])
    return Recipe(tuple(scripts), tuple(seen))


_OPENERS = frozenset(("Include", "include", "Merge", "MergeWithBoundingBox"))
_READERS = frozenset(("ShapeFromFile", "ListFromFile"))


def _named_files(script: Script) -> list[Path]:
    """Paths of the files that a script reads, in order."""
    found = []
    tokens = (*script.tokens, *[Token("sign", "", 0)] * 3)
    for i, token in enumerate(script.tokens):
        if token.kind != "name":
            continue
        follows = tokens[i + 1 : i + 4]
        if token.text in _OPENERS:
            name, literal = follows[0], follows[0].kind == "string" and follows[1].text == ";"
        elif token.text in _READERS:
            name, literal = follows[1], follows[1].kind == "string" and follows[2].text in (")", "]")
        elif token.text == "FileName" and follows[0].text == "=":
            name, literal = follows[1], follows[1].kind == "string" and follows[2].text == ";"
        else:
            continue
        place = f"{script.path}:{token.line}"
        if not literal:
            raise MeshError(f'{place}: {token.text} must name its file in quotes, e.g. {token.text} "part.geo";')
        found.append(_beside(script.path, name.text, place))
    return found


def _beside(recipe: Path, name: str, place: str) -> Path:
    """Where Gmsh looks for a file named in a recipe: relative to the recipe's folder."""
    if not name or "\\" in name or name[1:2] == ":":
        raise MeshError(f"{place}: {name!r} is not the name of a file beside the recipe; use / between folders")
    path = Path(os.path.normpath(recipe.parent / name))
    if not path.is_file():
        raise MeshError(f"{place}: there is no file {path}; correct the name or put the file there")
    return path
