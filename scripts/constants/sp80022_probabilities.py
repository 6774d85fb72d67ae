#!/usr/bin/env python3
"""Makes the class probabilities of the SP 800-22 rev. 1a tests, exactly, as C++ literals.

Everything is counted with integers and fractions; a literal is the nearest double. Without an
option the lines are printed, to stand in the sources named in front of them. With --check they are
looked for in those sources, and the sums and the limits are verified. The mean and the variance of
the universal test are series of logarithms, summed with 50 digits where they become literals; where
the standard prints them they are summed in doubles and compared with the digits printed.
"""

import argparse
import decimal
import fractions
import math
import pathlib
import sys

Fraction = fractions.Fraction
ROOT = pathlib.Path(__file__).resolve().parents[2]

# Section 2.4: block length, and the longest runs at which the first and the last class stand.
LONGEST_RUN_CLASSES = ((8, 1, 4), (128, 4, 9), (10000, 10, 16))
RANK_SIZE = 32
LINEAR_COMPLEXITY_BLOCK = 500
OVERLAPPING_TEMPLATE, OVERLAPPING_BLOCK = 9, 1032
# Section 2.8.4, as printed for m = 9, M = 1032.
OVERLAPPING_PRINTED = ("0.364091", "0.185659", "0.139381", "0.100571", "0.0704323", "0.139865")
# Section 2.9: block lengths of no table of the standard's, and its table: (L, mean, variance).
UNIVERSAL_DERIVED = range(1, 6)
UNIVERSAL_PRINTED = (
    (6, "5.2177052", "2.954"), (7, "6.1962507", "3.125"), (8, "7.1836656", "3.238"),
    (9, "8.1764248", "3.311"), (10, "9.1723243", "3.356"), (11, "10.170032", "3.384"),
    (12, "11.168765", "3.401"), (13, "12.168070", "3.410"), (14, "13.167693", "3.416"),
    (15, "14.167488", "3.419"), (16, "15.167379", "3.421"))


def strings_with_runs_up_to(length, longest):
    """Number of binary strings of a length whose longest run of ones is at most `longest`."""
    # a(n) = a(n-1) + ... + a(n-longest-1): the string starts with 1^k 0, k <= longest.
    counts = [1 << n for n in range(longest + 1)]
    window = sum(counts)
    for n in range(longest + 1, length + 1):
        counts.append(window)
        window += counts[n] - counts[n - longest - 1]
    return counts[length]


def longest_run(block, first, last):
    """Probabilities of the longest run being <= first, first + 1, ..., last - 1, >= last."""
    below = [Fraction(strings_with_runs_up_to(block, k), 1 << block) for k in range(first, last)]
    below.append(Fraction(1))
    return [below[0]] + [b - a for a, b in zip(below, below[1:])]


def rank_is(rank, size):
    """Probability that a random square matrix over GF(2) has that rank; section 3.5."""
    product = Fraction(1, 1 << (size - rank) ** 2)
    for i in range(rank):
        share = 1 - Fraction(1, 1 << (size - i))
        product *= share * share / (1 - Fraction(1, 1 << (rank - i)))
    return product


def rank(size):
    """Probabilities of full rank, one less, and all below."""
    full, one_less = rank_is(size, size), rank_is(size - 1, size)
    return [full, one_less, 1 - full - one_less]


def linear_complexity_limit():
    """The seven probabilities of section 3.10 for long blocks."""
    return [Fraction(1, d) for d in (96, 32, 8, 2, 4, 16, 48)]


def linear_complexity(block):
    """The same for an even block length, from the number of strings of each complexity."""
    # 2^min(2 block - 2 L, 2 L - 1) strings have complexity L > 0, one has 0 (Rueppel 1986).
    classes = [Fraction(0)] * 7
    for complexity in range(block + 1):
        strings = 1 << min(2 * block - 2 * complexity, 2 * complexity - 1) if complexity else 1
        t = complexity - block // 2
        classes[min(max(t, -3), 3) + 3] += Fraction(strings, 1 << block)
    return classes


def overlapping(ones, block):
    """Probabilities of 0, 1, 2, 3, 4, >= 5 overlapping runs of `ones` ones in a random block."""
    # strings[c][r]: how many have c runs so far and r ones at the end, r = ones for all above.
    strings = [[0] * (ones + 1) for _ in range(6)]
    strings[0][0] = 1
    for _ in range(block):
        longer = [[0] * (ones + 1) for _ in range(6)]
        for c, by_end in enumerate(strings):
            longer[c][0] = sum(by_end)
            for r, number in enumerate(by_end):
                found = r + 1 >= ones
                longer[min(c + found, 5)][min(r + 1, ones)] += number
        strings = longer
    return [Fraction(sum(by_end), 1 << block) for by_end in strings]


