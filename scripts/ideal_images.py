#!/usr/bin/python3
"""Ideal ciphers to calibrate verdicts on: crops of real images, and uniform noise as their cipher images.

    scripts/ideal_images.py IMAGES OUT

IMAGES: a folder of TIFF files, 8 bit, gray or RGB. Writes OUT/gray and OUT/colour, each with the folders plain
(2,000 crops of 96 x 96; 1,000 of 64 x 64), cipher and cipher-2 (SHAKE-256 of a label: the same on every machine).
"""

import hashlib
import pathlib
import sys

import numpy as np
from PIL import Image

SETS = [("gray", 2000, 96), ("colour", 1000, 64)]


def uniform(label, count):
    """Uniform bytes for a label."""
    return hashlib.shake_256(("ideal_images " + label).encode()).digest(count)


def write_pnm(path, pixels):
    """PGM or PPM."""
    kind = b"P6" if pixels.ndim == 3 else b"P5"
    path.write_bytes(kind + b"\n%d %d\n255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes())


def main():
    """Command line."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    images = [np.asarray(Image.open(path)) for path in sorted(pathlib.Path(sys.argv[1]).glob("*.tiff"))]
    for kind, count, side in SETS:
        out = pathlib.Path(sys.argv[2]) / kind
        pool = [image for image in images if (image.ndim == 3) == (kind == "colour")]
        if not pool:
            sys.exit(f"{sys.argv[1]}: expected {kind} TIFF files, found none")
        for folder in ("plain", "cipher", "cipher-2"):
            (out / folder).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            image = pool[i % len(pool)]
            place = int.from_bytes(uniform(f"{kind} {i} place", 8), "little")
            row = place % (image.shape[0] - side + 1)
            col = (place >> 32) % (image.shape[1] - side + 1)
            crop = image[row:row + side, col:col + side]
            write_pnm(out / "plain" / f"{i:04}.pnm", crop)
            for folder in ("cipher", "cipher-2"):
                noise = uniform(f"{kind} {i} {folder}", crop.size)
                write_pnm(out / folder / f"{i:04}.pnm", np.frombuffer(noise, np.uint8).reshape(crop.shape))


if __name__ == "__main__":
    main()
