#!/usr/bin/env python3
"""Draws the figures of the paper from the results that `icbench reproduce` writes.

    figures.py --results DIR

reads the CSV files and pictures below DIR and writes every figure into DIR as PNG (150 dpi) and as
PDF (vector; dense scatters and maps are rasterised). The same results give the same bytes: no date
enters a file. Nothing is computed here but what a caption says; every number comes from the CSV.

Exit codes: 0 all figures drawn; 2 wrong usage; 3 an input is missing or malformed, or a figure
cannot be written (each is named on standard error, and all other figures are drawn). The
pictures and rows of the set `sipi`, and training_loss.csv, may be absent.
"""

import argparse
import csv
import io
import math
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.image
import numpy as np
from matplotlib import ticker
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Patch, Rectangle
from matplotlib.textpath import TextToPath

EXIT_BAD_INPUT = 3
PNG_DPI = 150
PDF_RASTER_DPI = 300
FONT_SIZE = 8.0
CAPTION_SIZE = 8.5

# Okabe and Ito's palette, distinguishable with every common colour vision deficiency.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#6E6E6E"

DIRECTIONS = {"horizontal": (BLUE, "o"), "vertical": (VERMILLION, "s"), "diagonal": (GREEN, "^")}
SUBJECTS = {
    "identity": (GREY, "s"),
    "khazaal2024-confusion": (VERMILLION, "^"),
    "khazaal2024": (BLUE, "o"),
    "aes-256-ctr": (BLACK, "D"),
}
STAGES = {
    "identity": ("plain", "Plain image"),
    "khazaal2024-confusion": ("confusion", "Confusion only"),
    "khazaal2024": ("cipher", "Full cipher"),
}
CHANNELS = {"r": VERMILLION, "g": GREEN, "b": BLUE, "gray": "#404040"}
PAPER_R = 3.99
CHAOS_ONSET_R = 3.5699
PAPER_HENON = (1.3, 0.4)
ESCAPE_BOUND = 10
ESCAPE_AXIS_END = 1e15
LONGEST_PERIOD = 64
HENON_PAIRS = ((1.4, 0.3), (1.2, 0.4), (1.3, 0.3), PAPER_HENON)


class InputError(Exception):
    """An input that is missing or malformed; the message names the file, and the line if any."""


# --------------------------------------------------------------------------------------- reading


def finite(text):
    """A finite number."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"'{text}' is not finite")
    return value


def optional(text):
    """A number; an empty field is NaN."""
    return float(text) if text.strip() else math.nan


def level(text):
    """A level of an 8-bit image."""
    value = int(text)
    if not 0 <= value <= 255:
        raise ValueError(f"{value} is not in 0..255")
    return value


def choice(*allowed):
    """A converter that accepts the given words alone."""

    def convert(text):
        if text not in allowed:
            raise ValueError(f"'{text}' is none of {', '.join(allowed)}")
        return text

    return convert


SETS = choice("generated", "sipi")
DIRECTION = choice(*DIRECTIONS)
SUBJECT = choice(*STAGES)

SPECS = {
    "data/figure3_logistic_orbit.csv": {"n": int, "x": finite},
    "data/figure3_logistic_bifurcation.csv": {"r": finite, "x": finite},
    "data/figure3_logistic_lyapunov.csv": {"r": finite, "lyapunov": float},
    "data/figure3_henon_orbits.csv": {"a": finite, "b": finite, "n": int, "x": float, "y": float},
    "data/figure3_henon_lyapunov.csv": {
        "a": finite, "b": finite, "state": choice("chaotic", "periodic", "escapes"),
        "lyapunov": optional, "steps": int},
    "data/figure6_exchange.csv": {
        "stage": choice("plain", "exchanged"), "row": int, "col": int, "label": str, "value": str},
    "data/figure8.csv": {"set": SETS, "image": str, "quantity": str, "value": optional},
    "data/figure9_histogram.csv": {
        "set": SETS, "image": str, "subject": SUBJECT, "channel": choice(*CHANNELS),
        "level": level, "count": finite},
    "data/figure9_pairs.csv": {
        "set": SETS, "image": str, "subject": SUBJECT, "direction": DIRECTION,
        "channel": choice(*CHANNELS), "x": finite, "y": finite},
    "training_curve.csv": {
        "network": str, "epoch": finite, "image_set": str, "direction": DIRECTION,
        "mean_abs_r": finite, "se": optional, "null_mean_abs_r": optional, "images": int,
        "keys": int},
    "training_loss.csv": {"epoch": finite, "loss": finite},
    "table2_randomness.csv": {
        "row": int, "test": str, "paper_p": optional, "paper_s": optional,
        "subject": choice(*SUBJECTS), "sequences": int, "applicable": int, "p_values": str,
        "proportion": optional, "proportion_low": optional, "proportion_high": optional,
        "worst_subtest": str, "uniformity_p": optional, "verdict": str, "detail": str},
    "table3_correlation.csv": {
        "row": int, "type": str, "size": str, "image": str, "derived_from": str,
        "pairs": choice("all", "5000"), "direction": DIRECTION, "paper": optional,
        "plain": finite, "plain_se": optional, "confusion": finite, "confusion_se": optional,
        "cipher": finite, "cipher_se": optional, "cipher_z": optional, "cipher_p": optional,
        "n": int},
}


class Table:
    """The columns of one CSV file as arrays; `where` selects rows."""

    def __init__(self, columns):
        self.columns = columns

    def __getitem__(self, name):
        return self.columns[name]

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def where(self, **wanted):
        """The rows whose columns equal the wanted values; numbers to nine digits."""
        mask = np.ones(len(self), dtype=bool)
        for name, value in wanted.items():
            column = self.columns[name]
            if isinstance(value, float):
                mask &= np.isclose(column, value, rtol=0, atol=1e-9)
            else:
                mask &= column == value
        return self.take(mask)

    def take(self, mask):
        """The rows that a mask or an index array selects."""
        return Table({name: column[mask] for name, column in self.columns.items()})

    def distinct(self, name):
        """The values of a column in the order of their first appearance."""
        return list(dict.fromkeys(self.columns[name].tolist()))


def convert_row(row, positions, spec):
    """The fields of one row, converted; raises ValueError naming the column."""
    fields = []
    for name, convert in spec.items():
        try:
            fields.append(convert(row[positions[name]]))
        except ValueError as error:
            raise ValueError(f"column {name}: {error}") from None
    return fields


def parse_rows(stream, name):
    """Reads the CSV in stream by its specification; raises InputError with the line."""
    spec = SPECS[name]
    reader = csv.reader(stream, strict=True)
    rows = []
    try:
        header = next(reader, [])
        absent = [column for column in spec if column not in header]
        if absent:
            raise ValueError(f"no column {', '.join(absent)}")
        positions = {column: header.index(column) for column in spec}
        for row in reader:
            if len(row) != len(header):
                raise ValueError(f"{len(row)} fields, the header has {len(header)}")
            rows.append(convert_row(row, positions, spec))
        if not rows:
            raise ValueError("no rows")
    except (ValueError, csv.Error) as error:
        raise InputError(f"{name}: line {max(reader.line_num, 1)}: {error}") from None
    return rows


class Results:
    """The results directory; every table and picture is read once."""

    def __init__(self, directory):
        self.directory = directory
        self.cache = {}

    def require(self, names):
        """Raises InputError that names every file of `names` that is missing."""
        missing = [name for name in names if not (self.directory / name).is_file()]
        if missing:
            raise InputError("missing " + ", ".join(missing))

    def table(self, name):
        """The table of one CSV file; a malformed file is refused each time it is asked for."""
        if name not in self.cache:
            try:
                self.cache[name] = self.read_table(name)
            except InputError as error:
                self.cache[name] = error
        if isinstance(self.cache[name], InputError):
            raise self.cache[name]
        return self.cache[name]

    def read_table(self, name):
        """Reads one CSV file."""
        try:
            text = (self.directory / name).read_bytes().decode("utf-8")
        except OSError as error:
            raise InputError(f"{name}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            raise InputError(f"{name}: line {line}: not UTF-8") from None
        rows = parse_rows(io.StringIO(text, newline=""), name)
        columns = [np.array(column) for column in zip(*rows)]
        return Table(dict(zip(SPECS[name], columns)))

    def picture(self, image_set, stage):
        """The 8-bit pixels of one picture, (H, W) or (H, W, 3)."""
        name = f"images/{image_set}_{stage}.png"
        try:
            pixels = matplotlib.image.imread(self.directory / name, format="png")
        except (OSError, SyntaxError, ValueError) as error:
            raise InputError(f"{name}: not a readable PNG: {error}") from None
        if pixels.dtype != np.uint8:
            pixels = np.rint(pixels * 255).astype(np.uint8)
        if pixels.ndim == 3:
            pixels = pixels[..., :3] if pixels.shape[2] >= 3 else pixels[..., 0]
        return pixels

    def has_pictures(self, image_set):
        """Whether any picture of the set is there."""
        return any((self.directory / "images").glob(f"{image_set}_*.png"))


def first_image(table):
    """The rows of the first image, with its name and how many images there are."""
    images = table.distinct("image")
    note = "" if len(images) == 1 else f", the first of {len(images)} images"
    return table.where(image=images[0]), images[0], note


# --------------------------------------------------------------------------------------- drawing


def set_style():
    """One style for all figures, whatever the user's own matplotlib settings say."""
    matplotlib.rcdefaults()
    matplotlib.rcParams.update({
        "font.family": "DejaVu Sans",
        "font.size": FONT_SIZE,
        "axes.titlesize": FONT_SIZE,
        "axes.labelsize": FONT_SIZE,
        "xtick.labelsize": FONT_SIZE,
        "ytick.labelsize": FONT_SIZE,
        "legend.fontsize": FONT_SIZE,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.7,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "hatch.linewidth": 0.5,
        "legend.frameon": False,
        "pdf.fonttype": 42,
        "svg.hashsalt": "icbench",
        "agg.path.chunksize": 0,
    })


