"""Trains the feedback network of docs/cipher.md section 4 and measures it in exact integers.

Loss, per step over a batch of keys, each key with its own crop of n pixels:

    loss = C(u of the key) + C(u = 0) + LAMBDA * S,      C = mean of log(1 + n r^2)

over the keys of the batch and the three directions H, V, D. r is the correlation of adjacent pixels
after the surrogate of the confusion; n r^2 has expectation 1 under a random permutation, and the
logarithm keeps a few bad keys from deciding everything. C is taken once with the cipher's u,
once with the sources' part u of order and shifts set to 0, which leaves what the network alone is
answerable for.

S asks the outputs o, points of a circle, to be uniform and unrelated. It is a sum of unbiased
estimates of |E exp(2 pi i k x)|^2, k = 1, 2, 3, their magnitudes in (a) and (c), for
 (a) x = o, per key over the levels;  (b) x = o, per level over the keys;
 (c) x = sum and difference of every two outputs of a level, per key;  (d) the same over all keys;
 (e) x = o less the same output LAGS levels before, over all keys and levels.
A sixth part that asked for outputs unrelated after a change of the first feedback state was tried:
the network met it by oscillating, which made the outputs of successive levels related. It is out.

Forward pass: the quantised network, bit for bit (whole numbers below 2^24 in float32; `check`
shows it equal to the integer emulation), on its true inputs: random keys through HKDF and the guide
lane. Order and shift are the true ones, first of the rows, then of the columns (`check` compares
them with the emulation without its exchanges); the order has the gradient of SoftSort (temperature
TEMPERATURE/lines). Rounding of weights and >>: straight-through. Clamp: gradient 1 inside, LEAK
outside.

What the surrogate leaves out:
 - the exchanges and crossings altogether: C does not see partner, start and length; only S makes
   them spread;
 - the gradient of the shift in C (its forward effect is there). Linear interpolation on the circle
   was tried: in a scattered image the slope between two neighbours is noise, its gradient is
   hundreds of times that of the order and drove every unit into saturation. Shifts learn from S;
 - the gradient of the direction bit and of the reversal it decides, and the wrap of the score at
   0 = 2^16 in the gradient of the order;
 - the scan: in the square crops it is a transposition, which names H and V the other way round;
 - large images: crops of 32, 64 and 128 pixels a side, so 16, 32 and 64 levels, not 256;
 - colour: one channel of a crop; the channels of a pixel move together anyway;
 - the chains, and everything after the confusion.

python3 scripts/train/train_feedback.py --sipi DIR
"""
import argparse
import csv
import sys
from multiprocessing import Pool
from pathlib import Path

import numpy as np
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent))
import common  # noqa: E402

LAMBDA = 10.0
LAGS = (1, 2, 3, 4, 6, 8)
TEMPERATURE = 4.0
LEAK = 0.05
STEPS_PER_EPOCH = 25
GENERATED = 60
SIZES = ((32, 64), (64, 24), (128, 8))  # (crop side, keys in a batch), in turn
TWO_PI = 2 * np.pi


# ---------------------------------------------------------------------------- quantised network

class Round(torch.autograd.Function):
    """Rounding with the gradient of the identity; kind is torch.round or torch.floor."""

    @staticmethod
    def forward(ctx, x, kind):
        return kind(x)

    @staticmethod
    def backward(ctx, grad):
        return grad, None


