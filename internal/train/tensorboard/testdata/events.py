"""Writes a fixture with TensorBoard's own writer, or reads an event file with TensorBoard's own reader.

    python events.py write events.out.tfevents.python
    python events.py read RUN/events.out.tfevents.resnet

Needs `pip install tensorboard`. Go alone runs the tests.
"""

import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter


def write(path):
    events = [Event(wall_time=1.5, file_version="brain.Event:2")]
    for step, values in ((3, {"train/loss": 2.5, "train/error": 81.25}), (300, {"train/loss": 0.125})):
        summary = Summary(value=[Summary.Value(tag=t, simple_value=v) for t, v in values.items()])
        events.append(Event(wall_time=2.5, step=step, summary=summary))
    with open(path, "wb") as f:
        w = RecordWriter(f)
        for e in events:
            w.write(e.SerializeToString())


def read(path):
    acc = EventAccumulator(path, size_guidance={"scalars": 0})
    acc.Reload()
    for tag in acc.Tags()["scalars"]:
        print(tag, [(e.step, round(e.value, 4)) for e in acc.Scalars(tag)])


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](sys.argv[2])
