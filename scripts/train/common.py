"""Shared parts of the training of both networks: images, integer emulation, measurement, export.

Nothing here needs more than NumPy. The emulation of sections 1, 3 and 4 of docs/cipher.md is exact:
it works on the integers of the cipher, so what it measures is the quantised network.
"""
import hashlib
import hmac
import json
import struct
from pathlib import Path
from statistics import NormalDist

import numpy as np

MASK = (1 << 64) - 1
ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "cipher" / "khazaal2024" / "weights"
FORMAT = "icbench-weights-1"
VERSION = 1  # of docs/cipher.md

# USC-SIPI images by name. Test images are never trained on.
TEST_NAMES = ("4.1.04", "4.1.07", "4.2.03", "4.2.05", "4.2.07", "5.1.12", "5.2.08", "5.2.10",
              "5.3.01", "7.1.01", "7.1.05", "boat.512", "house")
TRAIN_NAMES = {
    "misc": ("4.1.01", "4.1.02", "4.1.03", "4.1.05", "4.1.06", "4.1.08", "4.2.01", "4.2.06",
             "5.1.09", "5.1.10", "5.1.11", "5.1.13", "5.1.14", "5.2.09", "5.3.02", "7.1.02",
             "7.1.03", "7.1.04", "7.1.06", "7.1.07", "7.1.08", "7.1.09", "7.1.10", "7.2.01",
             "gray21.512", "ruler.512"),
    "aerials": ("2.1.01", "2.1.02", "2.1.03", "2.1.04", "2.1.05", "2.1.06", "2.1.07", "2.1.08",
                "2.1.09", "2.1.10", "2.1.11", "2.1.12", "2.2.01", "2.2.02", "2.2.03", "2.2.04",
                "2.2.05"),
    "textures": ("1.1.01", "1.1.02", "1.1.03", "1.1.04", "1.1.05", "1.1.06", "1.1.07", "1.1.08",
                 "1.1.09", "1.1.10", "1.1.11", "1.1.12", "1.1.13", "1.5.01", "1.5.02", "1.5.03",
                 "1.5.04", "1.5.05", "1.5.06", "1.5.07"),
}


# ---------------------------------------------------------------------------------------- images

def read_tiff(path):
    """An uncompressed 8-bit gray or RGB TIFF as an array (rows, columns, channels), B G R order."""
    data = Path(path).read_bytes()
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    directory = struct.unpack_from(order + "I", data, 4)[0]
    tags = {}
    for i in range(struct.unpack_from(order + "H", data, directory)[0]):
        at = directory + 2 + 12 * i
        tag, kind, count = struct.unpack_from(order + "HHI", data, at)
        code = {1: "B", 3: "H", 4: "I"}.get(kind)
        if code is None:
            continue
        size = struct.calcsize(order + f"{count}{code}")
        where = at + 8 if size <= 4 else struct.unpack_from(order + "I", data, at + 8)[0]
        tags[tag] = struct.unpack_from(order + f"{count}{code}", data, where)
    columns, rows = tags[256][0], tags[257][0]
    channels = tags.get(277, (1,))[0]
    if tags.get(259, (1,))[0] != 1 or set(tags.get(258, (8,))) != {8}:
        raise ValueError(f"{Path(path).name}: not uncompressed 8-bit")
    if tags.get(284, (1,))[0] != 1 or channels not in (1, 3):
        raise ValueError(f"{Path(path).name}: not gray or interleaved RGB")
    strips = [data[o:o + n] for o, n in zip(tags[273], tags[279])]
    flat = np.frombuffer(b"".join(strips), np.uint8)[:rows * columns * channels]
    image = flat.reshape(rows, columns, channels)
    return image[:, :, ::-1].copy() if channels == 3 else image.copy()


def load_split(sipi):
    """(train, test) dictionaries name -> image from a SIPI directory; both empty without one."""
    if sipi is None:
        return {}, {}
    base = Path(sipi)
    train = {name: read_tiff(base / volume / f"{name}.tiff")
             for volume, names in TRAIN_NAMES.items() for name in names}
    test = {name: read_tiff(base / "misc" / f"{name}.tiff") for name in TEST_NAMES}
    return train, test


