#!/usr/bin/env python3
"""Writes README.md and calibration.png of a calibration of the SP 800-22 tests.

    calibration_page.py DIR

reads calibration_1000000.csv and calibration_100000.csv of DIR, as scripts/calibrate_sp80022.sh makes
them (`icbench nist --format csv` of a perfect source). Exit codes: 0 done; 2 wrong usage; 3 an input
is missing or malformed.
"""

import argparse
import csv
import math
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")

from matplotlib.figure import Figure

ALPHA = 0.01
LEVEL = 0.01  # of the page's own decisions, Holm over all sub-tests of a length
LENGTHS = (1000000, 100000)
BLUE, VERMILLION, GREY = "#0072B2", "#D55E00", "#6E6E6E"


class BadInput(Exception):
    """An input file is missing or malformed."""


def log_binomial(n, k, p):
    """Logarithm of P(X = k)."""
    return (math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
            + k * math.log(p) + (n - k) * math.log1p(-p))


def binomial_two_sided(n, k, p):
    """Twice the smaller tail, at most 1."""
    lower = math.fsum(math.exp(log_binomial(n, i, p)) for i in range(k + 1))
    upper = math.fsum(math.exp(log_binomial(n, i, p)) for i in range(k, n + 1))
    return min(1.0, 2 * min(lower, upper))


def holm(values):
    """Step-down adjusted p-values, in the order given."""
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        adjusted[index] = largest
    return adjusted


def subtests(path):
    """Rows of one CSV with what the page says of each: rate and the two adjusted p-values."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        for row in rows:
            row["n"] = int(row["applicable"])
            row["rejected"] = row["n"] - int(row["passed"])
            row["distance"] = float(row["ks_distance"]) if row["n"] else None
    except (OSError, KeyError, ValueError) as error:
        raise BadInput(f"{path}: {error!r}") from error
    if not rows:
        raise BadInput(f"{path}: no rows")
    judged = [row for row in rows if row["n"]]
    rate_p = holm([binomial_two_sided(row["n"], row["rejected"], ALPHA) for row in judged])
    shape_p = holm([float(row["ks_p"]) for row in judged])
    for row, rate, shape in zip(judged, rate_p, shape_p):
        row["rate"] = row["rejected"] / row["n"]
        row["rate_off"] = rate < LEVEL
        row["shape_off"] = shape < LEVEL
    return rows


def by_test(rows):
    """Rows of each test, in the order of the file."""
    out = {}
    for row in rows:
        out.setdefault(row["test"], []).append(row)
    return out


def finding(rows):
    """What is to be said of the null distribution of a test's p-values."""
    judged = [row for row in rows if row["n"]]
    if not judged:
        return "does not apply at this length"
    parts = []
    rate_off = [row for row in judged if row["rate_off"]]
    if rate_off:
        worst = max(rate_off, key=lambda row: abs(math.log(max(row["rate"], 1e-9) / ALPHA)))
        parts.append(f"rejects {worst['rate'] / ALPHA:.2f} times as often as it should"
                     + (f" ({len(rate_off)} of {len(judged)} sub-tests)" if len(judged) > 1 else ""))
    shape_off = [row for row in judged if row["shape_off"]]
    if shape_off:
        worst = max(row["distance"] for row in shape_off)
        parts.append(f"p-values not uniform, by up to {worst:.4f}"
                     + (f" ({len(shape_off)} of {len(judged)} sub-tests)" if len(judged) > 1 else ""))
    return "**approximate**: " + "; ".join(parts) if parts else "no deviation seen"


