#!/usr/bin/env python3
"""The cipher `khazaal2024`, version 1, in plain Python, written from docs/cipher.md alone.

Slow and clear on purpose: it is the second implementation that the C++ one is compared with.
Section numbers in the docstrings are those of docs/cipher.md. An image is (H, W, C, D, bytes).
A map of positions is a list: entry n is the position, row·W + column, of the pixel that comes to
position n.

    khazaal2024.py encrypt --key HEX --nonce HEX --shape H,W,C,D IMAGE CIPHER
    khazaal2024.py decrypt --key HEX --shape H,W,C,D CIPHER IMAGE

IMAGE holds the bytes of an image and nothing else, CIPHER the header and the cipher image.
"""

import argparse
import dataclasses
import functools
import hashlib
import hmac
import json
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "cipher" / "khazaal2024" / "weights"

FULL = "khazaal2024"
CONFUSION = "khazaal2024-confusion"
NO_CNN = "khazaal2024-no-cnn"
NO_DNN = "khazaal2024-no-dnn"
NO_LOGISTIC = "khazaal2024-no-logistic"
NO_HENON = "khazaal2024-no-henon"
NO_GAUSS = "khazaal2024-no-gauss"
VARIANTS = [FULL, CONFUSION, NO_CNN, NO_DNN, NO_LOGISTIC, NO_HENON, NO_GAUSS]
ROUNDS = 2

MASK = 2**64 - 1
KEYSTREAM_BLOCK = 2**17
CHAIN_LINE = 512
CROSSING_LIMIT = 16
TOP, BOTTOM, LEFT, RIGHT = range(4)
PARTNER, START, LENGTH, SHIFT, DIRECTION, SCORE = range(6)


class WrongKey(Exception):
    """The public parameter does not fit the decrypted image: wrong key or altered data."""


# Conventions: words


def mulhi(a, b):
    """The upper word of a product of two words."""
    return (a * b) >> 64


def mulf(a, b):
    """The product of two fractions without its last term."""
    high_a, low_a, high_b, low_b = a >> 32, a % 2**32, b >> 32, b % 2**32
    return high_a * high_b + ((high_a * low_b) >> 32) + ((low_a * high_b) >> 32)


def fold(a):
    """The upper half of a word laid over the lower one."""
    return a ^ (a >> 32)


def rotl(a, n):
    """A word rotated to the left."""
    return ((a << n) | (a >> (64 - n))) & MASK


def signed(a, bits=64):
    """A word (or byte) read as a two's complement number."""
    return a - (1 << bits) if a >> (bits - 1) else a


def clamp(a):
    """Limits to what a signed byte holds."""
    return min(max(a, -128), 127)


def half(a):
    """⌈a/2⌉."""
    return (a + 1) // 2


def words(data):
    """The little-endian words of a byte string, the last one filled with zeros."""
    return [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]


def word_bytes(values):
    """The byte string of some words."""
    return b"".join(value.to_bytes(8, "little") for value in values)


# Conventions: primitives


def hmac_sha256(key, message):
    """HMAC-SHA256."""
    return hmac.new(key, message, hashlib.sha256).digest()


def hkdf(key, salt, info, length):
    """HKDF of RFC 5869 with SHA-256."""
    if length > 255 * 32:
        raise ValueError("HKDF-SHA256 gives at most 8160 bytes")
    # RFC 5869 takes a missing salt as 32 zero bytes; HMAC pads an empty key to the same thing.
    extracted = hmac_sha256(salt, key)
    block = output = b""
    counter = 0
    while len(output) < length:
        counter += 1
        block = hmac_sha256(extracted, block + info + bytes([counter]))
        output += block
    return output[:length]


def poly1305(key, message):
    """Poly1305 of RFC 8439, section 2.5."""
    prime = 2**130 - 5
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    s = int.from_bytes(key[16:32], "little")
    total = 0
    for i in range(0, len(message), 16):
        total = (total + int.from_bytes(message[i : i + 16] + b"\x01", "little")) * r % prime
    return ((total + s) % 2**128).to_bytes(16, "little")


