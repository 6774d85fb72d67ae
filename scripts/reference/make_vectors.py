#!/usr/bin/env python3
"""Writes cipher/khazaal2024/vectors/*.json: known answers of the reference implementation.

    scripts/reference/make_vectors.py

One file per variant (two rounds), `rounds.json` (other numbers of rounds), `large.json` (more than
one block of keystream) and `trace.json` (one small case with every intermediate value). The answers
depend on the weights of both networks, whose SHA-256 stand at the top of each file; run this script
again when the weights or docs/cipher.md change. Plain images come from generators simple enough to
write again in any language, see `generate`; they and cipher images longer than HEX_LIMIT bytes are
given by their SHA-256 alone.

In `trace.json` byte strings are hexadecimal and words are numbers. A state of the guide lane is
[X, wx, U, V, wu, S, c] after what its name says. Entry n of a map is the position, row·W + column,
of the pixel that comes to position n, counted from the image before the rows (or the columns).
"""

import functools
import hashlib
import itertools
import json
import sys

import khazaal2024

FOLDER = khazaal2024.ROOT / "cipher" / "khazaal2024" / "vectors"
FORMAT = "icbench-vectors-2"
HEX_LIMIT = 128

SHAPES = [
    (1, 1, 1, 1),
    (1, 7, 1, 1),
    (7, 1, 1, 1),
    (2, 4, 1, 1),  # N = 8: lines of one byte alone
    (1, 1, 4, 2),  # N = 8 in a single pixel
    (3, 3, 1, 1),  # N = 9
    (1, 3, 3, 1),  # N = 9
    (4, 4, 2, 1),
    (16, 16, 1, 1),
    (9, 14, 1, 2),
    (10, 6, 3, 2),
    (7, 11, 2, 2),
    (173, 3, 1, 1),  # N = 519: lines of 511 bytes and 8 of one byte
    (20, 26, 1, 1),  # N = 520: 512 and 8 of one byte
    (1, 521, 1, 1),  # N = 521: 512, 1 and 8 of one byte
    (521, 1, 1, 1),
    (12, 20, 4, 1),
    (5, 40, 2, 1),
    (2, 301, 1, 1),
    (257, 3, 4, 2),
    (33, 65, 3, 1),
]
ROUNDS_SHAPES = [(6, 7, 3, 1), (23, 13, 2, 2)]
# (variant, shape, generator)
LARGE = [
    (khazaal2024.FULL, (256, 512, 1, 1), "zero"),  # N = 2^17, one whole block
    (khazaal2024.FULL, (210, 211, 3, 1), "hash"),
    (khazaal2024.FULL, (129, 131, 4, 2), "gradient"),
    (khazaal2024.CONFUSION, (210, 211, 3, 1), "counter"),
]
TRACED = (6, 5, 3, 1)


def sha256(data):
    """SHA-256."""
    return hashlib.sha256(data).digest()


def gradient(shape):
    """For sample (i, j, c) the value 7i + 3j + 11c mod 2^(8D), little-endian."""
    height, width, channels, depth = shape
    values = (
        (7 * i + 3 * j + 11 * c) % 2 ** (8 * depth)
        for i in range(height)
        for j in range(width)
        for c in range(channels)
    )
    return b"".join(value.to_bytes(depth, "little") for value in values)


