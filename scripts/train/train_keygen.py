"""Trains the CNN of docs/cipher.md section 2 and measures it in exact integers.

Loss, per step over a batch of crops:

    loss = mean log2(1 + E[e^2])                                    level 1, per channel of a crop
         + sum over levels 2 to 4 of
           mean r_ij^2 (i < j) + mean max(0, 1 - s_i/STD)^2         decorrelation, variance
           + BALANCE * mean (m_i/MEAN - 1)^2                        balance
           + SATURATION * mean max(0, a - 120)/128                  no mass at 127

e is the residual of the predictor, r_ij the correlation of features i and j over positions and
channel planes of the batch, s_i and m_i standard deviation and mean of feature i, a the value
before the upper limit. Logarithms make the predictor serve smooth and rough images alike, as a
coder would. Predictor and levels see the pixels and share nothing, so each trains by its own part.
The loss is of the VICReg / Barlow twins kind without its invariance term: nothing here should be
invariant, every image is its own.

The forward pass is the quantised network on whole numbers below 2^24 in float32; weights and >> are
straight-through, the limits to 0 and 127 have gradient LEAK outside. `check` shows it equal to the
integer emulation. After a step weights are set back into their range, and a row of the predictor is
made smaller if its absolute values sum to more than 125/32, so that the rounded ones sum to at most
128. At scale 32 one unit is a step of 4 gray levels, and the last epochs go to and fro between
neighbouring integers; `finish` ends this by a search over the integers themselves, by the level-1
part of the loss on crops of the train images. The shift of a layer is chosen once, before the
training, so that the untrained layer has a standard deviation near 40 before the limits.

python3 scripts/train/train_keygen.py --sipi DIR
"""
import argparse
import csv
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent))
import common  # noqa: E402

TAPS = ((0, -1), (-1, 0), (-1, -1))
TAPS_BELOW = ((0, 0), (0, -1))
SCALE, SUM_LIMIT = 32, 125 / 32  # of the predictor
LAYERS = ((1, 4, 64), (4, 8, 127), (8, 16, 127))  # maps, filters, largest weight
STD, MEAN, BALANCE, SATURATION, LEAK = 28.0, 36.0, 0.5, 2.0, 0.05
STEPS_PER_EPOCH, BATCH, CROP, GENERATED = 20, 12, 128, 60


# ------------------------------------------------------------------------- integer emulation

def moved(plane, dy, dx):
    """plane[i + dy][j + dx], 0 outside, for dy, dx of the taps."""
    rows, columns = plane.shape
    return np.pad(plane, ((1, 0), (1, 0)))[1 + dy:1 + dy + rows, 1 + dx:1 + dx + columns]