def check_keygen(network):
    """Refuses tables of the CNN that do not have the shape and the ranges of section 2."""
    predictor = network["predictor"]
    if [len(taps) for taps in predictor] != [5, 5]:
        raise ValueError("keygen.json: expected a predictor of 2 x 5 weights")
    if any(sum(abs(v) for v in taps) > 128 for taps in predictor):
        raise ValueError("keygen.json: weights of the predictor sum to more than 128")
    for layer, (maps, filters, low, high) in zip(
        network["layers"], [(1, 4, -64, 64), (4, 8, -128, 127), (8, 16, -128, 127)], strict=True
    ):
        kernels = [kernel for maps_of_filter in layer["weight"] for kernel in maps_of_filter]
        rows = [row for kernel in kernels for row in kernel]
        if len(layer["weight"]) != filters or len(layer["bias"]) != filters:
            raise ValueError(f"keygen.json: expected a layer of {filters} filters")
        if any(len(maps_of_filter) != maps for maps_of_filter in layer["weight"]):
            raise ValueError(f"keygen.json: expected a layer of {maps} input maps")
        if any(len(kernel) != 4 for kernel in kernels) or any(len(row) != 4 for row in rows):
            raise ValueError("keygen.json: expected patches of 4 x 4")
        if any(not low <= weight <= high for row in rows for weight in row):
            raise ValueError(f"keygen.json: a weight is not within [{low}, {high}]")


@functools.lru_cache(maxsize=None)
def load_network(name):
    """The integer tables of a network, "feedback" or "keygen"."""
    with open(WEIGHTS / f"{name}.json", encoding="ascii") as file:
        network = json.load(file)
    if network["format"] != "icbench-weights-1" or network["network"] != name:
        raise ValueError(f"{name}.json is not the weights of the {name} network")
    if name == "keygen":
        check_keygen(network)
    return network


# Inputs, outputs, variants


def header_bytes(variant):
    """Length of the public header: the nonce, and Q if the variant has it."""
    return 16 if variant == CONFUSION else 48


def check_inputs(key, nonce, shape, data, variant, rounds):
    """Refuses what the cipher is not defined for."""
    height, width, channels, depth = shape
    if variant not in VARIANTS:
        raise ValueError(f"expected a variant of {VARIANTS}, got {variant!r}")
    if not 1 <= rounds <= 255:
        raise ValueError(f"expected 1 to 255 rounds, got {rounds}")
    if not (1 <= height <= 65535 and 1 <= width <= 65535):
        raise ValueError(f"expected 1 to 65535 rows and columns, got {height} and {width}")
    if not (1 <= channels <= 4 and depth in (1, 2)):
        raise ValueError(f"expected 1 to 4 channels of 1 or 2 bytes, got {channels} of {depth}")
    if len(key) != 32 or len(nonce) != 16:
        lengths = f"{len(key)} and {len(nonce)}"
        raise ValueError(f"expected a key of 32 bytes and a nonce of 16, got {lengths}")
    if len(data) != height * width * channels * depth:
        raise ValueError(f"expected the bytes of {shape}, got {len(data)} bytes")


# Section 1: key schedule


def shape_bytes(shape):
    """SH of the conventions."""
    height, width, channels, depth = shape
    return height.to_bytes(4, "little") + width.to_bytes(4, "little") + bytes([channels, depth])


def condensing_keys(key, nonce, shape):
    """KC, section 1."""
    return hkdf(key, nonce, b"icbench khazaal2024 v1 condense" + shape_bytes(shape), 160)


def condense(kc, streams):
    """T1 to T4, section 1."""
    return [poly1305(kc[32 * i : 32 * i + 32], stream) for i, stream in enumerate(streams)]


