"""Times `resnet serve` and a server of FastAPI and PyTorch (serve_peer.py) in turn under load from another process.

    python3 serve.py --binary bin/resnet --load bin/load --checkpoint resnet50.safetensors --photos DIR --rounds 5 --requests 1000

Prints a line for each server (images/s, p50, p99: medians and ranges of the rounds), the median of the rounds' ratios, what `bench infer`
reaches here without serving, and with --memory N the resident memory of `resnet serve` in steps of a tenth while N requests are answered.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time
import urllib.request

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--binary", required=True)
p.add_argument("--load", required=True, help="testdata/load, built")
p.add_argument("--checkpoint", required=True)
p.add_argument("--arch", default="resnet50v1.5")
p.add_argument("--photos", required=True)
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--requests", type=int, default=1000)
p.add_argument("--connections", type=int, default=64)
p.add_argument("--batch", type=int, default=16)
p.add_argument("--threads", type=int, default=2)
p.add_argument("--memory", type=int, default=0)
a = p.parse_args()


def started(port, command):
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for _ in range(600):
        if server.poll() is not None:
            sys.exit(f"{command[0]} ended: {server.stderr.read().decode()}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1)
            return server
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{command[0]} does not answer")


def load(port, requests):
    out = subprocess.run([a.load, "-url", f"http://127.0.0.1:{port}/predict", "-connections", str(a.connections), "-requests", str(requests), a.photos],
                         check=True, capture_output=True, text=True).stdout
    r = json.loads(out)
    if set(r["statuses"]) != {"200"}:
        sys.exit(f"not every request was answered: {r['statuses']}")
    return r


def resnet():
    return started(18080, [a.binary, "serve", a.checkpoint, "--listen", "127.0.0.1:18080", "--batch", str(a.batch), "--threads", str(a.threads)])


def peer():
    return started(18081, [sys.executable, __file__.replace("serve.py", "serve_peer.py"), "--port", "18081", "--arch", a.arch.removesuffix("v1.5"),
                           "--batch", str(a.batch), "--threads", str(a.threads)])


def measured(start, port):
    server = start()
    try:
        load(port, 4 * a.batch)
        return load(port, a.requests)
    finally:
        server.terminate()
        server.wait()


def spread(rows, key):
    values = [r[key] for r in rows]
    return f"{statistics.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def resident(process):
    with open(f"/proc/{process.pid}/status") as f:
        return next(int(line.split()[1]) / 1024 for line in f if line.startswith("VmRSS"))


rounds = []
for i in range(a.rounds):
    # Who goes first changes, so that neither always finds the machine as the other left it.
    pair = [("resnet", resnet, 18080), ("peer", peer, 18081)]
    done = {name: measured(start, port) for name, start, port in (pair if i % 2 == 0 else pair[::-1])}
    bench = subprocess.run([a.binary, "bench", "infer", "--arch", a.arch, "--batch", str(a.batch), "--threads", str(a.threads), "--json"],
                           check=True, capture_output=True, text=True).stdout
    done["bench"] = json.loads(bench)
    rounds.append(done)
for name in ("resnet", "peer") if rounds else ():
    rows = [r[name] for r in rounds]
    print(f"{name}: {spread(rows, 'images_per_second')} images/s, p50 {spread(rows, 'p50_ms')} ms, p99 {spread(rows, 'p99_ms')} ms")
if rounds:
    ratios = [r["resnet"]["images_per_second"] / r["peer"]["images_per_second"] for r in rounds]
    print(f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); bench infer {spread([r['bench'] for r in rounds], 'images_per_second')} images/s")
if a.memory:
    server = resnet()
    sizes = []
    try:
        for _ in range(10):
            load(18080, a.memory // 10)
            sizes.append(resident(server))
    finally:
        server.terminate()
        server.wait()
    print(f"resident after each tenth of {a.memory} requests, MB: " + ", ".join(f"{s:.0f}" for s in sizes))
