"""PyTorch in a process of its own: the twin of serve.ts and of data.ts, one JSON object per line."""

import json
import math
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

DECONVOLUTION = os.environ.get("BENCH_DECONVOLUTION") == "onednn"


def fill(seed, count, scale=1.0):
    mask = np.uint64(0xFFFFFFFF)
    h = (np.arange(count, dtype=np.uint64) + np.uint64(((seed + 1) * 0x9E3779B1) & 0xFFFFFFFF)) & mask
    for _ in range(2):
        h = ((h ^ (h >> np.uint64(16))) * np.uint64(0x45D9F3B)) & mask
    h ^= h >> np.uint64(16)
    return ((h.astype(np.float64) / 2**31 - 1) * scale).astype(np.float32)


def values(seed, shape, scale=1.0):
    return torch.from_numpy(fill(seed, math.prod(shape), scale)).reshape(shape)


def seed_of(name):
    seed = 0
    for letter in name.lower().replace(".", "").replace("_", ""):
        seed = (seed * 31 + ord(letter)) % 65521
    return seed


def digest(tensor):
    flat = tensor.detach().reshape(-1).to(torch.float64)
    places = (torch.arange(32) * 7919 + 13) % flat.numel()
    return [flat.square().mean().sqrt().item(), *flat[places].tolist()]


def without_graph(run):
    def guarded():
        with torch.no_grad():
            return [run()]

    return guarded


def one_pass(mode, x, f):
    if mode == "forward":
        return without_graph(lambda: f(x))
    x.requires_grad_()
    grad_output = values(9, f(x).shape)

    def run():
        y = f(x)
        return [y, *torch.autograd.grad(y, x, grad_output)]

    return run


def conv(c):
    size = (c["size"] + 2 * c["padding"] - c["kernel"]) // c["stride"] + 1
    x = values(1, (c["batch"], c["inChannels"], c["size"], c["size"]))
    w = values(2, (c["outChannels"], c["inChannels"] // c["groups"], c["kernel"], c["kernel"]))
    y = values(3, (c["batch"], c["outChannels"], size, size))
    s, p, g = c["stride"], c["padding"], c["groups"]
    if c["pass"] == "forward":
        return without_graph(lambda: F.conv2d(x, w, None, s, p, 1, g))
    which = 0 if c["pass"] == "inputGrad" else 1
    return without_graph(lambda: convolution_backward(y, x, w, s, p, 1, g, which))


def convolution_backward(y, x, w, stride, padding, dilation, groups, which):
    pair = lambda n: [n, n]
    return torch.ops.aten.convolution_backward(
        y, x, w, None, pair(stride), pair(padding), pair(dilation), False, [0, 0], groups, [which == 0, which == 1, False]
    )[which]


def conv_transpose(c):
    s, p, op, d, g = c["stride"], c["padding"], c["outputPadding"], c["dilation"], c["groups"]
    size = (c["size"] - 1) * s - 2 * p + d * (c["kernel"] - 1) + op + 1
    x = values(1, (c["batch"], c["inChannels"], c["size"], c["size"]))
    w = values(2, (c["inChannels"], c["outChannels"] // g, c["kernel"], c["kernel"]))
    gy = values(3, (c["batch"], c["outChannels"], size, size))
    if DECONVOLUTION:
        # The same three maps, each asked for as a part of a convolution, which oneDNN computes.
        forward = lambda: convolution_backward(x, gy, w, s, p, d, g, 0)
        if c["pass"] == "forward":
            return without_graph(forward)

        def run():
            with torch.no_grad():
                return [forward(), F.conv2d(gy, w, None, s, p, d, g), convolution_backward(x, gy, w, s, p, d, g, 1)]

        return run
    forward = lambda: F.conv_transpose2d(x, w, None, s, p, op, g, d)
    if c["pass"] == "forward":
        return without_graph(forward)
    x.requires_grad_()
    w.requires_grad_()

    def run():
        y = forward()
        return [y, *torch.autograd.grad(y, [x, w], gy)]

    return run


def elementwise(c):
    op, shape = c["op"], (c["rows"], c["columns"])
    a = values(1, shape) + 1.5 if op == "log" else values(1, shape, 4.0)
    b = values(2, shape[1:] if op == "addRow" else shape)
    if op in ("add", "addRow"):
        return without_graph(lambda: a + b)
    if op == "mul":
        return without_graph(lambda: a * b)
    f = {"relu": torch.relu, "exp": torch.exp, "log": torch.log, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "gelu": F.gelu}[op]
    return without_graph(lambda: f(a))


def reduction(c):
    x = values(1, (c["rows"], c["columns"]))
    return without_graph(
        {
            "sumAll": lambda: x.sum(),
            "sumRows": lambda: x.sum(0),
            "sumColumns": lambda: x.sum(1),
            "maxColumns": lambda: x.amax(1),
        }[c["op"]]
    )


def rows(c):
    n = c["columns"]
    x = values(1, (c["rows"], n))
    if c["op"] == "softmax":
        return one_pass(c["pass"], x, lambda a: torch.softmax(a, 1))
    weight, bias = values(2, (n,)), values(3, (n,))
    return one_pass(c["pass"], x, lambda a: F.layer_norm(a, (n,), weight, bias))


def images(c):
    x = values(1, (c["batch"], c["channels"], c["size"], c["size"]))
    if c["op"] == "maxPool":
        return one_pass(c["pass"], x, lambda a: F.max_pool2d(a, 2))
    if c["op"] == "avgPool":
        return one_pass(c["pass"], x, lambda a: F.avg_pool2d(a, 2))
    weight, bias = values(2, (c["channels"],)), values(3, (c["channels"],))
    return one_pass(c["pass"], x, lambda a: F.batch_norm(a, None, None, weight, bias, True))


def chain(c):
    start, w, grad_output = values(1, (8,)).requires_grad_(), values(2, (8,)), torch.ones(8)
    length, multiply = c["length"], c["op"] == "mul"

    def run():
        x = start
        if multiply:
            for _ in range(length):
                x = torch.mul(x, w)
        else:
            for _ in range(length):
                x = torch.add(x, w)
        start.grad = None
        x.backward(grad_output)
        return [x, start.grad]

    return run


def up(i, o):
    return nn.ConvTranspose2d(i, o, 4, stride=2, padding=1, bias=False)


def model_of(name):
    """The model, the shapes of input and (for a regression) target, and the number of classes."""
    if name == "tinyMlp":
        return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)), (4, 8), 4
    if name == "mlp":
        return (
            nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10)),
            (128, 784),
            10,
        )
    if name == "lenet":
        return (
            nn.Sequential(
                nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
                nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
            ),
            (64, 1, 28, 28),
            10,
        )
    if name == "decoder":
        return (
            nn.Sequential(
                nn.ConvTranspose2d(100, 256, 4, bias=False), nn.BatchNorm2d(256), nn.ReLU(),
                up(256, 128), nn.BatchNorm2d(128), nn.ReLU(),
                up(128, 64), nn.BatchNorm2d(64), nn.ReLU(),
                up(64, 3), nn.Tanh(),
            ),
            (32, 100, 1, 1),
            (32, 3, 32, 32),
        )
    layer = nn.TransformerEncoderLayer(128, 4, dim_feedforward=512, dropout=0.0, batch_first=True)
    return layer, (16, 64, 128), (16, 64, 128)


