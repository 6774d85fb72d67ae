#!/usr/bin/env python3
"""Tests of figures.py on synthetic results; to be run as a script.

`synthesise` writes what `icbench reproduce` writes, made up but plausible: the maps are computed,
the "cipher" is a random image, the "confusion" a random permutation.
"""

import csv
import hashlib
import math
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

import matplotlib

matplotlib.use("Agg")

import matplotlib.image
import numpy as np

SCRIPT = pathlib.Path(__file__).resolve().with_name("figures.py")
SUBJECTS = ("identity", "khazaal2024-confusion", "khazaal2024")
STAGES = dict(zip(SUBJECTS, ("plain", "confusion", "cipher")))
DIRECTIONS = {"horizontal": (0, 1), "vertical": (1, 0), "diagonal": (1, 1)}
PAIRS = ((1.4, 0.3), (1.2, 0.4), (1.3, 0.3), (1.3, 0.4))
TABLE2 = (("Runs", 0.92, 0.96), ("Binary matrix rank", 0.95, 0.98), ("Longest run", 0.72, 0.89),
          ("Frequency", 0.96, 0.98), ("FFT", 0.59, 0.86), ("Linear complexity", 0.85, 0.99),
          ("Approximate entropy", 0.96, 0.99), ("Random excursions", 0.96, 0.99),
          ("Random excursions variant", 0.95, 0.98))
TABLE3 = (
    (1, "RGB", "512 x 512", "4.2.03", "", (0.962, 0.951, 0.921)),
    (2, "Grayscale", "512 x 512", "boat.512", "", (0.932, 0.978, 0.937)),
    (3, "RGB", "1,200 x 110", "2.2.01", "2.2.01 (1,024 x 1,024)", (0.893, 0.887, 0.897)),
    (3, "RGB", "1,200 x 1,100", "2.2.01", "2.2.01 (1,024 x 1,024)", (0.893, 0.887, 0.897)),
    (4, "RGB", "512 x 512", "4.2.05", "", (0.932, 0.936, 0.976)),
    (5, "RGB", "1,200 x 110", "2.2.05", "2.2.05 (1,024 x 1,024)", (0.973, 0.978, 0.938)),
    (6, "Grayscale", "512 x 512", "5.2.10", "", (0.872, 0.886, 0.871)))
STEMS = ("figure3", "figure6", "figure8", "figure8_sipi", "figure9", "figure9_sipi",
         "figure9_sipi_statistics", "training_curve", "table2", "table3")


