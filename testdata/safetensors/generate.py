#!/usr/bin/env python3
"""Writes reference.safetensors with the safetensors library itself: every element type that internal/graph/weights reads.

pip install numpy==2.4.6 safetensors==0.8.0; the tests read the committed file and need neither.
"""
import pathlib

import numpy as np
from safetensors import TensorSpec, serialize

half = np.array([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 6.1e-5, np.inf, -np.inf, np.nan], np.float16)
bf16 = np.array([0x0000, 0x3F80, 0xC020, 0x7F80, 0x0001, 0x4049], np.uint16)  # 0, 1, -2.5, inf, 2^-133, 3.140625
tensors = {
    "layer1.0.conv1.weight": ("float32", np.arange(2 * 3 * 3 * 3, dtype=np.float32).reshape(2, 3, 3, 3) / 7),
    "f64": ("float64", np.array([[1 / 3, -1e300], [2.0**-140, 5.0]], np.float64)),
    "f16": ("float16", half),
    "bf16": ("bfloat16", bf16),
    "bn1.num_batches_tracked": ("int64", np.array(64000, np.int64)),
    "i64": ("int64", np.array([-(2**63), 2**63 - 1, 0], np.int64)),
    "i32": ("int32", np.array([-(2**31), 2**31 - 1, 7], np.int32)),
    "u8": ("uint8", np.array([[0, 255], [1, 128]], np.uint8)),
    "empty": ("float32", np.zeros((0, 4), np.float32)),
}
specs = {
    n: TensorSpec(dtype=t, shape=list(a.shape), data_ptr=a.ctypes.data, data_len=a.nbytes) for n, (t, a) in tensors.items()
}
here = pathlib.Path(__file__).parent
(here / "reference.safetensors").write_bytes(serialize(specs, {"note": 'quote " and \u00fc'}))
