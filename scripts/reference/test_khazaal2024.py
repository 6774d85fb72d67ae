#!/usr/bin/env python3
"""Tests of the reference implementation; to be run as a script.

Worked examples are computed here a second way, in floating point or by brute force, not by the
functions under test.
"""

import dataclasses
import random
import re
import unittest
from unittest import mock

import khazaal2024
import make_vectors

KEY = bytes(range(32))
NONCE = bytes(range(16))
WORD_EDGES = [0, 1, 2**31, 2**32 - 1, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1]


def random_keygen(seed):
    """Tables of the CNN with random weights of the shape and ranges of section 2."""
    source = random.Random(seed)

    def layer(maps, filters, low, high, shift):
        def row():
            return [source.randint(low, high) for _ in range(4)]

        weight = [[[row() for _ in range(4)] for _ in range(maps)] for _ in range(filters)]
        return {"weight": weight, "bias": [source.randint(-999, 999) for _ in range(filters)],
                "shift": shift}

    return {
        "predictor": [[20, 24, -9, 0, 0], [16, 14, -6, 10, -2]],
        "layers": [layer(1, 4, -64, 64, 6), layer(4, 8, -128, 127, 8), layer(8, 16, -128, 127, 9)],
    }


def make_state(variant=khazaal2024.FULL, label=0):
    """The state of some working keys."""
    nonce = make_vectors.key_and_nonce("test", label)[1]
    ks = khazaal2024.working_keys(KEY, nonce, b"", variant, 2, (6, 5, 3, 1))
    return khazaal2024.State(ks, variant)


def make_lane(variant=khazaal2024.FULL, state=(0,) * 7, **parameters):
    """A lane with given parameters; r = 3.75, a = 1.4 and b = 0.3 otherwise, sigma = 1."""
    given = {"R": int(3.75 * 2**62), "A": int(1.4 * 2**62), "B": int(0.3 * 2**62), "M": 2**16}
    return khazaal2024.Lane({**given, **parameters}, state, variant)


def make_line(is_column, index, partner_is_column, partner_index, **values):
    """A line that does nothing but what the values say."""
    line = khazaal2024.Line(
        is_column, index, 0, partner_is_column, partner_index, 0, 0, 1, 0, (0, 0, index), 0
    )
    return dataclasses.replace(line, **values)


class Primitives(unittest.TestCase):
    def test_poly1305_rfc_8439(self):
        """RFC 8439, section 2.5.2."""
        key = bytes.fromhex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
        tag = khazaal2024.poly1305(key, b"Cryptographic Forum Research Group")
        self.assertEqual(tag.hex(), "a8061dc1305136c6c22b8baf0c0127a9")

    def test_poly1305_rfc_8439_wrap(self):
        """RFC 8439, appendix A.3, vectors 7 to 9: the carry at the modulus."""
        r1, r2 = b"\x01" + bytes(15), b"\x02" + bytes(15)
        ff = b"\xff" * 16
        cases = [
            (r2 + bytes(16), ff, "03000000000000000000000000000000"),
            (r2 + ff, b"\x02" + bytes(15), "03000000000000000000000000000000"),
            (r1 + bytes(16), ff + b"\xf0" + ff[1:] + b"\x11" + bytes(15), "05" + "00" * 15),
            (r1 + bytes(16), ff + b"\xfb" + b"\xfe" * 15 + b"\x01" * 16, "00" * 16),
            (r2 + bytes(16), b"\xfd" + ff[1:], "fa" + "ff" * 15),
        ]
        for key, message, tag in cases:
            self.assertEqual(khazaal2024.poly1305(key, message).hex(), tag)

    def test_hkdf_rfc_5869(self):
        """RFC 5869, test cases 1 and 3."""
        key = bytes([0x0B] * 22)
        output = khazaal2024.hkdf(key, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42)
        expected = (
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        )
        self.assertEqual(output.hex(), expected)
        expected = (
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        )
        self.assertEqual(khazaal2024.hkdf(key, b"", b"", 42).hex(), expected)

    def test_hkdf_length_limit(self):
        self.assertEqual(len(khazaal2024.hkdf(b"k", b"s", b"i", 255 * 32)), 8160)
        with self.assertRaises(ValueError):
            khazaal2024.hkdf(b"k", b"s", b"i", 255 * 32 + 1)

    def test_product_of_fractions(self):
        self.assertEqual(khazaal2024.mulf(2**63, 2**63), 2**62)
        self.assertEqual(khazaal2024.mulf(2**32 - 1, 2**32 - 1), 0)
        self.assertEqual(khazaal2024.mulf(2**64 - 1, 2**64 - 1), 2**64 - 3)
        source = random.Random(1)
        some = WORD_EDGES + [source.getrandbits(64) for _ in range(50)]
        differences = {
            khazaal2024.mulhi(a, b) - khazaal2024.mulf(a, b) for a in some for b in some
        }
        self.assertEqual(differences, {0, 1, 2})

    def test_words(self):
        self.assertEqual(khazaal2024.rotl(0x0123456789ABCDEF, 8), 0x23456789ABCDEF01)
        self.assertEqual(khazaal2024.fold(0x123456789ABCDEF0), 0x1234567888888888)
        self.assertEqual(khazaal2024.words(b"\x01" + bytes(7) + b"\x02\x03"), [1, 0x0302])
        self.assertEqual([khazaal2024.signed(a, 8) for a in (0, 127, 128, 255)], [0, 127, -128, -1])

    def test_gaussian_table_is_the_one_of_the_include_file(self):
        path = khazaal2024.ROOT / "cipher" / "khazaal2024" / "gaussian_table.inc"
        body = path.read_text(encoding="ascii").split("\n", 1)[1]
        table = khazaal2024.gaussian_table()
        self.assertEqual([int(n) for n in re.findall(r"-?\d+", body)], table)
        self.assertEqual([-value for value in reversed(table)], table)


