#!/usr/bin/env python3

# Copyright (C) vidcast contributors

# The brightest of nine parts of the picture, as a detection.  To be run by
#
#     predict  exec python3 conf/predictors/example.py size=320x240;
#
# in a vidcast_source block; the name is relative to nginx's prefix.

import vidcast


def predict(image):
    width, height = image.width // 3, image.height // 3
    best, place = -1, (0, 0)

    for row in range(3):
        for column in range(3):
            light = brightness(image, column * width, row * height, width,
                               height)

            if light > best:
                best, place = light, (column * width, row * height)

    # pixels of the frame, which may be larger than this image

    x, y = image.to_frame(*place)
    right, bottom = image.to_frame(place[0] + width, place[1] + height)

    return {"detections": [{"label": "bright", "score": round(best / 255, 3),
                            "bbox": [round(x), round(y), round(right - x),
                                     round(bottom - y)]}]}


def brightness(image, left, top, width, height):
    """Of a few of its pixels: enough for an example, and quick."""

    total = count = 0

    for y in range(top, top + height, max(height // 8, 1)):
        for x in range(left, left + width, max(width // 8, 1)):
            total += sum(int(image[y, x, channel]) for channel in range(3)) / 3
            count += 1

    return total / count


for frame in vidcast.frames():
    vidcast.result(predict(frame))
