#!/usr/bin/env python3
"""Makes the table T of docs/cipher.md, section 3: 2^24 * inverse_phi((i + 1/2) / 1024), rounded.

Writes the entries as a C++ include fragment, to stand inside a braces initialiser. With --check
nothing is written: the entries are computed again to 60 digits, and the file is compared.
"""

import argparse
import decimal
import math
import pathlib
import statistics
import sys

ENTRIES = 1024
SCALE_BITS = 24
PER_LINE = 8
# A double is good to about 1e-8 at this scale (--check measures it), so an entry further than this
# from a half-integer cannot be rounded to the wrong side. The nearest, entry 108, is 2.7e-5 away.
HALF_MARGIN = 1e-6

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "cipher" / "khazaal2024" / "gaussian_table.inc"


def real_entries():
    """The entries before rounding, in double precision."""
    normal = statistics.NormalDist()
    return [normal.inv_cdf((i + 0.5) / ENTRIES) * 2.0**SCALE_BITS for i in range(ENTRIES)]


def table():
    """The entries rounded to the nearest integer; refuses an entry too near a half-integer."""
    rounded = []
    for i, value in enumerate(real_entries()):
        if abs(value - math.floor(value) - 0.5) < HALF_MARGIN:
            raise ValueError(f"entry {i} is too near a half-integer to round: {value}")
        rounded.append(math.floor(value + 0.5))
    return rounded


def fragment(entries):
    """The text of the include file."""
    lines = ["// Made by scripts/constants/gaussian_table.py; see docs/cipher.md, section 3."]
    for i in range(0, len(entries), PER_LINE):
        lines.append(", ".join(str(value) for value in entries[i : i + PER_LINE]) + ",")
    return "\n".join(lines) + "\n"


def normal_density(x, pi):
    """The density of the normal distribution, to the precision of the decimal context."""
    return (-x * x / 2).exp() / (2 * pi).sqrt()


def normal_excess(x, pi):
    """Phi(x) - 1/2 by phi(x) * sum of x^(2k+1) / (2k+1)!!, whose terms all have one sign."""
    term = total = x
    odd = 1
    while total + term * x != total:
        odd += 2
        term = term * x * x / odd
        total += term
    return total * normal_density(x, pi)


def precise_entries(digits=60):
    """The entries before rounding, by Newton steps from the double value with `digits` digits."""
    with decimal.localcontext() as context:
        context.prec = digits
        # Machin's formula, since decimal has no pi.
        pi = 4 * (4 * arctan_inverse(5) - arctan_inverse(239))
        scale = decimal.Decimal(2**SCALE_BITS)
        normal = statistics.NormalDist()
        entries = []
        for i in range(ENTRIES):
            excess = decimal.Decimal(2 * i + 1 - ENTRIES) / (2 * ENTRIES)
            x = decimal.Decimal(normal.inv_cdf((i + 0.5) / ENTRIES))
            for _ in range(3):  # 16, 32, 64 digits
                x -= (normal_excess(x, pi) - excess) / normal_density(x, pi)
            entries.append(x * scale)
        return entries


def arctan_inverse(n):
    """arctan(1/n) as a decimal in the current context."""
    power = total = decimal.Decimal(1) / n
    k = 1
    while True:
        power = -power / (n * n)
        k += 2
        if total + power / k == total:
            return total
        total += power / k


def check():
    """Compares table and file with the precise evaluation; returns the faults found."""
    faults = []
    entries = table()
    half_distance = 1.0
    error = 0.0
    for i, (entry, double, precise) in enumerate(zip(entries, real_entries(), precise_entries())):
        nearest = int(precise.to_integral_value(rounding=decimal.ROUND_HALF_EVEN))
        half_distance = min(half_distance, 0.5 - abs(float(precise - nearest)))
        error = max(error, abs(float(precise - decimal.Decimal(double))))
        if nearest != entry:
            faults.append(f"entry {i}: {entry}, precisely {nearest}")
    print(f"nearest half-integer at {half_distance:.3g}, largest error of a double {error:.3g}")
    if half_distance < HALF_MARGIN or error > HALF_MARGIN / 10:
        faults.append("an entry is too near a half-integer for double precision")
    if not OUTPUT.exists() or OUTPUT.read_text(encoding="ascii") != fragment(entries):
        faults.append(f"{OUTPUT.relative_to(ROOT)} is not what this script writes")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="verify instead of writing")
    arguments = parser.parse_args()
    if arguments.check:
        faults = check()
        for fault in faults:
            print(fault, file=sys.stderr)
        return 1 if faults else 0
    OUTPUT.write_text(fragment(table()), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