def table(rows):
    """Markdown table, one line per test."""
    lines = ["| test | sub-tests | sequences | rejected at 0.01 | lowest, highest | KS distance | null distribution |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for test, group in by_test(rows).items():
        judged = [row for row in group if row["n"]]
        if not judged:
            lines.append(f"| {test} | {len(group)} | 0 | | | | {finding(group)} |")
            continue
        total = sum(row["n"] for row in judged)
        rate = sum(row["rejected"] for row in judged) / total
        rates = [row["rate"] for row in judged]
        extremes = f"{min(rates):.4f}, {max(rates):.4f}" if len(rates) > 1 else ""
        lines.append(f"| {test} | {len(group)} | {max(row['n'] for row in judged)} | {rate:.4f} | "
                     f"{extremes} | {max(row['distance'] for row in judged):.4f} | {finding(group)} |")
    return "\n".join(lines)


def picture(data, path):
    """Rejection rate of every sub-test, one panel per length, tests side by side."""
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    panels = figure.subplots(len(data), 1, sharex=True)
    for axes, (bits, rows) in zip(panels, data.items()):
        tests = by_test(rows)
        for place, (test, group) in enumerate(tests.items()):
            judged = [row for row in group if row["n"]]
            if not judged:
                axes.text(place, ALPHA, "n/a", ha="center", va="center", fontsize=7, color=GREY)
            for i, row in enumerate(judged):
                x = place + (0.7 * (i + 0.5) / len(judged) - 0.35)
                off = row["rate_off"] or row["shape_off"]
                error = math.sqrt(ALPHA * (1 - ALPHA) / row["n"])
                axes.vlines(x, ALPHA - 3 * error, ALPHA + 3 * error, color="#DDDDDD", linewidth=1.5,
                            zorder=1)
                axes.plot(x, row["rate"], "." if len(judged) > 1 else "o", markersize=4, zorder=2,
                          color=VERMILLION if off else BLUE)
        axes.axhline(ALPHA, color=GREY, linewidth=0.8, zorder=0)
        axes.set_ylabel("rejected at 0.01")
        axes.set_title(f"{max(row['n'] for row in rows):,} sequences of {bits:,} bits of AES-256-CTR",
                       fontsize=9, loc="left")
        axes.set_ylim(bottom=0)
        axes.tick_params(labelsize=8)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    panels[-1].set_xticks(range(len(tests)), list(tests), rotation=35, ha="right", fontsize=8)
    figure.savefig(path, dpi=150, metadata={"Software": None})


def page(data):
    """The text of README.md."""
    sections = []
    for bits, rows in data.items():
        sequences = max(int(row["sequences"]) for row in rows)
        judged = [row for row in rows if row["n"]]
        total = sum(row["n"] for row in judged)
        rejected = sum(row["rejected"] for row in judged)
        sections.append(
            f"## {sequences:,} sequences of {bits:,} bits\n\n{table(rows)}\n\n"
            f"{total:,} p-values, {rejected:,} below 0.01: {rejected / total:.5f} of them. Three standard "
            f"errors of one sub-test's rate: {3 * math.sqrt(ALPHA * (1 - ALPHA) / sequences):.4f}.")
    return (
        "# Calibration of the SP 800-22 tests\n\n"
        "Written by `scripts/calibrate_sp80022.sh`, which makes everything on this page again. The source is "
        "perfect for every purpose here: AES-256-CTR, key 1000000 and key 100000 (as numbers), counter from 0. "
        "Parameters are the defaults, constants exact. What a test should do: reject one sequence in a hundred at 0.01, "
        "with p-values spread evenly over [0, 1].\n\n"
        "*Rejected* is the mean over a test's sub-tests, then the lowest and the highest of them. *KS distance* is the "
        "largest |F(p) - p|, F the distribution of the p-values, of any sub-test. A null distribution is called "
        "approximate where the rate (exact binomial, two-sided) or the shape (exact Kolmogorov-Smirnov) of a sub-test "
        f"deviates at level {LEVEL}, Holm over all sub-tests of the length. \"No deviation seen\" means: none that so many "
        "sequences show. The sub-tests of one test are not independent, so the mean rates are more exact than "
        "one sub-test's and less exact than their number suggests. Discrete p-values deviate by the height of their steps.\n\n"
        "![rejection rate of every sub-test](calibration.png)\n\n"
        "Grey: three standard errors around 0.01. Red: a sub-test whose rate or shape deviates.\n\n"
        + "\n\n".join(sections)
        + "\n\nEvery sub-test, with its ten bins and all digits: `calibration_1000000.csv`, `calibration_100000.csv`.\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path)
    directory = parser.parse_args().directory
    try:
        data = {bits: subtests(directory / f"calibration_{bits}.csv") for bits in LENGTHS}
    except BadInput as error:
        print(f"calibration_page.py: {error}", file=sys.stderr)
        return 3
    (directory / "README.md").write_text(page(data), encoding="utf-8")
    picture(data, directory / "calibration.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
