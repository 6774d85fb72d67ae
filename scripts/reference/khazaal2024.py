#!/usr/bin/env python3
"""The cipher `khazaal2024` in plain Python, written from docs/cipher.md alone.

Slow and clear on purpose: it is the second implementation that the C++ one is compared with.
Section numbers in the docstrings are those of docs/cipher.md. An image is (H, W, C, D, bytes).
"""

import argparse
import functools
import hashlib
import hmac
import json
import math
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "cipher" / "khazaal2024" / "weights"

FULL = "khazaal2024"
CONFUSION = "khazaal2024-confusion"
ROUNDS = {FULL: 2, CONFUSION: 1}
HEADER_BYTES = {FULL: 48, CONFUSION: 16}

MASK = 2**64 - 1
TOP, BOTTOM, LEFT, RIGHT = range(4)
PARTNER, START, LENGTH, SHIFT, DIRECTION, SCORE = range(6)


class WrongKey(Exception):
    """The public parameter does not fit the decrypted image: wrong key or altered data."""


# Conventions: words


def mulhi(a, b):
    """The upper word of a product of two words."""
    return (a * b) >> 64


def rotl(a, n):
    """A word rotated to the left."""
    return ((a << n) | (a >> (64 - n))) & MASK


def signed(a, bits=64):
    """A word (or byte) read as a two's complement number."""
    return a - (1 << bits) if a >> (bits - 1) else a


def clamp(a):
    """Limits to what a signed byte holds."""
    return min(max(a, -128), 127)


def words(data):
    """The little-endian words of a byte string."""
    return [int.from_bytes(data[i : i + 8], "little") for i in range(0, len(data), 8)]


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


@functools.lru_cache(maxsize=None)
def load_network(name):
    """The integer tables of a network, "feedback" or "keygen"."""
    with open(WEIGHTS / f"{name}.json", encoding="ascii") as file:
        network = json.load(file)
    if network["format"] != "icbench-weights-1" or network["network"] != name:
        raise ValueError(f"{name}.json is not the weights of the {name} network")
    return network


# Section 1: key schedule


def shape_bytes(shape):
    """SH of the conventions; also checks that the shape is one the cipher takes."""
    height, width, channels, depth = shape
    if not (0 < height < 2**32 and 0 < width < 2**32 and 1 <= channels <= 4 and depth in (1, 2)):
        raise ValueError(f"not a shape of an image: {shape}")
    return height.to_bytes(4, "little") + width.to_bytes(4, "little") + bytes([channels, depth])


def condensing_keys(key, nonce, shape):
    """KC, section 1."""
    return hkdf(key, nonce, b"icbench khazaal2024 v0 condense" + shape_bytes(shape), 160)


def public_parameter(kc, streams):
    """Q, section 1, from the four feature streams."""
    tags = [poly1305(kc[32 * i : 32 * i + 32], stream) for i, stream in enumerate(streams)]
    return hmac_sha256(kc[128:160], b"".join(tags))


def working_keys(key, nonce, q, variant, shape):
    """KS, section 1."""
    label = b"icbench khazaal2024 v0 " + variant.encode("ascii") + bytes([ROUNDS[variant]])
    return hkdf(key, nonce + q, label + shape_bytes(shape), 600)


def between(k, low, high):
    """A number in [low, high) chosen by the word k."""
    return low + mulhi(k, high - low)


def map_parameters(ks):
    """R, A, B and Sigma, section 1."""
    kr, ka, kb, ksigma = words(ks[:32])
    return {
        "R": between(kr, 0xE47AE147AE147AE1, 0xFFFFFFFFFFFFFFFF),
        "A": between(ka, 0x4CCCCCCCCCCCCCCC, 0x5999999999999999),
        "B": between(kb, 0x1333333333333333, 0x1999999999999999),
        "Sigma": 32768 + mulhi(ksigma, 98304),
    }


# Section 2: the CNN key generator


