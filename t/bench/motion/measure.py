# Copyright (C) vidcast contributors

"""
    measure.py [-s SEED,...] [-c FOLDER] [-j] NAME KIND ...

How well one finds what moves in films with known boxes, as JSON, by kind:
precision, recall and F1 of all the pictures from the 100th on, where a box is
found that an answer overlaps with an IoU of 0.3 or more, each answer standing
for one box; and CPU milliseconds a picture.  NAME is mog2, knn, or a program
that answers pictures as the motion predictor does.

The known boxes of the street are one where people touch.  One that tells them
apart is told that it is wrong, unless -j joins its answers that are as near to
each other as what the dilation joins.
"""

import argparse
import json
import subprocess
import time

import cv2

import films

FIRST, LEAST = 100, 0.3


def opencv(make, pictures, fps):
    model = make(detectShadows=False)
    answers = []

    start = time.process_time()

    for picture in pictures:
        answers.append(films.blobs(model.apply(picture)))

    return answers, (time.process_time() - start) / len(pictures) * 1e3


def program(name, path, fps):
    with open(path, 'rb') as file:
        lines = subprocess.run([name, str(films.WIDTH), str(films.HEIGHT),
                                str(fps)],
                               stdin=file, stdout=subprocess.PIPE, check=True,
                               text=True).stdout.splitlines()

    answers = [[d['bbox'] for d in json.loads(line)['detections']]
               for line in lines[:-1]]

    return answers, json.loads(lines[-1])['ms']


def join(answers):
    answers = [list(answer) for answer in answers]
    i = 0

    while i < len(answers):
        near = [a for a in answers if a is not answers[i]
                and touches(a, answers[i])]

        if not near:
            i += 1
            continue

        box = answers[i]

        for a in near:
            answers.remove(a)
            right = max(a[0] + a[2], box[0] + box[2])
            bottom = max(a[1] + a[3], box[1] + box[3])
            box[0], box[1] = min(a[0], box[0]), min(a[1], box[1])
            box[2], box[3] = right - box[0], bottom - box[1]

        i = 0

    return answers


def touches(a, b):
    return (a[0] <= b[0] + b[2] + 4 and b[0] <= a[0] + a[2] + 4
            and a[1] <= b[1] + b[3] + 8 and b[1] <= a[1] + a[3] + 8)


def iou(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])

    if width <= 0 or height <= 0:
        return 0

    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def found(answers, boxes):
    """The best pairs first."""

    pairs = sorted(((iou(a, b), i, j) for i, a in enumerate(answers)
                    for j, b in enumerate(boxes)), reverse=True)
    used, seen = set(), set()

    for value, i, j in pairs:
        if value >= LEAST and i not in used and j not in seen:
            used.add(i)
            seen.add(j)

    return len(seen)


def score(answers, boxes):
    pairs = [(found(a, b), len(a), len(b))
             for a, b in list(zip(answers, boxes))[FIRST:]]

    return [sum(column) for column in zip(*pairs)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('-s', dest='seeds', default='101,102')
    parser.add_argument('-c', dest='cache', default='build/bench/films')
    parser.add_argument('-j', dest='join', action='store_true')
    parser.add_argument('name')
    parser.add_argument('kinds', nargs='+')
    options = parser.parse_args()

    cv2.setNumThreads(1)

    makers = {'mog2': cv2.createBackgroundSubtractorMOG2,
              'knn': cv2.createBackgroundSubtractorKNN}
    results = {}

    for kind in options.kinds:
        counts, times = [0, 0, 0], []
        seeds = [0] if kind == 'street' else options.seeds.split(',')

        for seed in map(int, seeds):
            path, pictures, boxes, fps = films.load(options.cache, kind, seed)

            answers, ms = (opencv(makers[options.name], pictures, fps)
                           if options.name in makers
                           else program(options.name, path, fps))

            if options.join:
                answers = [join(a) for a in answers]

            counts = [a + b for a, b in zip(counts, score(answers, boxes))]
            times.append(ms)

        right, answered, known = counts

        results[kind] = {
            'precision': right / max(answered, 1),
            'recall': right / max(known, 1),
            'f1': 2 * right / max(answered + known, 1),
            'ms': sum(times) / len(times),
        }

    print(json.dumps(results))


if __name__ == '__main__':
    main()
