"""Frames of nginx's vidcast module, for predictors written in Python.

    import vidcast

    def predict(image):
        return {"detections": []}

    for frame in vidcast.frames():
        vidcast.result(predict(frame))

run by "predict exec python3 predict.py;" in a vidcast_source block.

With NumPy a frame is an ndarray, height x width x 3 bytes (height x width of
gray8 frames, and as OpenCV has it, height * 3 / 2 x width, of i420); without
it a memoryview of the same shape.  It cannot be written to: draw on a copy.
It stays as it is until the second next one is asked for: keep a copy.

What is printed goes to nginx's error log; results go their own way.
"""

# Copyright (C) vidcast contributors

import json
import mmap
import os
import struct
import sys

try:
    import numpy
except ImportError:
    numpy = None

__all__ = ["frames", "result"]

FORMATS = {1: "i420", 2: "gray8", 3: "rgb24", 4: "bgr24"}

HEADER = struct.Struct("=8IQq2I4dqQ")
MAGIC = 0x31436456

if numpy is not None:

    class Frame(numpy.ndarray):
        """A picture, and what is known of it."""

        def __array_finalize__(self, parent):
            self.info = getattr(parent, "info", None)

        def __getattr__(self, name):
            return attribute(self, name)

else:

    class Frame:
        """A memoryview as .data, and what is known of it."""

        def __init__(self, data):
            self.data = data
            self.info = None

        def __getattr__(self, name):
            return attribute(self, name)

        def __getitem__(self, key):
            return self.data[key]

        def __len__(self):
            return len(self.data)

        def __bytes__(self):
            return bytes(self.data)


class Info:
    """Of a frame, as attributes of it as well:

    number                     of the frame, from 1 on
    time                       of capture, seconds since 1970
    pts                        of a film: seconds since its start; else None
    media_time                 seconds; between two frames so many passed, of
                               a film as it was taken, however fast it plays
    format                     "i420", "gray8", "rgb24" or "bgr24"
    width, height              of this picture, in pixels
    stride                     bytes from row to row
    frame_width, frame_height  of the frame as it was captured

    to_frame(x, y) is where a point of the picture is in the frame.
    """

    def __init__(self, values):
        (_, self.header, kind, self.width, self.height,
         self.stride, self.stride_u, self.stride_v,
         self.number, time,
         self.frame_width, self.frame_height,
         self.scale_x, self.scale_y,
         self.offset_x, self.offset_y,
         pts, media_time) = values

        self.format = FORMATS[kind]
        self.time = time / 1e6
        self.pts = None if pts < 0 else pts / 1e6
        self.media_time = media_time / 1e6

    def to_frame(self, x, y):
        return ((x - self.offset_x) * self.scale_x,
                (y - self.offset_y) * self.scale_y)

    def shape(self):
        if self.format == "gray8":
            return (self.height, self.width)

        if self.format == "i420":

            # in rows, if its halves are whole

            if self.width % 2 == 0 and self.height % 2 == 0:
                return (self.height * 3 // 2, self.width)

            half = ((self.width + 1) // 2) * ((self.height + 1) // 2)
            return (self.width * self.height + 2 * half,)

        return (self.height, self.width, 3)


def attribute(frame, name):
    info = frame.__dict__.get("info")

    if info is None or name.startswith("_") or not hasattr(info, name):
        raise AttributeError("a frame has no attribute %r" % name)

    return getattr(info, name)


class Memory:
    """The file of frames; it only grows."""

    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.map = None

    def frame(self, offset, size):
        if self.map is None or offset + size > len(self.map):

            # frames of before may still refer to the old one

            self.map = mmap.mmap(self.descriptor, 0, prot=mmap.PROT_READ)

        values = HEADER.unpack_from(self.map, offset)

        if values[0] != MAGIC:
            raise RuntimeError("frames of another version of vidcast")

        info = Info(values)
        start = offset + info.header
        shape = info.shape()

        if numpy is not None:
            frame = numpy.ndarray(shape, numpy.uint8, self.map, start)
            frame = frame.view(Frame)

        else:
            view = memoryview(self.map)[start:offset + size]
            frame = Frame(view.cast("B", shape) if len(shape) > 1 else view)

        frame.info = info

        return frame


def take_over():
    """Lets print() write to the log, and gives the way of results."""

    output = os.fdopen(os.dup(1), "wb", 0)
    os.dup2(2, 1)

    return output


output = take_over()
current = None


def frames():
    """All frames, from now on; ends when nginx wants it."""

    global current

    memory = Memory(int(os.environ.get("VIDCAST_FD", "3")))

    for line in sys.stdin.buffer:
        word, offset, size, number = line.split()

        if word != b"frame":
            continue

        current = int(number)

        yield memory.frame(int(offset), int(size))

        if current is not None:
            send(b"")


def result(value=None):
    """What viewers get for this frame: anything that JSON can tell.

    None is no result; so is a frame for which this is not called.
    """

    if current is None:
        raise RuntimeError("there is no frame, or it has its result")

    if value is None:
        send(b"")
        return

    send(json.dumps(value, default=plain, separators=(",", ":"),
                    allow_nan=False).encode())


def send(text):
    global current

    line = b"@%d %s\n" % (current, text)
    current = None

    while line:
        line = line[output.write(line):]


def plain(value):
    """NumPy's numbers and arrays are no JSON by themselves."""

    if hasattr(value, "tolist"):
        return value.tolist()

    raise TypeError("%s is no JSON" % type(value).__name__)