def public_parameter(key, nonce, image, variant):
    """Q and what it was made of, section 1."""
    shape, data = image[:4], image[4]
    kc = condensing_keys(key, nonce, shape)
    if variant == NO_CNN:
        return hmac_sha256(kc[128:160], hashlib.sha256(data).digest()), {"KC": kc}
    streams = features(image)
    tags = condense(kc, streams)
    parts = {"KC": kc, "features": streams, "T": tags}
    return hmac_sha256(kc[128:160], b"".join(tags)), parts


def working_keys(key, nonce, q, variant, rounds, shape):
    """KS, section 1."""
    label = b"icbench khazaal2024 v1 " + variant.encode("ascii") + bytes([rounds])
    return hkdf(key, nonce + q, label + shape_bytes(shape), 600)


def between(k, low, high):
    """A number in [low, high) chosen by the word k."""
    return low + mulhi(k, high - low)


def map_parameters(ks):
    """R, A, B and M, section 1."""
    kr, ka, kb, ksigma = words(ks[:32])
    return {
        "R": between(kr, 0xE47AE147AE147AE1, 0xFFFFFFFFFFFFFFFF),
        "A": between(ka, 0x4CCCCCCCCCCCCCCC, 0x5999999999999999),
        "B": between(kb, 0x1333333333333333, 0x1999999999999999),
        "M": 32768 + mulhi(ksigma, 98304),
    }


# Section 2: the CNN key generator


def planes_of(image):
    """The samples x[channel][row][column]."""
    height, width, channels, depth, data = image

    def sample(i, j, c):
        at = ((i * width + j) * channels + c) * depth
        return int.from_bytes(data[at : at + depth], "little")

    return [
        [[sample(i, j, c) for j in range(width)] for i in range(height)] for c in range(channels)
    ]


def residual(x, c, i, j, depth):
    """e, what the prediction of a sample leaves over; section 2, level 1."""

    def at(channel, row, column):
        inside = channel >= 0 and row >= 0 and column >= 0
        return x[channel][row][column] if inside else 0

    taps = [at(c, i, j - 1), at(c, i - 1, j), at(c, i - 1, j - 1)]
    taps += [at(c - 1, i, j), at(c - 1, i, j - 1)]
    v = load_network("keygen")["predictor"][1 if c > 0 else 0]
    top = 2 ** (8 * depth) - 1
    p = min(max((dot(v, taps) + 16) >> 5, 0), top)
    return (x[c][i][j] - p) & top


