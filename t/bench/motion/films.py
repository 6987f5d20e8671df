# Copyright (C) vidcast contributors

"""
Films with known boxes for the motion rows of the bench, and the street film
of Debian's opencv-doc.  Every film is a function of its kind and a seed.  The
seeds up to 99 are there to tune by; what the bench shows is of others.
"""

import json
import os

import cv2
import numpy

WIDTH, HEIGHT, FPS, FRAMES = 320, 240, 15, 500

STREET = '/usr/share/doc/opencv-doc/examples/data/vtest.avi'


class Thing:
    """Goes from one side to the other, again and again, on its own height."""

    def __init__(self, rng, low, high, textured, size=(18, 44)):
        self.rng = rng
        self.low, self.high = low, high
        self.textured = textured
        self.size = size
        self.stops = 0
        self.delay = int(rng.integers(0, 60))
        self.enter()

    def enter(self):
        rng = self.rng
        room = self.high - self.low

        self.width = int(rng.integers(*self.size))
        self.height = int(min(room, self.width * rng.uniform(1, 2.2)))
        self.y = self.low + rng.uniform(0, room - self.height)
        self.speed = rng.uniform(1, 3) * rng.choice((-1, 1))
        self.x = -self.width if self.speed > 0 else WIDTH
        self.rest = 0
        self.mask = self.outline()

        level = rng.choice((rng.uniform(10, 60), rng.uniform(190, 245)))
        self.skin = numpy.full((self.height, self.width), level, 'f4')

        if self.textured:
            self.skin = blocks(rng, self.width, self.height, 4, 20, 230)

    def outline(self):
        mask = numpy.zeros((self.height, self.width), 'u1')

        match self.rng.integers(0, 3):
            case 0:
                mask[:] = 1
            case 1:
                ellipse(mask, 0, 0, self.width, self.height)
            case 2:
                head = self.height // 4
                ellipse(mask, self.width // 4, 0, self.width // 2, head + 2)
                mask[head:, self.width // 8:self.width - self.width // 8] = 1

        return mask > 0

    def move(self):
        if self.delay > 0:
            self.delay -= 1
            return

        if self.rest > 0:
            self.rest -= 1
            return

        if self.rng.uniform() < self.stops and 20 < self.x < WIDTH - 60:
            self.rest = int(self.rng.integers(2 * FPS, 5 * FPS))

        self.x += self.speed

        if self.x < -self.width or self.x > WIDTH:
            self.enter()
            self.delay = int(self.rng.integers(0, 2 * FPS))

    def draw(self, picture, skin=None, dx=0, dy=0, gain=None):
        """The box of what is visible of it, or None."""

        x, y = round(self.x) + dx, round(self.y) + dy
        left, right = max(x, 0), min(x + self.width, WIDTH)
        top, bottom = max(y, 0), min(y + self.height, HEIGHT)

        if self.delay > 0 or left >= right or top >= bottom:
            return None

        part = numpy.s_[top - y:bottom - y, left - x:right - x]
        place = picture[top:bottom, left:right]
        mask = self.mask[part]

        if gain is None:
            place[mask] = self.skin[part][mask]
        else:
            place[mask] *= gain

        if mask.sum() < WIDTH * HEIGHT / 1000:
            return None

        rows, columns = mask.any(1).nonzero()[0], mask.any(0).nonzero()[0]

        return [int(left + columns[0]), int(top + rows[0]),
                int(columns[-1] + 1 - columns[0]), int(rows[-1] + 1 - rows[0])]


def ellipse(mask, x, y, width, height):
    cv2.ellipse(mask, (x + width // 2, y + height // 2),
                (max(width // 2 - 1, 1), max(height // 2 - 1, 1)), 0, 0, 360,
                1, -1)


def blocks(rng, width, height, size, low, high):
    small = rng.uniform(low, high, (height // size + 2, width // size + 2))
    big = small.repeat(size, 0).repeat(size, 1).astype('f4')
    dy, dx = rng.integers(0, size, 2)

    return big[dy:dy + height, dx:dx + width].copy()


def flat(rng):
    slope = numpy.linspace(-15, 15, WIDTH, dtype='f4') * rng.uniform(-1, 1)

    return numpy.full((HEIGHT, WIDTH), rng.uniform(90, 150), 'f4') + slope


def textured(rng):
    return blocks(rng, WIDTH, HEIGHT, int(rng.integers(6, 20)), 60, 190)


def things(rng, n, textured, **more):
    lane = HEIGHT // n

    return [Thing(rng, i * lane + 4, (i + 1) * lane - 4, textured, **more)
            for i in range(n)]


def sway(rng, wall):
    """Trees in the upper half: texture that goes to and fro."""

    leaves = blocks(rng, WIDTH + 40, HEIGHT // 3, 5, 40, 160)
    phase = rng.uniform(0, 6, WIDTH // 40 + 1)
    rate = rng.uniform(0.15, 0.35, WIDTH // 40 + 1)

    def at(n):
        picture = wall.copy()

        for i in range(WIDTH // 40):
            dx = int(round(20 + 3 * numpy.sin(phase[i] + rate[i] * n)
                           + rng.normal(0, 0.7)))
            dx = min(max(dx, 0), 40)
            picture[:HEIGHT // 3, i * 40:(i + 1) * 40] = \
                leaves[:, i * 40 + dx:(i + 1) * 40 + dx]

        return picture

    return at


def steps(rng):
    gain, at = 1.0, 120
    gains = numpy.ones(FRAMES)

    while at < FRAMES:
        gain = rng.choice([g for g in (0.5, 0.75, 1, 1.3) if g != gain])
        gains[at:] = gain
        at += int(rng.integers(90, 150))

    return gains


def film(kind, seed):
    """Pictures and their boxes, one after the other."""

    rng = numpy.random.default_rng([seed, sorted(KINDS).index(kind)])

    wall = textured(rng)
    noise = rng.uniform(2, 4)
    gains = numpy.ones(FRAMES)
    quality = None
    scene = lambda n: wall
    at = things(rng, 3, True)
    shadow = False
    loop = FRAMES

    if kind == 'flat':
        at = things(rng, 3, False, size=(24, 60))
    elif kind == 'textured':
        wall = flat(rng)
    elif kind == 'sway':
        scene = sway(rng, flat(rng))
    elif kind == 'shadow':
        wall = (wall - 125) * 0.4 + 150
        at = things(rng, 2, rng.uniform() < 0.5)
        shadow = True
    elif kind == 'slow':
        middle = rng.uniform(0.8, 1)
        gains = middle + 0.25 * numpy.sin(numpy.arange(FRAMES) / 60
                                          + rng.uniform(0, 6))
    elif kind == 'sudden':
        gains = steps(rng)
    elif kind == 'jpeg':
        quality = int(rng.integers(8, 15))
    elif kind == 'stop':
        for thing in at:
            thing.stops = 0.02
    elif kind == 'crowd':
        at = [Thing(rng, y, min(y + 60, HEIGHT), rng.uniform() < 0.5,
                    size=(12, 20))
              for y in rng.integers(10, HEIGHT - 60, 10)]
    elif kind == 'noise':
        noise = rng.uniform(10, 16)
    elif kind == 'start':
        for thing in at[:2]:
            thing.delay, thing.x = 0, rng.uniform(40, 240)
            thing.rest = int(rng.integers(60, 100))
    elif kind == 'loop':
        loop = 170
        for thing in at:
            thing.delay, thing.x = 0, rng.uniform(40, 240)

    pictures, boxes = [], []

    for n in range(min(loop, FRAMES)):
        picture = scene(n).copy()

        if shadow:
            for thing in at:
                thing.draw(picture, dx=thing.width // 2, dy=2, gain=0.7)

        boxes.append([b for b in (t.draw(picture) for t in at) if b])

        for thing in at:
            thing.move()

        pictures.append(picture)

    for n in range(FRAMES):
        picture = cv2.GaussianBlur(pictures[n % loop], (3, 3), 0) * gains[n]
        picture += noise * rng.standard_normal(picture.shape, 'f4')
        picture = picture.clip(0, 255).astype('u1')

        if quality:
            jpeg = cv2.imencode('.jpg', picture,
                                [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
            picture = cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)

        yield picture, boxes[n % loop]


KINDS = ('flat', 'textured', 'sway', 'shadow', 'slow', 'sudden', 'jpeg',
         'stop', 'crowd', 'noise', 'start', 'loop')


def street():
    """What stands out from the median of all pictures is what moves."""

    capture = cv2.VideoCapture(STREET)
    pictures = []

    while True:
        ok, picture = capture.read()

        if not ok:
            break

        picture = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        pictures.append(cv2.resize(picture, (WIDTH, HEIGHT),
                                   interpolation=cv2.INTER_AREA))

    median = numpy.median(pictures[::5], axis=0).astype('u1')

    for picture in pictures:
        far = cv2.absdiff(picture, median) > 15

        yield picture, blobs(far.astype('u1') * 255)


def blobs(mask):
    """Boxes of what is left of a mask: x, y, width, height."""

    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, numpy.ones((3, 3), 'u1'))
    mask = cv2.dilate(mask, numpy.ones((9, 5), 'u1'))
    n, _, stats, _ = cv2.connectedComponentsWithStats(mask)

    return [[int(v) for v in stats[i][:4]] for i in range(1, n)
            if stats[i][4] >= WIDTH * HEIGHT / 1000]


def load(folder, kind, seed):
    """Pictures, boxes and pictures a second, made unless they are there."""

    name = os.path.join(folder, f'{kind}-{seed}')

    if not os.path.exists(name + '.json'):
        os.makedirs(folder, exist_ok=True)

        pictures, boxes = zip(*(street() if kind == 'street'
                                else film(kind, seed)))

        numpy.stack(pictures).tofile(name + '.gray')

        with open(name + '.json', 'w') as file:
            json.dump(boxes, file)

    with open(name + '.json') as file:
        boxes = json.load(file)

    pictures = numpy.fromfile(name + '.gray', 'u1')

    return (name + '.gray', pictures.reshape(-1, HEIGHT, WIDTH), boxes,
            10 if kind == 'street' else FPS)
