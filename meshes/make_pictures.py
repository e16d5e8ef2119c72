"""The gallery of all recipes, README.md and its pictures: `python meshes/make_pictures.py [NAME ...]`.

The pictures are those of the recipes named, or all; the text comes from the comments at the head of each recipe.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# Edge length of the cells, and parameters where the default leaves a part of the recipe out.
SHOWN = {
    "artery_ring": ("0.4 mm", {}),
    "balloon_cavity": ("2.5 mm", {}),
    "brain": ("7 mm", {}),
    "cryobag": ("4 mm", {}),
    "cryovial": ("0.6 mm", {}),
    "heart": ("0.7 mm", {}),
    "kidney": ("0.8 mm", {}),
    "limb": ("2 mm", {}),
    "liver": ("2 mm", {}),
    "mouse_flank": ("1.2 mm", {}),
    "organ_in_container": ("0.9 mm", {"wall": "1 mm"}),
    "prostate": ("4 mm", {}),
    "slab": ("0.4 mm", {}),
    "sphere": ("0.8 mm", {"core": "3 mm"}),
    "valve_leaflet": ("0.8 mm", {}),
    "vessel": ("3 mm", {}),
    "vial": ("0.7 mm", {"wall": "1 mm"}),
}
CASE = """schema = 1
[mesh]
file = "{file}"
size = "{size}"
parameters = {{ {parameters} }}
[initial]
temperature = "20 degC"
[regions.any]
material = "VS55"
[[stages]]
name = "only"
duration = "1 s"
"""


def draw(name: str, folder: Path) -> None:
    """Mesh one recipe and put its picture into the gallery."""
    size, parameters = SHOWN[name]
    case, made = folder / f"{name}.toml", folder / name
    texts = ", ".join(f'{key} = "{value}"' for key, value in parameters.items())
    case.write_text(CASE.format(file=(HERE / f"{name}.geo").resolve(), size=size, parameters=texts))
    # The case names no region of the recipe: the mesh is made and saved all the same, and exit code 2 says so.
    subprocess.run([sys.executable, "-m", "nanowarm.cli", "mesh", str(case), "-o", str(made)], check=False, capture_output=True)
    look = [sys.executable, "-m", "nanowarm.results.mesh_picture", str(made), "--plain", "--width", "500"]
    subprocess.run(look, check=True, env={**os.environ, "VTK_DEFAULT_OPENGL_WINDOW": "vtkEGLRenderWindow"})
    shutil.copy(made / "picture.png", HERE / "pictures" / f"{name}.png")


_PARAMETER = re.compile(r'(\w+) = \{(.+?)(?:, (?:Min|Max) .*?)?, Name "Parameters/\d+ ([^"]*?) \[([^]]*)\]"\}')


def entry(name: str) -> str:
    """What the gallery says of one recipe: the comments at its head, and its parameters."""
    text = (HERE / f"{name}.geo").read_text(encoding="utf-8")
    head = re.match(r"(?://[^\n]*\n)+", text)
    lines = [line[2:].strip() for line in (head[0].splitlines() if head else [])]
    told = "\n".join(line for line in lines if not line.startswith(("unit:", "volume:")))
    rows = [f"| `{key}` | {what} | {default} | {unit} |" for key, default, what, unit in _PARAMETER.findall(text)]
    table = "\n".join(["| parameter | | default | unit |", "|---|---|---|---|", *rows])
    return f"## {name}\n\n![{name}, cut open](pictures/{name}.png)\n\n{told}\n\n{table}\n"


HEAD = """# Recipes

Parametric geometries for the key `file` of a case's `[mesh]`; they open in the Gmsh window as well (`gmsh heart.geo`:
the parameters are in the tree on the left). Lengths are in mm, `volume` scales a recipe from rat to human. Every recipe is
meshed at two sizes and two volumes by `tests/test_shipped_recipes.py`: volumes within 1 %, all names there, no cell of a
quality below 0.1, no sliver that multiplies the cost of a time step by more than 3. `python meshes/make_pictures.py`
makes this page anew.

"""


def main() -> None:
    """Draw the recipes named on the command line, or all."""
    (HERE / "pictures").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or SHOWN:
            draw(name, Path(folder))
    (HERE / "README.md").write_text(HEAD + "\n".join(map(entry, SHOWN)), encoding="utf-8")


if __name__ == "__main__":
    main()
