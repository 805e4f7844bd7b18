#!/usr/bin/env python3
"""Makes the fixtures of the Parquet reader: folders as the Hugging Face hub has them.

    pip install pyarrow pillow && python testdata/parquet/generate.py

Image n of a file is a PNG of 6x5 pixels whose red is 10n, green the column times 40, blue the row
times 50; its label is n modulo 3. pyarrow encodes columns with a dictionary by default.
"""
import io
import json
import pathlib

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

HERE = pathlib.Path(__file__).parent


def png(n):
    im = Image.new("RGB", (6, 5))
    im.putdata([(10 * n, 40 * x, 50 * y) for y in range(5) for x in range(6)])
    out = io.BytesIO()
    im.save(out, "PNG")
    return out.getvalue()


def write(name, rows, image="image", label="label", names=("ant", "bee", "cat"), plain=False, **options):
    pictures = [None if n is None else png(n) if plain else {"bytes": png(n), "path": f"{n}.png"} for n, _ in rows]
    kind = pa.binary() if plain else pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns, fields = [pa.array(pictures, kind)], [pa.field(image, kind)]
    if label:
        columns.append(pa.array([k for _, k in rows], pa.int64()))
        fields.append(pa.field(label, pa.int64()))
    meta = {}
    if names:
        meta = {"huggingface": json.dumps({"info": {"features": {image: {"_type": "Image"}, label: {"names": list(names), "_type": "ClassLabel"}}}})}
    path = HERE / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns, schema=pa.schema(fields, metadata=meta)), path, **options)


def rows(start, n):
    return [(i, i % 3) for i in range(start, start + n)]


# Small pages and row groups; both compressions; pages with and without checksums.
small = {"row_group_size": 5, "data_page_size": 200, "write_batch_size": 2}
write("hub/data/train-00000-of-00002.parquet", rows(0, 7), compression="snappy", **small)
write("hub/data/train-00001-of-00002.parquet", rows(7, 5), compression="zstd", use_dictionary=["label"], write_page_checksum=True, **small)
write("hub/data/validation-00000-of-00001.parquet", rows(12, 4), compression="gzip", data_page_version="2.0", **small)
write("hub/data/test-00000-of-00001.parquet", [(i, -1) for i in range(3)], compression="none")
# The converted branch, a plain column, no names.
write("converted/default/train/0000.parquet", rows(0, 6), image="img", label="fine_label", names=None, plain=True, compression="zstd", use_dictionary=False)
write("converted/default/test/0000.parquet", rows(6, 3), image="img", label="fine_label", names=None, plain=True, compression="snappy")
# Row 1 has no image, row 3 no label.
write("nulls/train.parquet", [(0, 0), (None, 1), (2, 2), (3, None), (4, 1)], compression="snappy")
