"""Writes calibration.json: logits, and what PyTorch and numpy say of their calibration.

Expected calibration error by sorting images into bins with numpy.digitize, as scikit-learn's calibration_curve does; the
temperature by PyTorch's LBFGS in float64 on the cross-entropy, as Guo et al. 2017 do. Run: python calibration.py
"""
import json
import pathlib

import numpy
import torch

BINS = 15


def calibration(logits, labels):
    p = torch.softmax(logits, 1).numpy()
    confidence, right = p.max(1), p.argmax(1) == labels.numpy()
    edges = numpy.arange(1, BINS) / BINS
    which = numpy.digitize(confidence, edges, right=True)  # above the lower edge, at most the upper
    bins, ece = [], 0.0
    for b in range(BINS):
        inside = which == b
        n = int(inside.sum())
        c, a = (float(confidence[inside].mean()), float(right[inside].mean())) if n else (0.0, 0.0)
        bins.append([n, c, a])
        ece += n / len(labels) * abs(c - a)
    loss = torch.nn.functional.cross_entropy(logits, labels).item()
    return {"bins": bins, "ece": ece, "loss": loss}


def temperature(logits, labels):
    log_t = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    best = torch.optim.LBFGS([log_t], max_iter=500, tolerance_grad=1e-14, tolerance_change=1e-16, line_search_fn="strong_wolfe")

    def closure():
        best.zero_grad()
        loss = torch.nn.functional.cross_entropy(logits / log_t.exp(), labels)
        loss.backward()
        return loss

    best.step(closure)
    return log_t.exp().item()


def main():
    torch.manual_seed(14)
    cases = []
    for name, n, k, scale in [("overconfident", 60, 4, 3.0), ("underconfident", 60, 4, 0.4), ("ten classes", 40, 10, 2.0)]:
        clean = 1.6 * torch.randn(n, k, dtype=torch.float64)
        labels = torch.distributions.Categorical(logits=clean).sample()
        logits = torch.round(scale * clean * 1000) / 1000
        logits = logits.to(torch.float32).to(torch.float64)
        t = temperature(logits, labels)
        cases.append({
            "name": name, "classes": k, "logits": [round(v, 3) for v in logits.flatten().tolist()], "labels": labels.tolist(),
            **calibration(logits, labels), "temperature": t, "scaled": calibration(logits / t, labels),
        })
    document = {"torch": torch.__version__, "numpy": numpy.__version__, "cases": cases}
    pathlib.Path(__file__).with_name("calibration.json").write_text(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