def level_1(image):
    """What the causal predictor leaves over, [channel][row][column]; section 2, level 1."""
    height, width, channels, depth, data = image
    predictor = load_network("keygen")["predictor"]
    top = 2 ** (8 * depth) - 1

    def sample(i, j, c):
        if not (0 <= i < height and 0 <= j < width and c >= 0):
            return 0
        at = ((i * width + j) * channels + c) * depth
        return int.from_bytes(data[at : at + depth], "little")

    def residual(i, j, c):
        same = [(0, -1), (-1, 0), (-1, -1), (-1, 1), (0, -2), (-2, 0)]
        before = [(0, 0), (0, -1), (-1, 0)]
        taps = [sample(i + di, j + dj, c) for di, dj in same]
        taps += [sample(i + di, j + dj, c - 1) for di, dj in before]
        total = sum(v * x for v, x in zip(predictor[1 if c > 0 else 0], taps))
        return (sample(i, j, c) - min(max((total + 32) >> 6, 0), top)) & top

    planes = range(channels)
    x = [[[sample(i, j, c) for j in range(width)] for i in range(height)] for c in planes]
    e = [[[residual(i, j, c) for j in range(width)] for i in range(height)] for c in planes]
    return x, e


def convolve(maps, layer):
    """One strided convolution with its activation; maps are [map][row][column], section 2."""
    height, width = len(maps[0]), len(maps[0][0])

    def patch_sum(kernels, i, j):
        total = 0
        for plane, kernel in zip(maps, kernels):
            for dy in range(min(4, height - 4 * i)):
                for dx in range(min(4, width - 4 * j)):
                    total += kernel[dy][dx] * plane[4 * i + dy][4 * j + dx]
        return total

    def output(f, i, j):
        total = layer["bias"][f] + patch_sum(layer["weight"][f], i, j)
        return min(max(total >> layer["shift"], 0), 127)

    rows, columns = range(math.ceil(height / 4)), range(math.ceil(width / 4))
    return [[[output(f, i, j) for j in columns] for i in rows] for f in range(len(layer["bias"]))]


def features(image):
    """The four feature streams, section 2."""
    height, width, channels, depth, _ = image
    x, e = level_1(image)
    streams = [
        b"".join(
            e[c][i][j].to_bytes(depth, "little")
            for i in range(height)
            for j in range(width)
            for c in range(channels)
        )
    ]
    shift = 8 * (depth - 1)
    maps = []
    for c in range(channels):
        m0 = [[(value >> shift) - 128 for value in row] for row in x[c]]
        m1 = [[signed(value >> shift, 8) for value in row] for row in e[c]]
        maps.append([m0, m1])
    for layer in load_network("keygen")["layers"]:
        maps = [convolve(plane_maps, layer) for plane_maps in maps]
        streams.append(
            bytes(
                plane[i][j]
                for plane_maps in maps
                for i in range(len(plane_maps[0]))
                for j in range(len(plane_maps[0][0]))
                for plane in plane_maps
            )
        )
    return streams


# Section 3: the three sources


@functools.lru_cache(maxsize=None)
def gaussian_table():
    """T, section 3."""
    normal = statistics.NormalDist()
    return [math.floor(normal.inv_cdf((i + 0.5) / 1024) * 2**24 + 0.5) for i in range(1024)]


class Lane:
    """One logistic map, one Henon map and one noise source, section 3."""

    def __init__(self, parameters, state):
        self.r, self.a, self.b = parameters["R"], parameters["A"], parameters["B"]
        self.sigma = parameters["Sigma"]
        self.x, self.wx, self.u, self.v, self.wu, self.s, self.c = state
        self.c |= 1
        self.g = 0

    def step_logistic(self):
        self.x = (mulhi(self.r, 4 * mulhi(self.x, ~self.x & MASK)) + self.wx) & MASK
        self.wx = (self.wx + 0x9E3779B97F4A7C15) & MASK

    def step_henon(self):
        u = signed(self.u)
        square = ((u * u) >> 62) & MASK
        t = ((self.a * square) >> 62) & MASK
        self.u = (2**62 - t + self.v + self.wu) & MASK
        self.v = ((self.b * u) >> 62) & MASK
        self.wu = (self.wu + 0xD1B54A32D192ED03) & MASK

    def step_noise(self):
        self.s = (self.s * 0xD1342543DE82EF95 + self.c) & MASK
        self.g = (gaussian_table()[self.s >> 54] * self.sigma) >> 16

    def step(self):
        """One step of all three sources; returns the word of the lane."""
        self.step_logistic()
        self.step_henon()
        self.step_noise()
        v = self.s ^ (self.s >> 29) ^ ((self.g & 0xFFFFFFFF) << 20)
        z = ((self.x + rotl(self.u, 32)) & MASK) ^ v
        z ^= z >> 32
        z = (z * 0xD6E8FEB86659FD93) & MASK
        return z ^ (z >> 32)


