#!/usr/bin/env python3
"""Makes known answers of the two-sided Kolmogorov-Smirnov distribution, in rational arithmetic.

P(D_n < d) by the matrix of Durbin in the form of Marsaglia, Tsang & Wang (J. Stat. Softw. 8(18),
2003): another algorithm than the one in core/kolmogorov_smirnov.cpp, and without rounding. Without
an option the lines are printed, to stand in tests/core/kolmogorov_smirnov_test.cpp. With --check
they are looked for there.
"""

import argparse
import fractions
import math
import pathlib
import sys

Fraction = fractions.Fraction
ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST = ROOT / "tests" / "core" / "kolmogorov_smirnov_test.cpp"

# n and d = numerator / 1024, which a double holds exactly.
CASES = ((1, 600), (1, 1000), (2, 300), (2, 700), (3, 1023), (5, 340), (10, 100), (10, 281),
         (10, 511), (10, 520), (17, 470), (17, 500), (20, 60), (20, 300), (20, 450), (40, 141),
         (40, 320), (55, 150), (55, 260), (55, 400), (100, 85), (100, 139), (100, 190), (100, 207),
         (100, 330))


def below(n, d):
    """P(D_n < d), exactly."""
    k = math.floor(n * d) + 1
    h = k - n * d
    m = 2 * k - 1
    matrix = [[Fraction(int(i - j + 1 >= 0)) for j in range(m)] for i in range(m)]
    for i in range(m):
        matrix[i][0] -= h ** (i + 1)
        matrix[m - 1][i] -= h ** (m - i)
    if 2 * h > 1:
        matrix[m - 1][0] += (2 * h - 1) ** m
    for i in range(m):
        for j in range(m):
            if i - j + 1 > 0:
                matrix[i][j] /= math.factorial(i - j + 1)
    common = 1
    for row in matrix:
        for entry in row:
            common = math.lcm(common, entry.denominator)
    whole = [[int(entry * common) for entry in row] for row in matrix]
    columns = list(zip(*whole))
    row = [int(i == k - 1) for i in range(m)]
    for _ in range(n):  # that row of the n-th power
        row = [sum(x * y for x, y in zip(row, column)) for column in columns]
    share = Fraction(row[k - 1], common ** n)
    return share * math.factorial(n) / Fraction(n) ** n


def lines():
    """The test's lines."""
    for n, numerator in CASES:
        p = 1 - below(n, Fraction(numerator, 1024))
        yield f"{{{n}, {numerator}, {float(p)!r}}},"


def main():
    """Prints or checks."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="look for the lines in the test")
    arguments = parser.parse_args()
    made = list(lines())
    if not arguments.check:
        print("\n".join(made))
        return 0
    text = TEST.read_text(encoding="utf-8")
    missing = [line for line in made if line.rstrip(",") not in text]
    for line in missing:
        print(f"{TEST.relative_to(ROOT)}: not found: {line}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