def convolve(maps, layer):
    """One layer of levels 2 to 4; maps are [map][row][column], section 2."""
    height, width = len(maps[0]), len(maps[0][0])

    def output(f, i, j):
        total = layer["bias"][f]
        for plane, kernel in zip(maps, layer["weight"][f], strict=True):
            for dy in range(min(4, height - 4 * i)):
                for dx in range(min(4, width - 4 * j)):
                    total += kernel[dy][dx] * plane[4 * i + dy][4 * j + dx]
        return min(max(total >> layer["shift"], 0), 127)

    rows, columns = range((height + 3) // 4), range((width + 3) // 4)
    return [[[output(f, i, j) for j in columns] for i in rows] for f in range(len(layer["bias"]))]


def features(image):
    """The four feature streams, section 2."""
    height, width, channels, depth, _ = image
    x = planes_of(image)
    streams = [
        b"".join(
            residual(x, c, i, j, depth).to_bytes(depth, "little")
            for i in range(height)
            for j in range(width)
            for c in range(channels)
        )
    ]
    # maps[channel][map][row][column]
    maps = [[[[(s >> 8 * (depth - 1)) - 128 for s in row] for row in plane]] for plane in x]
    for layer in load_network("keygen")["layers"]:
        maps = [convolve(of_channel, layer) for of_channel in maps]
        streams.append(
            bytes(
                plane[i][j]
                for i in range(len(maps[0][0]))
                for j in range(len(maps[0][0][0]))
                for of_channel in maps
                for plane in of_channel
            )
        )
    return streams


# Section 3: the three sources


@functools.lru_cache(maxsize=None)
def gaussian_table():
    """T, section 3."""
    normal = statistics.NormalDist()
    return [round(normal.inv_cdf((i + 0.5) / 1024) * 2**24) for i in range(1024)]


class Lane:
    """One logistic map, one Henon map and one noise source, section 3."""

    def __init__(self, parameters, state, variant):
        self.parameters = parameters
        self.x, self.wx, self.u, self.v, self.wu, self.s, self.c = state
        self.c |= 1
        self.d = self.g = 0
        self.variant = variant

    def at_step(self, n):
        """A lane with the X, U, V of this one and the counters of step number n."""
        state = (
            self.x,
            (self.wx + n * 0x9E3779B97F4A7C15) & MASK,
            self.u,
            self.v,
            (self.wu + n * 0xD1B54A32D192ED03) & MASK,
            (self.s + n * self.c) & MASK,
            self.c,
        )
        return Lane(self.parameters, state, self.variant)

    def step_logistic(self):
        quarter = mulf(self.x, ~self.x & MASK)
        self.x = (mulf(self.parameters["R"], 4 * quarter & MASK) + self.wx) & MASK
        self.wx = (self.wx + 0x9E3779B97F4A7C15) & MASK

    def step_henon(self):
        m = abs(signed(self.u))
        s = 4 * mulf(m, m) & MASK
        t = 4 * mulf(self.parameters["A"], s)
        n = 4 * mulf(self.parameters["B"], m)
        negative = signed(self.u) < 0
        self.u = (2**62 - t + self.v + self.wu) & MASK
        self.v = (-n if negative else n) & MASK
        self.wu = (self.wu + 0xD1B54A32D192ED03) & MASK

    def step_noise(self):
        self.s = (self.s + self.c) & MASK
        d = self.s
        d = ((d ^ (d >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        d = ((d ^ (d >> 27)) * 0x94D049BB133111EB) & MASK
        self.d = d ^ (d >> 31)
        self.g = (gaussian_table()[self.d >> 54] * self.parameters["M"]) >> 16

    def step(self):
        """One step of all three sources."""
        self.step_logistic()
        self.step_henon()
        self.step_noise()

    def read(self):
        """(X, U, v, g) as they are used: the variants without a source read 0 for it."""
        x = 0 if self.variant == NO_LOGISTIC else self.x
        u = 0 if self.variant == NO_HENON else self.u
        if self.variant == NO_GAUSS:
            return x, u, 0, 0
        return x, u, self.d ^ ((self.g % 2**32) << 20), self.g

    def two_words(self):
        """z1 and z2 after a step."""
        x, u, v, _ = self.read()
        z1 = fold(((x + rotl(u, 27)) & MASK) ^ v)
        z2 = fold(((u ^ x) + rotl(v, 42)) & MASK)
        return fold((z1 * 0xD6E8FEB86659FD93) & MASK), fold((z2 * 0xFF51AFD7ED558CCD) & MASK)

    def state(self):
        """X, wx, U, V, wu, S, c."""
        return [self.x, self.wx, self.u, self.v, self.wu, self.s, self.c]


class State:
    """What KS holds, and of that what goes on from round to round: guide lane, feedback."""

    def __init__(self, ks, variant):
        self.variant = variant
        self.parameters = map_parameters(ks)
        state = words(ks[32:536])
        lanes = [Lane(self.parameters, state[7 * i : 7 * i + 7], variant) for i in range(9)]
        self.lanes, self.guide = lanes[:8], lanes[8]
        self.f = [signed(byte, 8) for byte in ks[536:568]]
        self.q = [signed(byte, 8) for byte in ks[568:600]]


def keystream_block(lanes, round_number, block, size):
    """The first `size` bytes of a block, section 3; the lanes are those of KS and stay."""
    n = (round_number * 2**24 + block) * 2**12
    lanes = [lane.at_step(n) for lane in lanes]
    stream = b""
    for step in range(8 + (size + 127) // 128):
        for lane in lanes:
            lane.step()
        if step >= 8:
            pairs = [lane.two_words() for lane in lanes]
            stream += word_bytes([z1 for z1, _ in pairs] + [z2 for _, z2 in pairs])
    return stream[:size]


def keystream(lanes, round_number, size):
    """The keystream of one round, section 3."""
    return b"".join(
        keystream_block(lanes, round_number, at // KEYSTREAM_BLOCK, min(KEYSTREAM_BLOCK, size - at))
        for at in range(0, size, KEYSTREAM_BLOCK)
    )


# Section 4: confusion, the hierarchy and the network


def level_count(height, width):
    """L, section 4."""
    return half(max(height, width))


def border_length(level, height, width):
    """b[l], section 4."""
    h, w = max(height - 2 * level, 1), max(width - 2 * level, 1)
    return h * w - max(h - 2, 0) * max(w - 2, 0)


def level_lines(level, height, width):
    """The lines of a level as (k, is_column, index) with k of TOP to RIGHT, section 4."""
    lines = []
    if level < half(height):
        lines.append((TOP, False, level))
        if height - 1 - level != level:
            lines.append((BOTTOM, False, height - 1 - level))
    if level < half(width):
        lines.append((LEFT, True, level))
        if width - 1 - level != level:
            lines.append((RIGHT, True, width - 1 - level))
    return lines


def network_inputs(level, height, width, guide):
    """The twelve inputs of the feedback network, section 4; the guide lane has been stepped."""
    x, u, _, g = guide.read()
    row, column = min(level, half(height) - 1), min(level, half(width) - 1)
    outermost = border_length(0, height, width)
    return [
        256 * row // height - 128,
        256 * (height - 1 - row) // height - 128,
        256 * column // width - 128,
        256 * (width - 1 - column) // width - 128,
        255 * border_length(level, height, width) // outermost - 128,
        255 * border_length(max(level - 1, 0), height, width) // outermost - 128,
        (x >> 56) - 128,
        ((x >> 48) & 255) - 128,
        signed(u >> 56, 8),
        ((u >> 48) & 255) - 128,
        clamp(g >> 19),
        ((g >> 11) & 255) - 128,
    ]


def dot(weights, values):
    """The sum of products."""
    return sum(a * b for a, b in zip(weights, values, strict=True))


def feedback_network(inputs, f, q):
    """(h1, h2, o) for one level, section 4."""
    net = load_network("feedback")
    h1 = [
        clamp((net["b1"][i] + 64 * q[i] + dot(net["w1"][i], inputs) + dot(net["wf"][i], f)) >> 6)
        for i in range(32)
    ]
    h2 = [clamp((net["b2"][i] + dot(net["w2"][i], h1)) >> 6) for i in range(32)]
    return h1, h2, [(net["b3"][i] + dot(net["w3"][i], h2)) % 2**16 for i in range(24)]


@dataclasses.dataclass
class Line:
    """A row or column and what the network and the guide lane say of it, section 4."""

    is_column: bool
    index: int
    partner: int  # below H: that row; otherwise column partner - H
    partner_is_column: bool
    partner_index: int
    start: int  # s
    partner_start: int  # s'
    count: int  # before the limit of a crossing
    down: int
    rank: tuple
    turn: int


def make_line(is_column, index, o, u, height, width):
    """The line from its six outputs and its logistic sample, section 4."""
    partner = (o[PARTNER] * (height + width)) >> 16
    partner_is_column = partner >= height
    n = height if is_column else width
    n_partner = height if partner_is_column else width
    return Line(
        is_column=is_column,
        index=index,
        partner=partner,
        partner_is_column=partner_is_column,
        partner_index=partner - height if partner_is_column else partner,
        start=(o[START] * n) >> 16,
        partner_start=((o[DIRECTION] & 0x7FFF) * n_partner) >> 15,
        count=1 + ((o[LENGTH] * min(n, n_partner)) >> 16),
        down=o[DIRECTION] >> 15,
        rank=(o[SCORE], u, index),
        turn=(u + 2**16 * o[SHIFT]) % 2**32,
    )


def run_levels(state, height, width):
    """The network over all levels: the lines in the order of levels and lines, and a record."""
    lines, record = [], []
    for level in range(level_count(height, width)):
        state.guide.step()
        entry = {"guide_stepped": state.guide.state(), "g": state.guide.g}
        entry["inputs"] = network_inputs(level, height, width, state.guide)
        entry["h1"], entry["h2"], outputs = feedback_network(entry["inputs"], state.f, state.q)
        state.f = entry["h2"]
        if state.variant == NO_DNN:
            outputs = [0] * 24
        entry["outputs"] = outputs
        for k, is_column, index in level_lines(level, height, width):
            state.guide.step_logistic()
            u = state.guide.read()[0] >> 32
            o = outputs[6 * k : 6 * k + 6]
            lines.append(make_line(is_column, index, o, u, height, width))
        entry["guide"] = state.guide.state()
        record.append(entry)
    return lines, record


# Section 4: confusion, moving


def cells(is_column, index, height, width):
    """The positions of a row or column in order."""
    if is_column:
        return [k * width + index for k in range(height)]
    return [index * width + k for k in range(width)]


def exchange(m, line, height, width):
    """Two sections change places, one pixel after the other; section 4. m is changed."""
    crossing = line.is_column != line.partner_is_column
    if not crossing and line.index == line.partner_index:
        return
    mine = cells(line.is_column, line.index, height, width)
    other = cells(line.partner_is_column, line.partner_index, height, width)
    count = min(line.count, CROSSING_LIMIT) if crossing else line.count
    step, step_other = (max(1, len(c) // 16) if crossing else 1 for c in (mine, other))
    for k in range(count):
        a = mine[(line.start + k * step) % len(mine)]
        b = other[(line.partner_start + k * step_other) % len(other)]
        m[a], m[b] = m[b], m[a]


def order(lines):
    """The indices of all rows (or all columns) in their new order, section 4."""
    ranked = [line.index for line in sorted(lines, key=lambda line: line.rank)]
    return ranked[::-1] if sum(line.down for line in lines) % 2 == 1 else ranked


def order_and_shift(m, lines, is_column, height, width):
    """Steps 2 and 3 of rows, or of columns: the map after each."""
    m_ordered, m_shifted = m[:], m[:]
    lines = [line for line in lines if line.is_column == is_column]
    for new, old in enumerate(order(lines)):
        places = cells(is_column, new, height, width)
        for to, source in zip(places, cells(is_column, old, height, width), strict=True):
            m_ordered[to] = m[source]
    for line in lines:
        places = cells(is_column, line.index, height, width)
        n = len(places)
        a = (line.turn * n) >> 32
        for k in range(n):
            source = (k - a) % n if line.down else (k + a) % n
            m_shifted[places[k]] = m_ordered[places[source]]
    return m_ordered, m_shifted


def row_maps(lines, height, width):
    """The map of positions after each step of Rows, section 4."""
    m = list(range(height * width))
    for line in lines:
        if not line.is_column and not line.partner_is_column:
            exchange(m, line, height, width)
    m_ordered, m_shifted = order_and_shift(m, lines, False, height, width)
    return {"exchange": m, "order": m_ordered, "shift": m_shifted}


def column_maps(lines, height, width):
    """The map of positions after each step of Columns, section 4."""
    m = list(range(height * width))
    for line in lines:
        if line.is_column != line.partner_is_column:
            exchange(m, line, height, width)
    m_crossed = m[:]
    for line in lines:
        if line.is_column and line.partner_is_column:
            exchange(m, line, height, width)
    m_ordered, m_shifted = order_and_shift(m, lines, True, height, width)
    scan = [m_shifted[i * width + j] for j in range(width) for i in range(height)]
    return {
        "crossings": m_crossed,
        "exchange": m,
        "order": m_ordered,
        "shift": m_shifted,
        "scan": scan,
    }


def move(m, data, pixel_bytes):
    """Moves the pixels."""
    return b"".join(data[n * pixel_bytes : (n + 1) * pixel_bytes] for n in m)


def move_back(m, data, pixel_bytes):
    """Moves the pixels back, section 7."""
    before = bytearray(len(data))
    for n, source in enumerate(m):
        pixel = data[n * pixel_bytes : (n + 1) * pixel_bytes]
        before[source * pixel_bytes : (source + 1) * pixel_bytes] = pixel
    return bytes(before)


# Section 5: diffusion


def chain_lines(size):
    """(first byte, end) of each line from the first to the last, section 5."""
    single = size - min(size, 8)
    lines = [(at, min(at + CHAIN_LINE, single)) for at in range(0, single, CHAIN_LINE)]
    return lines + [(at, at + 1) for at in range(single, size)]


class ChainKeys:
    """O, H and the first carry of one chain, drawn from the guide lane; section 5."""

    def __init__(self, guide):
        self.o, self.h = [], []
        for _ in range(64):
            guide.step()
            z1, z2 = guide.two_words()
            self.o.append(z1 | 1)
            self.h.append(z2)
        guide.step()
        self.carry = guide.two_words()[0]

    def mask(self, carry, size):
        """The mask of a line of `size` bytes."""
        return word_bytes(fold((carry * o) & MASK) for o in self.o[: (size + 7) // 8])[:size]

    def next_carry(self, carry, y):
        """c after a line whose output is y."""
        total = carry
        for word, key in zip(words(y), self.h):
            low = (word % 2**32 + key % 2**32) % 2**32
            high = ((word >> 32) + (key >> 32)) % 2**32
            total += low * high
        return fold((fold(total & MASK) * 0x9FB21C651E98DF25) & MASK)


def chain(data, keys, stream, backward, record=None):
    """The chain over all lines, section 5; the carry of every line goes to `record`."""
    output = bytearray(len(data))
    carry = keys.carry
    lines = chain_lines(len(data))
    for begin, end in reversed(lines) if backward else lines:
        if record is not None:
            record.append(carry)
        mask = keys.mask(carry, end - begin)
        y = bytes(
            ((x ^ k) + m) % 256 for x, k, m in zip(data[begin:end], stream[begin:end], mask)
        )
        output[begin:end] = y
        carry = keys.next_carry(carry, y)
    return bytes(output)


def unchain(data, keys, stream, backward):
    """The inverse of the chain, sections 5 and 7."""
    output = bytearray(len(data))
    carry = keys.carry
    lines = chain_lines(len(data))
    for begin, end in reversed(lines) if backward else lines:
        mask = keys.mask(carry, end - begin)
        y = data[begin:end]
        output[begin:end] = bytes(
            ((b - m) % 256) ^ k for b, k, m in zip(y, stream[begin:end], mask)
        )
        carry = keys.next_carry(carry, y)
    return bytes(output)


# Section 6: rounds


class Round:
    """All that one round draws from the keys, in the order of drawing."""

    def __init__(self, state, number, shape, lines):
        height, width, channels, depth = shape
        self.parameters = state.parameters
        self.odd = number % 2 == 1
        self.pixel_bytes = channels * depth
        self.lines, self.levels = run_levels(state, height, width) if self.odd else (lines, [])
        self.maps = (row_maps if self.odd else column_maps)(self.lines, height, width)
        self.map = list(self.maps.values())[-1]
        self.keys = self.stream = None
        if state.variant != CONFUSION:
            self.keys = ChainKeys(state.guide)
            self.stream = keystream(state.lanes, number, height * width * self.pixel_bytes)
        self.guide = state.guide.state()
        self.carries = []

    def apply(self, data):
        """The image after each of the stages of the round, by name."""
        images = {}
        if self.odd:
            data = images["rows"] = move(self.map, data, self.pixel_bytes)
        if self.keys:
            self.carries = []
            data = chain(data, self.keys, self.stream, not self.odd, self.carries)
            images["forward" if self.odd else "backward"] = data
        if not self.odd:
            images["columns"] = move(self.map, data, self.pixel_bytes)
        return images

    def undo(self, data):
        """The image before the round."""
        if not self.odd:
            data = move_back(self.map, data, self.pixel_bytes)
        if self.keys:
            data = unchain(data, self.keys, self.stream, not self.odd)
        return move_back(self.map, data, self.pixel_bytes) if self.odd else data


def make_rounds(ks, variant, rounds, shape):
    """The rounds in the order of encryption, section 6."""
    state = State(ks, variant)
    made = []
    for number in range(1, rounds + 1):
        made.append(Round(state, number, shape, made[-1].lines if made else None))
    return made


def encrypt(key, nonce, image, variant=FULL, rounds=ROUNDS):
    """(header, cipher bytes, trace of intermediate values), sections 1 to 6."""
    shape, data = image[:4], image[4]
    check_inputs(key, nonce, shape, data, variant, rounds)
    trace = {}
    q = b""
    if variant != CONFUSION:
        q, trace = public_parameter(key, nonce, image, variant)
        trace["Q"] = q
    trace["KS"] = working_keys(key, nonce, q, variant, rounds, shape)
    trace["rounds"] = make_rounds(trace["KS"], variant, rounds, shape)
    trace["images"] = []
    for one_round in trace["rounds"]:
        images = one_round.apply(data)
        trace["images"].append(images)
        data = list(images.values())[-1]
    return nonce + q, data, trace


def decrypt(key, header, cipher, variant=FULL, rounds=ROUNDS):
    """The image of a cipher image (H, W, C, D, bytes), section 7; raises WrongKey."""
    shape, data = cipher[:4], cipher[4]
    if len(header) != header_bytes(variant):
        raise ValueError(f"expected a header of {header_bytes(variant)} bytes, got {len(header)}")
    nonce, q = header[:16], header[16:]
    check_inputs(key, nonce, shape, data, variant, rounds)
    ks = working_keys(key, nonce, q, variant, rounds, shape)
    for one_round in reversed(make_rounds(ks, variant, rounds, shape)):
        data = one_round.undo(data)
    image = (*shape, data)
    if variant != CONFUSION:
        computed, _ = public_parameter(key, nonce, image, variant)
        if not hmac.compare_digest(computed, q):
            raise WrongKey("wrong key, or the data were altered")
    return image


def run(options):
    """The bytes to write: a cipher file is the header followed by the cipher image."""
    shape = tuple(int(number) for number in options.shape.split(","))
    if len(shape) != 4:
        raise ValueError(f"expected a shape H,W,C,D, got {options.shape}")
    data = options.input.read_bytes()
    variant, rounds = options.variant, options.rounds
    if options.action == "encrypt":
        image = (*shape, data)
        header, cipher, _ = encrypt(options.key, options.nonce, image, variant, rounds)
        return header + cipher
    split = header_bytes(variant)
    return decrypt(options.key, data[:split], (*shape, data[split:]), variant, rounds)[4]


def main():
    """Command line; exit code 3 for bad input, 4 for a wrong key or altered data."""
    parser = argparse.ArgumentParser(description="Encrypts or decrypts the raw bytes of an image.")
    parser.add_argument("action", choices=["encrypt", "decrypt"])
    parser.add_argument("--key", type=bytes.fromhex, required=True)
    parser.add_argument("--nonce", type=bytes.fromhex, default=b"", help="16 bytes, to encrypt")
    parser.add_argument("--shape", required=True, help="H,W,C,D")
    parser.add_argument("--variant", choices=VARIANTS, default=FULL)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    options = parser.parse_args()
    try:
        options.output.write_bytes(run(options))
    except WrongKey as fault:
        print(fault, file=sys.stderr)
        return 4
    except (ValueError, OSError) as fault:
        print(fault, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