class State:
    """All that goes on from round to round: lanes, feedback state, offsets; section 1."""

    def __init__(self, ks):
        self.parameters = map_parameters(ks)
        state = words(ks[32:536])
        lanes = [Lane(self.parameters, state[7 * i : 7 * i + 7]) for i in range(9)]
        self.lanes, self.guide = lanes[:8], lanes[8]
        self.f = [signed(byte, 8) for byte in ks[536:568]]
        self.q = [signed(byte, 8) for byte in ks[568:600]]

    def keystream(self, size):
        """The keystream of one round in whole steps of the lanes, section 3."""
        stream = bytearray()
        for _ in range(math.ceil(size / 64)):
            for lane in self.lanes:
                stream += lane.step().to_bytes(8, "little")
        return bytes(stream)


# Section 4: confusion


def border_length(level, height, width):
    """b[l], section 4."""
    h, w = max(height - 2 * level, 1), max(width - 2 * level, 1)
    return h * w - max(h - 2, 0) * max(w - 2, 0)


def level_lines(level, height, width):
    """The lines of a level as (k, is_column, index) with k of TOP to RIGHT, section 4."""
    lines = []
    if level < math.ceil(height / 2):
        lines.append((TOP, False, level))
        if height - 1 - level != level:
            lines.append((BOTTOM, False, height - 1 - level))
    if level < math.ceil(width / 2):
        lines.append((LEFT, True, level))
        if width - 1 - level != level:
            lines.append((RIGHT, True, width - 1 - level))
    return lines


def network_inputs(level, height, width, guide):
    """The twelve inputs of the feedback network, section 4; the guide lane has been stepped."""
    row = min(level, math.ceil(height / 2) - 1)
    column = min(level, math.ceil(width / 2) - 1)
    outermost = border_length(0, height, width)
    return [
        256 * row // height - 128,
        256 * (height - 1 - row) // height - 128,
        256 * column // width - 128,
        256 * (width - 1 - column) // width - 128,
        255 * border_length(level, height, width) // outermost - 128,
        255 * border_length(max(level - 1, 0), height, width) // outermost - 128,
        (guide.x >> 56) - 128,
        ((guide.x >> 48) & 255) - 128,
        signed(guide.u >> 56, 8),
        ((guide.u >> 48) & 255) - 128,
        clamp(guide.g >> 19),
        ((guide.g >> 11) & 255) - 128,
    ]


def dot(weights, values):
    """The sum of products."""
    return sum(a * b for a, b in zip(weights, values))


def feedback_network(state, inputs):
    """The 24 outputs for one level; the second hidden layer becomes the feedback, section 4."""
    net = load_network("feedback")
    h1 = []
    for i in range(32):
        total = net["b1"][i] + 64 * state.q[i]
        total += dot(net["w1"][i], inputs) + dot(net["wf"][i], state.f)
        h1.append(clamp(total >> 6))
    h2 = [clamp((net["b2"][i] + dot(net["w2"][i], h1)) >> 6) for i in range(32)]
    state.f = h2
    return [(net["b3"][i] + dot(net["w3"][i], h2)) & 0xFFFF for i in range(24)]


def line_cells(is_column, index, height, width):
    """The positions of a row or column in order, section 4."""
    if is_column:
        return [(k, index) for k in range(height)]
    return [(index, k) for k in range(width)]


def exchange(m, line, start, partner, partner_start, count, down):
    """Swaps `count` entries of m between two lists of positions, one after the other; section 4."""
    for k in range(count):
        i, j = line[(start + k) % len(line)]
        step = count - 1 - k if down else k
        i2, j2 = partner[(partner_start + step) % len(partner)]
        m[i][j], m[i2][j2] = m[i2][j2], m[i][j]


def exchange_line(m, is_column, index, o, height, width):
    """The exchange of one line as its six outputs order it, section 4."""
    partner = (o[PARTNER] * (height + width)) >> 16
    partner_line = (False, partner) if partner < height else (True, partner - height)
    if partner_line == (is_column, index):
        return
    line = line_cells(is_column, index, height, width)
    other = line_cells(*partner_line, height, width)
    exchange(
        m,
        line,
        (o[START] * len(line)) >> 16,
        other,
        ((o[DIRECTION] & 0x7FFF) * len(other)) >> 15,
        1 + ((o[LENGTH] * min(len(line), len(other))) >> 16),
        bool(o[DIRECTION] >> 15),
    )


def order(outputs, u):
    """The order of all rows (or columns), from outputs and logistic sample of each; section 4."""
    ranked = sorted(range(len(outputs)), key=lambda i: (outputs[i][SCORE], u[i], i))
    descending = sum(o[DIRECTION] >> 15 for o in outputs) % 2 == 1
    return ranked[::-1] if descending else ranked