def train(c):
    model, input_shape, target_spec = model_of(c["model"])
    with torch.no_grad():
        for name, p in model.named_parameters():
            count = p.numel()
            if name.lower().endswith("bias"):
                p.zero_()
            elif count == p.shape[0]:
                p.fill_(1)
            else:
                p.copy_(values(seed_of(name), p.shape, math.sqrt(p.shape[0] / count)))
    x = values(1, input_shape)
    if isinstance(target_spec, int):
        target = torch.arange(input_shape[0]) % target_spec
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        loss_of = lambda: F.cross_entropy(model(x), target)
    else:
        target = values(2, target_spec)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
        loss_of = lambda: F.mse_loss(model(x), target)

    def step():
        loss = loss_of()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss

    return step, lambda: [torch.stack([step().detach() for _ in range(3)])]


BUILDERS = {
    "conv": conv,
    "convTranspose": conv_transpose,
    "elementwise": elementwise,
    "reduce": reduction,
    "rows": rows,
    "images": images,
    "chain": chain,
}


def prepare(spec):
    """What to run, and what to compare."""
    if spec["kind"] == "train":
        return train(spec)
    if spec["kind"] == "matmul":
        a, b = values(1, (spec["m"], spec["k"])), values(2, (spec["k"], spec["n"]))
        run = without_graph(lambda: a @ b)
    else:
        run = BUILDERS[spec["kind"]](spec)
    return run, run


def main():
    torch.set_num_threads(int(sys.argv[1]))
    run = None
    for line in sys.stdin:
        command = json.loads(line)
        answer = {}
        try:
            if command["do"] == "describe":
                answer = {"description": f"PyTorch {torch.__version__}, Python {sys.version.split()[0]}"}
            elif command["do"] == "prepare":
                spec = command["spec"]
                if DECONVOLUTION and spec["kind"] != "convTranspose":
                    answer = {"unsupported": True}
                else:
                    run, results = prepare(spec)
                    answer = {"digests": [digest(t) for t in results()]}
            elif command["do"] == "time":
                runs = command["runs"]
                start = time.perf_counter()
                for _ in range(runs):
                    run()
                answer = {"milliseconds": (time.perf_counter() - start) * 1e3}
            else:
                run = None
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print("@" + json.dumps(answer), flush=True)


main()
