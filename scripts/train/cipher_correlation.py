"""Correlation of adjacent pixels after the whole cipher, by scripts/reference/khazaal2024.py.

Prints what confusion_parts.py prints, over the test images and KEYS keys each.

python3 scripts/train/cipher_correlation.py --sipi DIR
"""
import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "reference"))
import common  # noqa: E402
import confusion_parts  # noqa: E402
import khazaal2024 as reference  # noqa: E402

KEYS = 2


def encrypted(image, label):
    """The cipher image under the key of a label."""
    key, nonce = common.test_key(*label)
    data = reference.encrypt(key, nonce, (*image.shape, 1, image.tobytes()))[1]
    return np.frombuffer(data, np.uint8).reshape(image.shape)


def main():
    parser = argparse.ArgumentParser(description="Correlation after the whole cipher.")
    parser.add_argument("--sipi", help="directory with misc, aerials, textures")
    args = parser.parse_args()
    images = common.load_split(args.sipi)[1] or common.generated_set(10_007, 13, 256)
    value = np.zeros((len(images), KEYS, 3, 4))
    for i, name in enumerate(sorted(images)):
        image = np.ascontiguousarray(images[name])
        for k in range(KEYS):
            value[i, k] = confusion_parts.summary(encrypted(image, ("measure", name, k)))
    print(f"khazaal2024: {confusion_parts.text(value)}")


if __name__ == "__main__":
    main()
