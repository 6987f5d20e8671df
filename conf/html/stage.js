/*
 * Copyright (C) vidcast contributors
 *
 * The picture and what was predicted on it.  Pictures: the newest wins, at
 * most one is being decoded.  A result is drawn on the first picture that is
 * not older than the frame it was made from, and held until the next one.
 */

import { detections, keypoints, named } from './wire.js';

const HELD = 1.0;               /* seconds of video until a box fades ... */
const FADE = 0.5;               /* ... and how long the fading takes */
const KEPT = 64;                /* results waiting for their picture */

const COLORS = 8;


export class Stage {

    constructor(canvas, shown) {
        this.canvas = canvas;
        this.context = canvas.getContext('2d', { alpha: false });
        this.shown = shown;     /* called after each drawing */
        this.boxes = true;
        this.zones = [];        /* { name, points }, in parts of the picture */
        this.labels = new Map();
        this.palette = [];
        this.ratio = 1;         /* device pixels to a CSS pixel */
        this.left = 0;          /* of the picture in the canvas */
        this.top = 0;
        this.pending = 0;

        this.reset();
        this.observe();
        this.theme();
    }


    reset() {
        this.picture = null;    /* { bitmap, meta } on the screen */
        this.waiting = null;    /* newest picture that is not decoded yet */
        this.results = [];
        this.result = null;     /* the one that is drawn */
        this.broken = 0;
        this.round = (this.round ?? 0) + 1;
        this.decoding = false;
        this.invalidate();
    }


    /* colors of the boxes come from the style sheet */

    theme() {
        const style = getComputedStyle(document.documentElement);

        this.palette = Array.from({ length: COLORS }, (_, i) =>
            style.getPropertyValue(`--box-${i}`).trim() || '#ff5a36');
        this.invalidate();
    }


    color(label) {
        if (!this.labels.has(label)) {
            this.labels.set(label, this.labels.size % COLORS);
        }

        return this.labels.get(label);
    }


    observe() {
        const resized = (entries) => {
            const entry = entries[0];
            const exact = entry.devicePixelContentBoxSize?.[0];
            const css = entry.contentRect;

            /* an emulated screen has a ratio that the exact size lacks */

            const fit = (pixels, wanted) =>
                Math.abs(pixels - wanted) < 1.5 ? pixels : Math.round(wanted);

            const width = fit(exact?.inlineSize,
                              css.width * devicePixelRatio);
            const height = fit(exact?.blockSize,
                               css.height * devicePixelRatio);

            this.ratio = css.width > 0 ? width / css.width : 1;

            if (width !== this.canvas.width
                || height !== this.canvas.height)
            {
                this.canvas.width = width;
                this.canvas.height = height;
                this.draw();
            }
        };

        const observer = new ResizeObserver(resized);

        try {
            observer.observe(this.canvas, { box: 'device-pixel-content-box' });

        } catch {
            observer.observe(this.canvas);
            addEventListener('resize', () => {
                observer.unobserve(this.canvas);
                observer.observe(this.canvas);
            });
        }
    }


    push(picture) {
        this.waiting = picture;

        if (!this.decoding) {
            this.decode();
        }
    }


    async decode() {
        const round = this.round;

        this.decoding = true;

        while (this.waiting !== null && round === this.round) {
            const { meta, jpeg } = this.waiting;

            this.waiting = null;

            try {
                const blob = new Blob([jpeg], { type: 'image/jpeg' });
                const bitmap = await createImageBitmap(blob);

                if (round !== this.round) {
                    bitmap.close();
                    return;
                }

                this.show(bitmap, meta);

            } catch {
                this.broken++;
            }
        }

        if (round === this.round) {
            this.decoding = false;
        }
    }


    show(bitmap, meta) {
        const old = this.picture;

        /* a capture that started anew counts from the beginning */

        if (old !== null && meta.frame < old.meta.frame) {
            this.results = this.results.filter((r) => r.frame <= meta.frame);
            this.result = null;
        }

        old?.bitmap.close();

        this.picture = { bitmap, meta, drawn: false };
        this.invalidate();
    }


    add(result) {
        if (this.results.length > 0
            && this.results[0].epoch !== result.epoch)
        {
            this.results = [];
            this.result = null;
        }

        this.results.push(result);

        if (this.results.length > KEPT) {
            this.results.shift();
        }

        this.invalidate();
    }


    invalidate() {
        if (this.pending === 0) {
            this.pending = requestAnimationFrame(() => {
                this.pending = 0;
                this.draw();
            });
        }
    }


    /* newest result made from this picture or from an earlier one */

    choose(meta) {
        const list = this.results;

        for (let i = list.length - 1; i >= 0; i--) {
            if (!(list[i].frame > meta.frame)) {
                list.splice(0, i);
                return list[0];
            }
        }

        return this.result;
    }


    draw() {
        const { context, canvas, picture } = this;

        context.fillStyle = '#000';
        context.fillRect(0, 0, canvas.width, canvas.height);

        if (picture === null) {
            this.shown(null, null, []);
            return;
        }

        const { bitmap, meta } = picture;
        const scale = Math.min(canvas.width / bitmap.width,
                               canvas.height / bitmap.height);
        const width = bitmap.width * scale;
        const height = bitmap.height * scale;
        const left = (canvas.width - width) / 2;
        const top = (canvas.height - height) / 2;

        this.left = left;
        this.top = top;

        context.imageSmoothingQuality = 'medium';
        context.drawImage(bitmap, left, top, width, height);

        this.result = this.choose(meta);

        if (this.boxes) {
            this.zones.forEach((zone) => this.border(zone, { left, top, width,
                                                             height }));
        }

        const boxes = this.place({ left, top, width, height });

        if (boxes.length > 0) {
            context.save();
            context.beginPath();
            context.rect(left, top, width, height);
            context.clip();
            boxes.forEach((box) => this.outline(box));
            boxes.forEach((box) => this.dots(box));
            boxes.forEach((box) => this.tag(box, { left, top, width }));
            context.restore();
        }

        this.shown(picture, this.result, boxes);
        picture.drawn = true;
    }


