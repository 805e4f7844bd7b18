"""An image server of FastAPI and PyTorch, as one would write it: the peer of `resnet serve` in serve.py.

    python3 serve_peer.py --port 18081 --arch resnet50 --threads 2

Images that wait are computed together, up to --batch of them, within --delay seconds; decoding runs in a pool of threads beside it. The
network is torchvision's, traced and frozen for inference, with random weights: what it answers is of no interest here.
"""
import argparse
import asyncio
import concurrent.futures
import contextlib
import io

import torch
import torchvision
import uvicorn
from fastapi import FastAPI, Request
from PIL import Image

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--port", type=int, default=18081)
p.add_argument("--arch", default="resnet50")
p.add_argument("--threads", type=int, default=2)
p.add_argument("--batch", type=int, default=16)
p.add_argument("--delay", type=float, default=0.002)
a = p.parse_args()

torch.set_num_threads(a.threads)
net = getattr(torchvision.models, a.arch)().eval().to(memory_format=torch.channels_last)
example = torch.zeros(a.batch, 3, 224, 224).to(memory_format=torch.channels_last)
with torch.inference_mode():
    net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, example)))
    for _ in range(3):
        net(example)
prepare = torchvision.transforms.Compose([
    torchvision.transforms.Resize(256), torchvision.transforms.CenterCrop(224), torchvision.transforms.ToTensor(),
    torchvision.transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
decoders = concurrent.futures.ThreadPoolExecutor(a.threads)
computer = concurrent.futures.ThreadPoolExecutor(1)
waiting: asyncio.Queue


def decode(data):
    return prepare(Image.open(io.BytesIO(data)).convert("RGB"))


def compute(images):
    with torch.inference_mode():
        top = net(torch.stack(images).to(memory_format=torch.channels_last)).softmax(1).topk(5)
    return [{"classes": i, "probabilities": v} for i, v in zip(top.indices.tolist(), top.values.tolist())]


async def batches():
    loop = asyncio.get_running_loop()
    while True:
        group = [await waiting.get()]
        until = loop.time() + a.delay
        while len(group) < a.batch:
            try:
                group.append(await asyncio.wait_for(waiting.get(), max(0, until - loop.time())))
            except asyncio.TimeoutError:
                break
        for (_, answer), found in zip(group, await loop.run_in_executor(computer, compute, [g[0] for g in group])):
            answer.set_result(found)


async def lifespan(_):
    global waiting
    waiting = asyncio.Queue()
    task = asyncio.create_task(batches())
    yield
    task.cancel()


app = FastAPI(lifespan=contextlib.asynccontextmanager(lifespan))


@app.post("/predict")
async def predict(request: Request):
    loop = asyncio.get_running_loop()
    image = await loop.run_in_executor(decoders, decode, await request.body())
    answer = loop.create_future()
    await waiting.put((image, answer))
    return await answer


@app.get("/healthz")
async def healthz():
    return {}


uvicorn.run(app, host="127.0.0.1", port=a.port, log_level="warning")
