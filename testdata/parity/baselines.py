"""The baselines of the paper's tables as PyTorch modules, written apart from the Go code: for the fixtures in reduced width, and in full for counts.

    python3 testdata/parity/baselines.py

prints the parameters and multiply-adds of the full nets, on the meta device, for internal/blocks/testdata/baselines.yaml. The names of their parts are the Go code's;
where torchvision has the net, those are torchvision's.
"""

import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    """A net that records how near its rectifiers come to their kink, and gives logits and, in training, those of auxiliary classifiers."""

    def __init__(self):
        super().__init__()
        self.margin = float("inf")

    def relu(self, x):
        if not x.is_meta:
            self.margin = min(self.margin, x.abs().min().item())
        return F.relu(x)

    def slope(self, layer, x):
        if not x.is_meta:
            self.margin = min(self.margin, x.abs().min().item())
        return layer(x)

    def sequential(self, modules, x):
        for m in modules:
            x = self.relu(x) if isinstance(m, nn.ReLU) else self.slope(m, x) if isinstance(m, nn.PReLU) else m(x)
        return x


class VGG(Net):
    def __init__(self, column, hidden, norm, size, classes=10, cin=3):
        super().__init__()
        layers = []
        for stage in column:
            for width in stage:
                layers.append(nn.Conv2d(cin, width, 3, padding=1))
                layers += [nn.BatchNorm2d(width)] if norm else []
                layers.append(nn.ReLU())
                cin = width
            layers.append(nn.MaxPool2d(2, 2))
            size //= 2
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Linear(cin * size * size, hidden), nn.ReLU(), nn.Identity(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Identity(),
                                        nn.Linear(hidden, classes))

    def forward(self, x):
        x = self.sequential(self.features, x)
        return self.sequential(self.classifier, x.flatten(1)), []


