/*
 * Copyright (C) vidcast contributors
 *
 * The rhythm of what arrives: a tick for every picture in the upper lane and
 * one for every result in the lower.  It is swept like an oscilloscope, in
 * place, so nothing scrolls; a gap is a gap in the stream.
 */

const SPAN = 6000;              /* milliseconds from edge to edge */
const AHEAD = 0.03;             /* part that is wiped before the cursor */


export class Pulse {

    constructor(canvas) {
        this.canvas = canvas;
        this.context = canvas.getContext('2d');
        this.ticks = [];

        new ResizeObserver(() => this.resize()).observe(canvas);
        this.theme();
    }


    theme() {
        const style = getComputedStyle(document.documentElement);
        const color = (name) => style.getPropertyValue(name).trim();

        this.colors = {
            picture: color('--ink'),
            result: color('--signal-mark'),
            skip: color('--warn'),
            line: color('--line'),
            cursor: color('--muted'),
        };
    }


    resize() {
        const { width, height } = this.canvas.getBoundingClientRect();

        this.canvas.width = Math.round(width * devicePixelRatio);
        this.canvas.height = Math.round(height * devicePixelRatio);
        this.draw();
    }


    reset() {
        this.ticks = [];
        this.draw();
    }


    add(kind) {
        this.ticks.push({ kind, now: performance.now() });
    }


    draw() {
        const { canvas, context, colors } = this;
        const { width, height } = canvas;
        const now = performance.now();
        const unit = Math.max(1, Math.round(devicePixelRatio));
        const lane = Math.floor((height - 3 * unit) / 2);
        const cursor = now % SPAN / SPAN * width;
        const first = this.ticks.findIndex(
                                  (t) => t.now > now - SPAN * (1 - AHEAD));

        this.ticks.splice(0, first < 0 ? this.ticks.length : first);

        context.clearRect(0, 0, width, height);

        context.fillStyle = colors.line;
        context.fillRect(0, lane + unit, width, unit);

        for (let second = 0; second < SPAN; second += 1000) {
            context.fillRect(Math.round(second / SPAN * width),
                             lane - 2 * unit, unit, 7 * unit);
        }

        for (const { kind, now: then } of this.ticks) {
            const x = Math.round(then % SPAN / SPAN * width);

            context.fillStyle = colors[kind];

            if (kind === 'picture') {
                context.fillRect(x, 0, unit, lane);

            } else {
                context.fillRect(x, lane + 3 * unit,
                                 kind === 'skip' ? 3 * unit : unit, lane);
            }
        }

        context.fillStyle = colors.cursor;
        context.fillRect(Math.round(cursor), 0, unit, height);
    }
}
