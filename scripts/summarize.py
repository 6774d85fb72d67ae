#!/usr/bin/env python3
"""Writes the headline tables of README.md from the CSVs of a full run; --check only compares.

    scripts/summarize.py [--results results/paper] [--readme README.md] [--check]

The block between the two marker lines of the README is replaced, so that no number there is typed in.
"""

import argparse
import csv
import json
import pathlib
import sys

BEGIN = "<!-- results: written by scripts/summarize.py -->"
END = "<!-- end of results -->"


def rows_of(path):
    """The rows of a CSV file as dictionaries."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def markdown(header, rows):
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def share(row):
    """Proportion of a Table 2 row, with its verdict."""
    if not row["proportion"]:
        return "n/a"
    return f"{float(row['proportion']):.4f}" + (" ✗" if row["verdict"] == "reject" else "")


def table2(directory):
    """Paper's figures and the proportions of the four subjects, one line per test."""
    rows = rows_of(directory / "table2_randomness.csv")
    by = {(row["test"], row["subject"]): row for row in rows}
    tests = [row["test"] for row in rows if row["subject"] == "khazaal2024"]
    columns = ["identity", "khazaal2024-confusion", "khazaal2024", "aes-256-ctr"]
    lines = []
    for test in tests:
        full = by[test, "khazaal2024"]
        lines.append([test, f"{float(full['paper_p']):.2f}", f"{float(full['paper_s']):.2f}",
                      *(share(by[test, column]) for column in columns),
                      f"{float(full['corrected_low']):.4f}"])
    sequences = by[tests[0], "khazaal2024"]["sequences"]
    text = (f"**Table 2**, share of {sequences} sequences of 10⁶ bits that pass at 0.01 "
            "(✗: rejected, corrected for all checks):\n\n")
    return text + markdown(["test", "paper p", "paper s", "plain", "confusion only", "khazaal2024",
                            "AES-256-CTR", "accepted from"], lines)


def table3(directory):
    """One line per image: paper, plain, confusion only, whole cipher; V / H / D."""
    rows = [row for row in rows_of(directory / "table3_correlation.csv") if row["pairs"] == "all"]
    lines = []
    for image in dict.fromkeys(row["image"] for row in rows):
        group = {row["direction"]: row for row in rows if row["image"] == image}
        first = next(iter(group.values()))

        def three(column, digits):
            return " / ".join(f"{float(group[d][column]):.{digits}f}"
                              for d in ("vertical", "horizontal", "diagonal"))

        lines.append([first["row"], first["type"], first["size"], image, three("paper", 3),
                      three("plain", 3), three("confusion", 4), three("cipher", 4),
                      f"{float(first['cipher_se']):.4f}"])
    text = ("**Table 3**, correlation of adjacent pixels, vertical / horizontal / diagonal. The paper "
            "gives its values as those of encrypted images; they lie where plain images lie:\n\n")
    return text + markdown(["row", "type", "size", "image", "paper", "plain", "confusion only",
                            "khazaal2024", "± of the last"], lines)


def block(directory):
    """The whole generated block."""
    manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
    program, machine = manifest["program"], manifest["machine"]
    origin = (f"Measured on {manifest['data']['origin']}: commit {program['commit'][:12]}, "
              f"{program['compiler']}, {machine['cpu']}, seed {manifest['options']['seed']}.")
    folder = directory.as_posix()
    pictures = "\n\n".join(f"![{text}]({folder}/{name}.png)" for name, text in (
        ("figure9", "Plain image, confusion only, whole cipher: histograms and adjacent pixels"),
        ("table3", "Table 3 as a figure"),
        ("training_curve", "Correlation after confusion against training"),
        ("figure3", "The maps: where the paper's Henon parameters escape")))
    return "\n\n".join([BEGIN, origin, table2(directory), table3(directory), pictures, END])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=pathlib.Path, default=pathlib.Path("results/paper"))
    parser.add_argument("--readme", type=pathlib.Path, default=pathlib.Path("README.md"))
    parser.add_argument("--check", action="store_true", help="exit 1 if the README differs")
    options = parser.parse_args()
    text = options.readme.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"{options.readme}: expected one pair of marker lines {BEGIN} and {END}")
    start, stop = text.index(BEGIN), text.index(END) + len(END)
    fresh = text[:start] + block(options.results) + text[stop:]
    if options.check:
        if fresh != text:
            sys.exit(f"{options.readme} does not show {options.results}; run scripts/summarize.py")
    else:
        options.readme.write_text(fresh, encoding="utf-8")


if __name__ == "__main__":
    main()
