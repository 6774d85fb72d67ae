"""What the exchanges do to the correlation after one confusion, with uniform outputs; NumPy only.

Prints mean |r| sqrt(N) and mean r sqrt(N) of horizontally, vertically and diagonally (to the right
and down; to the left and down) adjacent pixels over the test images and KEYS keys each, with one
standard error over keys: as in the cipher, with parts left out, with the crossings elsewhere.

python3 scripts/train/confusion_parts.py --sipi DIR
"""
import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import common  # noqa: E402

KEYS = 8
WAYS = {"as in the cipher": (("row",), ("crossing", "column")),
        "no crossings": (("row",), ("column",)),
        "no exchanges": ((), ()),
        "crossings before the order of rows": (("crossing", "row"), ("column",))}


def scaled(image, m):
    """r sqrt(N) of the four directions, (channels, 4)."""
    out = common.confused(image, m)
    r = np.hstack([common.adjacent(out), common.adjacent(out[:, ::-1])[:, 2:]])
    return r * np.sqrt(image.shape[0] * image.shape[1])


def main():
    parser = argparse.ArgumentParser(description="Parts of the confusion, uniform outputs.")
    parser.add_argument("--sipi", help="directory with misc, aerials, textures")
    args = parser.parse_args()
    images = common.load_split(args.sipi)[1] or common.generated_set(10_007, 13, 256)
    values = {way: np.zeros((len(images), KEYS, 2, 4)) for way in WAYS}
    for i, name in enumerate(sorted(images)):
        rows, columns, _ = images[name].shape
        for k in range(KEYS):
            lines = common.confusion_lines(*common.test_key("measure", name, k),
                                           images[name].shape, common.UniformOutputs())
            for way, kinds in WAYS.items():
                r = scaled(images[name], common.apply_lines(lines, rows, columns, *kinds))
                values[way][i, k] = np.stack([np.abs(r), r]).mean(axis=1)
    for way, value in values.items():
        mean = value.mean(axis=(0, 1))
        error = np.sqrt((value.var(axis=1, ddof=1) / KEYS).sum(axis=0)) / len(images)
        absolute, signed = (" / ".join(f"{a:+.2f} ± {b:.2f}" for a, b in zip(*pair))
                            for pair in zip(mean, error))
        print(f"{way}: |r| sqrt(N) {absolute.replace('+', '')}, r sqrt(N) {signed}", flush=True)


if __name__ == "__main__":
    main()
