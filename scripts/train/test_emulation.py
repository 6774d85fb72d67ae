#!/usr/bin/env python3
"""Compares the emulation the networks are trained and measured with (common.py, train_keygen.py)
with scripts/reference/khazaal2024.py, which is written from docs/cipher.md alone; needs torch.

    python3 scripts/train/test_emulation.py
"""
import json
import sys
import unittest
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
import common  # noqa: E402
import khazaal2024 as reference  # noqa: E402
import train_keygen  # noqa: E402

SHAPES = ((1, 1), (1, 7), (6, 1), (2, 2), (3, 5), (9, 4), (16, 16), (17, 40), (53, 31), (64, 64))


def weights(name):
    return json.loads((common.WEIGHTS / f"{name}.json").read_text())


class Emulation(unittest.TestCase):
    def test_confusion(self):
        network = common.IntegerNetwork(weights("feedback"))
        for rows, columns in SHAPES:
            key, nonce = common.test_key("emulation", rows, columns)
            variant = reference.CONFUSION
            ks = reference.working_keys(key, nonce, b"", variant, 2, (rows, columns, 1, 1))
            state = reference.State(ks, variant)
            lines, record = reference.run_levels(state, rows, columns)
            by_rows = reference.row_maps(lines, rows, columns)["shift"]
            by_columns = reference.column_maps(lines, rows, columns)["scan"]
            expected = [by_rows[n] for n in by_columns]

            with self.subTest(rows=rows, columns=columns):
                self.assertEqual(common.confusion_keys(key, nonce, (rows, columns, 1)), ks)
                lane = common.GuideLane(ks)
                network.start(ks)
                for level, entry in enumerate(record):
                    lane.step()
                    inputs = common.place_inputs(level, rows, columns)
                    inputs += common.source_inputs(lane)
                    self.assertEqual(inputs, entry["inputs"])
                    self.assertEqual(network.outputs(inputs), entry["outputs"])
                    for _ in common.level_lines(level, rows, columns):
                        lane.step_logistic()
                got = common.confusion_map(key, nonce, (rows, columns, 1), network)
                self.assertEqual(got.tolist(), expected)

    def test_features(self):
        fields = weights("keygen")
        rng = np.random.default_rng(1)
        for rows, columns in SHAPES:
            for channels, depth in ((1, 1), (3, 1), (4, 1), (1, 2), (3, 2)):
                image = rng.integers(0, 256 ** depth, (rows, columns, channels))
                image = image.astype(f"<u{depth}")
                smooth = np.sort(np.sort(image, axis=0), axis=1)  # reaches the limits less often
                for x in (image, smooth):
                    data = (rows, columns, channels, depth, x.tobytes())
                    with self.subTest(rows=rows, columns=columns, channels=channels, depth=depth):
                        self.assertEqual(train_keygen.feature_bytes(x, fields),
                                         reference.features(data))


if __name__ == "__main__":
    unittest.main()
