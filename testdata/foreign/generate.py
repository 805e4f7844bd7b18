"""Writes small networks in the formats of Caffe, TF-slim and pretrained-models, and what PyTorch computes of them.

    python testdata/foreign/generate.py     (torch and h5py from PyPI)

The forward passes are written out here from each program's own description, in float64, apart from the Go code: Caffe's layers one by one (a convolution with its
bias, BatchNorm whose mean and variance a third number divides, Scale, poolings that round up), blue, green and red less a mean image; the published BN-Inception
in PyTorch, whose convolutions have biases; TF-slim with its padding, averages without zeros and a separable first convolution. Protocol buffers are written byte
by byte. reference.safetensors has the images, bytes of red, green and blue, and the logits.
"""
import json
import pathlib
import struct

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
EPS = 1e-5


# ------------------------------------------------------------------------------------------------- protocol buffers

def varint(n):
    out = bytearray()
    while n > 0x7f:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def field(number, value, kind=None):
    """A field of a message: bytes and text with their length, whole numbers as varints, floats in four bytes."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if kind == "float":
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3) + varint(value)


def blob(t, form="packed"):
    """A BlobProto: packed floats with a shape, floats one by one, doubles, or with the four dimensions of old files."""
    values = t.flatten().tolist()
    if form == "unpacked":
        data = b"".join(field(5, v, "float") for v in values)
    elif form == "double":
        data = field(8, struct.pack(f"<{len(values)}d", *values))
    else:
        data = field(5, struct.pack(f"<{len(values)}f", *values))
    if form == "old":
        dims = [1] * (4 - t.dim()) + list(t.shape)
        return b"".join(field(i + 1, d) for i, d in enumerate(dims)) + data
    return data + field(7, field(1, b"".join(varint(d) for d in t.shape)))


def layer(name, kind, bottom, top, blobs=(), params=b""):
    """A LayerParameter."""
    body = field(1, name) + field(2, kind) + field(3, bottom) + field(4, top)
    return field(100, body + b"".join(field(7, b) for b in blobs) + params)


def old_layer(name, kind, bottom, top, blobs=(), params=b""):
    """A V1LayerParameter."""
    body = field(2, bottom) + field(3, top) + field(4, name) + field(5, kind)
    return field(2, body + b"".join(field(6, b) for b in blobs) + params)


def conv_param(out, kernel, stride, pad, bias):
    return field(1, out) + field(2, int(bias)) + field(3, pad) + field(4, kernel) + field(6, stride)


# ------------------------------------------------------------------------------------------------- files

def write_safetensors(path, tensors):
    header, data = {}, bytearray()
    for name, t in tensors.items():
        raw = struct.pack(f"<{t.numel()}f", *t.flatten().tolist())
        header[name] = {"dtype": "F32", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


class Values:
    """Random parameters that float32 holds, as float64."""

    def __init__(self, seed):
        self.g = torch.Generator().manual_seed(seed)

    def normal(self, *shape, scale=1.0):
        return (torch.randn(*shape, generator=self.g) * scale).double()

    def weights(self, k, *rest):
        fan = 1
        for d in rest:
            fan *= d
        return self.normal(k, *rest, scale=(2 / fan) ** 0.5).float().double()

    def positive(self, *shape):
        return (torch.rand(*shape, generator=self.g) + 0.5).double()

    def images(self, n, size):
        return torch.randint(0, 256, (n, 3, size, size), generator=self.g).double()


# ------------------------------------------------------------------------------------------------- Caffe

class Caffe:
    """Draws a network of the present form on x, and writes its layers."""

    def __init__(self, values):
        self.v, self.file, self.forms = values, [field(1, "tiny")], iter(range(10 ** 6))

    def form(self):
        return ("packed", "unpacked", "double", "old")[next(self.forms) % 4]

    def conv(self, x, name, bottom, k, kernel, stride, pad, bias=False):
        w = self.v.weights(k, x.shape[1], kernel, kernel)
        b = self.v.normal(k, scale=0.3) if bias else None
        blobs = [blob(w, self.form())] + ([blob(b)] if bias else [])
        self.file.append(layer(name, "Convolution", bottom, name, blobs, field(106, conv_param(k, kernel, stride, pad, bias))))
        return F.conv2d(x, w, b, stride, pad)

    def norm(self, x, suffix, top, factor=999.5):
        """BatchNorm and Scale, in place."""
        c = x.shape[1]
        mean, var = self.v.normal(c, scale=0.4), self.v.positive(c)
        gamma, beta = self.v.positive(c), self.v.normal(c, scale=0.2)
        if suffix.endswith("2c"):  # keeps the sum of many blocks in range
            gamma = (gamma / 5).float().double()
        sums = [(mean * factor).float().double(), (var * factor).float().double()]
        self.file.append(layer("bn" + suffix, "BatchNorm", top, top, [blob(sums[0]), blob(sums[1], self.form()), blob(torch.tensor([factor]).double())],
                               field(139, field(1, 1))))
        self.file.append(layer("scale" + suffix, "Scale", top, top, [blob(gamma), blob(beta)], field(142, field(4, 1))))
        x = (x - (sums[0] / factor)[:, None, None]) / torch.sqrt((sums[1] / factor)[:, None, None] + EPS)
        return x * gamma[:, None, None] + beta[:, None, None]

    def relu(self, x, top):
        self.file.append(layer(top + "_relu", "ReLU", top, top))
        return F.relu(x)

    def block(self, x, bottom, name, width, stride, project):
        r = "res" + name
        shortcut = x
        if project:
            shortcut = self.norm(self.conv(x, r + "_branch1", bottom, 4 * width, 1, stride, 0), name + "_branch1", r + "_branch1")
        y = x
        for i, (k, kernel, s, pad) in enumerate([(width, 1, stride, 0), (width, 3, 1, 1), (4 * width, 1, 1, 0)]):
            top = f"{r}_branch2{'abc'[i]}"
            y = self.norm(self.conv(y, top, bottom if i == 0 else f"{r}_branch2{'abc'[i - 1]}", k, kernel, s, pad), f"{name}_branch2{'abc'[i]}", top)
            y = self.relu(y, top) if i < 2 else y
        self.file.append(layer(r, "Eltwise", r + "_branch2c", r))
        return self.relu(shortcut + y, r)


def mean_image(v, size):
    return 110 + v.normal(3, size, size, scale=12.0).float().double()


def residual(images, mean, widths, depths, classes=10):
    """A network with the names, stem and strides of the authors' ResNet-50, whose first convolution has a bias: a file and the logits of images."""
    net = Caffe(Values(2))
    v = net.v
    x = images.flip(1) - mean  # blue, green, red
    k = widths[0]
    w = (v.weights(k, 3, 7, 7) / 60).float().double()  # keeps values from 0 to 255 in the range that the rest expects
    b = v.normal(k, scale=0.3)
    net.file.append(layer("conv1", "Convolution", "data", "conv1", [blob(w), blob(b)], field(106, conv_param(k, 7, 2, 3, True))))
    x = net.relu(net.norm(F.conv2d(x, w, b, 2, 3), "_conv1", "conv1"), "conv1")
    net.file.append(layer("pool1", "Pooling", "conv1", "pool1", (), field(121, field(1, 0) + field(2, 3) + field(3, 2))))
    x, bottom = F.max_pool2d(x, 3, 2, ceil_mode=True), "pool1"
    for s, (width, depth) in enumerate(zip(widths, depths)):
        for j in range(depth):
            name = f"{s + 2}{chr(ord('a') + j)}"
            x = net.block(x, bottom, name, width, 2 if s > 0 and j == 0 else 1, j == 0)
            bottom = "res" + name
    net.file.append(layer("pool5", "Pooling", bottom, "pool5", (), field(121, field(1, 1) + field(12, 1))))
    x = x.mean((2, 3))
    w, b = v.weights(classes, x.shape[1]), v.normal(classes)
    net.file.append(layer("fc1000", "InnerProduct", "pool5", "fc1000", [blob(w), blob(b)], field(117, field(1, classes))))
    return b"".join(net.file), x @ w.T + b