def shift_by(o, u, length):
    """By how much a line of this length is shifted, section 4."""
    return (((u + (o[SHIFT] << 16)) & 0xFFFFFFFF) * length) >> 32


def permutation(state, height, width):
    """The map m and the network outputs per level, section 4."""
    m = [[(i, j) for j in range(width)] for i in range(height)]
    outputs = {}
    u = {}
    trace = []
    for level in range(math.ceil(max(height, width) / 2)):
        state.guide.step()
        o = feedback_network(state, network_inputs(level, height, width, state.guide))
        trace.append(o)
        for k, is_column, index in level_lines(level, height, width):
            state.guide.step_logistic()
            u[is_column, index] = state.guide.x >> 32
            outputs[is_column, index] = o[6 * k : 6 * k + 6]
            exchange_line(m, is_column, index, outputs[is_column, index], height, width)

    rows = order([outputs[False, i] for i in range(height)], [u[False, i] for i in range(height)])
    columns = order([outputs[True, j] for j in range(width)], [u[True, j] for j in range(width)])
    m = [[m[i][j] for j in columns] for i in rows]

    for i in range(height):
        a = shift_by(outputs[False, i], u[False, i], width)
        m[i] = [m[i][(k + a) % width] for k in range(width)]
    for j in range(width):
        a = shift_by(outputs[True, j], u[True, j], height)
        column = [m[(k + a) % height][j] for k in range(height)]
        for k in range(height):
            m[k][j] = column[k]
    return m, trace


def confuse(m, data, width, pixel_bytes):
    """Moves the pixels, section 4."""
    moved = bytearray()
    for row in m:
        for i, j in row:
            at = (i * width + j) * pixel_bytes
            moved += data[at : at + pixel_bytes]
    return bytes(moved)


def unconfuse(m, data, width, pixel_bytes):
    """Moves the pixels back, section 7."""
    plain = bytearray(len(data))
    positions = [position for row in m for position in row]
    for n, (i, j) in enumerate(positions):
        at = (i * width + j) * pixel_bytes
        plain[at : at + pixel_bytes] = data[n * pixel_bytes : (n + 1) * pixel_bytes]
    return bytes(plain)


# Section 5: diffusion


def box(guide):
    """A secret permutation of the bytes, section 5."""
    s = list(range(256))
    for i in range(255, 0, -1):
        j = mulhi(guide.step(), i + 1)
        s[i], s[j] = s[j], s[i]
    return bytes(s)


def inverse_box(s):
    """The box that undoes s."""
    inverse = bytearray(256)
    for i, value in enumerate(s):
        inverse[value] = i
    return bytes(inverse)


def line_width(size):
    """w, section 5."""
    w = 1
    while 2 * w <= 64 and 16 * (2 * w) <= size:
        w *= 2
    return w


def chain_lines(size, w, backward):
    """(first byte, length, bit of j to flip) of each line in the order of the chain, section 5."""
    steps = w.bit_length() - 1
    lines = []
    for i in range(math.ceil(size / w)):
        lines.append((i * w, min(w, size - i * w), 1 << (i % steps) if steps else 0))
    return lines[::-1] if backward else lines


def chain(data, f, keystream, state, backward):
    """The forward chain, or the backward one (keystream of zeros); section 5."""
    s = bytearray(state)
    output = bytearray(len(data))
    for at, length, flip in chain_lines(len(data), len(s), backward):
        y = bytes(
            (f[data[at + j] ^ keystream[at + j] ^ s[j]] + s[j ^ flip]) & 255 for j in range(length)
        )
        output[at : at + length] = y
        s[:length] = y
    return bytes(output)


def unchain(data, f, keystream, state, backward):
    """Undoes `chain`, section 7."""
    inverse = inverse_box(f)
    s = bytearray(state)
    output = bytearray(len(data))
    for at, length, flip in chain_lines(len(data), len(s), backward):
        y = data[at : at + length]
        output[at : at + length] = bytes(
            inverse[(y[j] - s[j ^ flip]) & 255] ^ keystream[at + j] ^ s[j] for j in range(length)
        )
        s[:length] = y
    return bytes(output)


# Section 6: rounds