def write_csv(path, header, rows):
    """Writes one CSV file; numbers in full precision."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def logistic_data(data, detail):
    """Orbit, attractor and Lyapunov exponent of the logistic map."""
    x, orbit = 0.5, []
    for n in range(1, 201):
        orbit.append((n, x))
        x = 3.99 * x * (1 - x)
    write_csv(data / "figure3_logistic_orbit.csv", "n,x", orbit)
    r = np.linspace(2.8, 4.0, 200 * detail)
    x, total, points = np.full_like(r, 0.3), np.zeros_like(r), []
    for n in range(400):
        x = r * x * (1 - x)
        total += np.log(np.maximum(np.abs(r * (1 - 2 * x)), 1e-12))
        if n >= 360:
            points += list(zip(r.tolist(), x.tolist()))
    write_csv(data / "figure3_logistic_bifurcation.csv", "r,x", sorted(points))
    write_csv(data / "figure3_logistic_lyapunov.csv", "r,lyapunov",
              zip(r.tolist(), (total / 400).tolist()))


def henon_orbits(data, detail):
    """One orbit of every parameter pair, until it is no longer finite."""
    rows = []
    for a, b in PAIRS:
        x, y = 0.1, 0.1
        for n in range(1000 + 2000 * detail):
            rows.append((a, b, n, x, y))
            if abs(x) > 1e150:
                rows.append((a, b, n + 1, "-inf", "nan"))
                break
            x, y = 1 - a * x * x + y, b * x
    write_csv(data / "figure3_henon_orbits.csv", "a,b,n,x,y", rows)


def henon_map(data, detail):
    """The largest Lyapunov exponent on a grid."""
    a, b = np.meshgrid(np.linspace(0.8, 1.5, 24 * detail), np.linspace(0.1, 0.5, 20 * detail))
    x, y = np.full_like(a, 0.1), np.full_like(a, 0.1)
    u, v, total = np.ones_like(a), np.zeros_like(a), np.zeros_like(a)
    with np.errstate(all="ignore"):
        for n in range(600):
            u, v = -2 * a * x * u + v, b * u
            x, y = 1 - a * x * x + y, b * x
            norm = np.hypot(u, v)
            u, v = u / norm, v / norm
            total += np.log(norm) if n >= 100 else 0
    rows = []
    for p, q, end, exponent in zip(*(k.ravel().tolist() for k in (a, b, x, total / 500))):
        if not math.isfinite(end) or abs(end) > 1e6:
            rows.append((p, q, "escapes", "", 30))
        else:
            rows.append((p, q, "chaotic" if exponent > 0 else "periodic", exponent, 600))
    write_csv(data / "figure3_henon_lyapunov.csv", "a,b,state,lyapunov,steps", rows)


def exchange_data(data):
    """The 4 x 4 example of Figure 6."""
    values = {(r, c): 16 * (4 * (r - 1) + c) - 7 for r in range(1, 5) for c in range(1, 5)}
    swap = {(1, 1): (4, 4), (4, 4): (1, 1), (2, 3): (4, 1), (4, 1): (2, 3)}
    rows = []
    for stage in ("plain", "exchanged"):
        for place in values:
            source = swap.get(place, place) if stage == "exchanged" else place
            rows.append((stage, *place, f"{source[0]},{source[1]}", values[source]))
    write_csv(data / "figure6_exchange.csv", "stage,row,col,label,value", rows)


def smooth_picture(size, channels, rng):
    """A picture with shapes, gradients and a little noise."""
    y, x = np.mgrid[0:size, 0:size] / size
    planes = []
    for k in range(channels):
        plane = 90 + 70 * np.sin(3 * x + k) * np.cos(4 * y - k) + 40 * (x + y)
        plane = np.where((x - 0.5) ** 2 + (y - 0.45) ** 2 < 0.06, plane * 0.5 + 30 * k, plane)
        planes.append(plane + rng.normal(0, 5, plane.shape))
    return np.clip(np.stack(planes, axis=-1), 0, 255).astype(np.uint8)


def pictures_of(plain, rng):
    """The plain picture, its pixels in random order, and a random picture."""
    flat = plain.reshape(-1, plain.shape[2])
    shuffled = flat[rng.permutation(len(flat))].reshape(plain.shape)
    cipher = rng.integers(0, 256, plain.shape, dtype=np.uint8)
    return {"plain": plain, "confusion": shuffled, "cipher": cipher}


def png_chunk(kind, content):
    """One chunk of a PNG file."""
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def write_picture(path, pixels):
    """Writes an 8-bit gray or RGB picture; matplotlib itself cannot write gray ones."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, 0 if channels == 1 else 2, 0, 0, 0)
    lines = b"".join(b"\0" + pixels[row].tobytes() for row in range(height))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
                     + png_chunk(b"IDAT", zlib.compress(lines)) + png_chunk(b"IEND", b""))


def picture_data(directory, plains, rng, pairs):
    """Pictures, histograms and sampled pairs of every set."""
    histogram, sampled, quantities = [], [], []
    for image_set, plain in plains.items():
        stages = pictures_of(plain, rng)
        names = ("gray",) if plain.shape[2] == 1 else ("r", "g", "b")
        image = {"generated": "smoke_shapes", "sipi": "4.2.03"}[image_set]
        difference = np.abs(stages["plain"].astype(int) - stages["cipher"]).astype(np.uint8)
        for stage, pixels in (*stages.items(), ("difference", difference)):
            write_picture(directory / f"images/{image_set}_{stage}.png", pixels)
        quantities += [
            (image_set, image, "mean_plain", plain.mean()),
            (image_set, image, "mean_cipher", stages["cipher"].mean()),
            (image_set, image, "correlation_2d", -0.00123), (image_set, image, "npcr", "")]
        for subject, stage in STAGES.items():
            for c, channel in enumerate(names):
                key, plane = (image_set, image, subject), stages[stage][..., c]
                counts = np.bincount(plane.ravel(), minlength=256)
                histogram += [(*key, channel, k, n) for k, n in enumerate(counts.tolist())]
                sampled += sample_pairs(key, channel, plane, rng, pairs)
    data = directory / "data"
    write_csv(data / "figure8.csv", "set,image,quantity,value", quantities)
    write_csv(data / "figure9_histogram.csv", "set,image,subject,channel,level,count", histogram)
    write_csv(data / "figure9_pairs.csv", "set,image,subject,direction,channel,x,y", sampled)


def sample_pairs(key, channel, plane, rng, count):
    """Adjacent pixels at random places."""
    rows = []
    for direction, (down, right) in DIRECTIONS.items():
        r = rng.integers(0, plane.shape[0] - 1, count)
        c = rng.integers(0, plane.shape[1] - 1, count)
        rows += [(*key, direction, channel, int(x), int(y)) for x, y in zip(
            plane[r, c], plane[r + down, c + right])]
    return rows


