#!/usr/bin/env python3
"""Makes adam.json: what torch.optim.Adam, with and without torch.nn.utils.clip_grad_norm_, does to two small parameters.

    python3 testdata/optim/generate.py

Everything is computed in float64 from float32 values; "version" says which PyTorch it was.
"""

import json
import pathlib

import torch

HERE = pathlib.Path(__file__).parent
SHAPES = {"a": [3, 2], "b": [5]}
STEPS = 12


def floats(t):
    return [float(x) for x in t.flatten()]


def main():
    g = torch.Generator().manual_seed(5)
    draw = lambda shape: torch.randn(shape, generator=g).to(torch.float32).to(torch.float64)
    start = {n: draw(s) for n, s in SHAPES.items()}
    grads = [{n: draw(s) * (10 if t % 4 == 3 else 1) for n, s in SHAPES.items()} for t in range(STEPS)]
    out = {"version": torch.__version__, "shapes": SHAPES, "start": {n: floats(v) for n, v in start.items()},
           "grads": [{n: floats(v) for n, v in step.items()} for step in grads], "cases": []}
    for case in (dict(beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0, clip=0.0, rate=0.01),
                 dict(beta1=0.8, beta2=0.95, epsilon=1e-3, weight_decay=0.05, clip=0.0, rate=0.03),
                 dict(beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.01, clip=2.5, rate=0.02)):
        params = {n: torch.nn.Parameter(v.clone()) for n, v in start.items()}
        opt = torch.optim.Adam(params.values(), lr=case["rate"], betas=(case["beta1"], case["beta2"]), eps=case["epsilon"],
                               weight_decay=case["weight_decay"])
        for step in grads:
            for n, p in params.items():
                p.grad = step[n].clone()
            if case["clip"]:
                torch.nn.utils.clip_grad_norm_(params.values(), case["clip"])
            opt.step()
        out["cases"].append(case | {"end": {n: floats(p.detach()) for n, p in params.items()}})
    (HERE / "adam.json").write_text(json.dumps(out, indent=1) + "\n")


if __name__ == "__main__":
    main()