class Round:
    """All secrets of one round, drawn from the state in the order of section 6."""

    def __init__(self, state, variant, shape):
        height, width, channels, depth = shape
        self.size = height * width * channels * depth
        self.width, self.pixel_bytes = width, channels * depth
        self.diffuses = variant == FULL
        if self.diffuses:
            w = line_width(self.size)
            self.f, self.g = box(state.guide), box(state.guide)
            self.forward_state = self.guide_bytes(state.guide)[:w]
            self.backward_state = self.guide_bytes(state.guide)[:w]
        self.m, self.outputs = permutation(state, height, width)
        if self.diffuses:
            # Of whole steps, hence up to 63 bytes longer than the image.
            self.keystream = state.keystream(self.size)

    @staticmethod
    def guide_bytes(guide):
        return b"".join(guide.step().to_bytes(8, "little") for _ in range(8))

    def apply(self, data):
        data = confuse(self.m, data, self.width, self.pixel_bytes)
        if self.diffuses:
            data = chain(data, self.f, self.keystream, self.forward_state, False)
            data = chain(data, self.g, bytes(self.size), self.backward_state, True)
        return data

    def undo(self, data):
        if self.diffuses:
            data = unchain(data, self.g, bytes(self.size), self.backward_state, True)
            data = unchain(data, self.f, self.keystream, self.forward_state, False)
        return unconfuse(self.m, data, self.width, self.pixel_bytes)


def make_rounds(ks, variant, shape):
    """The rounds in the order of encryption, section 6."""
    state = State(ks)
    return [Round(state, variant, shape) for _ in range(ROUNDS[variant])]


def check_lengths(key, nonce, shape, data):
    """Refuses what the cipher is not defined for."""
    height, width, channels, depth = shape
    if len(key) != 32 or len(nonce) != 16:
        raise ValueError("a key has 32 bytes, a nonce 16")
    if len(data) != height * width * channels * depth:
        raise ValueError("the bytes of the image do not fit its shape")


def encrypt(key, nonce, image, variant):
    """(header, cipher bytes, trace of intermediate values), sections 1 to 6."""
    shape, data = image[:4], image[4]
    check_lengths(key, nonce, shape, data)
    trace = {}
    q = b""
    if variant == FULL:
        trace["KC"] = condensing_keys(key, nonce, shape)
        trace["features"] = features(image)
        q = trace["Q"] = public_parameter(trace["KC"], trace["features"])
    trace["KS"] = working_keys(key, nonce, q, variant, shape)
    trace["parameters"] = map_parameters(trace["KS"])
    trace["rounds"] = make_rounds(trace["KS"], variant, shape)
    for one_round in trace["rounds"]:
        data = one_round.apply(data)
    return nonce + q, data, trace


def decrypt(key, header, cipher, variant):
    """The image of a cipher image (H, W, C, D, bytes), section 7; raises WrongKey."""
    shape, data = cipher[:4], cipher[4]
    if len(header) != HEADER_BYTES[variant]:
        raise ValueError(f"the header of {variant} has {HEADER_BYTES[variant]} bytes")
    nonce, q = header[:16], header[16:]
    check_lengths(key, nonce, shape, data)
    ks = working_keys(key, nonce, q, variant, shape)
    for one_round in reversed(make_rounds(ks, variant, shape)):
        data = one_round.undo(data)
    image = (*shape, data)
    if variant == FULL:
        computed = public_parameter(condensing_keys(key, nonce, shape), features(image))
        if not hmac.compare_digest(computed, q):
            raise WrongKey("wrong key, or the data were altered")
    return image


def run(action, key, nonce, shape, variant, data):
    """The bytes to write: a cipher file is the header followed by the cipher image."""
    if action == "encrypt":
        header, cipher, _ = encrypt(key, nonce or b"", (*shape, data), variant)
        return header + cipher
    split = HEADER_BYTES[variant]
    return decrypt(key, data[:split], (*shape, data[split:]), variant)[4]


def main():
    parser = argparse.ArgumentParser(description="Encrypts or decrypts the raw bytes of an image.")
    parser.add_argument("action", choices=["encrypt", "decrypt"])
    parser.add_argument("--key", type=bytes.fromhex, required=True)
    parser.add_argument("--nonce", type=bytes.fromhex, help="of 16 bytes, needed to encrypt")
    parser.add_argument("--shape", required=True, help="H,W,C,D")
    parser.add_argument("--variant", choices=list(ROUNDS), default=FULL)
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    options = parser.parse_args()
    try:
        shape = tuple(int(number) for number in options.shape.split(","))
        data = options.input.read_bytes()
        output = run(options.action, options.key, options.nonce, shape, options.variant, data)
    except (WrongKey, ValueError) as fault:
        print(fault, file=sys.stderr)
        return 1
    options.output.write_bytes(output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
