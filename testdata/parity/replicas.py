#!/usr/bin/env python3
"""Makes replicas/: what PyTorch computes for updates of several micro-batches, with a replica of the network for each.

    python3 testdata/parity/replicas.py

Every replica normalises with the statistics of its own micro-batch, the gradients are averaged, and one step of SGD follows, as with
DistributedDataParallel without synchronised batch normalisation. Running statistics take the replicas' in order, one after another.
Files, precision and choice of seeds are those of generate.py; "losses" are the means over the replicas.
"""

import copy
import json
import pathlib

import torch
from torch import nn

import generate
from generate import DRIFT, MOMENTUM, STEPS, WEIGHT_DECAY

HERE = pathlib.Path(__file__).parent / "replicas"
NET = next(cfg for cfg in generate.NETS if cfg["name"] == "tiny-a")
REPLICAS = (2, 8)
MICRO_BATCHES = 12  # taken in turn


def norms(net):
    return [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]


def train(replicas, start, xs, labels, dtype):
    """STEPS updates; the mean losses and the net."""
    net = generate.make(NET).to(dtype)
    net.load_state_dict(start)
    opt = torch.optim.SGD(net.parameters(), lr=NET["rate"], momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    losses, at = [], 0
    for _ in range(STEPS):
        copies = [copy.deepcopy(net) for _ in range(replicas)]
        total = 0.0
        for r in copies:
            r.zero_grad()
            _, loss = generate.loss_of(r, xs[at % MICRO_BATCHES].to(dtype), labels[at % MICRO_BATCHES])
            loss.backward()
            at, total = at + 1, total + loss.item()
        for p, *grads in zip(net.parameters(), *(r.parameters() for r in copies)):
            p.grad = torch.stack([g.grad for g in grads]).mean(0)
        opt.step()
        for own, *theirs in zip(norms(net), *(norms(r) for r in copies)):
            for name in ("running_mean", "running_var"):
                before, now = getattr(own, name), getattr(own, name).clone()
                for t in theirs:
                    batch = (getattr(t, name) - (1 - own.momentum) * before) / own.momentum
                    now = (1 - own.momentum) * now + own.momentum * batch
                before.copy_(now)
        losses.append(total / replicas)
    return losses, net


def case(replicas, seed):
    g = torch.Generator().manual_seed(seed)
    net = generate.make(NET).double()
    generate.initialise(net, g)
    xs = generate.single(torch.randn(MICRO_BATCHES, NET["n"], 3, NET["size"], NET["size"], generator=g, dtype=torch.float64))
    labels = torch.randint(0, 10, (MICRO_BATCHES, NET["n"]), generator=g)
    start = {k: v.clone() for k, v in net.state_dict().items()}
    out = {f"init/{k}": v for k, v in start.items() if not k.endswith("num_batches_tracked")}
    out.update({"x": xs, "labels": labels.int()})
    losses, trained = train(replicas, start, xs, labels, torch.float64)
    single_losses, _ = train(replicas, start, xs, labels, torch.float32)
    if max(abs(a - b) / abs(a) for a, b in zip(losses, single_losses)) > DRIFT:
        return None
    out["losses"] = torch.tensor(losses, dtype=torch.float64)
    out.update({f"trained/{k}": v for k, v in trained.state_dict().items() if not k.endswith("num_batches_tracked")})
    return out


def main():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    HERE.mkdir(exist_ok=True)
    manifest = {"script": "testdata/parity/replicas.py", "torch": torch.__version__, "precision": "float64, rounded to float32", "steps": STEPS,
                "batches": MICRO_BATCHES, "momentum": MOMENTUM, "weight_decay": WEIGHT_DECAY, "nets": [], "ops": {}}
    for replicas in REPLICAS:
        seed = 1
        while (tensors := case(replicas, seed)) is None:
            seed += 1
        file = f"{NET['name']}-{replicas}.safetensors"
        digest = generate.write_safetensors(HERE / file, tensors)
        manifest["nets"].append({"name": NET["name"], "file": file, "seed": seed, "rate": NET["rate"], "replicas": replicas, "sha256": digest})
        print(file, "seed", seed, "losses", [round(v, 3) for v in tensors["losses"].tolist()[:: STEPS - 1]])
    (HERE / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