class Clamp(torch.autograd.Function):
    """Limits to [-128, 127]; gradient LEAK outside, so that saturated units can come back."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(-128, 127)

    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensors
        return torch.where((x >= -128) & (x <= 127), grad, LEAK * grad)


def to_int8(weight, scale):
    return Round.apply((weight * scale).clamp(-128, 127), torch.round)


def uniform(generator, fan_in, *shape):
    """The usual initial weights of a linear layer: uniform within 1/sqrt(fan_in)."""
    return nn.Parameter((2 * torch.rand(*shape, generator=generator) - 1) / fan_in ** 0.5)


class FeedbackNetwork(nn.Module):
    """Real weights (activation 1 = 128); forward works on their integers."""

    def __init__(self, seed):
        super().__init__()
        g = torch.Generator().manual_seed(seed)
        self.w1, self.wf = uniform(g, 44, 32, 12), uniform(g, 44, 32, 32)
        self.b1 = uniform(g, 44, 32)
        self.w2, self.b2 = uniform(g, 32, 32, 32), uniform(g, 32, 32)
        self.w3, self.b3 = uniform(g, 32, 24, 32), uniform(g, 32, 24)

    def integers(self):
        """The tables of feedback.json as tensors of whole numbers."""
        return {"w1": to_int8(self.w1, 64), "wf": to_int8(self.wf, 64),
                "b1": Round.apply(self.b1 * 8192, torch.round), "w2": to_int8(self.w2, 64),
                "b2": Round.apply(self.b2 * 8192, torch.round), "w3": to_int8(self.w3, 512),
                "b3": Round.apply(self.b3 * 65536, torch.round)}

    def forward(self, inputs, state, offset):
        """inputs (batch, levels, 12) -> outputs in turns (batch, levels, 24), and clamped share."""
        t = self.integers()
        first = torch.cat([t["w1"], t["wf"]], dim=1).t()
        outputs, clamped = [], []
        for level in range(inputs.shape[1]):
            a1 = t["b1"] + 64 * offset + torch.cat([inputs[:, level], state], dim=1) @ first
            h1 = Clamp.apply(Round.apply(a1 / 64, torch.floor))
            a2 = t["b2"] + h1 @ t["w2"].t()
            state = Clamp.apply(Round.apply(a2 / 64, torch.floor))
            outputs.append((t["b3"] + state @ t["w3"].t()) / 65536)
            clamped.append(((state == 127) | (state == -128)).float().mean())
        turns = torch.stack(outputs, dim=1)
        return turns - turns.detach().floor(), torch.stack(clamped).mean()

    def load(self, fields):
        """Takes the tables of a weight file."""
        scales = {"w1": 64, "wf": 64, "b1": 8192, "w2": 64, "b2": 8192, "w3": 512, "b3": 65536}
        with torch.no_grad():
            for name, scale in scales.items():
                getattr(self, name).copy_(torch.tensor(fields[name]) / scale)
        return self

    def fields(self):
        return {name: value.detach().long().tolist() for name, value in self.integers().items()}


# ------------------------------------------------------------------------------------- batches

def key_inputs(key, nonce, size):
    """True inputs of a size x size image: (levels, 12), first state, offsets, u of every line."""
    ks = common.confusion_keys(key, nonce, (size, size, 1))
    lane = common.GuideLane(ks)
    inputs, u = [], np.zeros((2, size))
    for level in range(common.level_count(size, size)):
        lane.step()
        inputs.append(common.place_inputs(level, size, size) + common.source_inputs(lane))
        for _, is_row, index in common.level_lines(level, size, size):
            lane.step_logistic()
            u[0 if is_row else 1, index] = (lane.x >> 32) / 2 ** 32
    return inputs, common.signed_bytes(ks[536:568]), common.signed_bytes(ks[568:600]), u


def crop(rng, images, size):
    """One normalised channel of a crop that is not flat."""
    while True:
        patch = common.random_crop(rng, images, size).astype(np.float64)
        plane = patch[:, :, int(rng.integers(patch.shape[2]))]
        if plane.std() > 4:
            return (plane - plane.mean()) / plane.std()


def make_batch(rng, images, size, count):
    keys = [key_inputs(rng.bytes(32), rng.bytes(16), size) for _ in range(count)]
    kinds = (np.float32, np.float32, np.float32, np.float64)
    columns = [np.array(part, kind) for part, kind in zip(zip(*keys), kinds)]
    pictures = np.array([crop(rng, images, size) for _ in range(count)], np.float32)
    return [torch.from_numpy(x) for x in (*columns, pictures)]


# ----------------------------------------------------------------------------------- surrogate

def by_line(turns, kind):
    """Output number kind (0-5) of every row and column: two tensors (batch, size)."""
    batch, levels, _ = turns.shape
    o = turns.view(batch, levels, 4, 6)[:, :, :, kind]
    rows = torch.cat([o[:, :, 0], o[:, :, 1].flip(1)], dim=1)
    columns = torch.cat([o[:, :, 2], o[:, :, 3].flip(1)], dim=1)
    return rows, columns


def order_matrix(score, u, down):
    """Permutation matrices of the order (batch, new, old) with the gradient of SoftSort."""
    size = score.shape[1]
    index = torch.sort(score.detach().double() + u / 65536, dim=1, stable=True)[1]
    odd = down.sum(1, keepdim=True) % 2 == 1
    index = torch.where(odd, index.flip(1), index)
    hard = nn.functional.one_hot(index, size).float()
    distance = (score.gather(1, index)[:, :, None] - score[:, None, :]).abs()
    soft = torch.softmax(-distance * size / TEMPERATURE, dim=2)
    return hard + soft - soft.detach()


def shift_rows(x, turn, down):
    """Row i of every x shifted cyclically by floor(turn_i * size), back if down; no gradient."""
    size = x.shape[2]
    whole = ((turn - turn.floor()) * size).floor().long()
    by = torch.where(down, -whole, whole)
    return x.gather(2, (torch.arange(size) + by[:, :, None]) % size)


def surrogate(turns, u, pictures):
    """Order and shift of the rows, then of the columns, on pictures (batch, size, size)."""
    kinds = zip(by_line(turns, 5), by_line(turns.detach(), 3), by_line(turns.detach(), 4))
    x = pictures
    for i, (score, turn, direction) in enumerate(kinds):
        down = direction >= 0.5
        x = order_matrix(score, u[:, i], down) @ x
        x = shift_rows(x, turn.double() + u[:, i], down).transpose(1, 2)
    return x


def squared_correlation(a, b):
    a, b = a.flatten(1), b.flatten(1)
    a, b = a - a.mean(1, keepdim=True), b - b.mean(1, keepdim=True)
    return (a * b).sum(1) ** 2 / ((a * a).sum(1) * (b * b).sum(1) + 1e-9)


def scaled_correlations(turns, u, pictures):
    """n r^2 after the surrogate: (directions, batch)."""
    x = surrogate(turns, u, pictures)
    pairs = ((x[:, :, :-1], x[:, :, 1:]), (x[:, :-1], x[:, 1:]), (x[:, :-1, :-1], x[:, 1:, 1:]))
    return x.shape[1] * x.shape[2] * torch.stack([squared_correlation(*p) for p in pairs])


def coherence(c, s, dim):
    """Unbiased estimates of |E exp(i a)|^2 from the n samples along dim."""
    n = c.shape[dim]
    return (c.sum(dim) ** 2 + s.sum(dim) ** 2 - n) / (n * (n - 1))


def pair_coherence(c, s):
    """The same of sums and differences of every two outputs; samples along dimension 1.

    Averaged over dimension 0: (2, width, width), with a diagonal of 0.
    """
    n, width = c.shape[1], c.shape[2]
    cc, ss, cs = (a.transpose(1, 2) @ b for a, b in ((c, c), (s, s), (c, s)))
    sc = cs.transpose(1, 2)
    minus, plus = (cc + ss) ** 2 + (sc - cs) ** 2, (cc - ss) ** 2 + (sc + cs) ** 2
    off = 1 - torch.eye(width)
    return (torch.stack([minus, plus]).mean(1) - n) * off / (n * (n - 1))


def spread_term(turns):
    """Parts (a) to (e) of S. Where the samples are the levels of a key, magnitudes are taken after
    averaging over the keys: levels that avoid each other (a negative estimate) are as little random
    as levels that agree. Keys are independent, and there the unbiased estimate itself is used."""
    width = turns.shape[2]
    pairs = 2 * width * (width - 1)
    total = 0.0
    for harmonic in (1, 2, 3):
        c, s = torch.cos(TWO_PI * harmonic * turns), torch.sin(TWO_PI * harmonic * turns)
        total = total + coherence(c, s, 1).mean(0).abs().mean() + coherence(c, s, 0).mean()
        total = total + pair_coherence(c, s).abs().sum() / pairs
        for lag in LAGS:
            angle = TWO_PI * harmonic * (turns[:, lag:] - turns[:, :-lag]).flatten(0, 1)
            total = total + coherence(torch.cos(angle), torch.sin(angle), 0).mean()
        flat = pair_coherence(c.reshape(1, -1, width), s.reshape(1, -1, width))
        total = total + flat.sum() / pairs
    return total


# ------------------------------------------------------------------------------------ training

def loss_terms(network, batch):
    """Loss, n r^2 with u and with u = 0, S, clamped share."""
    inputs, state, offset, u, pictures = batch
    turns, clamped = network(inputs, state, offset)
    full = scaled_correlations(turns, u, pictures)
    alone = scaled_correlations(turns, torch.zeros_like(u), pictures)
    spread = spread_term(turns)
    loss = torch.log1p(full).mean() + torch.log1p(alone).mean() + LAMBDA * spread
    return loss, full.mean(), alone.mean(), spread, clamped


def uniform_network(seed):
    """Uniform outputs in the place of the network's."""
    generator = torch.Generator().manual_seed(seed)

    def network(inputs, state, offset):
        return torch.rand(*inputs.shape[:2], 24, generator=generator), torch.zeros(())

    return network