def caffe_vgg(reference):
    """The row tiny-vgg, in the first form of layers."""
    v = Values(3)
    images = v.images(2, 14)
    x = images.flip(1) - torch.tensor([103.939, 116.779, 123.68]).double()[:, None, None]
    file, bottom, cin = [field(1, "vgg")], "data", 3
    for s, stage in enumerate([[5], [7, 6]]):
        for i, k in enumerate(stage):
            name = f"conv{s + 1}_{i + 1}"
            w, b = v.weights(k, cin, 3, 3) * (1 / 60 if bottom == "data" else 1), v.normal(k, scale=0.3)
            w = w.float().double()
            file.append(old_layer(name, 4, bottom, name, [blob(w, "old"), blob(b, "old")], field(10, field(1, k) + field(3, 1) + field(4, 3))))
            file.append(old_layer("relu" + name[4:], 18, name, name))
            x, bottom, cin = F.relu(F.conv2d(x, w, b, 1, 1)), name, k
        file.append(old_layer(f"pool{s + 1}", 17, bottom, f"pool{s + 1}", (), field(19, field(1, 0) + field(2, 2) + field(3, 2) + field(13, 1))))
        x, bottom = F.max_pool2d(x, 2, 2), f"pool{s + 1}"  # rounded down, which Caffe does where it is told to
    x = x.flatten(1)
    for name, k in (("fc6", 11), ("fc7", 11), ("fc8", 10)):
        w, b = v.weights(k, x.shape[1]), v.normal(k, scale=0.3)
        file.append(old_layer(name, 14, bottom, name, [blob(w, "old"), blob(b, "old")], field(17, field(1, k))))
        x, bottom = x @ w.T + b, name
        if name != "fc8":
            file.append(old_layer("relu" + name[2:], 18, name, name))
            x = F.relu(x)
    (HERE / "vgg.caffemodel").write_bytes(b"".join(file))
    reference |= {"vgg.images": images, "vgg.logits": x}


