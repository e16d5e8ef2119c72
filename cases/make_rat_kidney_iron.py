"""Make `rat-kidney-iron.nrrd`, the synthetic image of `rat-kidney-map.toml`; run it to make the image anew.

Grey values stand for CT numbers: 40 in tissue without iron, 40 more for each mgFe/mL (an invented calibration).
Iron is highest in the outer cortex, half of it in the medulla, and one pole is filled less well than the other, as
imperfect perfusion leaves it (Joshi et al. 2022, doi:10.1115/1.4053105, report such distributions in hearts).
"""

from pathlib import Path

import numpy as np
import SimpleITK

SPACING = 0.4  # [mm]
HALF = np.array([5.5, 10.5, 5.3])  # [mm], of the kidney of 1.3 mL
TISSUE, PER_IRON = 40.0, 40.0  # grey value without iron, and per mgFe/mL


def main() -> None:
    """Write the image beside this file."""
    count = np.ceil(2.0 * (HALF + 1.0) / SPACING).astype(int)
    axes = [(np.arange(n) - (n - 1) / 2.0) * SPACING for n in count]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    depth = np.sqrt((x / HALF[0]) ** 2 + (y / HALF[1]) ** 2 + (z / HALF[2]) ** 2)
    iron = np.interp(depth, [0.5, 0.9], [2.6, 4.6]) * (1.0 + 0.12 * y / HALF[1])  # mgFe/mL
    grey = np.where(depth < 1.3, TISSUE + PER_IRON * iron, TISSUE)
    image = SimpleITK.GetImageFromArray(np.round(grey).astype(np.int16).transpose(2, 1, 0))
    image.SetSpacing([SPACING] * 3)
    image.SetOrigin([axis[0] for axis in axes])
    SimpleITK.WriteImage(image, str(Path(__file__).parent / "rat-kidney-iron.nrrd"), useCompression=True)


if __name__ == "__main__":
    main()