class KeySchedule(unittest.TestCase):
    def test_derivations_are_stated_byte_by_byte(self):
        sh = bytes.fromhex("0201000005000000" "0302")
        with mock.patch.object(khazaal2024, "hkdf") as hkdf:
            khazaal2024.condensing_keys(KEY, NONCE, (258, 5, 3, 2))
            hkdf.assert_called_with(KEY, NONCE, b"icbench khazaal2024 v1 condense" + sh, 160)
            khazaal2024.working_keys(KEY, NONCE, b"Q", "khazaal2024-no-dnn", 7, (258, 5, 3, 2))
            info = b"icbench khazaal2024 v1 khazaal2024-no-dnn\x07" + sh
            hkdf.assert_called_with(KEY, NONCE + b"Q", info, 600)

    def test_reading_of_the_working_keys(self):
        ks = b"".join(n.to_bytes(8, "little") for n in range(67)) + bytes(range(100, 164))
        state = khazaal2024.State(ks, khazaal2024.FULL)
        self.assertEqual(state.lanes[0].state(), [4, 5, 6, 7, 8, 9, 11])
        self.assertEqual(state.guide.state(), [60, 61, 62, 63, 64, 65, 67])
        self.assertEqual((state.f[0], state.f[28], state.q[31]), (100, -128, -93))

    def test_parameters_stay_in_their_ranges(self):
        low, high = (khazaal2024.map_parameters(byte * 32) for byte in (b"\x00", b"\xff"))
        for name, scale, least, most in [
            ("R", 2**62, 3.57, 4),
            ("A", 2**62, 1.2, 1.4),
            ("B", 2**62, 0.3, 0.4),
            ("M", 2**16, 0.5, 2),
        ]:
            self.assertAlmostEqual(low[name] / scale, least)
            self.assertLess(high[name] / scale, most + 1e-15)
            self.assertAlmostEqual(high[name] / scale, most, places=3)
        self.assertEqual((low["M"], high["M"]), (2**15, 2**17 - 1))


