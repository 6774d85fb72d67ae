#!/usr/bin/env python3
"""Writes cipher/khazaal2024/vectors.json: known answers of the reference implementation.

The answers depend on the weights of both networks, whose SHA-256 stand at the top of the file; run
this script again when the weights or docs/cipher.md change. Plain images come from generators
simple enough to write again in any language, see `generate`.
"""

import hashlib
import json
import pathlib
import sys

import khazaal2024

OUTPUT = khazaal2024.ROOT / "cipher" / "khazaal2024" / "vectors.json"
FORMAT = "icbench-vectors-1"
# Longer byte strings are given by their SHA-256 alone.
HEX_LIMIT = 512

SHAPES = [
    (1, 1, 1, 1),
    (1, 7, 1, 1),
    (7, 1, 1, 1),
    (4, 4, 1, 1),
    (16, 16, 1, 1),
    (33, 65, 3, 1),
    (12, 20, 4, 1),
    (9, 14, 1, 2),
    (10, 6, 3, 2),
    (5, 40, 2, 1),
]
VARIANTS = [khazaal2024.FULL, khazaal2024.CONFUSION]
TRACED = (khazaal2024.FULL, (4, 4, 1, 1), "hash")


def sha256(data):
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


def cases():
    """(variant, shape, generator) of every vector: each shape with noise and with one pattern."""
    patterns = ["gradient", "counter", "zero"]
    for variant in VARIANTS:
        for i, shape in enumerate(SHAPES):
            yield variant, shape, "hash"
            yield variant, shape, patterns[i % len(patterns)]


def key_and_nonce(number):
    """Key and nonce of a vector; every four vectors share a key, as images of one user would."""
    key = sha256(b"icbench vector key %d" % (number // 4))
    return key, sha256(b"icbench vector nonce %d" % number)[:16]


def describe_trace(trace, width):
    """Every intermediate value, for finding where another implementation goes astray."""
    first = trace["rounds"][0]
    return {
        "KC": trace["KC"].hex(),
        "features": [stream.hex() for stream in trace["features"]],
        "Q": trace["Q"].hex(),
        "KS": trace["KS"].hex(),
        "parameters": {name: str(value) for name, value in trace["parameters"].items()},
        "first_round": {
            "F": first.f.hex(),
            "G": first.g.hex(),
            "forward_state": first.forward_state.hex(),
            "backward_state": first.backward_state.hex(),
            "outputs": first.outputs,
            # Flat position i * W + j of the plain pixel, in the order of the confused image.
            "permutation": [i * width + j for row in first.m for i, j in row],
            "keystream": first.keystream[:64].hex(),
        },
    }


def make_vector(number, variant, shape, generator):
    """One known answer."""
    key, nonce = key_and_nonce(number)
    plain = generate(generator, shape)
    header, cipher, trace = khazaal2024.encrypt(key, nonce, (*shape, plain), variant)
    vector = {"variant": variant}
    vector.update(zip(("H", "W", "C", "D"), shape))
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
    if (variant, shape, generator) == TRACED:
        vector["trace"] = describe_trace(trace, shape[1])
    return vector


def weight_hashes():
    """SHA-256 of the two weight files."""
    names = ("feedback", "keygen")
    paths = {name: pathlib.Path(khazaal2024.WEIGHTS / f"{name}.json") for name in names}
    return {name: sha256(path.read_bytes()).hex() for name, path in paths.items()}


def make_text():
    """The text of vectors.json."""
    vectors = [make_vector(number, *case) for number, case in enumerate(cases())]
    document = {"format": FORMAT, "weights": weight_hashes(), "vectors": vectors}
    return json.dumps(document, indent=1) + "\n"


def main():
    OUTPUT.write_text(make_text(), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