def universal(length):
    """Mean and variance of log2 of the distance to the last equal block; section 3.9."""
    # The distance is i with probability q (1 - q)^(i-1), q = 2^-length. The tail left out is below
    # (1 - q)^last (log2 last)^2 < 1e-45.
    with decimal.localcontext() as context:
        context.prec = 50
        q = decimal.Decimal(1) / (1 << length)
        last = (1 << length) * 115
        log2, share, mean, square = decimal.Decimal(2).ln(), q, 0, 0
        for i in range(1, last + 1):
            value = decimal.Decimal(i).ln() / log2
            mean += share * value
            square += share * value * value
            share *= 1 - q
        return float(mean), float(square - mean * mean)


def universal_in_doubles(length):
    """The same to about 14 digits, for long blocks."""
    log_rest = math.log1p(-math.ldexp(1, -length))
    terms = [(math.exp(log_rest * (i - 1) - length * math.log(2)), math.log2(i))
             for i in range(1, (1 << length) * 40)]
    mean = math.fsum(share * value for share, value in terms)
    return mean, math.fsum(share * (value - mean) ** 2 for share, value in terms)


def literals(probabilities):
    """Nearest doubles, 17 significant digits at most."""
    return ", ".join(repr(float(p)) for p in probabilities)


def universal_literal(length):
    """A line of the table."""
    mean, variance = universal(length)
    return f"{{{mean!r}, {variance!r}}}"


def tables():
    """(source file, what it is, exact probabilities)."""
    for block, first, last in LONGEST_RUN_CLASSES:
        yield "longest_run.cpp", f"M = {block}", longest_run(block, first, last)
    yield "binary_matrix_rank.cpp", f"{RANK_SIZE} x {RANK_SIZE}", rank(RANK_SIZE)
    m, block = OVERLAPPING_TEMPLATE, OVERLAPPING_BLOCK
    yield "overlapping_template.cpp", f"m = {m}, M = {block}", overlapping(m, block)
    yield "linear_complexity.cpp", "long blocks", linear_complexity_limit()


def check():
    """Returns the faults found."""
    faults = []
    for name, what, probabilities in tables():
        if sum(probabilities) != 1:
            faults.append(f"{name}, {what}: the sum is not 1")
        source = (ROOT / "nist_tests" / name).read_text(encoding="utf-8")
        # Formatting may break lines: compare without white space.
        if "".join(literals(probabilities).split()) not in "".join(source.split()):
            faults.append(f"{name}, {what}: the literals are not those of this script")
    finite = linear_complexity(LINEAR_COMPLEXITY_BLOCK)
    for i, (a, b) in enumerate(zip(finite, linear_complexity_limit())):
        if sum(finite) != 1 or float(a) != float(b):
            faults.append(f"linear complexity, class {i}: the limit is not good enough")
    for p, printed in zip(overlapping(OVERLAPPING_TEMPLATE, OVERLAPPING_BLOCK),
                          OVERLAPPING_PRINTED):
        # The standard cuts off some digits.
        if abs(p - Fraction(printed)) >= Fraction(1, 10 ** (len(printed) - 2)):
            faults.append(f"overlapping template: {float(p)} is printed as {printed}")
    # Every string of a small block.
    for ones, block in ((2, 10), (3, 12), (5, 13)):
        counts = [0] * 6
        for string in range(1 << block):
            found = sum(string >> i & (1 << ones) - 1 == (1 << ones) - 1
                        for i in range(block - ones + 1))
            counts[min(found, 5)] += 1
        if [Fraction(c, 1 << block) for c in counts] != overlapping(ones, block):
            faults.append(f"overlapping template, m = {ones}, M = {block}: not what counting gives")
    for length in UNIVERSAL_DERIVED:
        source = (ROOT / "nist_tests" / "universal.cpp").read_text(encoding="utf-8")
        if universal_literal(length) not in source:
            faults.append(f"universal.cpp, L = {length}: the literals are not those of this script")
    for length, *printed in UNIVERSAL_PRINTED:
        # The means are rounded; of the variances some are rounded (L = 12), some cut (L = 8, 10).
        for derived, text, units in zip(universal_in_doubles(length), printed, (0.5, 1)):
            digits = len(text.partition(".")[2])
            if abs(derived - float(text)) > units * 10 ** -digits + 1e-11:
                faults.append(f"universal, L = {length}: {text} printed, {derived!r} derived")
        if f"{{{float(printed[0])!r}, {float(printed[1])!r}}}" not in source:
            faults.append(f"universal.cpp, L = {length}: the literals are not those printed")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="verify instead of printing")
    arguments = parser.parse_args()
    if arguments.check:
        faults = check()
        for fault in faults:
            print(fault, file=sys.stderr)
        return 1 if faults else 0
    for name, what, probabilities in tables():
        print(f"// nist_tests/{name}, {what}\n{{{literals(probabilities)}}}")
    for length in UNIVERSAL_DERIVED:
        print(f"// nist_tests/universal.cpp, L = {length}\n{universal_literal(length)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