def per_batch(network, batches):
    """Loss terms of every batch."""
    with torch.no_grad():
        return np.array([[float(v) for v in loss_terms(network, batch)] for batch in batches])


def evaluate(network, batches):
    """Means of the loss terms over batches."""
    return per_batch(network, batches).mean(axis=0)


def snapshot_epochs(epochs):
    """0, the last, and powers of two between."""
    return sorted({0, epochs} | {2 ** i for i in range(epochs.bit_length()) if 2 ** i < epochs})


def fixed_batches(images, seed, stream=2, count=16):
    """Batches to evaluate on; stream 2 is that of every epoch."""
    rng = np.random.default_rng([seed, stream])
    return [make_batch(rng, images, *SIZES[i % len(SIZES)]) for i in range(count)]


def compare_files(files, images, seed, count):
    """Loss terms of weight files and of uniform outputs on the same batches of the train images,
    unseen in training; standard errors, also of the difference to the first file."""
    batches, terms = fixed_batches(images, seed, 3, count), {}
    for file in files:
        network = FeedbackNetwork(seed).load(common.json.loads(file.read_text()))
        terms[str(file)] = per_batch(network, batches)
    terms["uniform"] = per_batch(uniform_network(seed), batches)
    first = next(iter(terms.values()))
    for name, rows in terms.items():
        def text(x):
            mean, error = x.mean(axis=0), x.std(axis=0, ddof=1) / count ** 0.5
            return "  ".join(f"{a:.4f}+-{b:.4f}" for a, b in zip(mean, error))
        print(f"{name}\n  loss, n r^2, n r^2 (u=0), S, clamped: {text(rows)}\n"
              f"  less the first: {text(rows - first)}", flush=True)