def power_noise(rng, size, exponent):
    """A size x size field with amplitude spectrum 1/f^exponent, mean 0 and variance 1."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None, :])
    frequency[0, 0] = 1.0
    spectrum = np.fft.fft2(rng.standard_normal((size, size))) / frequency ** exponent
    spectrum[0, 0] = 0.0
    field = np.fft.ifft2(spectrum).real
    return field / field.std()


def gradient(rng, size):
    """A linear ramp in a random direction, between -1 and 1."""
    angle = rng.uniform(0, 2 * np.pi)
    grid = np.linspace(-1, 1, size)
    return (np.cos(angle) * grid[:, None] + np.sin(angle) * grid[None, :]) / np.sqrt(2)


def shapes(rng, size, count):
    """A layer (level, mask) of rectangles and ellipses with sharp edges."""
    rows, columns = np.mgrid[0:size, 0:size]
    level, mask = np.zeros((size, size)), np.zeros((size, size), bool)
    for _ in range(count):
        cy, cx = rng.uniform(0, size, 2)
        ry, rx = rng.uniform(0.05, 0.35, 2) * size
        dy, dx = np.abs(rows - cy) / ry, np.abs(columns - cx) / rx
        inside = (dy < 1) & (dx < 1) if rng.random() < 0.5 else dy * dy + dx * dx < 1
        level[inside] = rng.uniform(-1, 1)
        mask |= inside
    return level, mask


def generated_image(rng, size, channels):
    """A natural-like image: ramp + 1/f noise + shapes, a little sensor noise, mixed channels."""
    exponent = rng.uniform(0.8, 1.6)
    base = 0.6 * rng.random() * gradient(rng, size) + 0.5 * power_noise(rng, size, exponent)
    level, mask = shapes(rng, size, int(rng.integers(0, 9)))
    base = np.where(mask, level + 0.15 * power_noise(rng, size, 1.2), base)
    planes = []
    for _ in range(channels):
        plane = base if channels == 1 else base + 0.25 * power_noise(rng, size, exponent)
        contrast, offset = rng.uniform(25, 75), rng.uniform(80, 176)
        plane = offset + contrast * plane + rng.uniform(0, 3) * rng.standard_normal(plane.shape)
        planes.append(np.clip(np.rint(plane), 0, 255))
    return np.stack(planes, axis=2).astype(np.uint8)


def generated_set(seed, count, size):
    """Dictionary of generated images; every second one has three channels."""
    rng = np.random.default_rng(seed)
    return {f"generated-{i:03d}": generated_image(rng, size, 3 if i % 2 else 1)
            for i in range(count)}


def random_crop(rng, images, size):
    """A size x size crop of a random image that is large enough (size x size x channels)."""
    names = sorted(name for name, x in images.items() if min(x.shape[:2]) >= size)
    image = images[names[int(rng.integers(len(names)))]]
    top = int(rng.integers(image.shape[0] - size + 1))
    left = int(rng.integers(image.shape[1] - size + 1))
    return image[top:top + size, left:left + size]


# ------------------------------------------------------------------- key schedule and guide lane

def hkdf(key, salt, info, length):
    """RFC 5869 with SHA-256."""
    extracted = hmac.digest(salt, key, "sha256")
    block, out = b"", b""
    for i in range(1, -(-length // 32) + 1):
        block = hmac.digest(extracted, block + info + bytes([i]), "sha256")
        out += block
    return out[:length]


def confusion_keys(key, nonce, shape, depth=1):
    """KS of section 1 for `khazaal2024-confusion` (two rounds, no public parameter)."""
    rows, columns, channels = shape
    sh = struct.pack("<IIBB", rows, columns, channels, depth)
    return hkdf(key, nonce, b"icbench khazaal2024 v1 khazaal2024-confusion\x02" + sh, 600)


def test_key(*label):
    """Reproducible key and nonce of a measurement, named by a label."""
    digest = hashlib.sha512("/".join(["icbench training", *map(str, label)]).encode()).digest()
    return digest[:32], digest[32:48]


def signed(word):
    """A 64-bit word read as signed."""
    return word - (1 << 64) if word >> 63 else word


def mulf(a, b):
    """Product of two fractions of 64 bits without its last term."""
    ah, al, bh, bl = a >> 32, a & 0xFFFFFFFF, b >> 32, b & 0xFFFFFFFF
    return ah * bh + (ah * bl >> 32) + (al * bh >> 32)


def between(k, low, high):
    return low + ((k * (high - low)) >> 64)


GAUSSIAN = [round(NormalDist().inv_cdf((i + 0.5) / 1024) * (1 << 24)) for i in range(1024)]


class GuideLane:
    """Lane 8 of section 3 with its three sources."""

    def __init__(self, ks):
        kr, ka, kb, kg = struct.unpack_from("<4Q", ks, 0)
        self.r = between(kr, 0xE47AE147AE147AE1, 0xFFFFFFFFFFFFFFFF)
        self.a = between(ka, 0x4CCCCCCCCCCCCCCC, 0x5999999999999999)
        self.b = between(kb, 0x1333333333333333, 0x1999999999999999)
        self.sigma = 32768 + ((kg * 98304) >> 64)
        self.x, self.wx, self.u, self.v, self.wu, self.s, self.c = struct.unpack_from(
            "<7Q", ks, 32 + 8 * 56)
        self.c |= 1
        self.g = 0

    def step_logistic(self):
        x = self.x
        self.x = (mulf(self.r, 4 * mulf(x, x ^ MASK) & MASK) + self.wx) & MASK
        self.wx = (self.wx + 0x9E3779B97F4A7C15) & MASK

    def step(self):
        self.step_logistic()
        m = abs(signed(self.u))
        t = 4 * mulf(self.a, 4 * mulf(m, m) & MASK)
        n = 4 * mulf(self.b, m)
        positive = self.u >> 63 == 0
        self.u = ((1 << 62) - t + self.v + self.wu) & MASK
        self.v = (n if positive else -n) & MASK
        self.wu = (self.wu + 0xD1B54A32D192ED03) & MASK
        d = self.s = (self.s + self.c) & MASK
        d = (d ^ (d >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        d = (d ^ (d >> 27)) * 0x94D049BB133111EB & MASK
        d ^= d >> 31
        self.g = (GAUSSIAN[d >> 54] * self.sigma) >> 16


def clamp8(value):
    return max(-128, min(127, value))


def source_inputs(lane):
    """Inputs 6 to 11 of the feedback network."""
    top = lane.u >> 56
    return [(lane.x >> 56) - 128, ((lane.x >> 48) & 255) - 128,
            top - 256 if top > 127 else top, ((lane.u >> 48) & 255) - 128,
            clamp8(lane.g >> 19), ((lane.g >> 11) & 255) - 128]


def level_count(rows, columns):
    return (max(rows, columns) + 1) // 2


def border(level, rows, columns):
    h, w = max(rows - 2 * level, 1), max(columns - 2 * level, 1)
    return h * w - max(h - 2, 0) * max(w - 2, 0)


def place_inputs(level, rows, columns):
    """Inputs 0 to 5 of the feedback network."""
    lr, lc = min(level, (rows + 1) // 2 - 1), min(level, (columns + 1) // 2 - 1)
    first = border(0, rows, columns)
    return [256 * lr // rows - 128, 256 * (rows - 1 - lr) // rows - 128,
            256 * lc // columns - 128, 256 * (columns - 1 - lc) // columns - 128,
            255 * border(level, rows, columns) // first - 128,
            255 * border(max(level - 1, 0), rows, columns) // first - 128]


def level_lines(level, rows, columns):
    """Lines of a level as (slot 0-3, is row, index), in the order of section 4."""
    lines = []
    if level < (rows + 1) // 2:
        lines.append((0, True, level))
        if rows - 1 - level != level:
            lines.append((1, True, rows - 1 - level))
    if level < (columns + 1) // 2:
        lines.append((2, False, level))
        if columns - 1 - level != level:
            lines.append((3, False, columns - 1 - level))
    return lines


# --------------------------------------------------------------------------- the feedback network

def signed_bytes(data):
    return np.frombuffer(data, np.int8).astype(np.int64)


class IntegerNetwork:
    """The quantised feedback network of section 4, in integers."""

    def __init__(self, fields):
        get = {name: np.array(fields[name], np.int64)
               for name in ("w1", "wf", "b1", "w2", "b2", "w3", "b3")}
        self.first = np.concatenate([get["w1"], get["wf"]], axis=1)
        self.b1, self.w2, self.b2 = get["b1"], get["w2"], get["b2"]
        self.w3, self.b3 = get["w3"], get["b3"]

    def start(self, ks):
        self.f = signed_bytes(ks[536:568])
        self.offset = self.b1 + 64 * signed_bytes(ks[568:600])

    def outputs(self, inputs):
        x = np.concatenate([inputs, self.f])
        h1 = np.clip((self.offset + self.first @ x) >> 6, -128, 127)
        self.f = np.clip((self.b2 + self.w2 @ h1) >> 6, -128, 127)
        return ((self.b3 + self.w3 @ self.f) & 0xFFFF).tolist()


class UniformOutputs:
    """Reference "no network": every output uniform on the circle, from the key."""

    def start(self, ks):
        seed = hashlib.sha256(b"uniform" + ks).digest()
        self.rng = np.random.default_rng(int.from_bytes(seed, "little"))

    def outputs(self, _):
        return self.rng.integers(0, 65536, 24).tolist()


class ConstantOutputs:
    """Reference: every output 0 (`khazaal2024-no-dnn`); order and shift by the sources alone."""

    def start(self, ks):
        pass

    def outputs(self, _):
        return [0] * 24


# ------------------------------------------------------------------------------ the confusion step

class Line:
    """A row or column with what section 4 derives from its outputs o and its sample u."""

    def __init__(self, is_row, index, rows, columns, o, u):
        n = columns if is_row else rows
        partner = (o[0] * (rows + columns)) >> 16
        self.is_row, self.index = is_row, index
        self.partner_is_row = partner < rows
        self.partner = partner if self.partner_is_row else partner - rows
        n2 = columns if self.partner_is_row else rows
        self.crossing = self.partner_is_row != is_row
        count = 1 + ((o[2] * min(n, n2)) >> 16)
        k = np.arange(min(count, 16) if self.crossing else count)
        step, step2 = (max(1, m // 16) if self.crossing else 1 for m in (n, n2))
        self.along = (((o[1] * n) >> 16) + k * step) % n
        self.along2 = ((((o[4] & 0x7FFF) * n2) >> 15) + k * step2) % n2
        self.down, self.score, self.u = o[4] >> 15, o[5], u
        self.shift = (((u + (o[3] << 16)) & 0xFFFFFFFF) * n) >> 32


def cells(is_row, index, along):
    return (index, along) if is_row else (along, index)


def exchange(m, line):
    """Exchange of section 4 on the map m (rows, columns)."""
    if line.crossing:  # the two share a cell: one after the other
        for along, along2 in zip(line.along, line.along2):
            p = cells(line.is_row, line.index, along)
            q = cells(line.partner_is_row, line.partner, along2)
            m[p], m[q] = m[q], m[p]
    elif line.partner != line.index:
        p = cells(line.is_row, line.index, line.along)
        q = cells(line.is_row, line.partner, line.along2)
        m[p], m[q] = m[q], m[p]


def order_and_shift(m, lines):
    """Order and shift of the rows of m; lines are all its rows, in any sequence."""
    lines = sorted(lines, key=lambda line: line.index)
    sequence = np.lexsort(([line.u for line in lines], [line.score for line in lines]))
    if sum(line.down for line in lines) & 1:
        sequence = sequence[::-1]
    by = np.array([-line.shift if line.down else line.shift for line in lines])
    place = (np.arange(m.shape[1])[None, :] + by[:, None]) % m.shape[1]
    return np.take_along_axis(m[sequence], place, axis=1)


def confusion_lines(key, nonce, shape, network, mask_u=False):
    """All lines in the order of levels and lines. mask_u sets the u of every line to 0 (not the
    cipher: it leaves the network's own part of order and shift)."""
    rows, columns, _ = shape
    ks = confusion_keys(key, nonce, shape)
    lane = GuideLane(ks)
    network.start(ks)
    lines = []
    for level in range(level_count(rows, columns)):
        lane.step()
        outputs = network.outputs(place_inputs(level, rows, columns) + source_inputs(lane))
        for slot, is_row, index in level_lines(level, rows, columns):
            lane.step_logistic()
            u = 0 if mask_u else lane.x >> 32
            lines.append(Line(is_row, index, rows, columns, outputs[6 * slot:6 * slot + 6], u))
    return lines


def exchange_all(m, lines, kind):
    """Exchanges of one kind: "row", "crossing" or "column"."""
    for line in lines:
        if kind == ("crossing" if line.crossing else "row" if line.is_row else "column"):
            exchange(m, line)


def apply_lines(lines, rows, columns, before=("row",), between=("crossing", "column")):
    """The map of rows, columns and scan, flat: new pixel number t is old pixel number map[t].

    before and between are the kinds of exchanges made before the order of the rows and between the
    two orders; the cipher's unless said otherwise.
    """
    m = np.arange(rows * columns).reshape(rows, columns)
    for kind in before:
        exchange_all(m, lines, kind)
    m = order_and_shift(m, [line for line in lines if line.is_row])
    for kind in between:
        exchange_all(m, lines, kind)
    return order_and_shift(m.T, [line for line in lines if not line.is_row]).reshape(-1)


def confusion_map(key, nonce, shape, network, mask_u=False):
    """The map of `khazaal2024-confusion`, flat."""
    lines = confusion_lines(key, nonce, shape, network, mask_u)
    return apply_lines(lines, shape[0], shape[1])


# ------------------------------------------------------------------------------------ measurement

def correlation(a, b):
    """Pearson's r of two sample arrays whose means are already near 0; 0 if one is constant."""
    n, total_a, total_b = a.size, a.sum(), b.sum()
    variance_a = np.einsum("ij,ij->", a, a) - total_a * total_a / n
    variance_b = np.einsum("ij,ij->", b, b) - total_b * total_b / n
    covariance = np.einsum("ij,ij->", a, b) - total_a * total_b / n
    scale = np.sqrt(max(variance_a, 0.0) * max(variance_b, 0.0))
    return float(covariance / scale) if scale > 0 else 0.0


def adjacent(image):
    """r of horizontally, vertically, diagonally adjacent pixels, all pairs; (channels, 3)."""
    planes = np.ascontiguousarray(np.moveaxis(image, 2, 0)).astype(np.float64)
    planes -= planes.mean(axis=(1, 2), keepdims=True)
    return np.array([[correlation(x[:, :-1], x[:, 1:]), correlation(x[:-1], x[1:]),
                      correlation(x[:-1, :-1], x[1:, 1:])] for x in planes])


def confused(image, m):
    rows, columns, channels = image.shape
    return image.reshape(-1, channels)[m].reshape(rows, columns, channels)


def measure_one(image, label, network, mask_u):
    """Per direction (mean over channels): |r|, |r| sqrt(N), r sqrt(N) after one confusion.

    Two names stand for maps without a network: "permutation", a uniformly random permutation of
    the pixels, and "plain", no change.
    """
    key, nonce = test_key(*label)
    if network == "plain":
        m = np.arange(image.shape[0] * image.shape[1])
    elif network == "permutation":
        seed = int.from_bytes(hashlib.sha256(b"permutation" + key).digest(), "little")
        m = np.random.default_rng(seed).permutation(image.shape[0] * image.shape[1])
    else:
        m = confusion_map(key, nonce, image.shape, network, mask_u)
    r = adjacent(confused(image, m))
    root = np.sqrt(image.shape[0] * image.shape[1])
    return np.stack([np.abs(r), np.abs(r) * root, r * root]).mean(axis=1)


def measure(images, network, keys, mask_u=False):
    """All images x keys: (mean, standard error), each (3 quantities, 3 directions)."""
    rows = np.array([measure_one(images[name], ("measure", name, k), network, mask_u)
                     for name in sorted(images) for k in range(keys)])
    # The standard error is that of the keys' draw: images are fixed, keys vary inside each.
    per = rows.reshape(len(images), keys, 3, 3)
    if keys > 1:
        error = np.sqrt((per.var(axis=1, ddof=1) / keys).sum(axis=0)) / len(images)
    else:
        error = np.full((3, 3), np.nan)
    return rows.mean(axis=0), error


# ----------------------------------------------------------------------------------------- export

def rows_text(value, depth):
    """A nested list with one row (a list of that nesting depth) per line."""
    nested = isinstance(value, list) and value and isinstance(value[0], list)
    if not nested or nesting(value) <= depth:
        return json.dumps(value, separators=(",", ":"))
    return "[\n" + ",\n".join(rows_text(v, depth) for v in value) + "\n]"


def nesting(value):
    return 1 + nesting(value[0]) if isinstance(value, list) and value else 0


def object_text(fields, depth):
    """A JSON object, one field after the other, arrays with one row per line."""
    parts = []
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[\n" + ",\n".join(object_text(v, depth) for v in value) + "\n]"
        else:
            text = rows_text(value, depth)
        parts.append(f"{json.dumps(name)}:{text}")
    return "{\n" + ",\n".join(parts) + "\n}"


def head(network):
    """The first fields of every weight file."""
    return {"format": FORMAT, "version": VERSION, "network": network}


def export(path, fields, depth=1):
    """Writes a weight file and returns its SHA-256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = (object_text(fields, depth) + "\n").encode()
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def write_sums(folder):
    """SHA256SUMS of the weight files of a folder, in the format of sha256sum."""
    lines = [f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.name}\n"
             for p in sorted(folder.glob("*.json"))]
    (folder / "SHA256SUMS").write_text("".join(lines))


def image_set_name(sipi, generated):
    text = f"{generated} generated"
    if sipi is not None:
        count = sum(map(len, TRAIN_NAMES.values()))
        text += f", {count} of USC-SIPI (train split of scripts/train/common.py)"
    return text