def text_width(text, size):
    """Width of a text in inches."""
    prop = FontProperties(family="DejaVu Sans", size=size)
    return TextToPath().get_text_width_height_descent(text, prop, ismath=False)[0] / 72


def wrap(text, width, size):
    """Breaks a text into lines no wider than `width` inches."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and text_width(longer, size) > width:
            lines.append(line)
            longer = word
        line = longer
    return lines + [line]


def captioned_figure(width, body_height, caption):
    """A figure of `width` inches whose body is laid out above its caption."""
    lines = wrap(caption, width - 0.24, CAPTION_SIZE)
    caption_height = len(lines) * CAPTION_SIZE * 1.3 / 72 + 0.16
    height = body_height + caption_height
    fig = Figure(figsize=(width, height), layout="constrained")
    fig.get_layout_engine().set(
        rect=(0, caption_height / height, 1, body_height / height), w_pad=0.06, h_pad=0.06)
    fig.text(0.12 / width, (caption_height - 0.06) / height, "\n".join(lines), va="top",
             ha="left", fontsize=CAPTION_SIZE, linespacing=1.2)
    return fig


def reserve_top(fig, inches):
    """Keeps the panels out of the uppermost part, for a legend or headings."""
    engine = fig.get_layout_engine()
    left, bottom, width, height = engine.get()["rect"]
    engine.set(rect=(left, bottom, width, height - inches / fig.get_figheight()))


def save(fig, stem):
    """Writes stem.png and stem.pdf; both are complete or not there."""
    metadata = {"png": {"Software": None}, "pdf": {"CreationDate": None, "ModDate": None}}
    for suffix, dpi in (("png", PNG_DPI), ("pdf", PDF_RASTER_DPI)):
        buffer = io.BytesIO()
        fig.savefig(buffer, format=suffix, dpi=dpi, metadata=metadata[suffix])
        fig.set_layout_engine("none")  # the second file has the layout of the first
        stem.with_name(f"{stem.name}.{suffix}").write_bytes(buffer.getvalue())


def spread(positions, gap):
    """Moves positions apart until neighbours are `gap` apart, keeping their order and mean."""
    order = np.argsort(positions, kind="stable")
    placed = np.asarray(positions, dtype=float)[order]
    groups = [[value] for value in placed]
    merged = True
    while merged:
        merged = False
        for i in range(len(groups) - 1):
            reach = gap * (len(groups[i]) + len(groups[i + 1])) / 2
            if np.mean(groups[i + 1]) - np.mean(groups[i]) < reach - 1e-12:
                groups[i:i + 2] = [groups[i] + groups[i + 1]]
                merged = True
                break
    result = np.empty(len(placed))
    result[order] = [np.mean(group) + gap * (k - (len(group) - 1) / 2)
                     for group in groups for k in range(len(group))]
    return result


def halo(ax, x, y, text, **options):
    """A label on a white ground."""
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.2, "alpha": 0.9}
    return ax.text(x, y, text, bbox=box, **options)


def thousands(value):
    """A count with thousands separators."""
    return f"{int(value):,}"


def count_range(values):
    """One count, or the least and the greatest."""
    low, high = int(np.min(values)), int(np.max(values))
    return thousands(low) if low == high else f"{thousands(low)} to {thousands(high)}"


def number_range(values):
    """The least and the greatest of some numbers, to three decimals."""
    return minus(f"{np.nanmin(values):.3f} to {np.nanmax(values):.3f}")


def minus(text):
    """Replaces hyphens by minus signs in a formatted number."""
    return text.replace("-", "\u2212")


# -------------------------------------------------------------------------------------- figure 3


def pair_name(pair):
    """The name of a parameter pair (a, b) of the Hénon map."""
    return f"({pair[0]:g}, {pair[1]:g})"


def draw_logistic_orbit(ax, orbit):
    """The first steps of a logistic orbit."""
    ax.plot(orbit["n"], orbit["x"], color=BLUE, lw=0.5, marker="o", ms=1.8, mew=0)
    ax.set(xlabel="step n", ylabel="state x (dimensionless)", ylim=(-0.02, 1.02))
    ax.set_title(f"(a) Logistic orbit, r = {PAPER_R}, $x_1$ = {orbit['x'][0]:g}")
    ax.margins(x=0.02)


def draw_bifurcation(ax, table):
    """The logistic map's attractor against its parameter."""
    ax.plot(table["r"], table["x"], ls="", marker=",", color=BLACK, alpha=0.35, rasterized=True)
    ax.set(ylabel="state x (dimensionless)", ylim=(-0.02, 1.02))
    ax.set_title("(b) Logistic map: attractor")
    ax.tick_params(labelbottom=False)
    mark_logistic(ax)


def draw_logistic_lyapunov(ax, table):
    """The Lyapunov exponent of the logistic map, chaotic and regular parts apart."""
    r, exponent = table["r"], table["lyapunov"]
    floor = -2.0
    shown = np.where(np.isfinite(exponent), np.maximum(exponent, floor), floor)
    ax.plot(r, shown, color="0.35", lw=0.5)
    ax.fill_between(r, 0, shown, where=shown >= 0, color=ORANGE, lw=0, interpolate=True)
    ax.fill_between(r, 0, shown, where=shown <= 0, color=SKY, lw=0, interpolate=True)
    ax.axhline(0, color=BLACK, lw=0.7)
    ax.set(xlabel="parameter r (dimensionless)", ylabel="$\\lambda$ (nats per step)",
           ylim=(floor, 1.0), xlim=(r.min(), max(r.max(), 4.0)))
    ax.set_title("(c) Lyapunov exponent: chaotic above 0, regular below")
    mark_logistic(ax)


