#!/usr/bin/python3
"""Writes README.md and z_values.png of results/evaluate from what `icbench evaluate` left there.

    scripts/evaluate_page.py [results/evaluate]
"""

import csv
import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend comes first)

SUBJECTS = [("aes-256-ctr", "AES-256-CTR", "#1f77b4"), ("xor-repeat", "repeated-key XOR", "#d62728")]


def rows_of(path):
    """The rows of a CSV file as dictionaries."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def p_text(text):
    """A p-value to two digits; below 1e-300 it is 0 in double precision."""
    if not text:
        return ""
    value = float(text)
    return "< 1e-300" if value < 1e-300 else f"{value:.2g}"


def table(folder):
    """Both summaries side by side, a line per quantity."""
    summaries = {name: {row["quantity"]: row for row in rows_of(folder / name / "summary.csv")}
                 for name, _, _ in SUBJECTS}
    header = ["quantity", "of", "AES rejected", "p", "mean z", "sd z", "worst z", "XOR rejected",
              "mean z", "worst z"]
    lines = [header, ["---"] * len(header)]
    for quantity, aes in summaries["aes-256-ctr"].items():
        xor = summaries["xor-repeat"][quantity]
        lines.append([f"`{quantity}`", aes["measured"], aes["rejected"], p_text(aes["p_value"]),
                      f"{float(aes['z_mean']):.2f}", f"{float(aes['z_sd']):.2f}",
                      f"{float(aes['worst_z']):.2f}", f"{xor['rejected']} of {xor['measured']}",
                      f"{float(xor['z_mean']):.4g}", f"{float(xor['worst_z']):.4g}"])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def images(folder, name):
    """Images judged and rejected, raw p-values below alpha and made."""
    rows = rows_of(folder / name / "images.csv")
    measured = [float(row["p_value"]) for row in rows_of(folder / name / "measurements.csv")
                if row["p_value"]]
    return (len(rows), sum(row["verdict"] == "reject" for row in rows),
            sum(p < 0.01 for p in measured), len(measured))


def calibration(folder):
    """Rates of ideal images rejected, a line per quantity."""
    kinds = [("ideal-gray", "2,000 gray, 96 x 96"), ("ideal-colour", "1,000 colour, 64 x 64")]
    summaries = [{row["quantity"]: row for row in rows_of(folder / name / "summary.csv")}
                 for name, _ in kinds]
    header = ["quantity"]
    for _, title in kinds:
        header += [f"{title}: rejected", "p", "mean z", "sd z"]
    lines = [header, ["---"] * len(header)]
    for quantity in summaries[1]:
        line = [f"`{quantity}`"]
        for summary in summaries:
            row = summary[quantity]
            if int(row["measured"]) == 0:
                line += ["", "", "", ""]
                continue
            line += [f"{row['rejected']} of {row['measured']}", p_text(row["p_value"]),
                     f"{float(row['z_mean']):.3f}", f"{float(row['z_sd']):.3f}"]
        lines.append(line)
    verdicts = []
    for name, title in kinds:
        rows = rows_of(folder / name / "images.csv")
        for alpha in (0.01, 0.05):
            count = sum(float(row["p_value"]) < alpha for row in rows)
            verdicts.append(f"{title}: {count} of {len(rows)} below {alpha}")
    return verdicts, "\n".join("| " + " | ".join(line) + " |" for line in lines)


def draw(folder):
    """z of every channel of every image, a line per quantity."""
    quantities = [row["quantity"] for row in rows_of(folder / "aes-256-ctr" / "summary.csv")]
    place = {quantity: -i for i, quantity in enumerate(quantities)}
    figure, axes = plt.subplots(figsize=(9, 0.28 * len(quantities) + 1.4))
    axes.axvspan(-3, 3, color="0.92")
    for shift, (name, label, colour) in zip((0.15, -0.15), SUBJECTS):
        rows = [row for row in rows_of(folder / name / "measurements.csv")
                if row["z"] and row["quantity"] in place]
        by_channel = {row["quantity"] for row in rows if row["channel"] != "all"}
        points = [(float(row["z"]), place[row["quantity"]] + shift) for row in rows
                  if row["channel"] != "all" or row["quantity"] not in by_channel]
        axes.plot([x for x, _ in points], [y for _, y in points], "|", color=colour, alpha=0.6,
                  label=label, markersize=6)
    axes.set_xscale("symlog", linthresh=5)
    ticks = [10.0 ** e for e in range(1, 8)]
    axes.set_xticks([-t for t in reversed(ticks)] + [-3, 0, 3] + ticks,
                    [f"$-10^{e}$" for e in range(7, 0, -1)] + ["-3", "0", "3"]
                    + [f"$10^{e}$" for e in range(1, 8)], fontsize=8)
    axes.minorticks_off()
    axes.set_yticks(list(place.values()), quantities, fontsize=7)
    axes.set_ylim(-len(quantities) + 0.4, 0.6)
    axes.set_xlabel("z: standard deviations from an ideal cipher image (linear up to 5, then logarithmic)")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.06), ncol=2, frameon=False, fontsize=8)
    figure.tight_layout()
    figure.savefig(folder / "z_values.png", dpi=130, metadata={"Software": None})


def main():
    """Command line."""
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "results/evaluate")
    manifest = json.loads((folder / "aes-256-ctr" / "manifest.json").read_text(encoding="utf-8"))
    program = manifest["program"]
    verdicts = {name: images(folder, name) for name, _, _ in SUBJECTS}
    aes, xor = verdicts["aes-256-ctr"], verdicts["xor-repeat"]
    draw(folder)
    calibrated, calibration_table = calibration(folder)
    (folder / "README.md").write_text(f"""# Two outside programs, judged

The {aes[0]} images of the USC-SIPI Miscellaneous volume, raw pixels encrypted by `openssl enc -aes-256-ctr` and by XOR with a repeated key of 16 bytes; the second cipher image of
each is of the plain image with the lowest bit of its first byte flipped (AES under another initial counter). `scripts/evaluate_sipi.sh` makes all of it again: commit {program['commit'][:12]},
{program['compiler']}, {manifest['machine']['cpu']}, alpha 0.01, seed {manifest['options']['seed']}.

- **AES-256-CTR**: {aes[1]} of {aes[0]} images rejected (corrected within each image; at most 1 % expected). Of {aes[3]} raw p-values {aes[2]} are below 0.01; {0.01 * aes[3]:.0f} expected, many of them dependent.
- **Repeated-key XOR**: {xor[1]} of {xor[0]} images rejected. Of {xor[3]} raw p-values {xor[2]} are below 0.01.

That AES passes means that these metrics found no flaw. It is no evidence of security: they would find none in AES under a published key either.

![z of every channel of every image](z_values.png)

Columns: *of*: channels of images measured ("all channels" rows are not counted again); *rejected*: raw p below 0.01; *p*: probability of as many or more rejections of an ideal cipher; z: mean, standard
deviation, largest. What the quantities are: [docs/metrics.md](../../docs/metrics.md). Every value with 17 digits: `measurements.csv`, `summary.csv` and `images.csv` in each folder.

{table(folder)}

## Calibration: ideal cipher images

Uniform noise as cipher images of crops of the same database, judged in the same way. Images rejected, by the smallest corrected p-value of each: {"; ".join(calibrated)}. At most the share alpha of ideal images
may be; Holm's correction leaves it somewhat below. Raw p-values below 0.01 by quantity (p: of as many or more), and z, which must have mean 0 and sd 1:

{calibration_table}
""", encoding="utf-8")


if __name__ == "__main__":
    main()
