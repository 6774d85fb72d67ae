#!/usr/bin/env python3
"""Opens encrypted image files as docs/container.md describes them: slow, plain, independent.

    container.py --key-file KEY IN OUT       writes the samples, then the metadata

Samples are written as the cipher sees them: row by row; blue, green, red, alpha; 16 bit with the
least significant byte first.
"""

import argparse
import hmac
import pathlib
import struct
import sys
import zlib

import khazaal2024

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 4: 2, 2: 3, 6: 4}


class Refused(Exception):
    """Wrong key or altered data."""


def require(holds, what):
    if not holds:
        raise Refused(what)


def chunks_of(content):
    """(type, data) of every chunk, and where each one's data start."""
    require(content.startswith(SIGNATURE), "not a PNG")
    out, at = [], len(SIGNATURE)
    while at < len(content):
        require(len(content) - at >= 12, "truncated")
        (length,) = struct.unpack_from(">I", content, at)
        require(len(content) - at - 12 >= length, "truncated")
        kind, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        require(zlib.crc32(kind + data) == checksum, "wrong checksum")
        out.append((kind, data, at + 8))
        at += 12 + length
    kinds = [kind for kind, _, _ in out]
    require(len(kinds) >= 4 and kinds[:2] == [b"IHDR", b"icBE"] and kinds[-1] == b"IEND", "order")
    require(set(kinds[2:-1]) == {b"IDAT"}, "order")
    return out


def fields_of(data):
    """Cipher, salt, header, encrypted metadata, tag."""
    require(data[:9] == b"icbench\0\x01", "magic or version")
    at = 11
    parts = []
    for size in (data[10], 32):
        parts.append(data[at : at + size])
        at += size
    for width in (2, 4):
        size = int.from_bytes(data[at : at + width], "big")
        parts.append(data[at + width : at + width + size])
        at += width + size
    require(len(data) == at + 32, "length of the chunk")
    return (*parts, data[at:])


def chacha20(key, text):
    """RFC 8439, section 2.4, counter and nonce zero."""
    constants = struct.unpack("<4I", b"expand 32-byte k")
    mask = 0xFFFFFFFF
    lines = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
    lines += [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    out = b""
    for block in range((len(text) + 63) // 64):
        start = [*constants, *struct.unpack("<8I", key), block, 0, 0, 0]
        s = list(start)
        for _ in range(10):
            for a, b, c, d in lines:
                for x, y, z, n in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
                    s[x] = (s[x] + s[y]) & mask
                    v = s[z] ^ s[x]
                    s[z] = ((v << n) | (v >> (32 - n))) & mask
        out += struct.pack("<16I", *((x + y) & mask for x, y in zip(s, start)))
    return bytes(x ^ y for x, y in zip(text, out))


def pixels_of(header, stream):
    """Shape and samples as the cipher sees them."""
    width, height, depth, colour = struct.unpack(">IIBB3x", header)
    channels, sample = CHANNELS[colour], depth // 8
    size = width * channels * sample
    stored = zlib.decompress(stream)
    require(len(stored) == height * (size + 1), "pixels")
    order = [2, 1, 0, 3] if channels >= 3 else [0, 1]
    out = bytearray()
    for row in range(height):
        line = stored[row * (size + 1) : (row + 1) * (size + 1)]
        require(line[0] == 0, "a filtered row; icbench writes none")
        for pixel in range(width):
            for channel in order[:channels]:
                at = 1 + (pixel * channels + channel) * sample
                out += line[at : at + sample][::-1]
    return (height, width, channels, sample), bytes(out)


def open_container(content, key):
    """(samples, metadata); raises Refused."""
    chunks = chunks_of(content)
    _, data, start = chunks[1]
    cipher, salt, header, metadata, tag = fields_of(data)
    keys = khazaal2024.hkdf(key, salt, b"icbench container 1", 96)
    tag_at = start + len(data) - 32
    covered = content[:tag_at] + content[tag_at + 36 :]
    expected = hmac.digest(keys[:32], covered, "sha256")
    require(hmac.compare_digest(expected, tag), "wrong key, or the file was altered")
    shape, pixels = pixels_of(chunks[0][1], b"".join(data for _, data, _ in chunks[2:-1]))
    variant = cipher.decode()
    plain = khazaal2024.decrypt(keys[64:], header, (*shape, pixels), variant)[4]
    return plain, chacha20(keys[32:64], metadata)


def main():
    parser = argparse.ArgumentParser(description="Opens an encrypted image file.")
    parser.add_argument("--key-file", type=pathlib.Path, required=True)
    parser.add_argument("input", type=pathlib.Path)
    parser.add_argument("output", type=pathlib.Path)
    options = parser.parse_args()
    try:
        key = bytes.fromhex(options.key_file.read_text())
        samples, metadata = open_container(options.input.read_bytes(), key)
    except Refused as fault:
        print(f"{options.input}: {fault}", file=sys.stderr)
        return 4
    options.output.write_bytes(samples + metadata)
    return 0


if __name__ == "__main__":
    sys.exit(main())
