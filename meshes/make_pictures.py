"""Pictures of all recipes for the gallery in README.md: `python meshes/make_pictures.py [NAME ...]`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
# Edge length of the cells, and parameters where the default leaves a part of the recipe out.
SHOWN = {
    "artery_ring": ("0.4 mm", {}),
    "brain": ("7 mm", {}),
    "cryobag": ("4 mm", {}),
    "cryovial": ("0.6 mm", {}),
    "heart": ("0.7 mm", {}),
    "kidney": ("0.8 mm", {}),
    "limb": ("2 mm", {}),
    "liver": ("2 mm", {}),
    "organ_in_container": ("0.9 mm", {"wall": "1 mm"}),
    "slab": ("0.4 mm", {}),
    "sphere": ("0.8 mm", {"core": "3 mm"}),
    "valve_leaflet": ("0.8 mm", {}),
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


def main() -> None:
    """Draw the recipes named on the command line, or all."""
    (HERE / "pictures").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or SHOWN:
            draw(name, Path(folder))


if __name__ == "__main__":
    main()