def residuals(image, predictor):
    """e of level 1, read as signed, per channel: (channels, rows, columns)."""
    modulus = 256 ** image.dtype.itemsize
    planes = np.moveaxis(image.astype(np.int64), 2, 0)
    out = []
    for c, x in enumerate(planes):
        parts = [moved(x, *tap) for tap in TAPS]
        if c > 0:
            parts += [moved(planes[c - 1], *tap) for tap in TAPS_BELOW]
        total = sum(v * part for v, part in zip(predictor[min(c, 1)], parts))
        p = np.clip((total + 16) >> 5, 0, modulus - 1)
        out.append((x - p + modulus // 2) % modulus - modulus // 2)
    return np.array(out)


def integer_layer(maps, layer):
    """One 4 x 4 stride 4 layer on (maps, rows, columns)."""
    count, rows, columns = maps.shape
    maps = np.pad(maps, ((0, 0), (0, -rows % 4), (0, -columns % 4)))
    rows, columns = maps.shape[1] // 4, maps.shape[2] // 4
    patches = maps.reshape(count, rows, 4, columns, 4).transpose(1, 3, 0, 2, 4)
    weight = np.array(layer["weight"], np.int64).reshape(len(layer["bias"]), -1)
    total = patches.reshape(rows, columns, -1) @ weight.T + np.array(layer["bias"], np.int64)
    return np.clip(total >> layer["shift"], 0, 127).transpose(2, 0, 1)


def integer_features(image, fields):
    """Residuals, and features of levels 2 to 4 as (channel, filter, row, column) each."""
    top = image.astype(np.int64) >> 8 * (image.dtype.itemsize - 1)
    maps = [(x - 128)[None] for x in np.moveaxis(top, 2, 0)]
    levels = []
    for layer in fields["layers"]:
        maps = [integer_layer(m, layer) for m in maps]
        levels.append(np.array(maps))
    return residuals(image, fields["predictor"]), levels


def feature_bytes(image, fields):
    """The features of levels 1 to 4 as the byte strings of section 2."""
    e, levels = integer_features(image, fields)
    size = image.dtype.itemsize
    first = np.moveaxis(e % 256 ** size, 0, 2).astype(f"<u{size}").tobytes()
    return [first] + [y.transpose(2, 3, 0, 1).astype(np.uint8).tobytes() for y in levels]


# ------------------------------------------------------------------------------ trained network

class Whole(torch.autograd.Function):
    """Rounding with the gradient of the identity."""

    @staticmethod
    def forward(ctx, x, kind):
        return kind(x)

    @staticmethod
    def backward(ctx, grad):
        return grad, None


class Limit(torch.autograd.Function):
    """Limits to [low, high]; gradient LEAK outside."""

    @staticmethod
    def forward(ctx, x, low, high):
        ctx.save_for_backward((x >= low) & (x <= high))
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, grad):
        inside, = ctx.saved_tensors
        return torch.where(inside, grad, LEAK * grad), None, None


class KeygenNetwork(nn.Module):
    """Real weights; forward works on their integers. Untrained: all weights random."""

    def __init__(self, seed):
        super().__init__()
        g = torch.Generator().manual_seed(seed)
        # Untrained predictor: random positive taps that sum to 1.
        raw = torch.rand(2, 5, generator=g) * self.tap_mask()
        self.predictor = nn.Parameter(raw / raw.sum(1, keepdim=True))
        # Weight 1 is the largest; untrained ones are uniform within half of it.
        self.weights = nn.ParameterList(
            [nn.Parameter(torch.rand(f, m, 4, 4, generator=g) - 0.5) for m, f, _ in LAYERS])
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(f)) for _, f, _ in LAYERS])
        self.shifts = [0, 0, 0]

    @staticmethod
    def tap_mask():
        """Channel 0 has no channel before it."""
        mask = torch.ones(2, 5)
        mask[0, len(TAPS):] = 0
        return mask

    def taps(self):
        """The integer predictor (2, 5)."""
        return Whole.apply(self.predictor * SCALE, torch.round) * self.tap_mask()

    def project(self):
        """Sets weights back into their ranges."""
        with torch.no_grad():
            total = self.predictor.abs().sum(1, keepdim=True)
            self.predictor.mul_((SUM_LIMIT / total).clamp(max=1))
            for weight in self.weights:
                weight.clamp_(-1, 1)

    def layer(self, i):
        weight = Whole.apply(self.weights[i] * LAYERS[i][2], torch.round)
        return weight, Whole.apply(self.biases[i] * 128 * 2.0 ** self.shifts[i], torch.round)

    def residual(self, x):
        """x (channels, rows, columns) of one crop -> signed residual before the wrap."""
        padded = nn.functional.pad(x[None], (1, 0, 1, 0))[0]
        rows, columns = x.shape[1:]
        below = torch.cat([torch.zeros_like(padded[:1]), padded[:-1]])
        parts = [plane[:, 1 + dy:1 + dy + rows, 1 + dx:1 + dx + columns]
                 for plane, taps in ((padded, TAPS), (below, TAPS_BELOW)) for dy, dx in taps]
        taps = self.taps()
        chosen = torch.stack([taps[min(c, 1)] for c in range(x.shape[0])])
        total = (torch.stack(parts, 1) * chosen[:, :, None, None]).sum(1)
        return x - Limit.apply(Whole.apply((total + 16) / SCALE, torch.floor), 0, 255)

    def level(self, i, maps):
        """(features, values before the limits) of layer i."""
        weight, bias = self.layer(i)
        total = nn.functional.conv2d(maps, weight, bias, stride=4)
        before = Whole.apply(total / 2.0 ** self.shifts[i], torch.floor)
        return Limit.apply(before, 0, 127), before

    def forward(self, crops):
        """Residuals per crop; features and values before the limits per level."""
        e = [self.residual(x) for x in crops]
        maps = torch.cat(crops)[:, None] - 128
        features, before = [], []
        for i in range(3):
            maps, a = self.level(i, maps)
            features.append(maps)
            before.append(a)
        return e, features, before

    def calibrate(self, crops):
        """Chooses the shifts: standard deviation near 40 before the limits."""
        with torch.no_grad():
            for i in range(3):
                self.shifts[i] = 0
                deviation = float(self.forward(crops)[2][i].std())
                self.shifts[i] = max(0, round(float(np.log2(deviation / 40))))

    def fields(self):
        with torch.no_grad():
            layers = []
            for i in range(3):
                weight, bias = self.layer(i)
                layers.append({"weight": weight.long().tolist(), "bias": bias.long().tolist(),
                               "shift": self.shifts[i]})
            return {"predictor": self.taps().long().tolist(), "layers": layers}


