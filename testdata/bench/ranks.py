"""Times a training in several ways in turn on one machine, and prints the ratios of their speeds to the first one's.

    python3 ranks.py --binary bin/resnet-mpi --ways one,workers,ranks --config cifar20 --set data.dir=... --set train.batch=64 --set train.accumulate=2
    python3 ranks.py --binary bin/resnet-mpi --ways host,hosts --config cifar110-2gpu --set data.dir=... --rate 1gbit     # as root

one: a process of two threads; workers: with --workers 2; ranks: two processes of one thread each. host: one process of one thread on one core;
hosts: two of them, each in a network namespace of its own and on a core of its own, joined by veth and a bridge whose cables have the --rate.
pair: two of host at once that know nothing of each other, taken together: what the machine gives two such processes.
A way may have keys and variables of its own: hosts+distributed.bucket=1+GOMAXPROCS=2, and +baseline for another binary.
The update is the same in all ways. A speed is that between two checkpoints, whose steps are --from and --to; what is before has started
everything. Beside it stands how many cores were busy, with whatever, which shows a disturbed round. The trainings are then ended. Needs a Linux machine with two cores and mpirun.openmpi or another --launcher.
"""
import argparse
import concurrent.futures
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--binary", required=True, help="resnet-mpi")
p.add_argument("--baseline", help="another resnet-mpi, for ways with +baseline")
p.add_argument("--config", required=True)
p.add_argument("--set", action="append", default=[], help="a key of the configuration")
p.add_argument("--ways", default="one,workers,ranks")
p.add_argument("--rounds", type=int, default=5)
p.add_argument("--from", type=int, default=5, dest="first")
p.add_argument("--to", type=int, default=45, dest="last", help="a multiple of --from")
p.add_argument("--rate", default="1gbit", help="of a host's cable, as tc has it; none means no limit")
p.add_argument("--launcher", default="mpirun.openmpi")
p.add_argument("--mca", default="", help="more options of the launcher")
a = p.parse_args()
binary, hydra = os.path.abspath(a.binary), "mpich" in a.launcher or "hydra" in a.launcher
# Checkpoints are written to memory: a disk would be a part of what is measured.
folder = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None))
prefix = f"rb{os.getpid() % 100_000}-"


def run(*command):
    subprocess.run(command, check=True)


def make_hosts():
    """Two namespaces with a bridge in a third one."""
    run("ip", "netns", "add", prefix + "sw")
    run("ip", "-n", prefix + "sw", "link", "add", "br0", "type", "bridge")
    run("ip", "-n", prefix + "sw", "link", "set", "br0", "up")
    burst = "1mb" if a.rate.startswith(("10g", "5g")) else "256kb"
    for i in ("1", "2"):
        host = prefix + "h" + i
        run("ip", "netns", "add", host)
        run("ip", "-n", host, "link", "set", "lo", "up")
        run("ip", "link", "add", "p" + i, "netns", prefix + "sw", "type", "veth", "peer", "name", "eth0", "netns", host)
        run("ip", "-n", prefix + "sw", "link", "set", "p" + i, "master", "br0")
        run("ip", "-n", prefix + "sw", "link", "set", "p" + i, "up")
        run("ip", "-n", host, "addr", "add", f"10.9.0.{i}/24", "dev", "eth0")
        run("ip", "-n", host, "link", "set", "eth0", "up")
        if a.rate != "none":
            for namespace, device in ((host, "eth0"), (prefix + "sw", "p" + i)):
                run("ip", "netns", "exec", namespace, "tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", a.rate, "burst", burst, "latency", "50ms")
    agent = folder / "agent.sh"  # starts a command on a host, as ssh would
    agent.write_text(f'#!/bin/sh\nwhile [ "${{1#-}}" != "$1" ]; do shift; done\nhost=h${{1##*.}}; shift\nexec ip netns exec {prefix}$host unshare -u sh -c "hostname $host; $*"\n')
    agent.chmod(0o755)


def remove_hosts():
    for name in ("h1", "h2", "sw"):
        subprocess.run(["ip", "netns", "del", prefix + name], capture_output=True)


