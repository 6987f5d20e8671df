# Copyright (C) vidcast contributors

"""
    onnx_faces.py MODEL HEAD MEAN SCALE [SECONDS PICTURE ...]

What people write around a model with ONNX Runtime and OpenCV: pictures are
read, made as large as the model wants them, and its numbers become boxes, by
NumPy.  HEAD is blazeface or ssd, as vidcast names them.

It tells as JSON the detections of each picture, and CPU milliseconds of one,
when it goes over all of them for so many seconds.  Without pictures it is a
predictor program of vidcast.
"""

import json
import sys
import time

import cv2
import numpy as np
import onnxruntime


class Model:
    """One of one thread, as vidcast has it with threads=1."""

    def __init__(self, path, mean, scale):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(path, options)
        self.input = self.session.get_inputs()[0]
        self.mean, self.scale = mean, scale

        shape = self.input.shape
        self.last = shape[3] == 3
        self.height, self.width = shape[1:3] if self.last else shape[2:]

    def run(self, image):
        blob = cv2.dnn.blobFromImage(image, self.scale, mean=[self.mean] * 3,
                                     swapRB=True)
        if self.last:
            blob = blob.transpose(0, 2, 3, 1)
        return self.session.run(None, {self.input.name:
                                       np.ascontiguousarray(blob)})


def suppressed(boxes, scores, least):
    """Which are left, the best one first."""

    order = scores.argsort()[::-1]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []

    while order.size:
        best, rest = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        both = np.maximum(high - low, 0).prod(1)
        order = rest[both / (areas[best] + areas[rest] - both) <= least]

    return kept


def told(label, score, box, width, height, points=None):
    low = np.maximum(box[:2], 0)
    high = np.minimum(box[2:], (width, height))
    thing = {'label': label, 'score': float(score),
             'bbox': [float(v) for v in (*low, *(high - low))]}
    if points is not None:
        thing['keypoints'] = points.tolist()
    return thing


class Blazeface(Model):
    def __init__(self, *options):
        super().__init__(*options)
        self.anchors = np.array(
            [((c + .5) / n, (r + .5) / n) for n, k in ((16, 2), (8, 6))
             for r in range(n) for c in range(n) for _ in range(k)],
            np.float32) * (self.width, self.height)

    def predict(self, image):
        height, width = image.shape[:2]
        ratio = min(self.width / width, self.height / height)
        size = round(width * ratio), round(height * ratio)
        left, top = (self.width - size[0]) // 2, (self.height - size[1]) // 2

        canvas = np.zeros((self.height, self.width, 3), np.uint8)
        canvas[top:top + size[1], left:left + size[0]] = cv2.resize(
            image, size, interpolation=cv2.INTER_AREA)

        # some have the 512 of one layer and the 384 of the other apart

        outputs = sorted(self.run(canvas), key=lambda o: -o.shape[1])
        logits = np.concatenate([o[0] for o in outputs if o.shape[2] == 1])
        numbers = np.concatenate([o[0] for o in outputs if o.shape[2] == 16])

        likely = logits[:, 0] >= 0
        scores = 1 / (1 + np.exp(-logits[likely, 0]))
        numbers = numbers[likely].reshape(-1, 8, 2)
        numbers[:, [0, *range(2, 8)]] += self.anchors[likely, None]
        boxes = np.concatenate((numbers[:, 0] - numbers[:, 1] / 2,
                                numbers[:, 0] + numbers[:, 1] / 2), 1)

        by = np.array((width / size[0], height / size[1]))
        kept = suppressed(boxes, scores, .3)
        return {'detections': [
            told('face', scores[i], (boxes[i] - (left, top) * 2)
                 * np.tile(by, 2), width, height,
                 (numbers[i, 2:] - (left, top)) * by) for i in kept]}


class SSD(Model):
    def predict(self, image):
        height, width = image.shape[:2]
        outputs = dict(zip([o.name for o in self.session.get_outputs()],
                           self.run(cv2.resize(image,
                                               (self.width, self.height),
                                               interpolation=cv2.INTER_AREA))))

        found = []
        for label in range(1, outputs['scores'].shape[2]):
            scores = outputs['scores'][0, :, label]
            likely = scores >= .5
            scores = scores[likely]
            boxes = outputs['boxes'][0, likely] * ((width, height) * 2)
            found += [told(str(label), scores[i], boxes[i], width, height)
                      for i in suppressed(boxes, scores, .45)]

        return {'detections': sorted(found, key=lambda f: -f['score'])}


def main():
    path, head, mean, scale = sys.argv[1:5]
    model = {'blazeface': Blazeface, 'ssd': SSD}[head](path, float(mean),
                                                       float(scale))

    if not sys.argv[5:]:
        import vidcast

        for frame in vidcast.frames():
            vidcast.result(model.predict(frame))
        return

    seconds, pictures = float(sys.argv[5]), sys.argv[6:]
    found = [model.predict(cv2.imread(picture)) for picture in pictures]

    count, start = 0, time.process_time()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        json.dumps(model.predict(cv2.imread(pictures[count % len(pictures)])))
        count += 1

    print(json.dumps({'pictures': [f['detections'] for f in found],
                      'ms': (time.process_time() - start) / (count or 1)
                      * 1e3}))


cv2.setNumThreads(1)
main()