def mark_logistic(ax):
    """Marks the paper's r and the onset of chaos."""
    ax.axvline(PAPER_R, color=VERMILLION, lw=1.1)
    ax.axvline(CHAOS_ONSET_R, color=PURPLE, lw=1.1, ls="--")


def label_logistic(ax):
    """Names the two marked parameters, below the onset where the attractor leaves room."""
    halo(ax, CHAOS_ONSET_R - 0.015, 0.03, f"onset {CHAOS_ONSET_R}", color="#9C3F75", ha="right")
    halo(ax, PAPER_R - 0.015, 0.03, f"paper {PAPER_R}", color="#A84800", ha="right")


def settled(orbit):
    """An orbit without its transient: 1,000 steps, or the first half if it is shorter."""
    return orbit.take(slice(min(1000, len(orbit) // 2), None))


def distinct_points(orbit):
    """The distinct points of an orbit, to six digits."""
    points = np.round(np.column_stack([orbit["x"], orbit["y"]]), 6) + 0.0
    return np.unique(points, axis=0)


def draw_attractor(ax, orbit, pair, letter):
    """The points that an orbit visits after its transient."""
    points = distinct_points(settled(orbit))
    periodic = len(points) <= LONGEST_PERIOD
    style = {"marker": "o", "ms": 4.5, "color": BLUE} if periodic else {
        "marker": "o", "ms": 0.9, "mew": 0, "color": VERMILLION, "alpha": 0.7}
    ax.plot(points[:, 0], points[:, 1], ls="", rasterized=not periodic, **style)
    kind = f"period {len(points)}" if periodic else "chaotic"
    ax.set_title(f"({letter}) Hénon map, {pair_name(pair)}: {kind}")
    ax.set(xlabel="x (dimensionless)", ylabel="y (dimensionless)" if letter == "d" else "")


def escape_step(orbit):
    """The first step with |x| above the bound, or None."""
    beyond = orbit["n"][~(np.abs(orbit["x"]) <= ESCAPE_BOUND)]
    return int(beyond[0]) if len(beyond) else None


def draw_escape(ax, orbit):
    """|x| of the paper's parameters against the step, on a logarithmic axis."""
    size = np.abs(orbit["x"])
    shown = np.isfinite(size) & (size > 0)
    n, size = orbit["n"][shown], size[shown]
    ax.semilogy(n, size, color=VERMILLION, lw=1, marker="o", ms=2.8)
    step = escape_step(orbit)
    ax.set(xlabel="step n", ylabel="|x| (dimensionless, logarithmic)")
    ax.set_title(f"(g) Hénon map, {pair_name(PAPER_HENON)}"
                 + (": stays bounded" if step is None else ": escapes"))
    if size.max() > ESCAPE_AXIS_END:
        ax.set_ylim(max(size.min(), 1e-4) / 3, ESCAPE_AXIS_END)
    ax.axhline(ESCAPE_BOUND, color="0.4", lw=0.8, ls=":")
    if step is not None:
        ax.text(0.04, 0.93, f"|x| > {ESCAPE_BOUND} from step {step}", transform=ax.transAxes,
                color="#A84800")
    ax.yaxis.set_major_locator(ticker.LogLocator(numticks=8))
    ax.yaxis.set_minor_locator(ticker.NullLocator())


def lyapunov_grid(table):
    """Axes, exponents and states of the (a, b) grid; it has to be complete."""
    a, b = np.unique(table["a"]), np.unique(table["b"])
    if len(a) * len(b) != len(table) or min(len(a), len(b)) < 2:
        raise InputError(f"data/figure3_henon_lyapunov.csv: line {len(table) + 1}: "
                         f"{len(table)} rows are no {len(a)} x {len(b)} grid")
    order = np.lexsort((table["a"], table["b"]))
    shape = (len(b), len(a))
    return a, b, table["lyapunov"][order].reshape(shape), table["state"][order].reshape(shape)


def part_of_map(name, stops):
    """A colour map through the given colours."""
    return LinearSegmentedColormap.from_list(name, stops)


def draw_henon_map(fig, ax, table):
    """The largest Lyapunov exponent over (a, b), with the four marked pairs."""
    a, b, exponent, state = lyapunov_grid(table)
    ax.patch.set(facecolor="0.90", hatch="////", edgecolor="0.62")
    parts = (
        ("chaotic", part_of_map("chaotic", ["#FFF1D6", ORANGE, "#8A3200"]), "chaotic"),
        ("periodic", part_of_map("periodic", ["#08306B", "#4A90C8", "#E3F0FA"]), "periodic"))
    for name, colours, label in parts:
        values = np.ma.masked_where((state != name) | ~np.isfinite(exponent), exponent)
        if values.count() == 0:
            continue
        limits = (0, values.max()) if name == "chaotic" else (max(values.min(), -1.0), 0)
        mesh = ax.pcolormesh(a, b, values, cmap=colours, vmin=limits[0], vmax=limits[1],
                             shading="nearest", rasterized=True)
        bar = fig.colorbar(mesh, ax=ax, pad=0.02, fraction=0.06, aspect=24)
        bar.set_label(f"$\\lambda$, {label} (nats per step)")
        bar.outline.set_linewidth(0.5)
    ax.set(xlabel="parameter a (dimensionless)", ylabel="parameter b (dimensionless)")
    ax.set_title("(h) Hénon map: largest Lyapunov exponent $\\lambda$")
    mark_pairs(ax)
    hatch = Patch(facecolor="0.90", edgecolor="0.62", hatch="////", label="orbit escapes")
    ax.legend(handles=[hatch], loc="lower left", frameon=True, framealpha=0.95,
              edgecolor="none", borderpad=0.4, handleheight=1.1)


def mark_pairs(ax):
    """Marks the four parameter pairs, the paper's by a star."""
    offsets = {(1.4, 0.3): (0, 7), (1.2, 0.4): (-27, 7), (1.3, 0.3): (0, -14)}
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.9}
    for pair, offset in offsets.items():
        ax.plot(*pair, marker="o", ms=6, mfc="white", mec=BLACK, mew=1.2)
        ax.annotate(pair_name(pair), pair, offset, textcoords="offset points", ha="center",
                    bbox=box)
    a, b = np.transpose(HENON_PAIRS)
    ax.set_xlim(min(ax.get_xlim()[0], a.min() - 0.05), max(ax.get_xlim()[1], a.max() + 0.05))
    ax.set_ylim(min(ax.get_ylim()[0], b.min() - 0.05), max(ax.get_ylim()[1], b.max() + 0.05))
    ax.plot(*PAPER_HENON, marker="*", ms=17, mfc=VERMILLION, mec="white", mew=1.0, zorder=5)
    ax.annotate(f"paper {pair_name(PAPER_HENON)}", PAPER_HENON, (10, 8),
                textcoords="offset points", bbox=box, color="#A84800", weight="bold")


def figure3_caption(tables):
    """What Figure 3 shows, with its sample sizes."""
    orbit, bifurcation, exponent, orbits, grid = tables
    points = [len(settled(orbits.where(a=a, b=b))) for a, b in HENON_PAIRS[:3]]
    states = {name: int(np.sum(grid["state"] == name)) for name in ("chaotic", "periodic",
                                                                   "escapes")}
    step = escape_step(orbits.where(a=PAPER_HENON[0], b=PAPER_HENON[1]))
    fate = "the orbit stays bounded" if step is None else (
        "the orbit leaves every bound (the axis ends at $10^{15}$)")
    return (
        f"Figure 3. The chaotic maps in double precision. (a) {thousands(len(orbit))} steps. (b) "
        f"{thousands(len(bifurcation))} points for {thousands(len(bifurcation.distinct('r')))} "
        f"values of r. (c) Exponents for {thousands(len(exponent))} values of r; the axis ends at "
        "\u22122. In (b) and (c) the solid line is the paper's r, the dashed line the onset of "
        f"chaos. (d\u2013f) One orbit for each pair (a, b), {count_range(points)} points after the "
        f"transient. (g) The paper's parameters a = 1.3, b = 0.4: {fate}. (h) "
        f"{thousands(len(grid))} pairs (a, b), up to {thousands(grid['steps'].max())} steps each: "
        f"{thousands(states['chaotic'])} chaotic (orange), {thousands(states['periodic'])} "
        f"periodic (blue; colours end at \u22121), {thousands(states['escapes'])} escape "
        "(hatched). Circles: the pairs of (d\u2013f); star: the paper's pair (finding E1).")


def figure3(results):
    """The maps: orbits, bifurcation, Lyapunov exponents, and the escape of the paper's pair."""
    names = [name for name in SPECS if name.startswith("data/figure3_")]
    results.require(names)
    tables = [results.table(name) for name in names]
    orbit, bifurcation, exponent, orbits, grid = tables
    by_pair = {pair: orbits.where(a=pair[0], b=pair[1]) for pair in HENON_PAIRS}
    for pair, rows in by_pair.items():
        if len(rows) == 0:
            raise InputError(f"{names[3]}: no rows with {pair_name(pair)}")
    fig = captioned_figure(8.6, 8.4, figure3_caption(tables))
    layout = fig.add_gridspec(3, 1, height_ratios=[3.0, 2.1, 3.1])
    top = layout[0].subgridspec(2, 2, height_ratios=[1.45, 1])
    draw_logistic_orbit(fig.add_subplot(top[:, 0]), orbit)
    upper = fig.add_subplot(top[0, 1])
    lower = fig.add_subplot(top[1, 1], sharex=upper)
    draw_bifurcation(upper, bifurcation)
    draw_logistic_lyapunov(lower, exponent)
    label_logistic(upper)
    middle = layout[1].subgridspec(1, 3)
    for k, pair in enumerate(HENON_PAIRS[:3]):
        draw_attractor(fig.add_subplot(middle[k]), by_pair[pair], pair, "def"[k])
    bottom = layout[2].subgridspec(1, 2, width_ratios=[1, 2.1])
    draw_escape(fig.add_subplot(bottom[0]), by_pair[PAPER_HENON])
    draw_henon_map(fig, fig.add_subplot(bottom[1]), grid)
    save(fig, results.directory / "figure3")


# -------------------------------------------------------------------------------------- figure 6


def exchange_pairs(exchanged):
    """The pairs of places whose pixels changed places, as labels of the plain image."""
    came_from = {f"{row},{col}": label for row, col, label in zip(
        exchanged["row"], exchanged["col"], exchanged["label"])}
    return [(place, label) for place, label in came_from.items()
            if place < label and came_from.get(label) == place]


def draw_cells(ax, cells, colours, title):
    """One 4 x 4 grid with the label and the value of every pixel."""
    for row, col, label, value in zip(*(cells[k] for k in ("row", "col", "label", "value"))):
        fill, edge = colours.get(label, ("white", "0.6"))
        moved = label in colours
        ax.add_patch(Rectangle((col - 0.5, row - 0.5), 1, 1, facecolor=fill, edgecolor=edge,
                               lw=2.0 if moved else 0.7, zorder=3 if moved else 2))
        ax.text(col, row - 0.26, f"({label})", ha="center", va="center", zorder=4, color="0.15")
        ax.text(col, row + 0.14, f"{float(value):.2f}", ha="center", va="center", zorder=4,
                fontsize=12, weight="bold" if moved else "normal")
    ax.set(xlim=(0.42, 4.58), ylim=(4.58, 0.42), aspect="equal", xlabel="column",
           xticks=range(1, 5), yticks=range(1, 5), ylabel="row")
    ax.set_title(title)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


def figure6(results):
    """The exchange of sections in a 4 x 4 image."""
    name = "data/figure6_exchange.csv"
    results.require([name])
    table = results.table(name)
    stages = [table.where(stage=stage) for stage in ("plain", "exchanged")]
    for cells in stages:
        places = sorted(zip(cells["row"], cells["col"]))
        if places != [(row, col) for row in range(1, 5) for col in range(1, 5)]:
            raise InputError(f"{name}: a stage does not have the 16 places of a 4 x 4 image")
    pairs = exchange_pairs(stages[1])
    hues = ((("#9CCBEA", BLUE), ("#DCEEF9", BLUE)), (("#F9BE93", VERMILLION),
                                                     ("#FDE7D6", VERMILLION)))
    colours = {label: hues[k % 2][side] for k, pair in enumerate(pairs)
               for side, label in enumerate(pair)}
    listed = " and ".join(f"({a}) with ({b})" for a, b in pairs) or "none"
    values = [dict(zip(cells["label"], cells["value"])) for cells in stages]
    changed = sum(values[0].get(label) != value for label, value in values[1].items())
    fixed = int(np.sum([label == f"{row},{col}" for row, col, label in zip(
        *(stages[1][k] for k in ("row", "col", "label")))]))
    caption = (
        "Figure 6. Exchange of sections of a line and of a column in a 4 x 4 image (16 pixels). "
        "Upper number: the pixel's place (row,column) in the plain image; lower number: its "
        f"value (gray level). Exchanged pixels: {listed}; each pixel keeps its colour. "
        f"{fixed} pixels stay; {changed or 'no'} values change.")
    fig = captioned_figure(7.2, 3.6, caption)
    left, right = fig.subplots(1, 2, gridspec_kw={"wspace": 0.18})
    draw_cells(left, stages[0], colours, "(a) Plain")
    draw_cells(right, stages[1], colours, "(b) Exchanged")
    right.set_ylabel("")
    arrow = FancyArrowPatch((4.66, 2.5), (5.22, 2.5), transform=left.transData, clip_on=False,
                            arrowstyle="-|>", mutation_scale=14, lw=1.5, color="0.3")
    arrow.set_in_layout(False)
    left.add_artist(arrow)
    save(fig, results.directory / "figure6")


# -------------------------------------------------------------------------------------- figure 8


def show_picture(ax, pixels):
    """A picture without axes, pixel for pixel."""
    options = {"cmap": "gray", "vmin": 0, "vmax": 255} if pixels.ndim == 2 else {}
    ax.imshow(pixels, interpolation="nearest", **options)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(True)
    ax.spines[:].set_linewidth(0.5)
    ax.spines[:].set_color("0.4")


def difference_name(plain, cipher, difference):
    """Which difference of plain image P and cipher image C a picture holds, by its pixels."""
    if not plain.shape == cipher.shape == difference.shape:
        return "Difference"
    candidates = {
        "|P \u2212 C|": np.abs(plain.astype(int) - cipher),
        "(P \u2212 C) mod 256": plain - cipher,
        "(C \u2212 P) mod 256": cipher - plain,
        "P xor C": plain ^ cipher,
    }
    for name, expected in candidates.items():
        if np.array_equal(expected, difference):
            return f"Difference {name}"
    return "Difference"


def quantity_text(rows):
    """The quantities of one image as text."""
    parts = []
    for quantity, value in zip(rows["quantity"], rows["value"]):
        shown = minus(f"{value:.5g}") if math.isfinite(value) else "not available"
        parts.append(f"{quantity.replace('_', ' ')} = {shown}")
    return "; ".join(parts)


def figure8_set(results, image_set, stem):
    """Plain image, cipher image and their difference, side by side."""
    results.require(["data/figure8.csv"] + [f"images/{image_set}_{stage}.png" for stage in (
        "plain", "cipher", "difference")])
    rows = results.table("data/figure8.csv").where(set=image_set)
    if len(rows) == 0:
        raise InputError(f"data/figure8.csv: no rows of the set {image_set}")
    rows, image, note = first_image(rows)
    plain, cipher, difference = (results.picture(image_set, stage) for stage in (
        "plain", "cipher", "difference"))
    kind = "8-bit gray" if plain.ndim == 2 else "8-bit RGB"
    caption = (
        f"Figure 8. Image {image}{note}: {plain.shape[1]} x {plain.shape[0]} pixels, {kind}. "
        "(a) Plain image P, (b) cipher image C of the full cipher, (c) their difference, "
        f"level 0 black, 255 white. Measured over all pixels: {quantity_text(rows)}.")
    ratio = plain.shape[0] / plain.shape[1]
    fig = captioned_figure(7.6, 2.42 * ratio + 0.3, caption)
    titles = ("(a) Plain image P", "(b) Cipher image C",
              f"(c) {difference_name(plain, cipher, difference)}")
    for ax, pixels, title in zip(fig.subplots(1, 3), (plain, cipher, difference), titles):
        show_picture(ax, pixels)
        ax.set_title(title)
    save(fig, results.directory / stem)


def figure8(results):
    """Figure 8 of the generated image."""
    figure8_set(results, "generated", "figure8")


def figure8_sipi(results):
    """Figure 8 of the database's image, if it is there."""
    if results.has_pictures("sipi"):
        figure8_set(results, "sipi", "figure8_sipi")


# -------------------------------------------------------------------------------------- figure 9


def draw_histogram(ax, rows, limit, with_expected):
    """The histogram of every channel; the uniform level as a line for the cipher."""
    total = 0
    for channel in rows.distinct("channel"):
        part = rows.where(channel=channel)
        counts = np.zeros(256)
        counts[part["level"]] = part["count"]
        total = counts.sum()
        ax.step(np.arange(256), counts, where="mid", lw=0.8, color=CHANNELS[channel], alpha=0.9)
    if rows["count"].max() > limit:
        halo(ax, 0.93, 0.58, f"cut; largest {thousands(rows['count'].max())}", ha="right",
             transform=ax.transAxes)
    if with_expected:
        ax.axhline(total / 256, color=BLACK, lw=1.1, ls="--")
        ax.text(255, total / 256 + 0.13 * limit, f"uniform: {total / 256:,.0f}", ha="right")
    ax.set(xlim=(-2, 257), ylim=(0, limit), xticks=[0, 128, 255])


def histogram_limit(rows):
    """The common scale: the largest count, but at most 12 times the uniform level."""
    first = rows.where(subject=rows["subject"][0], channel=rows["channel"][0])
    return 1.06 * min(rows["count"].max(), 12 * first["count"].sum() / 256)


def interleaved(rows):
    """The rows with the channels in turn, so that no channel covers the others."""
    rank = np.zeros(len(rows), dtype=int)
    for channel in rows.distinct("channel"):
        mask = rows["channel"] == channel
        rank[mask] = np.arange(mask.sum())
    return rows.take(np.argsort(rank, kind="stable"))


def mean_correlation(rows):
    """The correlation of the pairs, averaged over the channels, as text."""
    values = []
    for channel in rows.distinct("channel"):
        part = rows.where(channel=channel)
        if np.std(part["x"]) > 0 and np.std(part["y"]) > 0:
            values.append(np.corrcoef(part["x"], part["y"])[0, 1])
    return minus(f"r = {round(np.mean(values), 3) + 0.0:.3f}") if values else "r undefined"


def draw_pairs(ax, rows):
    """Adjacent pixels against each other, with the correlation of the pairs shown."""
    rows = interleaved(rows)
    colours = [CHANNELS[channel] for channel in rows["channel"]]
    ax.scatter(rows["x"], rows["y"], s=0.9, c=colours, lw=0, alpha=0.55, rasterized=True)
    ax.set(xlim=(-4, 259), ylim=(-4, 259), xticks=[0, 128, 255], yticks=[0, 128, 255])
    ax.set_title(mean_correlation(rows), loc="right")


def channel_legend(ax, channels):
    """Names the channels above the histograms."""
    if len(channels) > 1:
        names = {"r": "red", "g": "green", "b": "blue", "gray": "gray"}
        handles = [Line2D([], [], color=CHANNELS[c], lw=2, label=names[c]) for c in channels]
        ax.legend(handles=handles, loc="upper right", ncol=1, handlelength=0.9, borderpad=0,
                 labelspacing=0.2, handletextpad=0.4)


def figure9_caption(histogram, pairs, image, note, with_pictures):
    """What Figure 9 shows, with its sample sizes."""
    one = histogram.where(subject=histogram["subject"][0])
    channels = one.distinct("channel")
    pixels = one.where(channel=channels[0])["count"].sum()
    sizes = [len(pairs.where(subject=s, direction=d, channel=c)) for s in STAGES
             for d in DIRECTIONS for c in channels]
    per_channel = " per channel" if len(channels) > 1 else ""
    mean = "mean correlation over the channels" if len(channels) > 1 else "correlation"
    pictures = "the picture, " if with_pictures else ""
    return (
        f"Figure 9. Image {image}{note}. Rows: plain image, image after confusion only, "
        f"cipher image of the full cipher. Columns: {pictures}the histogram of all "
        f"{thousands(pixels)} pixels{per_channel} on a common scale (dashed: the level expected "
        f"of a uniform histogram), and the levels of adjacent pixels, {count_range(sizes)} "
        f"sampled pairs{per_channel} in each panel; r is the {mean} of the pairs shown. "
        "Confusion moves pixels and cannot change the histogram; only diffusion makes it flat "
        "(finding E3).")


def figure9_rows(results, image_set):
    """The histogram and the pairs of a set's first image; both are checked for completeness."""
    names = ("data/figure9_histogram.csv", "data/figure9_pairs.csv")
    tables = [results.table(name).where(set=image_set) for name in names]
    for name, table in zip(names, tables):
        for subject in STAGES:
            if subject not in table.distinct("subject"):
                raise InputError(f"{name}: no rows of set {image_set}, subject {subject}")
    histogram, image, note = first_image(tables[0])
    pairs = tables[1].where(image=image)
    for subject in STAGES:
        for direction in DIRECTIONS:
            if len(pairs.where(subject=subject, direction=direction)) == 0:
                raise InputError(f"{names[1]}: no {direction} pairs of {image}, {subject}")
    return histogram, pairs, image, note


def draw_figure9_row(axes, histogram, pairs, limit, with_expected):
    """The histogram and the three scatters of one subject."""
    draw_histogram(axes[0], histogram, limit, with_expected)
    for ax, direction in zip(axes[1:], DIRECTIONS):
        draw_pairs(ax, pairs.where(direction=direction))
    for ax in axes:
        ax.set_box_aspect(1)
    for ax in axes[2:]:
        ax.set_yticklabels([])
    axes[0].set_ylabel("count (pixels)")
    axes[1].set_ylabel("level of neighbour (0\u2013255)")


def figure9_set(results, image_set, stem, with_pictures):
    """Pictures, histograms and adjacent pixels of plain image, confusion and cipher."""
    stages = [stage for stage, _ in STAGES.values()]
    results.require(["data/figure9_histogram.csv", "data/figure9_pairs.csv"] + [
        f"images/{image_set}_{stage}.png" for stage in stages if with_pictures])
    histogram, pairs, image, note = figure9_rows(results, image_set)
    limit = histogram_limit(histogram)
    caption = figure9_caption(histogram, pairs, image, note, with_pictures)
    shift = 1 if with_pictures else 0
    fig = captioned_figure(9.4 if with_pictures else 8.0, 6.3, caption)
    reserve_top(fig, 0.08)
    axes = fig.subplots(3, 4 + shift)
    for row, (subject, (stage, title)) in zip(axes, STAGES.items()):
        if with_pictures:
            show_picture(row[0], results.picture(image_set, stage))
        row[0].set_title(title, weight="bold")
        draw_figure9_row(row[shift:], histogram.where(subject=subject),
                         pairs.where(subject=subject), limit, stage == "cipher")
    heads = ["Picture"] * shift + ["Histogram", "Horizontal", "Vertical", "Diagonal"]
    for ax, head in zip(axes[0], heads):
        ax.annotate(head, (0.5, 1), (0, 19), xycoords="axes fraction", weight="bold",
                    textcoords="offset points", ha="center", fontsize=9.5)
    for k, ax in enumerate(axes[-1][shift:]):
        ax.set_xlabel("level (0\u2013255)" if k == 0 else "level of pixel (0\u2013255)")
    channel_legend(axes[0][shift], histogram.distinct("channel"))
    save(fig, results.directory / stem)


def figure9(results):
    """Figure 9 of the generated image."""
    figure9_set(results, "generated", "figure9", with_pictures=True)


def sipi_rows(results):
    """Whether Figure 9's tables are there and have rows of the database's image."""
    results.require(["data/figure9_histogram.csv", "data/figure9_pairs.csv"])
    return len(results.table("data/figure9_histogram.csv").where(set="sipi")) > 0


def figure9_sipi(results):
    """Figure 9 of the database's image, with pictures, if they are there."""
    if results.has_pictures("sipi"):
        figure9_set(results, "sipi", "figure9_sipi", with_pictures=True)


def figure9_sipi_statistics(results):
    """Figure 9 of the database's image without its pictures, which may not be published."""
    if sipi_rows(results):
        figure9_set(results, "sipi", "figure9_sipi_statistics", with_pictures=False)


# --------------------------------------------------------------------------------- training curve


def draw_training_panel(ax, rows, title):
    """mean |r| against the epoch, with the null of a random permutation."""
    ends = []
    for k, (direction, (colour, marker)) in enumerate(DIRECTIONS.items()):
        part = rows.where(direction=direction)
        if len(part) == 0:
            continue
        part = part.take(np.argsort(part["epoch"], kind="stable"))
        dodge = (k - 1) * 0.04
        x = np.where(part["epoch"] < 1, part["epoch"] + dodge, part["epoch"] * (1 + dodge))
        error = np.nan_to_num(part["se"])
        ax.errorbar(x, part["mean_abs_r"], yerr=error, color=colour, marker=marker, ms=4, lw=1.1,
                    elinewidth=0.9, capsize=2)
        ax.plot(part["epoch"], part["null_mean_abs_r"], color=colour, ls="--", lw=0.9)
        ends.append((direction, colour, part["epoch"][-1], part["mean_abs_r"][-1]))
    ax.set_xscale("symlog", linthresh=1, linscale=0.6)
    ax.set_yscale("log")
    ax.set_title(title)
    ax.set_ylabel("mean |r| after confusion (dimensionless)")
    return ends


def log_ticks(ax, values):
    """Plain decimal labels at 1, 2 and 5 times the powers of ten, with room around the data."""
    values = values[np.isfinite(values) & (values > 0)]
    if len(values):
        ax.set_ylim(values.min() / 1.6, values.max() * 1.5)
    decades = math.log10(ax.get_ylim()[1] / ax.get_ylim()[0])
    subs = (1, 2, 5) if decades < 3 else (1,)
    ax.yaxis.set_major_locator(ticker.LogLocator(subs=subs, numticks=20))
    ax.yaxis.set_major_formatter(ticker.FuncFormatter(lambda y, _: f"{y:g}"))
    ax.yaxis.set_minor_formatter(ticker.NullFormatter())


def label_ends(ax, ends):
    """Direct labels at the ends of the curves, moved apart where they would meet."""
    low, high = np.log(ax.get_ylim())
    heights = [(np.log(y) - low) / (high - low) for *_, y in ends]
    for (name, colour, x, y), place in zip(ends, spread(heights, 0.055)):
        target = math.exp(low + place * (high - low))
        ax.annotate(name, (x * 1.06, y), (x * 1.25, target), color=colour, va="center",
                    arrowprops={"arrowstyle": "-", "lw": 0.5, "color": colour, "shrinkA": 1,
                                "shrinkB": 1}, annotation_clip=False)


def epoch_axis(ax, epochs):
    """The symlog axis of epochs, with room for the labels at its right end."""
    last = max(epochs.max(), 1)
    ticks = [0] + [10 ** k for k in range(int(math.log10(last)) + 1)]
    ticks += [m * t for t in ticks[1:] for m in (2, 5) if m * t <= last]
    if last > 1.5 * max(ticks):
        ticks.append(last)
    ax.set_xticks(sorted(ticks))
    ax.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"{x:g}"))
    ax.xaxis.set_minor_locator(ticker.NullLocator())
    ax.set_xlim(-0.12, last * 1.12)


