"""Properties of the outputs of the feedback network, in exact integers; NumPy only.

For the first and the last snapshot of feedback_epochs.json and for uniform outputs, over KEYS keys
of a SIZE x SIZE image (all levels):
  coherence    n |E exp(2 pi i o)|^2 over the n levels of a key, mean over keys and outputs;
               1 for unrelated levels, n for outputs that stand still
  chi2         chi-square of an output in 16 bins over keys and levels per degree of freedom
  worst_pair   largest |E exp(2 pi i (o_a - o_b))| of the pairs of outputs, over keys and levels
  clamped      share of the values of h2 at -128 or 127;  stuck: units with one value only
  fade         mean distance on the circle, in turns, of the outputs of two runs on the same inputs,
               at some levels: `fade_state` with unrelated first states f, `fade_bit` with one bit
               of f flipped; 0.25 is unrelated

python3 scripts/train/feedback_properties.py
"""
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))
import common  # noqa: E402

KEYS, SIZE = 24, 512
LEVELS = (0, 1, 2, 3, 4, 8, 16, 32, 64, 128, 255)


def run(network, ks, inputs, state=None):
    """Outputs (levels, 24) and values of h2 (levels, 32); state is another first feedback state."""
    network.start(ks)
    if state is not None:
        network.f = state
    outputs, hidden = [], []
    for row in inputs:
        outputs.append(network.outputs(row))
        hidden.append(getattr(network, "f", np.zeros(32)))
    return np.array(outputs), np.array(hidden)


def key_inputs(k):
    """KS and the inputs of all levels of one key."""
    ks = common.confusion_keys(*common.test_key("properties", k), (SIZE, SIZE, 1))
    lane, inputs = common.GuideLane(ks), []
    for level in range(common.level_count(SIZE, SIZE)):
        lane.step()
        inputs.append(common.place_inputs(level, SIZE, SIZE) + common.source_inputs(lane))
        for _ in common.level_lines(level, SIZE, SIZE):
            lane.step_logistic()
    return ks, inputs


def distance(a, b):
    """Mean distance on the circle per level, in turns."""
    d = (a - b) % 65536
    return np.minimum(d, 65536 - d).mean(axis=1) / 65536


def other_states(k, f):
    """An unrelated first state and f with one bit flipped, from the number of the key."""
    rng = np.random.default_rng([20240016, k])
    bit = int(rng.integers(256))
    flipped = f.astype(np.int8).view(np.uint8)
    flipped[bit // 8] ^= 1 << bit % 8
    return rng.integers(-128, 128, 32), flipped.view(np.int8).astype(np.int64)


def properties(network, keys):
    outputs, hidden, fades = [], [], []
    for k, (ks, inputs) in enumerate(keys):
        o, h = run(network, ks, inputs)
        outputs.append(o)
        hidden.append(h)
        if isinstance(network, common.IntegerNetwork):
            fades.append([distance(o, run(network, ks, inputs, f)[0])
                          for f in other_states(k, common.signed_bytes(ks[536:568]))])
    o, h = np.array(outputs), np.concatenate(hidden)
    z = np.exp(2j * np.pi * o / 65536)
    n = o.shape[1]
    flat = z.reshape(-1, 24)
    counts = np.array([np.bincount(column, minlength=16) for column in (o >> 12).reshape(-1, 24).T])
    pairs = np.abs(flat.T @ flat.conj() / len(flat))[np.triu_indices(24, 1)]
    expected = len(flat) / 16
    chi2 = ((counts - expected) ** 2 / expected).sum(axis=1)
    out = {"coherence": float(n * (np.abs(z.mean(axis=1)) ** 2).mean()),
           "chi2": float(chi2.mean() / 15),
           "worst_pair": float(pairs.max())}
    if fades:
        out["clamped"] = float(((h == 127) | (h == -128)).mean())
        out["stuck"] = int((h == h[0]).all(axis=0).sum())
        for name, curve in zip(("fade_state", "fade_bit"), np.array(fades).mean(axis=0)):
            out[name] = {level: round(float(curve[level]), 4) for level in LEVELS}
    return out


def main():
    snapshots = json.loads((common.WEIGHTS / "feedback_epochs.json").read_text())["snapshots"]
    keys = [key_inputs(k) for k in range(KEYS)]
    networks = {f"epoch {s['epoch']}": common.IntegerNetwork(s)
                for s in (snapshots[0], snapshots[-1])}
    for name, network in {**networks, "uniform": common.UniformOutputs()}.items():
        print(name)
        for key, value in properties(network, keys).items():
            text = f"{value:.4f}" if isinstance(value, float) else value
            print(f"  {key:11} {text}", flush=True)


if __name__ == "__main__":
    main()
