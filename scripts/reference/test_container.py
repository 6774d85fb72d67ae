#!/usr/bin/env python3
"""The independent reader opens what the program writes: test_container.py ICBENCH."""

import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

import container

PROGRAM = pathlib.Path(sys.argv.pop(1)).resolve() if len(sys.argv) > 1 else None


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, colour, text):
    """A PNG of counted samples, and those samples as a cipher sees them."""
    channels, sample = container.CHANNELS[colour], depth // 8
    size = width * channels * sample
    rows = [bytes((37 * (row * size + i) + 11) % 256 for i in range(size)) for row in range(height)]
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    stream = zlib.compress(b"".join(b"\0" + row for row in rows))
    content = container.SIGNATURE + chunk(b"IHDR", header) + text
    content += chunk(b"IDAT", stream) + chunk(b"IEND", b"")
    return content, container.pixels_of(header, stream)[1]


class Container(unittest.TestCase):
    def test_chacha20_rfc_8439(self):
        """Appendix A.1, test vector 1."""
        stream = container.chacha20(bytes(32), bytes(64))
        expected = (
            "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
            "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
        )
        self.assertEqual(stream.hex(), expected)

    def test_opens_what_the_program_writes(self):
        text = chunk(b"tEXt", b"Comment\0" + bytes(range(100)))
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            key = folder / "key"
            subprocess.run([PROGRAM, "keygen", "-o", key, "--quiet"], check=True)
            for depth in (8, 16):
                for colour in container.CHANNELS:
                    plain, samples = png(5, 4, depth, colour, text)
                    (folder / "plain.png").write_bytes(plain)
                    command = [PROGRAM, "encrypt", folder / "plain.png", folder / "c.png"]
                    subprocess.run([*command, "--key-file", key, "--force"], check=True)
                    content = (folder / "c.png").read_bytes()
                    secret = bytes.fromhex(key.read_text())
                    found, metadata = container.open_container(content, secret)
                    self.assertEqual(found, samples)
                    self.assertEqual(metadata, struct.pack(">I", len(text)) + text)
                    for at in range(0, len(content), 7):
                        bad = bytearray(content)
                        bad[at] ^= 1
                        with self.assertRaises(container.Refused):
                            container.open_container(bytes(bad), secret)


if __name__ == "__main__":
    unittest.main()