def launch(hosts, variables):
    """The launcher's part of a command of two ranks."""
    if not hosts:
        return [a.launcher, "-n", "2", *([] if hydra else ["--bind-to", "none"]), *a.mca.split()]
    start = ["ip", "netns", "exec", prefix + "h1", "unshare", "-u", "sh", "-c", 'hostname h1; exec "$@"', "sh", a.launcher]
    if hydra:
        start += ["-launcher", "ssh", "-launcher-exec", str(folder / "agent.sh"), "-iface", "eth0", "-hosts", "10.9.0.1,10.9.0.2"]
    else:
        start += ["--mca", "plm_rsh_agent", str(folder / "agent.sh"), "--mca", "oob_tcp_if_include", "10.9.0.0/24", "--host", "10.9.0.1,10.9.0.2", "--bind-to", "none"]
        start += ["--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "10.9.0.0/24"]
    pin = folder / "pin.sh"
    pin.write_text(f'#!/bin/sh\nexec env {" ".join(variables)} taskset -c "${{OMPI_COMM_WORLD_RANK:-$PMI_RANK}}" "$@"\n')
    pin.chmod(0o755)
    return [*start, "-n", "2", *a.mca.split(), str(pin)]


def speed(way, turn):
    """Updates a second of one training, and a hash of its weights."""
    if way == "pair":
        with concurrent.futures.ThreadPoolExecutor() as pool:
            one, other = pool.map(lambda k: speed("host", k), (0, 1))
        return one[0] + other[0], one[1]
    way, *more = way.split("+")
    program = binary
    if "baseline" in more:
        more.remove("baseline")
        program = os.path.abspath(a.baseline)
    keys, variables = ([m for m in more if ("." in m.split("=")[0]) == key] for key in (True, False))
    threads = "2" if way in ("one", "workers") else "1"
    start = {"one": [], "workers": [], "ranks": None, "host": ["taskset", "-c", str(turn % 2)], "hosts": None}[way]
    if start is None:
        start = launch(way == "hosts", variables)
    out = folder / f"{way}{turn}"
    command = [*start, program, "train", "--config", a.config, "--run", str(out), "--threads", threads, *(["--workers", "2"] if way == "workers" else [])]
    for s in [*a.set, *keys, "train.iterations=100000", "train.schedule.drop.at=[]", f"train.checkpoint.every={a.first}", "train.checkpoint.keep=0", "eval.every=100000"]:
        command += ["--set", s]
    env = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    if way == "hosts":  # which share memory, too
        env |= {"FI_PROVIDER": "tcp", "UCX_TLS": "tcp"}
    with open(folder / f"said{turn}", "w+") as said:
        job = subprocess.Popen(command, stdout=said, stderr=said, env=env, start_new_session=True)
        end = out / "checkpoints" / f"step-{a.last:06d}.json"
        while not end.exists():
            if job.poll() is not None:
                said.seek(0)
                raise SystemExit(said.read())
            time.sleep(0.05)
        job.terminate()
        try:
            job.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
    at = {n: (out / "checkpoints" / f"step-{n:06d}.json").stat().st_mtime for n in (a.first, a.last)}
    bits = (out / "checkpoints" / f"step-{a.last:06d}.safetensors").read_bytes()
    shutil.rmtree(out)
    return (a.last - a.first) / (at[a.last] - at[a.first]), hash(bits)


def busy():
    """Seconds that all processes of this machine have computed, and those that its host took away."""
    tick = os.sysconf("SC_CLK_TCK")
    user, nice, system, _, _, irq, soft, stolen = map(int, open("/proc/stat").readline().split()[1:9])
    return (user + nice + system + irq + soft) / tick, stolen / tick


def spread(values, digits):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


ways = a.ways.split(",")
try:
    if any(w.startswith("hosts") for w in ways):
        make_hosts()
    rounds, weights = [], set()
    for turn in range(a.rounds):
        r, cores = {}, {}
        for w in ways:
            before, start = busy(), time.monotonic()
            r[w], h = speed(w, turn)
            cores[w] = [(y - x) / (time.monotonic() - start) for x, y in zip(before, busy())]
            weights.add(h)
        rounds.append(r)
        print("updates/s:", ", ".join(f"{w} {x:.3f} ({cores[w][0]:.2f} cores, {cores[w][1]:.2f} stolen)" for w, x in r.items()), flush=True)
finally:
    remove_hosts()
    shutil.rmtree(folder)
for w in ways:
    print(f"{w}: {spread([r[w] for r in rounds], 3)} updates/s, of {ways[0]} {spread([r[w] / r[ways[0]] for r in rounds], 2)}")
print(f"{len(weights)} different weights after {a.last} updates")
