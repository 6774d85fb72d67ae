"""What the parts of the confusion do to the correlation, with uniform outputs; NumPy only.

Prints mean |r| sqrt(N), mean r sqrt(N) and the share of |r| sqrt(N) above 1.96 (0.05 under a random
permutation) of horizontally, vertically and diagonally (to the right and down; to the left and
down) adjacent pixels over the test images and KEYS keys each, with one standard error over keys:
as in the cipher, with parts left out or changed, and of a random permutation.

python3 scripts/train/confusion_parts.py --sipi DIR
"""
import argparse
import copy
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import common  # noqa: E402

KEYS = 8
# Kinds of exchanges before the order of the rows and between the two orders.
CIPHER = (("row",), ("crossing", "column"))
WAYS = {"as in the cipher": CIPHER,
        "crossings of neighbours": CIPHER,
        "pixels of a column shuffled": CIPHER,
        "random permutation": CIPHER,
        "no row exchanges": ((), ("crossing", "column")),
        "no column exchanges": (("row",), ("crossing",)),
        "no crossings": (("row",), ("column",)),
        "no exchanges": ((), ()),
        "crossings before the order of rows": (("crossing", "row"), ("column",))}


def scaled(image):
    """r sqrt(N) of the four directions, (channels, 4)."""
    r = np.hstack([common.adjacent(image), common.adjacent(image[:, ::-1])[:, 2:]])
    return r * np.sqrt(image.shape[0] * image.shape[1])


def summary(image):
    """|r| sqrt(N), r sqrt(N) and whether |r| sqrt(N) is above 1.96, channels averaged; (3, 4)."""
    r = scaled(image)
    return np.stack([np.abs(r), r, np.abs(r) > 1.96]).mean(axis=1)


def text(value):
    """Means and errors of values (images, keys, 3, 4), those of `summary`."""
    mean, (images, keys) = value.mean(axis=(0, 1)), value.shape[:2]
    error = np.sqrt((value.var(axis=1, ddof=1) / keys).sum(axis=0)) / images
    absolute, signed, above = (" / ".join(f"{a:+.2f} ± {b:.2f}" for a, b in zip(*pair))
                               for pair in zip(mean, error))
    return (f"|r| sqrt(N) {absolute.replace('+', '')}, r sqrt(N) {signed}, "
            f"above 1.96 {above.replace('+', '')}")


def of_neighbours(line, rows, columns):
    """The line with a crossing of neighbours in either line, not spread over them."""
    if not line.crossing:
        return line
    line, k = copy.copy(line), np.arange(len(line.along))
    line.along = (line.along[0] + k) % (columns if line.is_row else rows)
    line.along2 = (line.along2[0] + k) % (columns if line.partner_is_row else rows)
    return line


def way_map(way, lines, rows, columns, seed):
    """The map of one way of WAYS."""
    if way == "crossings of neighbours":
        lines = [of_neighbours(line, rows, columns) for line in lines]
    m, rng = common.apply_lines(lines, rows, columns, *WAYS[way]), np.random.default_rng(seed)
    if way == "random permutation":
        m = rng.permutation(m)
    if way == "pixels of a column shuffled":  # every column by itself; the scan has laid them flat
        m = rng.permuted(m.reshape(columns, rows), axis=1).reshape(-1)
    return m


def main():
    parser = argparse.ArgumentParser(description="Parts of the confusion, uniform outputs.")
    parser.add_argument("--sipi", help="directory with misc, aerials, textures")
    args = parser.parse_args()
    images = common.load_split(args.sipi)[1] or common.generated_set(10_007, 13, 256)
    values = {way: np.zeros((len(images), KEYS, 3, 4)) for way in WAYS}
    for i, name in enumerate(sorted(images)):
        rows, columns, _ = images[name].shape
        for k in range(KEYS):
            lines = common.confusion_lines(*common.test_key("measure", name, k),
                                           images[name].shape, common.UniformOutputs())
            for way in WAYS:
                m = way_map(way, lines, rows, columns, [i, k])
                values[way][i, k] = summary(common.confused(images[name], m))
    for way, value in values.items():
        print(f"{way}: {text(value)}", flush=True)


if __name__ == "__main__":
    main()