class PReLUNet(Net):
    def __init__(self, stem, widths, depth, hidden, levels, classes=10):
        super().__init__()
        self.levels = levels
        layers, cin = [nn.Conv2d(3, stem, 7, 2, 3), nn.PReLU(stem)], stem
        for width in widths:
            layers.append(nn.MaxPool2d(2, 2))
            for _ in range(depth):
                layers += [nn.Conv2d(cin, width, 3, padding=1), nn.PReLU(width)]
                cin = width
        self.features = nn.Sequential(*layers)
        bins = cin * sum(n * n for n in levels)
        self.classifier = nn.Sequential(nn.Linear(bins, hidden), nn.PReLU(hidden), nn.Identity(), nn.Linear(hidden, hidden), nn.PReLU(hidden), nn.Identity(),
                                        nn.Linear(hidden, classes))

    def forward(self, x):
        x = self.sequential(self.features, x)
        side = x.shape[2]
        rows = [F.max_pool2d(x, -(-side // n), side // n).flatten(1) for n in self.levels]
        return self.sequential(self.classifier, torch.cat(rows, 1)), []


class Biased(nn.Conv2d):
    """A convolution with biases and ReLU."""

    def __init__(self, net, cin, out, kernel, stride=1):
        super().__init__(cin, out, kernel, stride, kernel // 2)
        object.__setattr__(self, "net", net)

    def forward(self, x):
        return self.net.relu(super().forward(x))


class Normed(nn.Module):
    """A convolution with batch normalisation and ReLU."""

    def __init__(self, net, cin, out, kernel, stride=1, eps=1e-5):
        super().__init__()
        object.__setattr__(self, "net", net)
        self.conv = nn.Conv2d(cin, out, kernel, stride, kernel // 2, bias=False)
        self.bn = nn.BatchNorm2d(out, eps=eps)

    def forward(self, x):
        return self.net.relu(self.bn(self.conv(x)))


class Same(nn.Conv2d):
    """A convolution with TensorFlow's padding: ceil(size / stride) outputs, the odd zero at the end."""

    def forward(self, x):
        pads = []
        for size in (x.shape[3], x.shape[2]):
            zeros = max((-(-size // self.stride[0]) - 1) * self.stride[0] + self.kernel_size[0] - size, 0)
            pads += [zeros // 2, zeros - zeros // 2]
        return super().forward(F.pad(x, pads))


class SlimBiased(Same):
    """A convolution with biases and ReLU, as TF-slim begins."""

    def __init__(self, net, cin, out, kernel, stride=1):
        super().__init__(cin, out, kernel, stride)
        object.__setattr__(self, "net", net)

    def forward(self, x):
        return self.net.relu(super().forward(x))


class SlimNormed(Normed):
    """Normed as in TF-slim."""

    def __init__(self, net, cin, out, kernel, stride=1, eps=1e-3):
        super().__init__(net, cin, out, kernel, stride, eps)
        self.conv = Same(cin, out, kernel, stride, bias=False)


class Module(nn.Module):
    """Branches joined along their channels; each is a list of (unit arguments) or pooling functions."""

    def __init__(self, unit, net, cin, branches):
        super().__init__()
        self.plan = []
        for number, branch in branches.items():
            parts, c = [], cin
            for part in branch:
                if callable(part):
                    parts.append(part)
                else:
                    parts.append(unit(net, c, *part))
                    c = part[0]
            modules = nn.Sequential(*[p if isinstance(p, nn.Module) else nn.Identity() for p in parts])
            setattr(self, f"branch{number}", modules if len(parts) > 1 or not isinstance(parts[0], nn.Module) else parts[0])
            self.plan.append(parts)
        self.cout = sum(next((p[0] for p in reversed(b) if not callable(p)), cin) for b in branches.values())

    def forward(self, x):
        outs = []
        for parts in self.plan:
            y = x
            for p in parts:
                y = p(y)
            outs.append(y)
        return torch.cat(outs, 1)


def pool3(x):
    return F.max_pool2d(x, 3, 1, 1)


def avg3(x):
    return F.avg_pool2d(x, 3, 1, 1)


def avg3_slim(x):
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)


def halve(x):
    return F.max_pool2d(x, 3, 2, ceil_mode=True)


def inception(five, n1, r3, n3, r5, n5, proj):
    return {1: [(n1, 1)], 2: [(r3, 1), (n3, 3)], 3: [(r5, 1), (n5, five)], 4: [pool3, (proj, 1)]}


def inception_bn(n1, r3, n3, rd, nd, pool, proj):
    return {1: [(n1, 1)], 2: [(r3, 1), (n3, 3)], 3: [(rd, 1), (nd, 3), (nd, 3)], 4: [pool, (proj, 1)]}


def halving_bn(r3, n3, rd, nd):
    return {2: [(r3, 1), (n3, 3, 2)], 3: [(rd, 1), (nd, 3), (nd, 3, 2)], 4: [halve]}


class Classifier(nn.Module):
    """An auxiliary classifier."""

    def __init__(self, unit, net, cin, side, filters, hidden, classes):
        super().__init__()
        object.__setattr__(self, "net", net)
        self.conv = unit(net, cin, filters, 1)
        out = (side - 5) // 3 + 1
        self.fc1, self.fc2 = nn.Linear(filters * out * out, hidden), nn.Linear(hidden, classes)

    def forward(self, x):
        x = self.conv(F.avg_pool2d(x, 5, 3)).flatten(1)
        return self.fc2(self.net.relu(self.fc1(x)))


class Inception(Net):
    """plan: ("unit" or "biased", name, out, kernel, stride), ("module", name, branches), ("aux", name, side, filters, hidden), or functions."""

    def __init__(self, unit, plan, classes=10):
        super().__init__()
        self.plan, cin = [], 3
        for p in plan:
            if callable(p):
                self.plan.append((None, p))
                continue
            kind, name, *rest = p
            if kind in ("unit", "biased"):
                m, cout = (unit if kind == "unit" else SlimBiased)(self, cin, *rest), rest[0]
            elif kind == "module":
                m = Module(unit, self, cin, rest[0])
                cout = m.cout
            else:
                m, cout = Classifier(unit, self, cin, *rest, classes), cin
            setattr(self, name, m)
            self.plan.append((kind, m))
            cin = cout
        self.fc = nn.Linear(cin, classes)

    def forward(self, x):
        on_the_way = []
        for kind, m in self.plan:
            if kind == "aux":
                if self.training:
                    on_the_way.append((0.3, m(x)))
            else:
                x = m(x)
        return self.fc(x.mean((2, 3))), on_the_way


def lrn(x):
    return F.local_response_norm(x, 5, 1e-4, 0.75, 1.0)


# ------------------------------------------------------------------------------------------------- the rows of table.go for the fixtures

def tiny(name):
    if name == "tiny-vgg":
        return VGG([[5], [7, 6]], 11, False, 14)
    if name == "tiny-vggbn":
        return VGG([[5, 5], [6]], 11, True, 12)
    if name == "tiny-prelu-net":
        return PReLUNet(4, [6, 7], 2, 9, [3, 2, 1])
    if name == "tiny-googlenet":
        return Inception(Biased, [("unit", "conv1", 6, 7, 2), halve, lrn, ("module", "inception3a", inception(5, 4, 3, 5, 2, 3, 2)), ("aux", "aux1", 10, 5, 9),
                                  halve, ("module", "inception4a", inception(5, 3, 3, 4, 2, 3, 2))])
    if name == "tiny-googlenet-bn":
        return Inception(Normed, [("unit", "conv1", 6, 3, 1), halve, ("module", "inception3a", inception(3, 4, 3, 5, 2, 3, 2)), ("aux", "aux1", 10, 5, 9),
                                  lambda x: F.max_pool2d(x, 2, 2, ceil_mode=True), ("module", "inception4a", inception(3, 3, 3, 4, 2, 3, 2))])
    if name == "tiny-bn-inception":
        return Inception(Normed, [("unit", "conv1", 6, 3, 2), ("module", "inception3a", inception_bn(4, 3, 5, 2, 3, avg3, 2)),
                                  ("module", "inception3b", halving_bn(3, 5, 2, 4)), ("module", "inception4a", inception_bn(3, 3, 4, 2, 3, pool3, 2))])
    if name == "tiny-slim":
        return Inception(lambda net, *a: SlimNormed(net, *a, *[1] * (4 - len(a)), 1e-5), [
            ("biased", "conv1", 6, 7, 2), halve, ("module", "inception3a", inception_bn(4, 3, 5, 2, 3, avg3_slim, 2)),
            ("module", "inception3c", halving_bn(3, 5, 2, 4)), ("module", "inception4a", inception_bn(3, 3, 4, 2, 3, pool3, 2))])
    raise KeyError(name)


# ------------------------------------------------------------------------------------------------- the nets in full

def googlenet(unit, five, norm):
    m = lambda name, *c: ("module", "inception" + name, inception(five, *c))  # noqa: E731
    last = (lambda x: F.max_pool2d(x, 2, 2, ceil_mode=True)) if norm is None else halve
    between = [] if norm is None else [norm]
    return Inception(unit, [
        ("unit", "conv1", 64, 7, 2), halve, *between, ("unit", "conv2", 64, 1), ("unit", "conv3", 192, 3), *between, halve,
        m("3a", 64, 96, 128, 16, 32, 32), m("3b", 128, 128, 192, 32, 96, 64), halve,
        m("4a", 192, 96, 208, 16, 48, 64), ("aux", "aux1", 14, 128, 1024), m("4b", 160, 112, 224, 24, 64, 64), m("4c", 128, 128, 256, 24, 64, 64),
        m("4d", 112, 144, 288, 32, 64, 64), ("aux", "aux2", 14, 128, 1024), m("4e", 256, 160, 320, 32, 128, 128), last,
        m("5a", 256, 160, 320, 32, 128, 128), m("5b", 384, 192, 384, 48, 128, 128)], 1000)


def bn_inception(unit=Normed, avg3=avg3, proj=128, first="unit"):
    m = lambda name, *c: ("module", "inception" + name, inception_bn(*c))  # noqa: E731
    h = lambda name, *c: ("module", "inception" + name, halving_bn(*c))  # noqa: E731
    return Inception(unit, [
        (first, "conv1", 64, 7, 2), halve, ("unit", "conv2", 64, 1), ("unit", "conv3", 192, 3), halve,
        m("3a", 64, 64, 64, 64, 96, avg3, 32), m("3b", 64, 64, 96, 64, 96, avg3, 64), h("3c", 128, 160, 64, 96),
        m("4a", 224, 64, 96, 96, 128, avg3, 128), m("4b", 192, 96, 128, 96, 128, avg3, 128), m("4c", 160, 128, 160, 128, 160, avg3, proj),
        m("4d", 96, 128, 192, 160, 192, avg3, proj), h("4e", 128, 192, 192, 256),
        m("5a", 352, 192, 320, 160, 224, avg3, 128), m("5b", 352, 192, 320, 192, 224, pool3, 128)], 1000)


VGG_D = [[64] * 2, [128] * 2, [256] * 3, [512] * 3, [512] * 3]
VGG_E = [[64] * 2, [128] * 2, [256] * 4, [512] * 4, [512] * 4]
FULL = {
    "vgg16": lambda: VGG(VGG_D, 4096, False, 224, 1000), "vgg16bn": lambda: VGG(VGG_D, 4096, True, 224, 1000),
    "vgg19": lambda: VGG(VGG_E, 4096, False, 224, 1000), "vgg19bn": lambda: VGG(VGG_E, 4096, True, 224, 1000),
    "googlenet": lambda: googlenet(Biased, 5, lrn), "googlenet-bn": lambda: googlenet(Normed, 3, None), "bn-inception": bn_inception,
    "bn-inception-slim": lambda: bn_inception(SlimNormed, avg3_slim, 96, "biased"),
    "prelu-net-a": lambda: PReLUNet(96, [256, 512, 512], 5, 4096, [7, 3, 2, 1], 1000),
    "prelu-net-b": lambda: PReLUNet(96, [256, 512, 512], 6, 4096, [7, 3, 2, 1], 1000),
    "prelu-net-c": lambda: PReLUNet(96, [384, 768, 896], 6, 4096, [7, 3, 2, 1], 1000),
}


def counts(net):
    """Trainable values, and multiply-adds of convolutions and fully connected layers in evaluation of one image, measured as it runs."""
    macs = 0

    def count(layer, _, out):
        nonlocal macs
        macs += layer.weight.numel() * (out.shape[2] * out.shape[3] if out.dim() == 4 else 1)

    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(count)
    net.eval()
    out = net(torch.empty(1, 3, 224, 224, device="meta"))
    assert tuple((out[0] if isinstance(out, tuple) else out).shape) == (1, 1000)
    return sum(p.numel() for p in net.parameters()), macs


def main():
    import torchvision
    for name, make in FULL.items():
        with torch.device("meta"):
            params, macs = counts(make())
        print(f"{name}: {{params: {params}, macs: {macs}}}")
    for name in ("vgg16", "vgg16_bn", "vgg19", "vgg19_bn", "googlenet", "resnet50"):
        with torch.device("meta"):
            extra = {"aux_logits": True, "init_weights": False} if name == "googlenet" else {}
            params, macs = counts(getattr(torchvision.models, name)(**extra))
        print(f"# torchvision's {name}: {{params: {params}, macs: {macs}}}")


if __name__ == "__main__":
    main()
