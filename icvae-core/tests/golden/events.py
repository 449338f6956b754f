"""An event file written by TensorBoard's own package, for `src/train/tensorboard.rs`.

Makes `events.tfevents` beside this script, and reads it back:

    pip install tensorboard==2.21.0 && python events.py
"""

from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

START = 1_700_000_000.25
LONG = ("a tag of more than one hundred and twenty-seven bytes, whose length takes two bytes: "
        "δ, ε, ζ, and so on until there are enough of them")  # fmt: skip
path = Path(__file__).with_name("events.tfevents")
with path.open("wb") as file:
    writer = RecordWriter(file)
    writer.write(Event(wall_time=START, file_version="brain.Event:2").SerializeToString())
    for step in (1, 2, 300):
        values = {
            "train/total": 0.1 * step,
            "test/prior KL": -2.5,
            "learning_rate": 1e-3,
            LONG: float("nan"),
        }
        summary = Summary(
            value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        )
        event = Event(wall_time=START + step, step=step, summary=summary)
        writer.write(event.SerializeToString())
assert [event.step for event in EventFileLoader(str(path)).Load()] == [0, 1, 2, 300]