def train(images, seed, epochs, log):
    """Trains; returns the network, a list of (epoch, evaluation, integer fields), and the
    evaluation of uniform outputs."""
    rng = np.random.default_rng([seed, 1])
    fixed = fixed_batches(images, seed)
    network = FeedbackNetwork(seed)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    steps = epochs * STEPS_PER_EPOCH
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(steps, 1), eta_min=3e-5)
    wanted, history = snapshot_epochs(epochs), []
    for epoch in range(epochs + 1):
        if epoch > 0:
            for step in range(STEPS_PER_EPOCH):
                loss = loss_terms(network, make_batch(rng, images, *SIZES[step % len(SIZES)]))[0]
                optimiser.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimiser.step()
                schedule.step()
        result = evaluate(network, fixed)
        log(epoch, result)
        history.append((epoch, result, network.fields() if epoch in wanted else None))
    return network, history, evaluate(uniform_network(seed), fixed)


# --------------------------------------------------------------------------------- measurement

MEASURED = [f"{name}_{d}{e}" for name in ("abs_r", "abs_r_sqrtN", "r_sqrtN") for e in ("", "_se")
            for d in "hvd"]


def reference_networks():
    return {"uniform": common.UniformOutputs(), "constant": common.ConstantOutputs(),
            "permutation": "permutation", "plain": "plain"}


