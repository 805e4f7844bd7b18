# Writes run folders whose curves end as those of He et al. 2016, Figure 6, for tests of what a comparison says of them. Test errors of the
# residual networks are Table 6's; plain-110 is "higher than 60%" (caption); the other ends are read off the figure, to about half a point. The
# shapes in between are ours: high until the rate drops at 32,000 iterations, nearly level after it.
from pathlib import Path

ENDS = {  # training, test, percent
    "plain20": (6.5, 9.5), "plain32": (8, 10.5), "plain44": (10.5, 12.5), "plain56": (13.2, 14), "plain110": (65, 62),
    "resnet20": (2, 8.75), "resnet32": (0.8, 7.51), "resnet44": (0.45, 7.17), "resnet56": (0.3, 6.97), "resnet110": (0.08, 6.43), "resnet1202": (0.06, 7.93),
}

here = Path(__file__).parent
for name, (train, test) in ENDS.items():
    folder = here / name
    folder.mkdir(exist_ok=True)
    (folder / "config.yaml").write_text(
        f"model: {{name: {name}}}\ndata: {{name: cifar10}}\ntrain: {{batch: 128, iterations: 64000, schedule: {{drop: {{at: [32000, 48000]}}}}}}\neval: {{every: 4000}}\n")
    rows = ["step,epoch,rate,train_loss,train_error,test_loss,test_error,test_top5"]
    for step in range(4000, 64001, 4000):
        late = step > 32000
        a = train if step > 48000 else train * 1.2 if late else min(90, train * 2.5 + 6 + 40 * 0.5 ** (step / 4000))
        b = test if step > 48000 else test * 1.02 if late else min(90, test * 1.7 + 3 + 40 * 0.5 ** (step / 4000))
        rate = 0.001 if step > 48000 else 0.01 if late else 0.1
        rows.append(f"{step},{step * 128 / 50000:.4f},{rate},{a / 30:.4f},{a:.4f},{b / 30:.4f},{b:.4f},1.0000")
    (folder / "metrics.csv").write_text("\n".join(rows) + "\n")
