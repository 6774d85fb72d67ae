#!/usr/bin/env python3
"""Writes the tables of docs/metrics.md from the program's registry; --check only compares.

    scripts/metrics_page.py PROGRAM [--page docs/metrics.md] [--check]

PROGRAM is a built icbench. The block between the two marker lines of the page is replaced.
"""

import argparse
import csv
import io
import pathlib
import subprocess
import sys

BEGIN = "<!-- metrics: written by scripts/metrics_page.py -->"
END = "<!-- end of metrics -->"

SECTIONS = [
    ("one image", "Of the cipher image alone"),
    ("two cipher images", "Of two cipher images"),
    ("plain and cipher image", "Of the cipher image against its plain image"),
    ("cipher", "With the cipher itself: protocols"),
]


def rows_of(program):
    """The registry's table as dictionaries."""
    text = subprocess.run([program, "list", "metrics", "--format", "csv"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    return list(csv.DictReader(io.StringIO(text)))


def escaped(text):
    """A cell of a Markdown table: bars and stars as themselves."""
    for mark in "\\|*_<>":
        text = text.replace(mark, "\\" + mark)
    return text


def number(text):
    """Six significant digits."""
    return f"{float(text):.6g}" if text else ""


def table(rows):
    """One section. Protocols have formulas, but no image of 512 x 512 to take numbers from."""
    cipher = rows[0]["needs"] == "cipher"
    header = ["id", "unit", "formula", "expected of an ideal cipher", "sd"]
    header += ["protocol"] if cipher else ["at 512 x 512", "family"]
    header += ["source"]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        line = [f"`{row['name']}`", row["unit"], escaped(row["formula"]), escaped(row["expected"]),
                escaped(row["sd"])]
        if cipher:
            line.append(row["family"])
        else:
            at = number(row["expected_512"])
            line.append(f"{at} ± {number(row['sd_512'])}" if at else "")
            line.append("" if row["family"] == row["name"] else escaped(row["family"]))
        lines.append([*line, escaped(row["source"])])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def block(program):
    """The whole generated block."""
    rows = rows_of(program)
    parts = []
    for needs, title in SECTIONS:
        of_section = [row for row in rows if row["needs"] == needs]
        if of_section:
            parts.append(f"### {title}\n\n{table(of_section)}")
    return "\n\n".join(parts)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--page", type=pathlib.Path, default=pathlib.Path("docs/metrics.md"))
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    page = options.page.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{options.page}: expected the lines {BEGIN} and {END}")
    new = f"{before}{BEGIN}\n\n{block(options.program)}\n\n{END}{after}"
    if options.check:
        if new != page:
            sys.exit(f"{options.page} is not what scripts/metrics_page.py writes; run it")
    else:
        options.page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