def measure_job(job):
    images, network, keys, mask_u = job
    mean, error = common.measure(images, network, keys, mask_u)
    return np.stack([mean, error], axis=1).reshape(-1)


def measure_table(networks, sets, keys, workers):
    """Rows (network, image set, u, values) for dictionaries of networks and of image sets."""
    names, jobs = [], []
    for name, network in networks.items():
        for label, images in sets.items():
            for mask_u in (False, True):
                if not mask_u or (not isinstance(network, str) and label == "test"):
                    names.append((name, label, "0" if mask_u else "key"))
                    jobs.append((images, network, keys, mask_u))
    with Pool(workers) as pool:
        values = pool.map(measure_job, jobs, chunksize=1)
    return [(*name, value) for name, value in zip(names, values)]


def measured_sets(sipi_train, sipi_test, generated):
    """A fixed part of the train split, the whole test split, and held-out generated images."""
    train = {name: sipi_train[name] for name in
             ("4.1.01", "4.1.05", "4.2.01", "4.2.06", "5.1.10", "5.2.09", "7.1.02", "7.1.08",
              "2.1.01", "2.1.06", "1.1.01", "1.5.02")} if sipi_train else generated
    test = sipi_test or common.generated_set(10_007, 13, 256)
    return {"train": train, "test": test}