# ------------------------------------------------------------------------------------------------- BN-Inception in PyTorch

# Modules of Figure 5: the columns 1x1, 3x3 reduce, 3x3, double 3x3 reduce, double 3x3, pooling and its projection; or, of one that halves the map, 3x3 reduce, 3x3,
# double 3x3 reduce, double 3x3. PROJ stands for 128, and 96 at Google.
TINY = [("3a", 4, 3, 5, 2, 3, "avg", 2), ("3b", 3, 5, 2, 4), ("4a", 3, 3, 4, 2, 3, "max", 2)]
PROJ = None
FULL = [("3a", 64, 64, 64, 64, 96, "avg", 32), ("3b", 64, 64, 96, 64, 96, "avg", 64), ("3c", 128, 160, 64, 96),
        ("4a", 224, 64, 96, 96, 128, "avg", 128), ("4b", 192, 96, 128, 96, 128, "avg", 128), ("4c", 160, 128, 160, 128, 160, "avg", PROJ),
        ("4d", 96, 128, 192, 160, 192, "avg", PROJ), ("4e", 128, 192, 192, 256),
        ("5a", 352, 192, 320, 160, 224, "avg", 128), ("5b", 352, 192, 320, 192, 224, "max", 128)]


def modules(x, unit, avg, names, plan, proj=128):
    """Draws a plan; names gives those of a module's columns."""
    pools = {"avg": avg, "max": lambda x: F.max_pool2d(x, 3, 1, 1)}
    for module, *columns in plan:
        c = names(module, len(columns) == 4)
        halves = 2 if len(columns) == 4 else 1
        r3, n3, rd, nd = columns if halves == 2 else columns[1:5]
        outs = [] if halves == 2 else [unit(x, c["1x1"], columns[0], 1)]
        outs.append(unit(unit(x, c["3x3_reduce"], r3, 1), c["3x3"], n3, 3, halves))
        outs.append(unit(unit(unit(x, c["double_3x3_reduce"], rd, 1), c["double_3x3_1"], nd, 3), c["double_3x3_2"], nd, 3, halves))
        if halves == 2:
            outs.append(F.max_pool2d(x, 3, 2, ceil_mode=True))
        else:
            outs.append(unit(pools[columns[5]](x), c["pool_proj"], columns[6] or proj, 1))
        x = torch.cat(outs, 1)
    return x