def generate(name, shape):
    """The bytes of a plain image.

    zero: all 0. counter: byte n is n mod 256. gradient: see above. hash: the SHA-256 of
    "icbench vector " and k in decimal, for k = 0, 1, 2, ... concatenated and cut.
    """
    height, width, channels, depth = shape
    size = height * width * channels * depth
    if name == "zero":
        return bytes(size)
    if name == "counter":
        return bytes(n % 256 for n in range(size))
    if name == "gradient":
        return gradient(shape)
    if name == "hash":
        blocks = range((size + 31) // 32)
        return b"".join(sha256(b"icbench vector %d" % k) for k in blocks)[:size]
    raise ValueError(f"no generator {name}")


def key_and_nonce(group, number):
    """Key and nonce of a vector: four in a row share a key, and groups the keys of each other."""
    key = sha256(b"icbench vector key %d" % (number // 4))
    return key, sha256(b"icbench vector nonce %s %d" % (group.encode(), number))[:16]


def make_vector(variant, rounds, shape, generator, key, nonce):
    """One known answer, and the trace of its making."""
    plain = generate(generator, shape)
    image = (*shape, plain)
    header, cipher, trace = khazaal2024.encrypt(key, nonce, image, variant, rounds)
    vector = {"variant": variant, "rounds": rounds}
    vector.update(zip(("H", "W", "C", "D"), shape, strict=True))
    vector["key"] = key.hex()
    vector["nonce"] = nonce.hex()
    vector["plain_generator"] = generator
    if len(plain) <= HEX_LIMIT:
        vector["plain"] = plain.hex()
    vector["plain_sha256"] = sha256(plain).hex()
    vector["header"] = header.hex()
    if len(cipher) <= HEX_LIMIT:
        vector["cipher"] = cipher.hex()
    vector["cipher_sha256"] = sha256(cipher).hex()
    return vector, trace


def make_group(name, cases):
    """The vectors of (variant, rounds, shape, generator), with the keys of the group."""
    return [make_vector(*case, *key_and_nonce(name, n))[0] for n, case in enumerate(cases)]


def variant_vectors(variant):
    """Every shape with noise; with a pattern too for the two ciphers proper, and extreme keys."""
    cases = [(variant, 2, shape, "hash") for shape in SHAPES]
    if variant not in (khazaal2024.FULL, khazaal2024.CONFUSION):
        return make_group(variant, cases)
    patterns = itertools.cycle(["gradient", "counter", "zero"])
    cases += [(variant, 2, shape, pattern) for shape, pattern in zip(SHAPES, patterns)]
    vectors = make_group(variant, cases)
    for value in (b"\x00", b"\xff"):
        case = (variant, 2, (6, 10, 1, 1), "zero", 32 * value, 16 * value)
        vectors.append(make_vector(*case)[0])
    return vectors


def rounds_vectors():
    """Other numbers of rounds."""
    variants = (khazaal2024.FULL, khazaal2024.CONFUSION)
    return make_group(
        "rounds",
        [
            (variant, rounds, shape, "hash")
            for variant in variants
            for rounds in (1, 3, 4, 5)
            for shape in ROUNDS_SHAPES
        ],
    )


def large_vectors():
    """Images of one block of keystream and of two."""
    return make_group("large", [(variant, 2, *rest) for variant, *rest in LARGE])


# The traced case


def describe_line(line):
    """What section 4 draws for a line."""
    return {
        "line": ("column " if line.is_column else "row ") + str(line.index),
        "partner": line.partner,
        "s": line.start,
        "s'": line.partner_start,
        "count": line.count,
        "down": line.down,
        "rank": list(line.rank),
        "turn": line.turn,
    }


def describe_round(one_round, images):
    """All values of one round."""
    described = {}
    if one_round.odd:
        described["levels"] = one_round.levels
        described["lines"] = [describe_line(line) for line in one_round.lines]
    described["maps"] = one_round.maps
    keys = one_round.keys
    described["chain_keys"] = {"O": keys.o, "H": keys.h, "c": keys.carry}
    described["guide_after_chain_keys"] = one_round.guide
    described["keystream"] = one_round.stream.hex()
    # c before each line, in the order of the chain.
    described["carries"] = one_round.carries
    described["images"] = {name: data.hex() for name, data in images.items()}
    return described


def describe_trace(trace):
    """Every intermediate value, for finding where another implementation goes astray."""
    state = khazaal2024.State(trace["KS"], khazaal2024.FULL)
    return {
        "KC": trace["KC"].hex(),
        "features": [stream.hex() for stream in trace["features"]],
        "T": [tag.hex() for tag in trace["T"]],
        "Q": trace["Q"].hex(),
        "KS": trace["KS"].hex(),
        "parameters": trace["rounds"][0].parameters,
        "guide": state.guide.state(),
        "f": state.f,
        "q": state.q,
        "rounds": [
            describe_round(*pair) for pair in zip(trace["rounds"], trace["images"], strict=True)
        ],
    }


def covers(trace):
    """Whether the lines of a trace meet every case of section 4."""
    lines = trace["rounds"][0].lines
    kinds = {(line.is_column, line.partner_is_column) for line in lines}
    itself = any((a.is_column, a.index) == (a.partner_is_column, a.partner_index) for a in lines)
    descending = {sum(a.down for a in lines if a.is_column == kind) % 2 for kind in (False, True)}
    return len(kinds) == 4 and itself and len(descending) == 2


def trace_vectors():
    """The one traced vector: the first nonce whose lines meet every case of section 4."""
    for number in itertools.count():
        key, nonce = key_and_nonce("trace", number)
        vector, trace = make_vector(khazaal2024.FULL, 2, TRACED, "hash", key, nonce)
        if covers(trace):
            return [{**vector, "trace": describe_trace(trace)}]


# Files


def weight_hashes():
    """SHA-256 of the two weight files."""
    names = ("feedback", "keygen")
    paths = {name: khazaal2024.WEIGHTS / f"{name}.json" for name in names}
    return {name: sha256(path.read_bytes()).hex() for name, path in paths.items()}


def dump(value, indent=0):
    """JSON with lists of numbers on a line of their own."""
    inner, outer = "\n" + " " * (indent + 1), "\n" + " " * indent
    if isinstance(value, dict):
        items = (f"{json.dumps(name)}: {dump(item, indent + 1)}" for name, item in value.items())
        return "{" + inner + ("," + inner).join(items) + outer + "}"
    if isinstance(value, list) and any(isinstance(item, (dict, str)) for item in value):
        items = (dump(item, indent + 1) for item in value)
        return "[" + inner + ("," + inner).join(items) + outer + "]"
    return json.dumps(value, separators=(",", ":"))


def groups():
    """Name of a file, without suffix, and what makes its vectors."""
    makers = {name: functools.partial(variant_vectors, name) for name in khazaal2024.VARIANTS}
    return {**makers, "rounds": rounds_vectors, "large": large_vectors, "trace": trace_vectors}


def make_text(vectors):
    """The text of one file."""
    return dump({"format": FORMAT, "weights": weight_hashes(), "vectors": vectors}) + "\n"


def main():
    """Writes all files, and removes those that are none of them."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        if path.stem not in groups():
            path.unlink()
    for name, make in groups().items():
        (FOLDER / f"{name}.json").write_text(make_text(make()), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
