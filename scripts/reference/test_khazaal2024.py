#!/usr/bin/env python3
"""Tests of the reference implementation; to be run as a script."""

import json
import re
import unittest

import khazaal2024
import make_vectors


class Primitives(unittest.TestCase):
    def test_poly1305_rfc_8439(self):
        """RFC 8439, section 2.5.2."""
        key = bytes.fromhex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
        tag = khazaal2024.poly1305(key, b"Cryptographic Forum Research Group")
        self.assertEqual(tag.hex(), "a8061dc1305136c6c22b8baf0c0127a9")

    def test_hkdf_rfc_5869(self):
        """RFC 5869, test case 1."""
        output = khazaal2024.hkdf(
            bytes([0x0B] * 22), bytes(range(13)), bytes(range(0xF0, 0xFA)), 42
        )
        expected = (
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        )
        self.assertEqual(output.hex(), expected)

    def test_hkdf_length_limit(self):
        self.assertEqual(len(khazaal2024.hkdf(b"k", b"s", b"i", 255 * 32)), 8160)
        with self.assertRaises(ValueError):
            khazaal2024.hkdf(b"k", b"s", b"i", 255 * 32 + 1)

    def test_gaussian_table_is_the_one_of_the_include_file(self):
        path = khazaal2024.ROOT / "cipher" / "khazaal2024" / "gaussian_table.inc"
        body = path.read_text(encoding="ascii").split("\n", 1)[1]
        self.assertEqual([int(n) for n in re.findall(r"-?\d+", body)], khazaal2024.gaussian_table())


class Confusion(unittest.TestCase):
    def test_exchange_of_figure_6(self):
        """(1,1) with (4,4) and (2,3) with (4,1), counted from 1; all others stay."""
        # The starts are given apart: the one start output of section 4 makes both equal here.
        m = [[(i, j) for j in range(4)] for i in range(4)]
        rows = [khazaal2024.line_cells(False, i, 4, 4) for i in range(4)]
        khazaal2024.exchange(m, rows[0], 0, rows[3], 3, 1, False)
        khazaal2024.exchange(m, rows[1], 2, rows[3], 0, 1, False)
        expected = [[(i, j) for j in range(4)] for i in range(4)]
        expected[0][0], expected[3][3] = (3, 3), (0, 0)
        expected[1][2], expected[3][0] = (3, 0), (1, 2)
        self.assertEqual(m, expected)

    def test_permutation_is_a_bijection(self):
        for height, width in [(1, 1), (1, 9), (9, 1), (2, 2), (3, 8), (17, 16), (31, 5)]:
            for label in range(3):
                key, nonce = make_vectors.key_and_nonce(label)
                shape = (height, width, 1, 1)
                ks = khazaal2024.working_keys(key, nonce, b"", khazaal2024.CONFUSION, shape)
                m, _ = khazaal2024.permutation(khazaal2024.State(ks), height, width)
                cells = sorted(cell for row in m for cell in row)
                self.assertEqual(cells, [(i, j) for i in range(height) for j in range(width)])

    def test_each_line_belongs_to_one_level(self):
        for height, width in [(1, 1), (1, 6), (5, 5), (4, 9), (10, 3)]:
            levels = range((max(height, width) + 1) // 2)
            lines = [
                line[1:]
                for level in levels
                for line in khazaal2024.level_lines(level, height, width)
            ]
            expected = [(False, i) for i in range(height)] + [(True, j) for j in range(width)]
            self.assertEqual(sorted(lines), expected)


class Cipher(unittest.TestCase):
    key = bytes(range(32))
    nonce = bytes(range(16))

    def encrypt(self, shape, variant, generator="hash"):
        self.plain = (*shape, make_vectors.generate(generator, shape))
        header, cipher, _ = khazaal2024.encrypt(self.key, self.nonce, self.plain, variant)
        return header, (*shape, cipher)

    def test_round_trip(self):
        for shape in make_vectors.SHAPES:
            for variant in make_vectors.VARIANTS:
                with self.subTest(shape=shape, variant=variant):
                    header, cipher = self.encrypt(shape, variant)
                    self.assertEqual(len(header), khazaal2024.HEADER_BYTES[variant])
                    self.assertEqual(
                        khazaal2024.decrypt(self.key, header, cipher, variant), self.plain
                    )

    def test_confusion_moves_pixels_and_keeps_values(self):
        _, cipher = self.encrypt((9, 14, 1, 2), khazaal2024.CONFUSION)
        pixels = [
            sorted(image[4][i : i + 2] for i in range(0, 252, 2)) for image in (cipher, self.plain)
        ]
        self.assertEqual(*pixels)
        self.assertNotEqual(cipher, self.plain)

    def test_wrong_key_and_altered_data_raise(self):
        shape = (5, 7, 3, 1)
        header, cipher = self.encrypt(shape, khazaal2024.FULL)

        def altered(data, at):
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

        attempts = [(altered(self.key, 31), header, cipher)]
        attempts += [(self.key, altered(header, at), cipher) for at in (0, 15, 16, 47)]
        attempts += [(self.key, header, (*shape, altered(cipher[4], at))) for at in (0, 104)]
        attempts.append((self.key, header, (7, 5, 3, 1, cipher[4])))
        for key, some_header, some_cipher in attempts:
            with self.assertRaises(khazaal2024.WrongKey):
                khazaal2024.decrypt(key, some_header, some_cipher, khazaal2024.FULL)

    def test_lengths_are_checked(self):
        image = (2, 2, 1, 1, bytes(4))
        for key, nonce, plain in [
            (bytes(31), self.nonce, image),
            (self.key, bytes(15), image),
            (self.key, self.nonce, (2, 2, 1, 1, bytes(5))),
            (self.key, self.nonce, (2, 2, 5, 1, bytes(20))),
            (self.key, self.nonce, (0, 2, 1, 1, b"")),
        ]:
            with self.assertRaises(ValueError):
                khazaal2024.encrypt(key, nonce, plain, khazaal2024.FULL)


class Vectors(unittest.TestCase):
    def test_vectors_regenerate(self):
        text = make_vectors.OUTPUT.read_text(encoding="ascii")
        if json.loads(text)["weights"] != make_vectors.weight_hashes():
            self.skipTest("vectors.json was made with other weights: run make_vectors.py")
        self.assertEqual(make_vectors.make_text(), text)


if __name__ == "__main__":
    unittest.main()
