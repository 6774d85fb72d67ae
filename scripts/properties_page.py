#!/usr/bin/python3
"""Writes results/properties/README.md from what scripts/properties.sh left there.

    scripts/properties_page.py [results/properties]
"""

import csv
import json
import pathlib
import re
import sys

# Everything that must pass, then the controls.
CIPHERS = ["khazaal2024", "khazaal2024-no-cnn", "khazaal2024-no-dnn", "khazaal2024-no-gauss",
           "khazaal2024-no-henon", "khazaal2024-no-logistic", "aes-256-ctr",
           "khazaal2024-confusion", "identity"]


def rows_of(path):
    """The rows of a CSV file as dictionaries."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def markdown(lines):
    """A table; the first line is its header."""
    lines = [lines[0], ["---"] * len(lines[0]), *lines[1:]]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def verdicts(reports):
    """A line per property, a column per cipher."""
    names = [entry["name"] for entry in reports[CIPHERS[0]]["properties"]]
    lines = [["property", *(f"[{cipher}]({cipher}/README.md)" for cipher in reports)]]
    for name in names:
        line = [name]
        for report in reports.values():
            found = [entry["verdict"] for entry in report["properties"] if entry["name"] == name]
            line.append({"not applicable": "n/a"}.get(found[0], found[0]) if found else "")
        lines.append(line)
    lines.append(["**rejected**",
                  *("yes" if report["rejected"] else "no" for report in reports.values())])
    return markdown(lines)


def networks(folder):
    """trained, random and none side by side."""
    table = {}
    for row in rows_of(folder / "networks.csv"):
        table.setdefault((row["network"], row["quantity"], row["expected"]), {})[
            row["weights"]] = row
    lines = [["network", "quantity", "ideal", "trained", "random", "none"]]
    for (network, quantity, expected), by_weights in table.items():
        cells = []
        for weights in ("trained", "random", "none"):
            row = by_weights[weights]
            text = f"{float(row['value']):.6g}"
            if row["standard_error"]:
                text += f" ± {float(row['standard_error']):.2g}"
            cells.append(text)
        ideal = f"{float(expected):.6g}" if expected else ""
        lines.append([network, quantity, ideal, *cells])
    return markdown(lines)


def rounds(folder):
    """Of each number of rounds and quantity: findings, rejected ones, the smallest corrected p."""
    found = {}
    for row in rows_of(folder / CIPHERS[0] / "findings.csv"):
        match = re.match(r"rounds_(\d+)_(npcr|uaci|bit_change_rate|correlation)_", row["quantity"])
        if row["property"] == "rounds" and match:
            found.setdefault((int(match[1]), match[2]), []).append(row)
    lines = [["rounds", "quantity", "findings", "rejected", "smallest corrected p"]]
    for (number, quantity), rows in sorted(found.items()):
        smallest = min(float(row["p_corrected"]) for row in rows if row["p_corrected"])
        lines.append([str(number), quantity, str(len(rows)),
                      str(sum(row["status"] == "reject" for row in rows)), f"{smallest:.3g}"])
    return markdown(lines)


def main():
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "results/properties")
    reports = {cipher: json.loads((folder / cipher / "manifest.json").read_text(encoding="utf-8"))
               for cipher in CIPHERS if (folder / cipher / "manifest.json").exists()}
    first = reports[CIPHERS[0]]
    text = f"""# Properties: the paper's cipher, its ablations and variants, AES and controls

Made by `scripts/properties.sh`; what each row measures, its null model and the verdict:
[docs/properties.md](../../docs/properties.md). Seed {first["options"]["seed"]}, alpha
{first["options"]["alpha"]}; commit {first["program"]["commit"][:12]}. Passing means that these tests found no
flaw at this sample size, never that the cipher is secure: an ablation that passes shows that the
tests do not need the part, not that the cipher does not.

{verdicts(reports)}

## What the networks contribute

Trained, with random weights, and left out (`network_table`). The correlations are those of the
confusion alone on the generated set, whose stripes and ramps are hard on it: rows that are alike stay
alike however they are shifted. Natural images stand in [docs/networks.md](../../docs/networks.md); a
random permutation has 0.80.

{networks(folder)}

## Rounds

Public parameter held fixed, so that only the rounds hide anything: one bit changed at the first,
middle, last and seeded positions under 100 keys, and the correlation of neighbours. Two rounds are the
cipher's; one is rejected.

{rounds(folder)}
"""
    (folder / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
