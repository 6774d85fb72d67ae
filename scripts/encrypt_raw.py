#!/usr/bin/python3
"""Encrypts images as any program outside might: raw pixel bytes through openssl, and by a repeated key.

    scripts/encrypt_raw.py IMAGES OUT

IMAGES: a folder of TIFF or PNG files, 8 bit, gray or RGB. Writes below OUT, one raw file per image (rows from
the top, R, G, B interleaved):
    aes-256-ctr/    openssl enc -aes-256-ctr, one key, an initial counter block per image
    aes-256-ctr-2/  the same of the image with the lowest bit of its very first byte flipped, another counter block
    xor-repeat/     every byte XOR a key of 16 bytes, repeated
    xor-repeat-2/   the same of the flipped image
Keys and counter blocks are SHA-256 of labels: the files are the same on every machine.
"""

import hashlib
import pathlib
import subprocess
import sys

import numpy as np
from PIL import Image


def digest(label):
    """32 bytes for a label."""
    return hashlib.sha256(("encrypt_raw " + label).encode()).digest()


def aes(data, label):
    """AES-256-CTR by the openssl program."""
    return subprocess.run(["openssl", "enc", "-aes-256-ctr", "-K", digest("key").hex(), "-iv",
                           digest(label)[:16].hex(), "-nopad"],
                          input=data, stdout=subprocess.PIPE, check=True).stdout


def xor(data, _):
    """Repeated-key XOR."""
    return (np.frombuffer(data, np.uint8) ^ np.resize(np.frombuffer(digest("key")[:16], np.uint8),
                                                      len(data))).tobytes()


def main():
    """Command line."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    images = sorted(path for path in pathlib.Path(sys.argv[1]).iterdir()
                    if path.suffix in (".tiff", ".tif", ".png"))
    if not images:
        sys.exit(f"{sys.argv[1]}: expected TIFF or PNG files, found none")
    out = pathlib.Path(sys.argv[2])
    for path in images:
        pixels = np.asarray(Image.open(path))
        if pixels.dtype != np.uint8 or (pixels.ndim == 3 and pixels.shape[2] != 3):
            sys.exit(f"{path}: expected 8 bit gray or RGB, got {pixels.dtype} {pixels.shape}")
        data = pixels.tobytes()
        flipped = bytes([data[0] ^ 1]) + data[1:]
        for name, cipher in (("aes-256-ctr", aes), ("xor-repeat", xor)):
            for folder, plain, label in ((name, data, path.stem), (name + "-2", flipped, path.stem + " 2")):
                (out / folder).mkdir(parents=True, exist_ok=True)
                (out / folder / (path.stem + ".raw")).write_bytes(cipher(plain, label))


if __name__ == "__main__":
    main()