def draw_loss(ax, loss, title, last):
    """The training loss against the epoch."""
    order = np.argsort(loss["epoch"], kind="stable")
    ax.plot(loss["epoch"][order], loss["loss"][order], color=PURPLE, marker="o", ms=3, lw=1.1)
    ax.set_xscale("symlog", linthresh=1, linscale=0.6)
    if loss["loss"].min() > 0:
        ax.set_yscale("log")
        log_ticks(ax, loss["loss"])
    ax.set_ylabel("training loss (dimensionless)")
    ax.set_title(title)
    epoch_axis(ax, np.array([last]))


def training_caption(curve, groups, loss):
    """What the training curve shows, with its sample sizes."""
    sizes = "; ".join(
        f"({'abcdefgh'[k]}) {count_range(rows['images'])} images x {count_range(rows['keys'])} "
        "keys" for k, (_, rows) in enumerate(groups))
    second = "" if loss is None else (
        f" ({'abcdefgh'[len(groups)]}) The loss that was minimised, {len(loss)} epochs.")
    return (
        "Training curve. Mean absolute correlation |r| of adjacent pixels after confusion with "
        f"the network as it was after each epoch ({len(curve.distinct('epoch'))} of them shown; 0 "
        "is the untrained network), with one standard error; directions are set slightly apart "
        "along the axis. Dashed: the mean |r| expected of a uniformly random permutation, "
        f"per direction. Per point: {sizes}.{second}")