def training_data(directory, rng):
    """A curve that falls to the null, and the loss."""
    rows = []
    for epoch in (0, 1, 2, 3, 5, 8, 12, 20, 30, 40):
        for image_set, images in (("train", 64), ("test", 32)):
            for k, direction in enumerate(DIRECTIONS):
                null = 0.00155
                excess = (0.02, 0.03, 0.015)[k] * math.exp(-epoch / (3 + k))
                value = (null + excess) * (1 + 0.04 * rng.normal())
                rows.append(("feedback", epoch, image_set, direction, value, 0.06 * value, null,
                             images, 8))
    write_csv(directory / "training_curve.csv",
              "network,epoch,image_set,direction,mean_abs_r,se,null_mean_abs_r,images,keys", rows)
    write_csv(directory / "training_loss.csv", "epoch,loss",
              [(n, 22 * math.exp(-n / 6) + 1.1 + 0.1 * abs(rng.normal())) for n in range(41)])


def table2_data(directory, rng):
    """Proportions of 100 sequences; the excursion tests do not apply to all of them."""
    rows = []
    for number, (test, paper_p, paper_s) in enumerate(TABLE2, 1):
        for subject in (*SUBJECTS, "aes-256-ctr"):
            random = subject in ("khazaal2024", "aes-256-ctr")
            applicable = 61 if "excursions" in test else 100
            if "excursions" in test and not random:
                applicable = 0
            half = 3 * math.sqrt(0.99 * 0.01 / applicable) if applicable else 0
            proportion = rng.binomial(applicable, 0.99) / applicable if random else 0.0
            uniformity = float(rng.uniform()) if random else 1e-90
            figures = (proportion, 0.99 - half, min(1.0, 0.99 + half)) if applicable else ("",) * 3
            rows.append((number, test, paper_p, paper_s, subject, 100, applicable, applicable,
                         *figures, "", uniformity if applicable else "",
                         "pass" if random else "fail", "made up, for tests"))
    write_csv(directory / "table2_randomness.csv",
              "row,test,paper_p,paper_s,subject,sequences,applicable,p_values,proportion,"
              "proportion_low,proportion_high,worst_subtest,uniformity_p,verdict,detail", rows)


def table3_data(directory, rng):
    """Correlations of plain images, permutations and random images."""
    rows = []
    for row, kind, size, image, source, paper in TABLE3:
        width, height = (int(k.replace(",", "")) for k in size.split(" x "))
        for pairs in ("all", "5000"):
            n = width * height if pairs == "all" else 5000
            se = 1 / math.sqrt(n)
            for direction, value in zip(("vertical", "horizontal", "diagonal"), paper):
                plain = min(0.99, value + 0.03 * float(rng.normal()))
                cipher = se * float(rng.normal())
                confusion = se * float(rng.normal()) if row != 2 else 0.083
                rows.append((row, kind, size, image, source, pairs, direction, value, plain, se,
                             confusion, se, cipher, se, cipher / se, 0.5, n))
    write_csv(directory / "table3_correlation.csv",
              "row,type,size,image,derived_from,pairs,direction,paper,plain,plain_se,confusion,"
              "confusion_se,cipher,cipher_se,cipher_z,cipher_p,n", rows)


def synthesise(directory, detail=1, size=64, pairs=200):
    """Writes a whole results directory."""
    rng = np.random.default_rng(20240016)
    data = directory / "data"
    logistic_data(data, detail)
    henon_orbits(data, detail)
    henon_map(data, detail)
    exchange_data(data)
    plains = {"generated": smooth_picture(size, 3, rng), "sipi": smooth_picture(size, 1, rng)}
    picture_data(directory, plains, rng, pairs)
    training_data(directory, rng)
    table2_data(directory, rng)
    table3_data(directory, rng)