class KeyGenerator(unittest.TestCase):
    """Section 2, with tables made here."""

    def features(self, image, keygen):
        with mock.patch.object(khazaal2024, "load_network", return_value=keygen):
            return khazaal2024.features(image)

    def test_tables_are_checked(self):
        khazaal2024.check_keygen(random_keygen(1))
        khazaal2024.check_keygen(khazaal2024.load_network("keygen"))
        for spoil in [
            lambda net: net["predictor"][0].append(0),
            lambda net: net["predictor"].__setitem__(1, [128, 0, 0, 0, 1]),
            lambda net: net["layers"].pop(),
            lambda net: net["layers"][0]["weight"][3][0][3].__setitem__(3, 65),
            lambda net: net["layers"][1]["weight"][7].pop(),
            lambda net: net["layers"][2]["bias"].pop(),
        ]:
            net = random_keygen(1)
            spoil(net)
            with self.assertRaises(ValueError):
                khazaal2024.check_keygen(net)

    def test_residuals_by_hand(self):
        keygen = random_keygen(1)
        keygen["predictor"] = [[32, 16, -16, 0, 0], [0, 0, 0, 32, -32]]
        image = (2, 2, 2, 1, bytes([10, 20, 30, 90, 9, 3, 250, 255]))
        # Channel 0: 10 30 / 9 250. Predicted: 0, 10; 10/2 = 5, 9 + 30/2 - 10/2 = 19.
        # Channel 1: 20 90 / 3 255. Predicted: 10, 30 - 10; 9, 250 - 9 = 241.
        expected = [10, 10, 20, 70, 4, 256 + 3 - 9, 231, 14]
        self.assertEqual(list(self.features(image, keygen)[0]), expected)

    def test_rounding_and_limits_of_the_prediction(self):
        for weight, before, predicted in [(1, 15, 0), (1, 16, 1), (128, 255, 255), (-1, 255, 0)]:
            keygen = random_keygen(1)
            keygen["predictor"][0] = [weight, 0, 0, 0, 0]
            stream = self.features((1, 2, 1, 1, bytes([before, 200])), keygen)[0]
            self.assertEqual(stream[1], (200 - predicted) % 256)

    def test_residuals_determine_the_image(self):
        """The decoder of a predictive code: sample by sample from what is known already."""
        keygen = random_keygen(2)
        for shape in [(5, 7, 3, 1), (4, 3, 2, 2)]:
            height, width, channels, depth = shape
            data = make_vectors.generate("hash", shape)
            stream = self.features((*shape, data), keygen)[0]
            known = {}
            size = 256**depth
            for n in range(height * width * channels):
                i, j, c = n // channels // width, n // channels % width, n % channels
                taps = [(i, j - 1, c), (i - 1, j, c), (i - 1, j - 1, c)]
                taps += [(i, j, c - 1), (i, j - 1, c - 1)]
                weights = keygen["predictor"][min(c, 1)]
                p = (sum(w * known.get(tap, 0) for w, tap in zip(weights, taps)) + 16) // 32
                e = int.from_bytes(stream[n * depth : (n + 1) * depth], "little")
                known[i, j, c] = (e + max(0, min(p, size - 1))) % size
            decoded = b"".join(value.to_bytes(depth, "little") for value in known.values())
            self.assertEqual(decoded, data)

    def test_levels_2_to_4_by_brute_force(self):
        keygen = random_keygen(3)
        for shape in [(1, 1, 1, 1), (9, 18, 2, 1), (21, 5, 3, 2)]:
            height, width, channels, depth = shape
            data = make_vectors.generate("hash", shape)
            # maps[c, map][i, j] of the level before, absent outside.
            maps = {}
            for n in range(height * width * channels):
                i, j, c = n // channels // width, n // channels % width, n % channels
                maps.setdefault((c, 0), {})[i, j] = data[(n + 1) * depth - 1] - 128
            streams = self.features((*shape, data), keygen)
            for layer, stream in zip(keygen["layers"], streams[1:], strict=True):
                height, width = -(-height // 4), -(-width // 4)
                outputs, level = [], {}
                for i in range(height):
                    for j in range(width):
                        for c in range(channels):
                            for f, kernels in enumerate(layer["weight"]):
                                total = layer["bias"][f] + sum(
                                    kernel[y % 4][x % 4] * maps[c, k].get((y, x), 0)
                                    for k, kernel in enumerate(kernels)
                                    for y in range(4 * i, 4 * i + 4)
                                    for x in range(4 * j, 4 * j + 4)
                                )
                                value = max(0, min(127, total // 2 ** layer["shift"]))
                                level.setdefault((c, f), {})[i, j] = value
                                outputs.append(value)
                maps = level
                self.assertEqual(bytes(outputs), stream)


class Sources(unittest.TestCase):
    def test_logistic_map_is_the_real_one_plus_the_drive(self):
        for x in (0.0, 0.1, 0.5, 0.9, 0.999):
            for wx in (0, 2**61):
                lane = make_lane(state=(int(x * 2**64), wx, 0, 0, 0, 0, 0))
                lane.step_logistic()
                expected = (3.75 * x * (1 - x) + wx / 2**64) % 1
                self.assertAlmostEqual(lane.x / 2**64, expected, places=12)
                self.assertEqual(lane.wx, wx + 0x9E3779B97F4A7C15)

    def test_henon_map_is_the_real_one_folded(self):
        one = 2**62
        for u in (-2.0, -1.99, -1.2, -0.3, 0.0, 0.7, 1.3, 1.99):
            for v, wu in ((0, 0), (one // 5, 0), (0, one)):
                lane = make_lane(state=(0, 0, int(u * one) % 2**64, v, wu, 0, 0))
                lane.step_henon()
                expected = 1 - 1.4 * (u * u if u != -2 else 0) + v / one + wu / one
                expected = (expected + 2) % 4 - 2
                self.assertAlmostEqual(khazaal2024.signed(lane.u) / one, expected, places=8)
                self.assertAlmostEqual(khazaal2024.signed(lane.v) / one, 0.3 * u, places=8)

    def test_noise_has_the_deviation_sigma(self):
        """The mixer is the one of splitmix64, whose first outputs for the seed 0 are known."""
        lane = make_lane(state=(0, 0, 0, 0, 0, 0, 0x9E3779B97F4A7C15), M=3 * 2**15)
        draws, outputs = [], []
        for _ in range(2000):
            lane.step_noise()
            outputs.append(lane.d)
            draws.append(lane.g / 2**24)
        self.assertEqual(outputs[:2], [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4])
        table = khazaal2024.gaussian_table()
        self.assertEqual(draws[0], 3 * table[0xE220A8397B1DCDAF >> 54] // 2 / 2**24)
        self.assertAlmostEqual(sum(draws) / 2000, 0, delta=0.15)
        self.assertAlmostEqual(sum(g * g for g in draws) / 2000, 2.25, delta=0.3)

    def test_v_keeps_the_bits_that_fix_g(self):
        lane = make_state().guide
        for _ in range(50):
            lane.step()
            v = lane.read()[2]
            g = (khazaal2024.gaussian_table()[v >> 54] * lane.parameters["M"]) >> 16
            self.assertEqual((g, v ^ ((g & 0xFFFFFFFF) << 20)), (lane.g, lane.d))

    def test_words_of_a_lane_in_the_variants(self):
        def mixed(value, factor):
            value %= 2**64
            value = (value ^ (value >> 32)) * factor % 2**64
            return value ^ (value >> 32)

        def rotated(value, count):
            return value * 2**count % 2**64 + value * 2**count // 2**64

        for variant in khazaal2024.VARIANTS:
            lane = make_lane(variant, state=(3**30, 3**31, 3**32, 3**33, 3**34, 3**35, 3**36))
            lane.step()
            x, u, v = lane.x, lane.u, lane.d ^ ((lane.g & 0xFFFFFFFF) << 20)
            x = 0 if variant == "khazaal2024-no-logistic" else x
            u = 0 if variant == "khazaal2024-no-henon" else u
            v = 0 if variant == "khazaal2024-no-gauss" else v
            z1 = mixed((x + rotated(u, 27)) % 2**64 ^ v, 0xD6E8FEB86659FD93)
            z2 = mixed((u ^ x) + rotated(v, 42), 0xFF51AFD7ED558CCD)
            self.assertEqual(lane.two_words(), (z1, z2))

    def test_counters_at_a_step_number(self):
        lane = make_state().guide
        moved = lane.at_step(1000)
        for _ in range(1000):
            lane.step()
        self.assertEqual([moved.wx, moved.wu, moved.s], [lane.wx, lane.wu, lane.s])

    def test_keystream_by_steps_from_the_definition(self):
        lanes = make_state().lanes
        before = [lane.state() for lane in lanes]
        made = khazaal2024.keystream(lanes, 2, 2**17 + 300)
        self.assertEqual(len(made), 2**17 + 300)
        self.assertEqual([lane.state() for lane in lanes], before)
        # Byte 3·128 + 8·(8 + 5) of block 1: z2 of lane 5 in step 8 + 3 counted from 0.
        for block, step, number in [(0, 0, 0), (0, 1023, 5), (1, 0, 7), (1, 1, 13)]:
            x, wx, u, v, wu, s, c = before[number % 8]
            start = (2 * 2**24 + block) * 4096
            state = (x, wx + start * 0x9E3779B97F4A7C15, u, v, wu + start * 0xD1B54A32D192ED03)
            state = (*state, s + start * c, c)
            lane = make_lane(state=[a % 2**64 for a in state], **lanes[0].parameters)
            for _ in range(8 + step + 1):
                lane.step()
            at = block * 2**17 + step * 128 + 8 * number
            word = lane.two_words()[number // 8]
            self.assertEqual(made[at : at + 8], word.to_bytes(8, "little"))

    def test_keystream_does_not_depend_on_what_is_asked(self):
        lanes = make_state().lanes
        whole = khazaal2024.keystream(lanes, 1, 1000)
        for size in (1, 127, 128, 129, 999):
            self.assertEqual(khazaal2024.keystream(lanes, 1, size), whole[:size])
        self.assertNotEqual(khazaal2024.keystream(lanes, 2, 1000), whole)


class Hierarchy(unittest.TestCase):
    SHAPES = [(1, 1), (1, 6), (6, 1), (5, 5), (4, 9), (10, 3), (2, 2)]

    def test_each_line_belongs_to_one_level(self):
        for height, width in self.SHAPES:
            lines = [
                line[1:]
                for level in range(khazaal2024.level_count(height, width))
                for line in khazaal2024.level_lines(level, height, width)
            ]
            expected = [(False, i) for i in range(height)] + [(True, j) for j in range(width)]
            self.assertEqual(sorted(lines), expected)

    def test_borders_are_disjoint_and_cover_the_image(self):
        for height, width in self.SHAPES:
            levels = range((min(height, width) + 1) // 2)
            lengths = [khazaal2024.border_length(level, height, width) for level in levels]
            self.assertEqual(sum(lengths), height * width)
            for level, length in enumerate(lengths):
                at = [
                    min(i, j, height - 1 - i, width - 1 - j)
                    for i in range(height)
                    for j in range(width)
                ]
                self.assertEqual(at.count(level), length)

    def test_inputs_are_signed_bytes(self):
        for height, width in self.SHAPES + [(65535, 2), (300, 257)]:
            guide = make_state().guide
            for level in range(min(khazaal2024.level_count(height, width), 200)):
                guide.step()
                inputs = khazaal2024.network_inputs(level, height, width, guide)
                self.assertEqual(len(inputs), 12)
                self.assertTrue(all(-128 <= value <= 127 for value in inputs))

    def test_inputs_by_hand(self):
        guide = make_lane(state=(0xFE01 << 48, 0, 0x80FF << 48, 0, 0, 0, 0))
        guide.g = -1
        # Level 2 of 4 rows and 7 columns: row 1, column 2; borders 18, 10, 3.
        expected = [64 - 128, 0, 256 * 2 // 7 - 128, 256 * 4 // 7 - 128]
        expected += [255 * 3 // 18 - 128, 255 * 10 // 18 - 128, 126, -127, -128, 127, -1, 127]
        self.assertEqual(khazaal2024.network_inputs(2, 4, 7, guide), expected)
        guide.g = 5 * 2**19 - 1
        self.assertEqual(khazaal2024.network_inputs(2, 4, 7, guide)[10:], [4, 127])
        guide.g = -(2**30)
        self.assertEqual(khazaal2024.network_inputs(2, 4, 7, guide)[10:], [-128, -128])

    def test_network_by_hand(self):
        """One chain of units carries a value through; all others are held at 0."""
        net = {"b1": [0] * 32, "b2": [0] * 32, "b3": [0] * 24}
        for name, rows, columns in [("w1", 32, 12), ("wf", 32, 32), ("w2", 32, 32), ("w3", 24, 32)]:
            net[name] = [[0] * columns for _ in range(rows)]
        net["w1"][3][11], net["wf"][3][31], net["b1"][3] = 64, -32, 65
        net["w2"][4][3], net["b2"][4] = -64, 63
        net["w3"][23][4], net["b3"][23] = 127, -1
        f, q, inputs = [0] * 31 + [100], [0, 0, 0, 9] + [0] * 28, [0] * 11 + [20]
        with mock.patch.object(khazaal2024, "load_network", return_value=net):
            h1, h2, o = khazaal2024.feedback_network(inputs, f, q)
            # (65 + 64·9 + 64·20 - 32·100) >> 6 = -1279 >> 6 = -20; (63 + 64·20) >> 6 = 20
            self.assertEqual((h1[3], h2[4], o[23]), (-20, 20, 127 * 20 - 1))
            self.assertEqual((sum(map(abs, h1)), sum(map(abs, h2)), sum(o)), (20, 20, o[23]))
            h1, h2, o = khazaal2024.feedback_network([0] * 11 + [127], [0] * 31 + [-128], q)
            self.assertEqual((h1[3], h2[4], o[23]), (127, -127, (-127 * 127 - 1) % 2**16))

    def test_feedback_goes_from_level_to_level(self):
        state = make_state()
        f = state.f
        _, record = khazaal2024.run_levels(state, 7, 6)
        q = state.q
        for entry in record:
            h1, h2, o = khazaal2024.feedback_network(entry["inputs"], f, q)
            self.assertEqual((h1, h2, o), (entry["h1"], entry["h2"], entry["outputs"]))
            f = h2
        self.assertEqual(state.f, f)

    def test_logistic_steps_of_the_guide_lane(self):
        """Every level one whole step, every line a logistic one."""
        state = make_state()
        before = state.guide.state()
        lines, record = khazaal2024.run_levels(state, 7, 10)
        self.assertEqual((len(lines), len(record)), (17, 5))
        moved = make_lane(state=before).at_step(5)
        after = state.guide.state()
        self.assertEqual(after[4:], moved.state()[4:])
        self.assertEqual(after[1], make_lane(state=before).at_step(5 + 17).wx)
        self.assertEqual(lines[-1].rank[1], state.guide.x >> 32)

    def test_line_by_hand(self):
        # partner 0x8000·11/2^16 = 5 of rows; start of 4 columns; 3/4 of a row; shift, direction.
        o = [0x8000, 0x4000, 0xC000, 0x1234, 0xA000, 0x0777]
        line = khazaal2024.make_line(False, 2, o, 0xFFFF0001, 7, 4)
        self.assertEqual(
            dataclasses.astuple(line),
            (False, 2, 5, False, 5, 1, 1, 4, 1, (0x777, 0xFFFF0001, 2), 0x12330001),
        )
        line = khazaal2024.make_line(True, 1, [0xFFFF, 0xFFFF, 0xFFFF, 0, 0x7FFF, 0], 0, 7, 4)
        self.assertEqual(
            dataclasses.astuple(line), (True, 1, 10, True, 3, 6, 6, 7, 0, (0, 0, 1), 0)
        )
        # A row of 4 against a column of 7: count by the shorter, s' on the column.
        line = khazaal2024.make_line(False, 1, [0xFFFF, 0xFFFF, 0xFFFF, 0, 0x7FFF, 0], 0, 7, 4)
        self.assertEqual((line.start, line.partner_start, line.count), (3, 6, 4))
        line = khazaal2024.make_line(True, 1, [0, 0xFFFF, 0xFFFF, 0, 0x7FFF, 0], 0, 7, 4)
        self.assertEqual((line.start, line.partner_start, line.count), (6, 3, 4))

    def test_no_dnn_and_no_logistic_read_zeros(self):
        lines, record = khazaal2024.run_levels(make_state(khazaal2024.NO_DNN), 6, 5)
        self.assertTrue(all(entry["outputs"] == [0] * 24 and any(entry["h2"]) for entry in record))
        self.assertEqual({(line.partner, line.count) for line in lines}, {(0, 1)})
        lines, record = khazaal2024.run_levels(make_state(khazaal2024.NO_LOGISTIC), 6, 5)
        self.assertEqual({line.rank[1] for line in lines}, {0})
        self.assertEqual({tuple(entry["inputs"][6:8]) for entry in record}, {(-128, -128)})
        _, record = khazaal2024.run_levels(make_state(khazaal2024.NO_HENON), 6, 5)
        self.assertEqual({tuple(entry["inputs"][8:10]) for entry in record}, {(0, -128)})
        _, record = khazaal2024.run_levels(make_state(khazaal2024.NO_GAUSS), 6, 5)
        self.assertEqual({tuple(entry["inputs"][10:]) for entry in record}, {(0, -128)})


class Confusion(unittest.TestCase):
    def test_exchange_of_figure_6(self):
        """(1,1) with (4,4) and (2,3) with (4,1), counted from 1; all others stay."""
        m = list(range(16))
        first = make_line(False, 0, False, 3, start=0, partner_start=3)
        second = make_line(False, 1, False, 3, start=2, partner_start=0)
        khazaal2024.exchange(m, first, 4, 4)
        khazaal2024.exchange(m, second, 4, 4)
        self.assertEqual(m, [15, 1, 2, 3, 4, 5, 12, 7, 8, 9, 10, 11, 6, 13, 14, 0])

    def test_exchange_wraps_around(self):
        m = list(range(8))
        line = make_line(False, 0, False, 1, start=2, partner_start=3, count=3)
        khazaal2024.exchange(m, line, 2, 4)
        self.assertEqual(m, [5, 1, 7, 4, 3, 0, 6, 2])

    def test_exchange_with_itself_does_nothing(self):
        for is_column in (False, True):
            m = list(range(12))
            khazaal2024.exchange(m, make_line(is_column, 1, is_column, 1, start=1, count=3), 3, 4)
            self.assertEqual(m, list(range(12)))

    def test_crossing_is_one_after_the_other_and_limited(self):
        # Row 0 against column 0, both from 0, share a corner: first 0 with itself, then 1 with 3.
        m = list(range(9))
        khazaal2024.exchange(m, make_line(False, 0, True, 0, count=3), 3, 3)
        self.assertEqual(m, [0, 3, 6, 1, 4, 5, 2, 7, 8])
        m = list(range(900))
        khazaal2024.exchange(m, make_line(False, 29, True, 0, count=30, start=5), 30, 30)
        self.assertEqual(sum(n != place for place, n in enumerate(m)), 32)

    def test_crossings_keep_their_order(self):
        # Three exchanges of the same corner in turn: 0 with 1, then 0 with 3.
        row = make_line(False, 0, True, 1, start=0, partner_start=0)
        column = make_line(True, 0, False, 1, start=0, partner_start=0)
        maps = khazaal2024.column_maps([row, column], 3, 3)
        self.assertEqual(maps["crossings"][:4], [3, 0, 2, 1])

    def test_only_rows_among_themselves_in_rows(self):
        lines = [make_line(False, i, True, 0, start=1) for i in range(3)]
        self.assertEqual(khazaal2024.row_maps(lines, 3, 3)["exchange"], list(range(9)))
        lines = [make_line(True, j, True, 2 - j) for j in range(3)]
        maps = khazaal2024.column_maps(lines, 3, 3)
        self.assertEqual(maps["crossings"], list(range(9)))
        self.assertEqual(maps["exchange"], list(range(9)))  # column 0 with 2, then 2 with 0

    def test_order(self):
        ranks = [(5, 1, 0), (3, 9, 1), (5, 0, 2), (3, 9, 3)]
        lines = [make_line(False, i, False, i, rank=rank) for i, rank in enumerate(ranks)]
        self.assertEqual(khazaal2024.order(lines), [1, 3, 2, 0])
        lines[2].down = 1
        self.assertEqual(khazaal2024.order(lines), [0, 2, 3, 1])
        lines[0].down = 1
        self.assertEqual(khazaal2024.order(lines), [1, 3, 2, 0])

    def test_rows_by_hand(self):
        """Rows sorted to 2, 0, 1; row 0 shifted by 1 to the left, row 2 by 1 to the right."""
        third = 2**32 // 3 + 1
        lines = [
            make_line(False, 0, False, 0, rank=(1, 0, 0), turn=third),
            make_line(False, 2, False, 2, rank=(0, 0, 2), turn=third, down=1),
            make_line(False, 1, False, 1, rank=(2, 0, 1), turn=third - 1, down=1),
        ]
        maps = khazaal2024.row_maps(lines, 3, 3)
        self.assertEqual(maps["order"], [6, 7, 8, 0, 1, 2, 3, 4, 5])
        self.assertEqual(maps["shift"], [7, 8, 6, 0, 1, 2, 5, 3, 4])

    def test_columns_by_hand(self):
        """Columns 1, 0 by descending rank; column 0 shifted up by 2 of 3; then the scan."""
        lines = [
            make_line(True, 0, True, 0, rank=(1, 0, 0), turn=2**32 - 1),
            make_line(True, 1, True, 1, rank=(2, 0, 1), down=1),
        ]
        maps = khazaal2024.column_maps(lines, 3, 2)
        self.assertEqual(maps["order"], [1, 0, 3, 2, 5, 4])
        self.assertEqual(maps["shift"], [5, 0, 1, 2, 3, 4])
        self.assertEqual(maps["scan"], [5, 1, 3, 0, 2, 4])

    def test_maps_are_bijections(self):
        for height, width in [(1, 1), (1, 9), (9, 1), (2, 2), (3, 8), (17, 16), (31, 5), (5, 33)]:
            for label in range(3):
                lines, _ = khazaal2024.run_levels(make_state(label=label), height, width)
                for maps in (khazaal2024.row_maps, khazaal2024.column_maps):
                    for m in maps(lines, height, width).values():
                        self.assertEqual(sorted(m), list(range(height * width)))


class Diffusion(unittest.TestCase):
    def test_lines(self):
        def lengths(size):
            return [end - begin for begin, end in khazaal2024.chain_lines(size)]

        self.assertEqual(lengths(1), [1])
        self.assertEqual(lengths(8), [1] * 8)
        self.assertEqual(lengths(9), [1] + [1] * 8)
        self.assertEqual(lengths(519), [511] + [1] * 8)
        self.assertEqual(lengths(520), [512] + [1] * 8)
        self.assertEqual(lengths(521), [512, 1] + [1] * 8)
        self.assertEqual(lengths(1600), [512, 512, 512, 56] + [1] * 8)

    def test_keys_come_from_the_guide_lane(self):
        guide, again = make_state().guide, make_state().guide
        keys = khazaal2024.ChainKeys(guide)
        drawn = []
        for _ in range(65):
            again.step()
            drawn.append(again.two_words())
        self.assertEqual(keys.o, [z1 | 1 for z1, _ in drawn[:64]])
        self.assertEqual(keys.h, [z2 for _, z2 in drawn[:64]])
        self.assertEqual((keys.carry, guide.state()), (drawn[64][0], again.state()))

    def test_chain_by_hand(self):
        """Nine bytes: two lines in the first steps, words and folds written out."""
        keys = khazaal2024.ChainKeys(make_state().guide)
        keys.o = [5] + [7] * 63
        keys.h = [2**63 + 2**32 - 1] + [0] * 63
        keys.carry = 2**34 + 9
        data, stream = bytes(range(200, 209)), bytes(range(9))
        y = khazaal2024.chain(data, keys, stream, False)
        # c·5 = 5·2^34 + 45; folded: low byte 45 xor 20 = 57.
        self.assertEqual(y[0], (200 + 57) % 256)
        # lo = 1 + 2^32 - 1 = 0 mod 2^32: the sum is c, whose fold is 2^34 + 13.
        product = (2**34 + (9 ^ 4)) * 0x9FB21C651E98DF25 % 2**64
        carry = product ^ (product >> 32)
        q = carry * 5 % 2**64
        self.assertEqual(y[1], ((201 ^ 1) + (q ^ (q >> 32))) % 256)

    def test_carry_by_brute_force(self):
        keys = khazaal2024.ChainKeys(make_state().guide)
        y = make_vectors.generate("hash", (1, 509, 1, 1))
        padded = y + bytes(3)
        total = 12345
        for j in range(64):
            low, high = padded[8 * j : 8 * j + 4], padded[8 * j + 4 : 8 * j + 8]
            low = (int.from_bytes(low, "little") + keys.h[j]) & 0xFFFFFFFF
            high = (int.from_bytes(high, "little") + (keys.h[j] >> 32)) & 0xFFFFFFFF
            total = (total + low * high) % 2**64
        total = (total ^ (total >> 32)) * 0x9FB21C651E98DF25 % 2**64
        self.assertEqual(keys.next_carry(12345, y), total ^ (total >> 32))
        # Words past the end of a line do not enter.
        keys.h[1:] = [0] * 63
        self.assertEqual(keys.next_carry(3, b"\x05"), keys.next_carry(3, b"\x05" + bytes(7)))

    def test_inverse(self):
        keys = khazaal2024.ChainKeys(make_state().guide)
        for size in (1, 7, 8, 9, 15, 16, 17, 520, 521, 1601):
            data = make_vectors.generate("hash", (1, size, 1, 1))
            stream = khazaal2024.keystream(make_state().lanes, 1, size)
            for backward in (False, True):
                y = khazaal2024.chain(data, keys, stream, backward)
                self.assertEqual(khazaal2024.unchain(y, keys, stream, backward), data)

    def test_both_chains_together_reach_every_byte(self):
        state = make_state()
        forward, backward = khazaal2024.ChainKeys(state.guide), khazaal2024.ChainKeys(state.guide)
        size = 1100

        def both(data):
            y = khazaal2024.chain(data, forward, bytes(size), False)
            return khazaal2024.chain(y, backward, bytes(size), True)

        plain = bytes(size)
        for at in (0, 300, 511, 512, 1091, 1092, 1098):
            changed = plain[:at] + b"\x01" + plain[at + 1 :]
            differing = sum(a != b for a, b in zip(both(plain), both(changed)))
            self.assertGreater(differing, 0.98 * size)
        self.assertGreater(
            sum(a != b for a, b in zip(both(plain)[:1092], both(bytes(size - 1) + b"\x01"))), 1070
        )


class Cipher(unittest.TestCase):
    def encrypt(self, shape, variant, rounds=2, generator="hash"):
        plain = (*shape, make_vectors.generate(generator, shape))
        header, cipher, trace = khazaal2024.encrypt(KEY, NONCE, plain, variant, rounds)
        return plain, header, (*shape, cipher), trace

    def check_round_trip(self, shape, variant, rounds):
        with self.subTest(shape=shape, variant=variant, rounds=rounds):
            plain, header, cipher, _ = self.encrypt(shape, variant, rounds)
            self.assertEqual(len(header), 16 if "confusion" in variant else 48)
            decrypted = khazaal2024.decrypt(KEY, header, cipher, variant, rounds)
            self.assertEqual(decrypted, plain)

    def test_round_trip(self):
        for variant in khazaal2024.VARIANTS:
            for shape in make_vectors.SHAPES:
                if shape[0] * shape[1] < 500:
                    self.check_round_trip(shape, variant, 2)
            for rounds in (1, 3, 4, 6):
                self.check_round_trip((8, 5, 3, 1), variant, rounds)

    def test_confusion_moves_pixels_and_keeps_values(self):
        plain, _, cipher, _ = self.encrypt((9, 14, 1, 2), khazaal2024.CONFUSION)
        pixels = [
            sorted(image[4][i : i + 2] for i in range(0, 252, 2)) for image in (cipher, plain)
        ]
        self.assertEqual(*pixels)
        self.assertNotEqual(cipher, plain)

    def test_confusion_is_the_same_for_all_images(self):
        shape = (11, 12, 1, 1)
        maps = [
            self.encrypt(shape, khazaal2024.CONFUSION, generator=generator)[3]["rounds"]
            for generator in ("hash", "zero")
        ]
        self.assertEqual(*[[one_round.map for one_round in rounds] for rounds in maps])

    def test_stages_and_rounds(self):
        """Which stages a round has, and that round 3 draws anew what round 4 uses again."""
        _, _, _, trace = self.encrypt((7, 6, 1, 1), khazaal2024.FULL, 4)
        stages = [list(images) for images in trace["images"]]
        self.assertEqual(stages, [["rows", "forward"], ["backward", "columns"]] * 2)
        lines = [one_round.lines for one_round in trace["rounds"]]
        self.assertIs(lines[0], lines[1])
        self.assertIs(lines[2], lines[3])
        self.assertNotEqual(lines[0], lines[2])
        streams = {one_round.stream for one_round in trace["rounds"]}
        self.assertEqual(len(streams), 4)
        _, _, _, trace = self.encrypt((7, 6, 1, 1), khazaal2024.CONFUSION)
        self.assertEqual([list(images) for images in trace["images"]], [["rows"], ["columns"]])

    def test_chain_keys_of_round_2_follow_those_of_round_1(self):
        trace = self.encrypt((7, 6, 1, 1), khazaal2024.FULL)[3]
        guide = khazaal2024.State(trace["KS"], khazaal2024.FULL).guide
        wu = (guide.wu + (4 + 65 + 65) * 0xD1B54A32D192ED03) % 2**64
        self.assertEqual(trace["rounds"][1].guide[4], wu)

    def test_public_parameter_of_the_variants(self):
        """Only the variant without the CNN has another Q; working keys differ throughout."""
        traces = [self.encrypt((5, 5, 1, 1), v)[3] for v in khazaal2024.VARIANTS]
        self.assertEqual(len({trace["KS"] for trace in traces}), 7)
        self.assertEqual(len({trace["Q"] for trace in traces if "Q" in trace}), 2)
        self.assertNotIn("Q", traces[1])

    def test_wrong_key_and_altered_data_raise(self):
        def altered(data, at):
            return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

        for variant in khazaal2024.VARIANTS:
            if variant == khazaal2024.CONFUSION:
                continue
            _, header, cipher, _ = self.encrypt((5, 7, 3, 1), variant)
            attempts = [(altered(KEY, 31), header, cipher)]
            attempts += [(KEY, altered(header, at), cipher) for at in (0, 15, 16, 47)]
            attempts += [(KEY, header, (*cipher[:4], altered(cipher[4], at))) for at in (0, 104)]
            attempts.append((KEY, header, (7, 5, 3, 1, cipher[4])))
            for key, some_header, some_cipher in attempts:
                with self.assertRaises(khazaal2024.WrongKey):
                    khazaal2024.decrypt(key, some_header, some_cipher, variant)
            with self.assertRaises(khazaal2024.WrongKey):
                khazaal2024.decrypt(KEY, header, cipher, variant, 3)

    def test_inputs_are_checked(self):
        image = (2, 2, 1, 1, bytes(4))
        for key, nonce, plain, variant, rounds in [
            (bytes(31), NONCE, image, khazaal2024.FULL, 2),
            (KEY, bytes(15), image, khazaal2024.FULL, 2),
            (KEY, NONCE, (2, 2, 1, 1, bytes(5)), khazaal2024.FULL, 2),
            (KEY, NONCE, (2, 2, 5, 1, bytes(20)), khazaal2024.FULL, 2),
            (KEY, NONCE, (2, 2, 1, 3, bytes(12)), khazaal2024.FULL, 2),
            (KEY, NONCE, (0, 2, 1, 1, b""), khazaal2024.FULL, 2),
            (KEY, NONCE, (65536, 1, 1, 1, bytes(65536)), khazaal2024.FULL, 2),
            (KEY, NONCE, image, "khazaal2024-no-keys", 2),
            (KEY, NONCE, image, khazaal2024.FULL, 0),
            (KEY, NONCE, image, khazaal2024.FULL, 256),
        ]:
            with self.assertRaises(ValueError):
                khazaal2024.encrypt(key, nonce, plain, variant, rounds)
        with self.assertRaises(ValueError):
            khazaal2024.decrypt(KEY, bytes(16), image, khazaal2024.FULL)
        with self.assertRaises(ValueError):
            khazaal2024.decrypt(KEY, bytes(48), image, khazaal2024.CONFUSION)


class Vectors(unittest.TestCase):
    def test_vectors_regenerate(self):
        groups = make_vectors.groups()
        self.assertEqual({path.stem for path in make_vectors.FOLDER.glob("*.json")}, set(groups))
        for name, make in groups.items():
            with self.subTest(name):
                text = (make_vectors.FOLDER / f"{name}.json").read_text(encoding="ascii")
                self.assertTrue(
                    make_vectors.make_text(make()) == text, "run make_vectors.py and compare"
                )


if __name__ == "__main__":
    unittest.main()