def feature_loss(y, before):
    flat = y.transpose(0, 1).flatten(1)
    mean, deviation = flat.mean(1), (flat.var(1) + 1e-3).sqrt()
    z = (flat - mean[:, None]) / deviation[:, None]
    r = z @ z.t() / z.shape[1]
    width = len(r)
    off = (r ** 2 * (1 - torch.eye(width))).sum() / (width * (width - 1))
    variance = (nn.functional.relu(1 - deviation / STD) ** 2).mean()
    balance = ((mean / MEAN - 1) ** 2).mean()
    saturation = nn.functional.relu(before - 120).mean() / 128
    return off + variance + BALANCE * balance + SATURATION * saturation


def loss_of(network, crops):
    e, features, before = network(crops)
    energy = torch.cat([torch.log2(1 + (r ** 2).mean((1, 2))) for r in e]).mean()
    return energy + sum(feature_loss(y, a) for y, a in zip(features, before))


def make_batch(rng, images):
    crops = [common.random_crop(rng, images, CROP) for _ in range(BATCH)]
    return [torch.from_numpy(np.moveaxis(x, 2, 0).astype(np.float32)) for x in crops]


def tap_samples(batches):
    """The sample and its five taps, for rows 0 and 1 of the predictor: (6, planes, CROP, CROP)."""
    rows = ([], [])
    for x in (np.array(x, np.int32) for batch in batches for x in batch):
        for c, plane in enumerate(x):
            below = x[c - 1] if c > 0 else np.zeros_like(plane)
            parts = [moved(plane, *tap) for tap in TAPS]
            parts += [moved(below, *tap) for tap in TAPS_BELOW]
            rows[min(c, 1)].append(np.stack([plane, *parts]))
    return [np.stack(row, 1) for row in rows]


def predictor_loss(v, samples):
    p = np.clip((np.tensordot(v, samples[1:], 1) + 16) >> 5, 0, 255)
    return float(np.log2(1 + ((samples[0] - p) ** 2).mean(axis=(1, 2))).mean())


def finish(predictor, batches):
    """Integer predictor that no change of one or two taps by 1 makes better, from a given one."""
    units = np.eye(5, dtype=np.int32)
    singles = [sign * unit for unit in units for sign in (1, -1)]
    moves = singles + [a + b for i, a in enumerate(singles) for b in singles[i + 1:]
                       if np.abs(a + b).sum() == 2]
    done = []
    for row, samples in enumerate(tap_samples(batches)):
        v = np.array(predictor[row], np.int32)
        allowed = [move for move in moves if row == 1 or not move[len(TAPS):].any()]
        best = predictor_loss(v, samples)
        while True:
            tried = [v + move for move in allowed if np.abs(v + move).sum() <= 128]
            losses = [predictor_loss(candidate, samples) for candidate in tried]
            if min(losses) >= best:
                break
            best, v = min(losses), tried[int(np.argmin(losses))]
        print(f"predictor {row}: {predictor[row]} -> {v.tolist()}, loss {best:.4f}", flush=True)
        done.append(v.tolist())
    return done


def train(images, seed, epochs, log):
    rng, fixed_rng = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
    fixed = [make_batch(fixed_rng, images) for _ in range(8)]
    network = KeygenNetwork(seed)
    network.calibrate([x for batch in fixed for x in batch])
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimiser, max(epochs * STEPS_PER_EPOCH, 1), eta_min=1e-4)
    for epoch in range(epochs + 1):
        if epoch > 0:
            for _ in range(STEPS_PER_EPOCH):
                loss = loss_of(network, make_batch(rng, images))
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 5.0)
                optimiser.step()
                network.project()
                schedule.step()
        with torch.no_grad():
            value = float(np.mean([float(loss_of(network, batch)) for batch in fixed]))
        log(epoch, value, network.fields())
    with torch.no_grad():
        predictor = finish(network.taps().long().tolist(), fixed)
        network.predictor.copy_(torch.tensor(predictor) / SCALE)
        value = float(np.mean([float(loss_of(network, batch)) for batch in fixed]))
    log("finished", value, network.fields())
    return network, value


# --------------------------------------------------------------------------------- measurement