def run(directory):
    """Runs figures.py on a directory."""
    command = [sys.executable, str(SCRIPT), "--results", str(directory)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def figures_in(directory):
    """The names and SHA-256 of the figures in a directory."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for suffix in ("png", "pdf") for path in directory.glob(f"*.{suffix}")}


def all_figures(*absent):
    """The names of all figures but the absent ones."""
    return {f"{stem}.{suffix}" for stem in STEMS if stem not in absent
            for suffix in ("png", "pdf")}


class FiguresTest(unittest.TestCase):
    """Every test works on its own copy of one synthetic results directory."""

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.master = pathlib.Path(cls.scratch.name) / "master"
        synthesise(cls.master)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def setUp(self):
        self.results = pathlib.Path(self.scratch.name) / self.id()
        shutil.copytree(self.master, self.results)

    def replace(self, name, old, new):
        """Replaces the first occurrence of a text in a file."""
        path = self.results / name
        text = path.read_text(encoding="utf-8")
        self.assertIn(old, text)
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    def keep_only(self, *names):
        """Removes all inputs but the named ones, so that a run is short."""
        for path in [*self.results.rglob("*.csv"), *self.results.rglob("*.png")]:
            if path.relative_to(self.results).as_posix() not in names:
                path.unlink()

    def test_all_figures_and_same_bytes(self):
        first = run(self.results)
        self.assertEqual((first.returncode, first.stdout, first.stderr), (0, "", ""))
        digests = figures_in(self.results)
        self.assertEqual(set(digests), all_figures())
        for name in digests:
            path = self.results / name
            self.assertGreater(path.stat().st_size, 10_000, name)
            if path.suffix == ".png":
                pixels = matplotlib.image.imread(path)
                self.assertGreater(min(pixels.shape[:2]), 300, name)
                self.assertGreater(np.std(pixels[..., :3]), 0.02, name)
            else:
                content = path.read_bytes()
                self.assertTrue(content.startswith(b"%PDF-") and b"Date" not in content, name)
            path.unlink()
        self.assertEqual(run(self.results).returncode, 0)
        self.assertEqual(figures_in(self.results), digests)

    def test_missing_inputs_are_named_and_the_rest_is_drawn(self):
        (self.results / "data/figure3_henon_orbits.csv").unlink()
        (self.results / "images/generated_cipher.png").unlink()
        result = run(self.results)
        self.assertEqual(result.returncode, 3)
        self.assertIn("figure3 not drawn: missing data/figure3_henon_orbits.csv", result.stderr)
        self.assertIn("figure8 not drawn: missing images/generated_cipher.png", result.stderr)
        self.assertEqual(set(figures_in(self.results)),
                         all_figures("figure3", "figure8", "figure9"))

    def test_database_pictures_and_loss_may_be_absent(self):
        for path in self.results.glob("images/sipi_*.png"):
            path.unlink()
        (self.results / "training_loss.csv").unlink()
        result = run(self.results)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertEqual(set(figures_in(self.results)),
                         all_figures("figure8_sipi", "figure9_sipi"))

    def malformed(self, name, old, new, message):
        """One changed place makes the file be refused with the message."""
        self.keep_only(name)
        self.replace(name, old, new)
        result = run(self.results)
        self.assertEqual(result.returncode, 3)
        self.assertIn(f"{name}: {message}", result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_no_number(self):
        self.malformed("table3_correlation.csv", "vertical,0.962", "vertical,high",
                       "line 2: column paper: could not convert")

    def test_missing_field(self):
        self.malformed("data/figure6_exchange.csv", 'plain,1,2,"1,2",25', 'plain,1,2,"1,2"',
                       "line 3: 4 fields, the header has 5")

    def test_unknown_word(self):
        self.malformed("table2_randomness.csv", "aes-256-ctr", "aes",
                       "line 5: column subject: 'aes' is none of")

    def test_missing_column(self):
        self.malformed("training_curve.csv", "epoch", "step", "line 1: no column epoch")

    def test_unclosed_quote(self):
        self.malformed("data/figure6_exchange.csv", '"4,3"', '"4,3', "line ")

    def test_no_rows(self):
        name = "table2_randomness.csv"
        self.keep_only(name)
        header = (self.results / name).read_text(encoding="utf-8").splitlines()[0]
        (self.results / name).write_text(header + "\n", encoding="utf-8")
        result = run(self.results)
        self.assertEqual(result.returncode, 3)
        self.assertIn(f"{name}: line 1: no rows", result.stderr)

    def test_empty_file(self):
        name = "training_curve.csv"
        self.keep_only(name)
        (self.results / name).write_bytes(b"")
        self.assertIn(f"{name}: line 1: no column", run(self.results).stderr)

    def test_malformed_picture(self):
        self.keep_only("data/figure8.csv", *(f"images/generated_{stage}.png" for stage in (
            "plain", "cipher", "difference")))
        (self.results / "images/generated_plain.png").write_bytes(b"no picture")
        result = run(self.results)
        self.assertEqual(result.returncode, 3)
        self.assertIn("images/generated_plain.png: not a readable PNG", result.stderr)
        self.assertNotIn("Traceback", result.stderr)

    def test_no_directory_and_wrong_usage(self):
        self.assertEqual(run(self.results / "absent").returncode, 3)
        wrong = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, check=False)
        self.assertEqual(wrong.returncode, 2)


if __name__ == "__main__":
    unittest.main()