def write_csv(path, history, uniform_result, table):
    head = ["epoch", "loss", "surrogate_nr2", "surrogate_nr2_u0", "spread", "clamped_share",
            "images", "u", *MEASURED]
    with open(path, "w", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(head)
        for epoch, result, fields in history:
            surrogate = [f"{v:.5f}" for v in result]
            if fields is None:
                out.writerow([epoch, *surrogate, *[""] * (2 + len(MEASURED))])
            for name, label, u, value in table:
                if name == epoch:
                    out.writerow([epoch, *surrogate, label, u, *[f"{v:.6f}" for v in value]])
        for name, label, u, value in table:
            if not isinstance(name, int):
                surrogate = [f"{v:.5f}" for v in uniform_result]
                surrogate = surrogate if name == "uniform" else [""] * 5
                out.writerow([name, *surrogate, label, u, *[f"{v:.6f}" for v in value]])


def read_history(path, snapshots):
    """history and uniform_result of write_csv, from a file it wrote."""
    with open(path, newline="") as f:
        losses = {row[0]: [float(v) for v in row[1:6]] for row in list(csv.reader(f))[1:] if row[1]}
    uniform_result = losses.pop("uniform")
    return [(int(epoch), result, snapshots.get(int(epoch)))
            for epoch, result in losses.items()], uniform_result


def print_table(rows):
    for name, label, u, v in rows:
        cells = "  ".join(f"{v[6 + i]:.4f}+-{v[9 + i]:.4f}" for i in range(3))
        signed = "  ".join(f"{v[12 + i]:+.4f}+-{v[15 + i]:.4f}" for i in range(3))
        print(f"{name!s:12} {label:6} u={u:4} |r|sqrtN HVD {cells}  r sqrtN {signed}", flush=True)


def check(network, seed):
    """The float forward pass equals the integer emulation; the surrogate, on square images of an
    even side, the emulation without exchanges."""
    rng = np.random.default_rng(seed)
    integer = common.IntegerNetwork(network.fields())
    for size in (7, 32, 64):
        key, nonce = rng.bytes(32), rng.bytes(16)
        inputs, state, offset, u = key_inputs(key, nonce, size)
        with torch.no_grad():
            turns, _ = network(*(torch.tensor(np.array(x)[None], dtype=torch.float32)
                                 for x in (inputs, state, offset)))
            if size % 2 == 0:
                numbered = torch.arange(size * size, dtype=torch.float32).view(1, size, size)
                moved = surrogate(turns, torch.tensor(u[None]), numbered).transpose(1, 2)
                lines = common.confusion_lines(key, nonce, (size, size, 1), integer)
                wanted = common.apply_lines(lines, size, size, (), ())
                if moved.round().long().flatten().tolist() != wanted.tolist():
                    raise SystemExit(f"surrogate and emulation differ at size {size}")
        integer.start(common.confusion_keys(key, nonce, (size, size, 1)))
        for level, row in enumerate(inputs):
            if integer.outputs(row) != (turns[0, level] * 65536).long().tolist():
                raise SystemExit(f"float and integer network differ at size {size} level {level}")
    print("float forward pass and surrogate equal the integer emulation", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description="Trains the feedback network.")
    parser.add_argument("--sipi", help="directory with misc, aerials, textures")
    parser.add_argument("--epochs", type=int, default=48)
    parser.add_argument("--seed", type=int, default=20240016)
    parser.add_argument("--keys", type=int, default=8, help="keys per image when measuring")
    parser.add_argument("--workers", type=int, default=2, help="processes when measuring")
    parser.add_argument("--out", type=Path, default=common.WEIGHTS)
    parser.add_argument("--csv", type=Path,
                        default=Path(__file__).resolve().parent / "feedback_training.csv")
    parser.add_argument("--table", type=int, metavar="KEYS",
                        help="no training: measure feedback_epochs.json (first, last) on test")
    parser.add_argument("--measure", action="store_true",
                        help="no training: measure feedback_epochs.json anew, losses as in the CSV")
    parser.add_argument("--compare", type=Path, nargs="+", metavar="FILE",
                        help="no training: losses of weight files on fresh batches (train images)")
    parser.add_argument("--batches", type=int, default=160, help="of --compare")
    return parser.parse_args()


def table_only(args, sets):
    data = common.json.loads((args.out / "feedback_epochs.json").read_text())
    ends = (data["snapshots"][0], data["snapshots"][-1])
    networks = {f"epoch {s['epoch']}": common.IntegerNetwork(s) for s in ends}
    networks.update(reference_networks())
    print_table(measure_table(networks, {"test": sets["test"]}, args.table, args.workers))


def measure_only(args, sets):
    data = common.json.loads((args.out / "feedback_epochs.json").read_text())
    snapshots = {s["epoch"]: s for s in data["snapshots"]}
    history, uniform_result = read_history(args.csv, snapshots)
    measure_and_write(args, sets, snapshots, history, uniform_result)


def measure_and_write(args, sets, snapshots, history, uniform_result):
    networks = {epoch: common.IntegerNetwork(fields) for epoch, fields in snapshots.items()}
    table = measure_table({**networks, **reference_networks()}, sets, args.keys, args.workers)
    print_table(table)
    write_csv(args.csv, history, uniform_result, table)


def main():
    args = arguments()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    sipi_train, sipi_test = common.load_split(args.sipi)
    generated = common.generated_set(args.seed, GENERATED, 128)
    sets = measured_sets(sipi_train, sipi_test, generated)
    if args.table:
        table_only(args, sets)
        return
    if args.measure:
        measure_only(args, sets)
        return

    def log(epoch, result):
        text = " ".join(f"{name} {value:.4f}" for name, value in
                        zip(("loss", "n r^2", "n r^2 (u=0)", "S", "clamped"), result))
        print(f"epoch {epoch} {text}", flush=True)

    images = {**generated, **sipi_train}
    if args.compare:
        compare_files(args.compare, images, args.seed, args.batches)
        return
    network, history, uniform_result = train(images, args.seed, args.epochs, log)
    log("uniform", uniform_result)
    check(network, args.seed)
    training = {"script": "scripts/train/train_feedback.py", "seed": args.seed,
                "epochs": args.epochs, "images": common.image_set_name(args.sipi, GENERATED),
                "final_loss": round(float(history[-1][1][0]), 4)}
    snapshots = [{"epoch": epoch, **fields} for epoch, _, fields in history if fields]
    common.export(args.out / "feedback.json",
                  {**common.head("feedback"), **history[-1][2], "training": training})
    common.export(args.out / "feedback_epochs.json",
                  {**common.head("feedback-epochs"), "snapshots": snapshots,
                   "training": training})
    common.write_sums(args.out)
    if args.keys > 0:
        measure_and_write(args, sets, {s["epoch"]: s for s in snapshots}, history, uniform_result)


if __name__ == "__main__":
    main()