def measure(images, fields):
    """Residual energy ratio, |r| of features per level, dead, saturated, mass at 127.

    The ratio is E[e^2] over the variance of the samples, per channel, geometric mean.
    """
    ratios, levels = [], [[], [], []]
    for name in sorted(images):
        e, features = integer_features(images[name], fields)
        variance = images[name].astype(np.float64).var(axis=(0, 1))
        ratios += list(np.log(((e ** 2).mean(axis=(1, 2)) + 1e-3) / (variance + 1e-3)))
        for level, y in zip(levels, features):
            level.append(y.transpose(1, 0, 2, 3).reshape(y.shape[1], -1))
    correlations, dead, saturated, count, mass = [], 0, 0, 0, []
    for level in levels:
        # Every image has the same weight: samples of small images are repeated by weighting.
        weight = np.concatenate([np.full(y.shape[1], 1 / y.shape[1]) for y in level])
        flat = np.concatenate(level, axis=1).astype(np.float64)
        weight /= weight.sum()
        centred = flat - (flat * weight).sum(1, keepdims=True)
        covariance = (centred * weight) @ centred.T
        deviation = np.sqrt(np.diag(covariance))
        live = deviation > 0
        r = covariance[np.ix_(live, live)] / np.outer(deviation[live], deviation[live])
        correlations.append(np.abs(r[~np.eye(len(r), dtype=bool)]).mean())
        at_top = ((flat == 127) * weight).sum(1)
        dead += int((((flat > 0) * weight).sum(1) < 1e-3).sum())
        saturated += int((at_top > 0.25).sum())
        mass.append(at_top.mean())
        count += len(flat)
    return [float(np.exp(np.mean(ratios))), *correlations, dead / count, saturated / count,
            float(np.mean(mass))]


COLUMNS = ["residual_ratio", "abs_r_level2", "abs_r_level3", "abs_r_level4", "dead_share",
           "saturated_share", "mass_at_127"]


def check(network, images):
    """The float forward pass equals the integer emulation."""
    for name in sorted(images)[:4]:
        image = images[name][:128, :128]
        crop = torch.from_numpy(np.moveaxis(image, 2, 0).astype(np.float32))
        with torch.no_grad():
            e, features, _ = network([crop])
        want_e, want = integer_features(image, network.fields())
        same = np.array_equal((e[0].long().numpy() + 128) % 256 - 128, want_e)
        for a, b in zip(features, want):
            same = same and np.array_equal(a.long().numpy(), b)
        if not same:
            raise SystemExit(f"float and integer network differ on {name}")
    print("float forward pass equals the integer network", flush=True)


def write_csv(path, rows):
    with open(path, "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["epoch", "loss", *[f"{c}_{s}" for s in ("train", "test") for c in COLUMNS]])
        for epoch, loss, *values in rows:
            out.writerow([epoch, f"{loss:.5f}", *[f"{v:.5f}" for v in values]])


def main():
    parser = argparse.ArgumentParser(description="Trains the CNN key generator.")
    parser.add_argument("--sipi", help="directory with misc, aerials, textures")
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--seed", type=int, default=20240016)
    parser.add_argument("--out", type=Path, default=common.WEIGHTS)
    parser.add_argument("--csv", type=Path,
                        default=Path(__file__).resolve().parent / "keygen_training.csv")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    sipi_train, sipi_test = common.load_split(args.sipi)
    generated = common.generated_set(args.seed, GENERATED, 256)
    train_set = {**generated, **sipi_train}
    test_set = sipi_test or common.generated_set(10_007, 13, 256)
    names = sorted(train_set)[::max(1, len(train_set) // 24)]
    sample = {name: train_set[name][:512, :512] for name in names}
    rows = []

    def log(epoch, loss, fields):
        print(f"epoch {epoch} loss {loss:.4f}", flush=True)
        if epoch in ("finished", args.epochs) or epoch % 5 == 0 or epoch & (epoch - 1) == 0:
            rows.append([epoch, loss, *measure(sample, fields), *measure(test_set, fields)])
            print("  " + " ".join(f"{v:.4f}" for v in rows[-1][2:]), flush=True)

    network, loss = train(train_set, args.seed, args.epochs, log)
    check(network, test_set)
    training = {"script": "scripts/train/train_keygen.py", "seed": args.seed,
                "epochs": args.epochs, "images": common.image_set_name(args.sipi, GENERATED),
                "final_loss": round(loss, 4)}
    common.export(args.out / "keygen.json", {**common.head("keygen"), **network.fields(),
                                             "training": training}, 2)
    common.write_sums(args.out)
    write_csv(args.csv, rows)


if __name__ == "__main__":
    main()