def cadene(images, full=False, classes=10):
    """The row tiny-bn-inception, or bn-inception, under the names of pretrained-models, whose input is 0 to 255, blue, green, red, less 104, 117, 128: a state dict
    and the logits of images."""
    v, state = Values(4), {}
    x = images.flip(1) - torch.tensor([104.0, 117.0, 128.0]).double()[:, None, None]

    def unit(x, name, k, kernel, stride=1):
        w = v.weights(k, x.shape[1], kernel, kernel) * (1 / 60 if name.startswith("conv1") else 1)
        w, b = w.float().double(), v.normal(k, scale=0.3)
        mean, var, gamma, beta = v.normal(k, scale=0.4), v.positive(k), v.positive(k), v.normal(k, scale=0.2)
        state.update({name + ".weight": w, name + ".bias": b, name + "_bn.weight": gamma, name + "_bn.bias": beta,
                      name + "_bn.running_mean": mean, name + "_bn.running_var": var})
        return F.relu(F.batch_norm(F.conv2d(x, w, b, stride, kernel // 2), mean, var, gamma, beta, eps=EPS))

    def names(module, _):
        return {c: f"inception_{module}_{c}" for c in ("1x1", "3x3_reduce", "3x3", "double_3x3_reduce", "double_3x3_1", "double_3x3_2", "pool_proj")}

    if full:
        x = F.max_pool2d(unit(x, "conv1_7x7_s2", 64, 7, 2), 3, 2, ceil_mode=True)
        x = F.max_pool2d(unit(unit(x, "conv2_3x3_reduce", 64, 1), "conv2_3x3", 192, 3), 3, 2, ceil_mode=True)
    else:
        x = unit(x, "conv1_7x7_s2", 6, 3, 2)
    x = modules(x, unit, lambda x: F.avg_pool2d(x, 3, 1, 1), names, FULL if full else TINY).mean((2, 3))
    w, b = v.weights(classes, x.shape[1]), v.normal(classes)
    state |= {"last_linear.weight": w, "last_linear.bias": b}
    return state, x @ w.T + b


# ------------------------------------------------------------------------------------------------- TF-slim

def same(x, kernel, stride):
    """TensorFlow's padding SAME."""
    pads = []
    for size in (x.shape[3], x.shape[2]):
        zeros = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [zeros // 2, zeros - zeros // 2]
    return F.pad(x, pads)


def slim(images, normalised=False, full=False, classes=10):
    """The row tiny-slim, or bn-inception-slim, under TF-slim's names, weights [R, S, C, K]: a dictionary and the logits of images. normalised puts a normalisation
    behind the separable convolution too."""
    v, state = Values(5), {}
    x = images / 127.5 - 1
    root = "InceptionV2/"

    def norm(x, name):
        k = x.shape[1]
        mean, var, beta = v.normal(k, scale=0.4), v.positive(k), v.normal(k, scale=0.2)
        state.update({name + "/BatchNorm/beta": beta, name + "/BatchNorm/moving_mean": mean, name + "/BatchNorm/moving_variance": var})
        return F.relu(F.batch_norm(x, mean, var, None, beta, eps=0.001))

    def unit(x, name, k, kernel, stride=1):
        w = v.weights(k, x.shape[1], kernel, kernel)
        state[root + name + "/weights"] = w.permute(2, 3, 1, 0)
        return norm(F.conv2d(same(x, kernel, stride), w, None, stride), root + name)

    def names(module, halves):
        theirs = {"3a": "3b", "3b": "3c", "3c": "4a", "4a": "4b", "4b": "4c", "4c": "4d", "4d": "4e", "4e": "5a", "5a": "5b", "5b": "5c"}
        m = f"Mixed_{theirs[module]}/"
        if halves:
            c = {"3x3_reduce": "Branch_0/Conv2d_0a_1x1", "3x3": "Branch_0/Conv2d_1a_3x3", "double_3x3_reduce": "Branch_1/Conv2d_0a_1x1",
                 "double_3x3_1": "Branch_1/Conv2d_0b_3x3", "double_3x3_2": "Branch_1/Conv2d_1a_3x3"}
        else:
            c = {"1x1": "Branch_0/Conv2d_0a_1x1", "3x3_reduce": "Branch_1/Conv2d_0a_1x1", "3x3": "Branch_1/Conv2d_0b_3x3",
                 "double_3x3_reduce": "Branch_2/Conv2d_0a_1x1", "double_3x3_1": "Branch_2/Conv2d_0b_3x3", "double_3x3_2": "Branch_2/Conv2d_0c_3x3",
                 "pool_proj": "Branch_3/Conv2d_0b_1x1"}
        return {k: m + n for k, n in c.items()}

    first = root + "Conv2d_1a_7x7"
    each, filters = (8, 64) if full else (2, 6)
    depthwise, pointwise = v.weights(3 * each, 1, 7, 7), v.weights(filters, 3 * each, 1, 1)
    state[first + "/depthwise_weights"] = depthwise.reshape(3, each, 7, 7).permute(2, 3, 0, 1)
    state[first + "/pointwise_weights"] = pointwise.permute(2, 3, 1, 0)
    x = F.conv2d(F.conv2d(same(x, 7, 2), depthwise, None, 2, groups=3), pointwise)
    if normalised:
        x = norm(x, first)
    else:
        b = v.normal(filters, scale=0.3)
        state[first + "/biases"] = b
        x = F.relu(x + b[:, None, None])
    x = F.max_pool2d(x, 3, 2, ceil_mode=True)  # SAME on an even size: a column of nothing at the end
    if full:
        x = F.max_pool2d(unit(unit(x, "Conv2d_2b_1x1", 64, 1), "Conv2d_2c_3x3", 192, 3), 3, 2, ceil_mode=True)
    plan = FULL if full else [("3c", *m[1:]) if m[0] == "3b" else m for m in TINY]
    x = modules(x, unit, lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), names, plan, 96).mean((2, 3))
    w, b = v.weights(classes, x.shape[1]), v.normal(classes)
    state |= {root + "Logits/Conv2d_1c_1x1/weights": w[:, :, None, None].permute(2, 3, 1, 0), root + "Logits/Conv2d_1c_1x1/biases": b,
              "global_step": torch.tensor([7.0])}
    return state, x @ w.T + b


# ------------------------------------------------------------------------------------------------- the WRBN's best.nnet

def wrbn(reference, root=False):
    """A small network as Chainer wrote that of the WRBN's authors: HDF5 by h5py, packed by gzip, the gates of a recurrent layer side by side. The forward pass is
    that of their TensorFlow port, for one utterance; with root, normalisation divides by sqrt(var + 1e-10) instead of by the root of var plus 1e-5 or 1e-8."""
    import h5py
    v, state = Values(6), {}
    features, frames, widths, depths, units, dense, classes = 16, 11, [5, 7], [2, 1], 3, 8, 6
    x = v.normal(1, 3, features, frames)
    images = x

    def put(name, t):
        state[name] = t.float().double()
        return state[name]

    def norm(x, name, axes, eps):
        c = x.shape[1]
        gamma, beta = put(name + "/gamma", v.positive(c)), put(name + "/beta", v.normal(c, scale=0.2))
        mean, var = x.mean(axes, keepdim=True), x.var(axes, unbiased=False, keepdim=True)
        shape = (1, c) + (1,) * (x.dim() - 2)
        return gamma.reshape(shape) * (x - mean) / ((var + 1e-10).sqrt() if root else var.sqrt() + eps) + beta.reshape(shape)

    def conv(x, name, k, kernel, stride):
        w = put(name + "/W", v.weights(k, x.shape[1], kernel, kernel))
        return F.conv2d(x, w, None, (stride, 1), kernel // 2)

    def block(x, name, width, stride):
        n = F.elu(norm(x, name + "/bn1", (2, 3), 1e-5))
        ident = conv(n, name + "/conv_ident", width, 1, stride) if x.shape[1] != width else x
        h = F.elu(norm(conv(n, name + "/conv1", width, 3, stride), name + "/bn2", (2, 3), 1e-5))
        return conv(h, name + "/conv2", width, 3, 1) + ident

    def lstm(x, name, reverse):  # x [T, C]
        w_x, w_h = put(name + "/W_x", v.weights(x.shape[1], 4 * units)), put(name + "/W_h", v.weights(units, 4 * units))
        g = norm(x @ w_x, name, (0,), 1e-8)
        g = g.flip(0) if reverse else g
        h = c = torch.zeros(units).double()
        out = []
        for row in g:
            z = row + h @ w_h
            a, i, f, o = z[0::4], z[1::4], z[2::4], z[3::4]
            c = c * torch.sigmoid(f) + torch.sigmoid(i) * torch.tanh(a)
            h = torch.tanh(c) * torch.sigmoid(o)
            out.append(h)
        out = torch.stack(out)
        return out.flip(0) if reverse else out

    x = conv(x, "conv1", 4, 3, 2)
    for s, (width, depth) in enumerate(zip(widths, depths)):
        for j in range(depth):
            x = block(x, f"res{s + 1}/" + ("a" if j == 0 else f"b{j}"), width, 2 if s > 0 and j == 0 else 1)
    x = F.elu(norm(x, "bn", (2, 3), 1e-5))
    w, b = put("pooler/W", v.weights(1, x.shape[2])), put("pooler/b", v.normal(1))
    x = F.elu(torch.einsum("bcft,df->tc", x, w) + b)
    for i in range(2):
        f, r = lstm(x, f"blstm/{i}/lstm_fw", False), lstm(x, f"blstm/{i}/lstm_bw", True)
        x = f + r if i == 0 else torch.cat([f, r], 1)
    x = F.elu(norm(x @ put("classifier/0/W", v.weights(x.shape[1], dense)), "classifier/0", (0,), 1e-8))
    x = x @ put("classifier/1/W", v.weights(dense, classes)) + put("classifier/1/b", v.normal(classes))
    reference |= {"wrbn.features": images, "wrbn-root.logits" if root else "wrbn.logits": x}
    if root:
        return
    with h5py.File(HERE / "best.nnet", "w", track_order=False) as file:
        for name, t in state.items():
            how = {"compression": 4}
            if name == "conv1/W":  # chunks that the edges cut
                how = {"compression": 4, "shuffle": True, "fletcher32": True, "chunks": (3, 2, 2, 2)}
            elif name.startswith("classifier/1"):
                how = {}
            file.create_dataset(name, data=t.float().numpy(), **how)
        file.create_dataset("pdf_counts", data=torch.tensor([5, 4, 3, 2, 1, 7]).numpy())


def main():
    torch.set_num_threads(1)
    reference = {}
    v = Values(1)
    images, mean = v.images(3, 24), mean_image(v, 24)
    (HERE / "mean.binaryproto").write_bytes(blob(mean, "old"))
    file, logits = residual(images, mean, [4, 6], [2, 1])
    (HERE / "residual.caffemodel").write_bytes(file)
    reference |= {"residual.images": images, "residual.logits": logits}
    caffe_vgg(reference)
    for name, images, net in (
            ("pretrained-models", Values(7).images(3, 15), cadene), ("slim", Values(8).images(2, 32), slim),
            ("slim-normalised", Values(9).images(2, 32), lambda x: slim(x, normalised=True))):
        state, logits = net(images)
        write_safetensors(HERE / f"{name}.safetensors", state)
        reference |= {f"{name}.images": images, f"{name}.logits": logits}
    wrbn(reference)
    wrbn(reference, root=True)
    write_safetensors(HERE / "reference.safetensors", reference)


if __name__ == "__main__":
    main()