    /* boxes of the result in device pixels of the canvas */

    place({ left, top, width, height }) {
        const { result, picture } = this;

        if (result === null || !this.boxes) {
            return [];
        }

        const age = picture.meta.ts - result.ts;
        const alpha = age > HELD ? 1 - (age - HELD) / FADE : 1;

        if (alpha <= 0) {
            return [];
        }

        const sx = width / (result.width || picture.bitmap.width);
        const sy = height / (result.height || picture.bitmap.height);

        return detections(result).map((found) => ({
            label: String(found.label ?? ''),
            name: named(found),
            score: Number.isFinite(found.score) ? found.score : null,
            bbox: found.bbox,
            alpha,
            x: left + found.bbox[0] * sx,
            y: top + found.bbox[1] * sy,
            w: found.bbox[2] * sx,
            h: found.bbox[3] * sy,
            points: keypoints(found).map(([x, y]) => [left + x * sx,
                                                      top + y * sy]),
        }));
    }


    /* dashed, and the name at the first point */

    border({ name, points }, { left, top, width, height }) {
        const { context, ratio } = this;
        const places = points.map(([x, y]) => [left + x * width,
                                               top + y * height]);
        const path = new Path2D();

        places.forEach(([x, y]) => path.lineTo(x, y));
        path.closePath();

        context.save();
        context.beginPath();
        context.rect(left, top, width, height);
        context.clip();

        context.lineWidth = 3 * ratio;
        context.strokeStyle = 'rgba(0, 0, 0, 0.45)';
        context.stroke(path);

        context.setLineDash([6 * ratio, 5 * ratio]);
        context.lineWidth = 1.5 * ratio;
        context.strokeStyle = 'rgba(255, 255, 255, 0.85)';
        context.stroke(path);

        context.font = `600 ${11 * ratio}px ui-sans-serif, system-ui, `
                       + 'sans-serif';
        context.textBaseline = 'top';
        context.lineWidth = 3 * ratio;
        context.lineJoin = 'round';
        context.setLineDash([]);
        context.strokeStyle = 'rgba(0, 0, 0, 0.6)';
        context.fillStyle = '#fff';

        const text = String(name ?? '');
        const [x, y] = places[0];
        const wide = context.measureText(text).width;
        const tx = Math.min(x + 5 * ratio, left + width - wide - 5 * ratio);
        const ty = Math.min(y + 5 * ratio, top + height - 16 * ratio);

        context.strokeText(text, tx, ty);
        context.fillText(text, tx, ty);
        context.restore();
    }


    /* thin all around, heavy at the corners, with a dark edge under both */

    outline({ label, alpha, x, y, w, h }) {
        const { context, ratio } = this;
        const arm = Math.min(w, h, 72 * ratio) / 4;
        const corners = new Path2D();

        for (const [cx, cy, dx, dy] of [[x, y, arm, arm],
                                        [x + w, y, -arm, arm],
                                        [x + w, y + h, -arm, -arm],
                                        [x, y + h, arm, -arm]])
        {
            corners.moveTo(cx + dx, cy);
            corners.lineTo(cx, cy);
            corners.lineTo(cx, cy + dy);
        }

        context.globalAlpha = alpha;
        context.lineJoin = 'miter';

        context.strokeStyle = 'rgba(0, 0, 0, 0.5)';
        context.lineWidth = 3.5 * ratio;
        context.strokeRect(x, y, w, h);
        context.lineWidth = 5.5 * ratio;
        context.stroke(corners);

        context.strokeStyle = this.palette[this.color(label)];
        context.lineWidth = 1.5 * ratio;
        context.strokeRect(x, y, w, h);
        context.lineWidth = 3.5 * ratio;
        context.stroke(corners);
    }


    /* filled, with the dark edge of the lines; one path for all of a box */

    dots({ label, alpha, points }) {
        const { context, ratio } = this;
        const path = new Path2D();

        if (points.length === 0) {
            return;
        }

        for (const [x, y] of points) {
            path.moveTo(x + 3 * ratio, y);
            path.arc(x, y, 3 * ratio, 0, 2 * Math.PI);
        }

        context.globalAlpha = alpha;
        context.strokeStyle = 'rgba(0, 0, 0, 0.5)';
        context.lineWidth = 2 * ratio;
        context.stroke(path);

        context.fillStyle = this.palette[this.color(label)];
        context.fill(path);
    }


    tag({ label, name, score, alpha, x, y, w, h }, frame) {
        const { context, ratio } = this;
        const text = score === null ? name
                                    : `${name} ${score.toFixed(2)}`.trim();

        if (text === '') {
            return;
        }

        context.globalAlpha = alpha;
        context.font = `600 ${12 * ratio}px ui-sans-serif, system-ui, `
                       + 'sans-serif';
        context.textBaseline = 'middle';

        const high = 19 * ratio;
        const wide = context.measureText(text).width + 12 * ratio;
        const edge = 1.75 * ratio;

        const tx = Math.max(frame.left,
                            Math.min(x - edge,
                                     frame.left + frame.width - wide));
        const above = y - edge - high;
        const ty = above >= frame.top ? above : y + h + edge;

        context.fillStyle = this.palette[this.color(label)];
        context.fillRect(tx, ty, wide, high);
        context.fillStyle = '#14110f';
        context.fillText(text, tx + 6 * ratio, ty + high / 2 + 0.5 * ratio);
    }
}