def training_panels(fig, groups, has_loss):
    """Two panels a row; the loss takes the free place, or the whole of the last row."""
    count = groups + has_loss
    grid = fig.add_gridspec(-(-count // 2), 2 if count > 1 else 1)
    axes = [fig.add_subplot(grid[k // 2, k % 2]) for k in range(groups)]
    if has_loss:
        axes.append(fig.add_subplot(grid[-1, :] if groups % 2 == 0 else grid[-1, 1]))
    return axes


def training_curve(results):
    """Correlation after confusion against the epoch, and the loss."""
    results.require(["training_curve.csv"])
    curve = results.table("training_curve.csv")
    has_loss = (results.directory / "training_loss.csv").is_file()
    loss = results.table("training_loss.csv") if has_loss else None
    groups = []
    for network in curve.distinct("network"):
        for image_set in curve.where(network=network).distinct("image_set"):
            rows = curve.where(network=network, image_set=image_set)
            groups.append((f"network: {network}; images: {image_set}", rows))
    lines = -(-(len(groups) + has_loss) // 2)
    fig = captioned_figure(8.8, 3.3 * lines, training_caption(curve, groups, loss))
    axes = training_panels(fig, len(groups), has_loss)
    shown = np.concatenate([curve["mean_abs_r"], curve["null_mean_abs_r"]])
    for k, (name, rows) in enumerate(groups):
        ends = draw_training_panel(axes[k], rows, f"({'abcdefgh'[k]}) {name}")
        log_ticks(axes[k], shown)
        epoch_axis(axes[k], curve["epoch"])
        label_ends(axes[k], ends)
        nulls = rows["null_mean_abs_r"]
        if np.any(np.isfinite(nulls)):
            axes[k].annotate("random permutation", (0.02, np.nanmin(nulls)), (0, -4),
                             xycoords=("axes fraction", "data"), textcoords="offset points",
                             va="top", color="0.25")
    if has_loss:
        title = f"({'abcdefgh'[len(groups)]}) Training loss"
        draw_loss(axes[len(groups)], loss, title, max(curve["epoch"].max(), loss["epoch"].max()))
    for ax in axes:
        ax.set_xlabel("epoch (symmetric logarithmic; 0 = untrained)")
    save(fig, results.directory / "training_curve")


# --------------------------------------------------------------------------------------- table 2


SCALE_CHANGE = 0.84
UNIFORMITY_FLOOR = 1e-6
UNIFORMITY_LIMIT = 1e-4


def dodge_of(subject):
    """Where a subject lies within its test's band; the paper's mark lies above at -0.34."""
    return list(SUBJECTS).index(subject) * 0.165 - 0.16


def draw_proportions(axes, table, tests):
    """The proportion of sequences that pass, its acceptance interval, and the paper's s-value."""
    for index, row in enumerate(table["row"]):
        draw_proportion(axes, table, index, tests.index(row))
    for k, test in enumerate(tests):
        paper = table.where(row=test)["paper_s"][0]
        side_of(axes, paper).plot(paper, k - 0.34, marker="D", ms=5, mfc="none", mec=PURPLE,
                                  mew=1.4)
        rows = table.where(row=test, applicable=0)
        if len(rows):
            y = k + np.mean([dodge_of(subject) for subject in rows["subject"]])
            axes[1].text(SCALE_CHANGE + 0.003, y, "not applicable:\n" + ", ".join(rows["subject"]),
                         va="center", color="0.35", linespacing=1.0)


def side_of(axes, value):
    """The panel, left or right of the change of scale, that a proportion belongs to."""
    return axes[0] if value < SCALE_CHANGE else axes[1]


def draw_proportion(axes, table, index, band):
    """One subject of one test."""
    subject = table["subject"][index]
    colour, marker = SUBJECTS[subject]
    y = band + dodge_of(subject)
    low, high = table["proportion_low"][index], table["proportion_high"][index]
    if math.isfinite(low) and math.isfinite(high):
        for ax in axes:
            ax.add_patch(Rectangle((low, y - 0.066), high - low, 0.132, facecolor="0.84", lw=0))
    value = table["proportion"][index]
    side_of(axes, value).plot(value, y, marker=marker, ms=4.6, color=colour, mew=0, zorder=3)


def draw_uniformity(ax, table, tests):
    """The p-values of the uniformity of the p-values, with the limit of SP 800-22."""
    ax.set_xscale("log")
    ax.set_xlim(UNIFORMITY_FLOOR, 1.5)
    ax.axvline(UNIFORMITY_LIMIT, color=BLACK, lw=0.9, ls="--")
    if not np.isfinite(table["uniformity_p"]).any():
        ax.text(0.5, 0.5, "none: fewer than 55 sequences", transform=ax.transAxes, ha="center")
    for index in range(len(table)):
        value = table["uniformity_p"][index]
        if not math.isfinite(value):
            continue
        colour, marker = SUBJECTS[table["subject"][index]]
        y = tests.index(table["row"][index]) + dodge_of(table["subject"][index])
        clipped = value < UNIFORMITY_FLOOR
        ax.plot(UNIFORMITY_FLOOR if clipped else value, y, marker="<" if clipped else marker,
                ms=4.6, color=colour, mew=0, clip_on=False, zorder=3)
    ax.xaxis.set_major_locator(ticker.LogLocator(numticks=8))
    ax.xaxis.set_minor_locator(ticker.NullLocator())
    ax.set_xlabel("uniformity p-value (logarithmic)")
    ax.set_title("(b) Uniformity of the p-values")
    ax.annotate("limit 0.0001", (UNIFORMITY_LIMIT, 0), (4, 4), xycoords=("data", "axes fraction"),
                textcoords="offset points")


def band_axes(axes, names):
    """The common vertical axis: one band per test, from the top."""
    for k, ax in enumerate(axes):
        ax.set(ylim=(len(names) - 0.45, -0.65), yticks=range(len(names)))
        ax.set_yticklabels(names if k == 0 else [])
        ax.tick_params(axis="y", length=0)
        for edge in range(len(names) - 1):
            ax.axhline(edge + 0.5, color="0.85", lw=0.6, zorder=0)
        if k:
            ax.spines["left"].set_visible(False)


def table2_caption(table):
    """What the figure of Table 2 shows, with its sample sizes."""
    partial = table.take(table["applicable"] < table["sequences"])
    names = ", ".join(dict.fromkeys(name.lower() for name in partial["test"]))
    fewer = (f" Not every sequence is applicable to: {names} ({count_range(partial['applicable'])}"
             " sequences each), whose intervals are wider.") if len(partial) else ""
    return (
        f"Table 2 as a figure. SP 800-22 tests on {count_range(table['sequences'])} sequences per "
        "subject. (a) Proportion of sequences that pass at \u03b1 = 0.01 (over all p-values of the test); gray "
        "bars: acceptance interval of sec. 4.2.1 for the number of applicable sequences. "
        f"The scale changes at {SCALE_CHANGE:g}. Hollow diamonds: the paper's s-value, which the "
        "paper does not define and which is read here as such a proportion (finding E6). "
        "(b) p-value of the uniformity of the p-values (sec. 4.2.2); dashed: the limit below which "
        f"a test is failed; left-pointing triangles: below $10^{{-6}}$.{fewer} Passing the "
        "tests is no proof of security (finding E9).")


def table2(results):
    """The randomness tests: proportions and uniformity of every subject."""
    name = "table2_randomness.csv"
    results.require([name])
    table = results.table(name)
    tests = sorted(table.distinct("row"))
    names = [table.where(row=test)["test"][0] for test in tests]
    fig = captioned_figure(9.0, 0.66 * len(tests) + 1.3, table2_caption(table))
    axes = fig.subplots(1, 3, gridspec_kw={"width_ratios": [0.55, 2.1, 1.5]})
    draw_proportions(axes[:2], table, tests)
    draw_uniformity(axes[2], table, tests)
    band_axes(axes, names)
    axes[0].set(xlim=(-0.04, SCALE_CHANGE), xticks=[0, 0.4, 0.8], xlabel="proportion")
    axes[1].set(xlim=(SCALE_CHANGE, 1.004), xlabel="proportion of sequences that pass "
                "(dimensionless)", xticks=[0.85, 0.9, 0.95, 1.0])
    axes[0].set_title("(a) Proportion")
    axes[1].axvline(SCALE_CHANGE, color="0.4", lw=0.9, ls=":")
    subjects = [s for s in SUBJECTS if s in table.distinct("subject")]
    handles = [Line2D([], [], ls="", marker=SUBJECTS[s][1], color=SUBJECTS[s][0], ms=5, label=s)
               for s in subjects]
    handles.append(Patch(facecolor="0.82", label="acceptance interval"))
    handles.append(Line2D([], [], ls="", marker="D", mfc="none", mec=PURPLE, mew=1.4, ms=5.5,
                          label="paper's s-value"))
    fig.legend(handles=handles, loc="upper center",
               ncol=len(handles), columnspacing=1.2, handletextpad=0.3)
    reserve_top(fig, 0.3)
    save(fig, results.directory / "table2")


# --------------------------------------------------------------------------------------- table 3


TABLE3_MARKS = {
    "paper": ("paper, said to be of encrypted images", "D", PURPLE, 0.0),
    "plain": ("plain image", "s", GREY, -0.24),
    "confusion": ("confusion only", "^", VERMILLION, 0.0),
    "cipher": ("full cipher", "o", BLUE, 0.24),
}


def table3_entries(table):
    """The rows of the table: one per image and size, in the order of the file."""
    keys = zip(table["row"].tolist(), table["type"], table["size"], table["image"],
               table["derived_from"])
    return sorted(dict.fromkeys(keys), key=lambda key: key[0])


def entry_label(entry):
    """The name of a row: number, image, type and size; derived images have a dagger."""
    row, kind, size, image, source = entry
    return f"{row}  {image}{' †' if source else ''}\n{kind}, {size}"


def draw_correlations(ax, rows, places):
    """The paper's value beside plain image, confusion and cipher."""
    for name, (_, marker, colour, dodge) in TABLE3_MARKS.items():
        hollow = name == "paper"
        ax.plot(rows[name], places + (-0.24 if hollow else dodge), ls="", marker=marker,
                ms=7.5 if hollow else 4.6, mfc="none" if hollow else colour, mec=colour,
                mew=1.4 if hollow else 0, zorder=4 if hollow else 3)
    ax.axvline(0, color=BLACK, lw=0.7)


def zoom_limit(table):
    """The half width of the zoomed panels: what the cipher's error bars need."""
    reach = np.abs(table["cipher"]) + 2 * np.nan_to_num(table["cipher_se"])
    return 1.25 * max(reach.max(), 1e-4)


def draw_zoom(ax, rows, places, limit):
    """The neighbourhood of 0: cipher with two standard errors, confusion where it is inside."""
    _, marker, colour, dodge = TABLE3_MARKS["cipher"]
    ax.errorbar(rows["cipher"], places + dodge, xerr=2 * np.nan_to_num(rows["cipher_se"]),
                ls="", marker=marker, ms=4.6, color=colour, elinewidth=1, capsize=2)
    _, marker, colour, dodge = TABLE3_MARKS["confusion"]
    for value, y in zip(rows["confusion"], places + dodge):
        inside = abs(value) <= limit
        edge = math.copysign(limit * 0.975, value)
        ax.plot(value if inside else edge, y, color=colour, mew=0, ms=4.6,
                marker=marker if inside else (">" if value > 0 else "<"))
        if not inside:
            ax.annotate(minus(f"{value:.3g}"), (edge, y), (-5 if value > 0 else 5, 0),
                        textcoords="offset points", va="center", color="#A84800",
                        ha="right" if value > 0 else "left")
    ax.axvline(0, color=BLACK, lw=0.7)
    ax.set(xlim=(-limit, limit))


def table3_caption(table, entries):
    """What the figure of Table 3 shows, with its sample sizes."""
    derived = [f"{image} ({size}) from {source}" for _, _, size, image, source in entries if source]
    dagger = f" † Derived by resizing: {'; '.join(dict.fromkeys(derived))}." if derived else ""
    cipher = np.abs(table["cipher"]).max()
    return (
        "Table 3 as a figure. Correlation r of adjacent pixels per direction, over all "
        f"{count_range(table['n'])} pairs of each image. Left: the paper's values (hollow; "
        f"{number_range(table['paper'])}), which it calls those of encrypted images, are such as "
        f"plain images have (here {number_range(table['plain'])}); the cipher images measured here "
        f"have |r| of at most {cipher:.2g} (finding E2). The paper does not name its six images, "
        "so that only the magnitudes can be compared. Right: enlarged around 0, full cipher with "
        "±2 standard errors; confusion only where it falls inside, else as a triangle at the edge "
        f"with its value.{dagger}")


def table3_legend(fig):
    """The legend above the panels."""
    handles = [Line2D([], [], ls="", marker=marker, mec=colour, ms=5.5, label=label,
                      mfc="none" if name == "paper" else colour, mew=1.4 if name == "paper" else 0)
               for name, (label, marker, colour, _) in TABLE3_MARKS.items()]
    fig.legend(handles=handles, loc="upper center", ncol=4, columnspacing=1.6, handletextpad=0.3)
    reserve_top(fig, 0.3)


def table3(results):
    """The correlations of Table 3: paper, plain image, confusion, cipher."""
    name = "table3_correlation.csv"
    results.require([name])
    table = results.table(name).where(pairs="all")
    if len(table) == 0:
        raise InputError(f"{name}: no rows with pairs = all")
    entries = table3_entries(table)
    fig = captioned_figure(8.6, 3 * (0.38 * len(entries) + 0.4) + 0.5,
                           table3_caption(table, entries))
    axes = fig.subplots(3, 2, sharex="col", gridspec_kw={"width_ratios": [1.35, 1]})
    limit = zoom_limit(table)
    low = min(-0.05, 1.1 * min(table[k].min() for k in ("plain", "confusion", "cipher")))
    for k, direction in enumerate(DIRECTIONS):
        rows = table.where(direction=direction)
        places = np.array([entries.index(key) for key in zip(
            rows["row"].tolist(), rows["type"], rows["size"], rows["image"],
            rows["derived_from"])], dtype=float)
        draw_correlations(axes[k, 0], rows, places)
        draw_zoom(axes[k, 1], rows, places, limit)
        band_axes(axes[k], [entry_label(entry) for entry in entries])
        axes[k, 0].set_title(f"({'ace'[k]}) {direction.capitalize()}")
        axes[k, 1].set_title(f"({'bdf'[k]}) {direction.capitalize()}, around 0")
    axes[0, 0].set_xlim(low, 1.03)
    axes[2, 0].set_xlabel("correlation r (dimensionless)")
    axes[2, 1].set_xlabel("correlation r (dimensionless), enlarged")
    axes[2, 1].xaxis.set_major_locator(ticker.MaxNLocator(5))
    table3_legend(fig)
    save(fig, results.directory / "table3")


# ------------------------------------------------------------------------------------------ main


FIGURES = (figure3, figure6, figure8, figure8_sipi, figure9, figure9_sipi,
           figure9_sipi_statistics, training_curve, table2, table3)


def draw_all(directory):
    """Draws every figure; says on standard error which cannot be drawn. Returns the exit code."""
    results = Results(directory)
    failed = False
    for figure in FIGURES:
        try:
            figure(results)
        except (InputError, OSError) as error:
            failed = True
            print(f"figures.py: {figure.__name__} not drawn: {error}", file=sys.stderr)
    return EXIT_BAD_INPUT if failed else 0


def main(arguments=None):
    """Reads the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Draws the figures of the paper from results.")
    parser.add_argument("--results", metavar="DIR", type=pathlib.Path, required=True,
                        help="the directory that `icbench reproduce` wrote")
    directory = parser.parse_args(arguments).results
    if not directory.is_dir():
        print(f"figures.py: no directory {directory}", file=sys.stderr)
        return EXIT_BAD_INPUT
    set_style()
    return draw_all(directory)


if __name__ == "__main__":
    sys.exit(main())
