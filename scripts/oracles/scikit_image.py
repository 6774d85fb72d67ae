#!/usr/bin/env python3
"""A second source for SSIM and the co-occurrence features: scikit-image.

    scikit_image.py OUT.json

writes what scikit-image computes on small images made by integer formulas, which
tests/metrics/scikit_image.hpp repeats. Needs Debian's python3-skimage; the tests need only the file.

SSIM: structural_similarity with Gaussian weights of sigma 1.5 (11 x 11), population covariances,
mean over windows wholly inside. GLCM: graycomatrix at distance 1, angle 0, not symmetric, over
floor(sample * levels / 2^depth); contrast, energy (its "ASM": sum p^2) and correlation by
graycoprops, homogeneity from the same matrix as sum p / (1 + |i - j|), since graycoprops has
1 + (i - j)^2 there.
"""

import json
import sys

import numpy as np
import skimage
from skimage.feature import graycomatrix, graycoprops
from skimage.metrics import structural_similarity

ROWS, COLS = 48, 67
MASK = (1 << 64) - 1


def splitmix64(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


# Sample value from row, column and full scale (255 or 65535).
FORMULAS = {
    "ramp": lambda r, c, full: full * (3 * r + 2 * c) // 300,
    "hills": lambda r, c, full: full * (abs(r * 5 % 96 - 48) * abs(c * 3 % 134 - 67) + 200) // 4000,
    "blocks": lambda r, c, full: full * (9 if (r // 7 + c // 5) % 2 else 2) // 10,
    "flat": lambda r, c, full: full * 2 // 5,
    "noise": lambda r, c, full: splitmix64(r * COLS + c) & full,
    "noise2": lambda r, c, full: splitmix64((r * COLS + c) ^ 0xFFFF0000) & full,
    "grainy": lambda r, c, full: FORMULAS["hills"](r, c, full) * 7 // 8
    + (splitmix64(r * COLS + c) & (full >> 4)),
}


def image(name, full):
    rows = [[FORMULAS[name](r, c, full) for c in range(COLS)] for r in range(ROWS)]
    return np.array(rows, dtype=np.uint8 if full == 255 else np.uint16)


def ssim(a, b, full):
    return structural_similarity(
        a, b, data_range=full, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )


def glcm(samples, full, levels):
    quantised = (samples.astype(np.uint32) * levels // (full + 1)).astype(np.uint8)
    p = graycomatrix(quantised, [1], [0], levels=levels, symmetric=False, normed=True)
    i, j = np.indices((levels, levels))
    return {
        "glcm_contrast": float(graycoprops(p, "contrast")[0, 0]),
        "glcm_homogeneity": float((p[:, :, 0, 0] / (1 + np.abs(i - j))).sum()),
        "glcm_energy": float(graycoprops(p, "ASM")[0, 0]),
        "glcm_correlation": float(graycoprops(p, "correlation")[0, 0]),
    }


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    out = {
        "origin": "scikit-image " + skimage.__version__ + ", numpy " + np.__version__,
        "command": "scripts/oracles/scikit_image.py tests/metrics/data/scikit_image.json",
        "rows": ROWS,
        "cols": COLS,
        "ssim": [],
        "glcm": [],
    }
    for bits, full in ((8, 255), (16, 65535)):
        for a, b in (
            ("ramp", "noise"),
            ("hills", "noise"),
            ("blocks", "noise"),
            ("flat", "noise"),
            ("noise2", "noise"),
            ("hills", "grainy"),
            ("hills", "ramp"),
            ("flat", "flat"),
        ):
            value = ssim(image(a, full), image(b, full), full)
            out["ssim"].append({"bits": bits, "a": a, "b": b, "value": float(value)})
        for name in FORMULAS:
            if name == "flat":  # no correlation; scikit-image says 1
                continue
            values = glcm(image(name, full), full, 8)
            for key, value in glcm(image(name, full), full, 256).items():
                values[key + "_256"] = value
            out["glcm"].append({"bits": bits, "image": name, "values": values})
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(out, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
