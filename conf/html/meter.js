/*
 * Copyright (C) vidcast contributors
 *
 * Numbers over the last few seconds.
 */

const WINDOW = 3000;


export class Meter {

    constructor() {
        this.reset();
    }


    reset() {
        this.samples = [];
        this.since = null;
    }


    add(value = 0, now = performance.now()) {
        this.since ??= now;
        this.samples.push({ now, value });
    }


    trim() {
        const now = performance.now();
        const old = this.samples.findIndex((s) => s.now > now - WINDOW);

        this.samples.splice(0, old < 0 ? this.samples.length : old);

        return now;
    }


    /* events a second, over the time that was really watched */

    rate() {
        const now = this.trim();

        return this.samples.length / this.span(now);
    }


    /* sum of the values a second */

    flow() {
        const now = this.trim();
        const sum = this.samples.reduce((total, s) => total + s.value, 0);

        return sum / this.span(now);
    }


    span(now) {
        const watched = this.since === null ? WINDOW : now - this.since;

        return Math.min(WINDOW, Math.max(watched, 500)) / 1000;
    }


    median() {
        this.trim();

        const values = this.samples.map((s) => s.value)
                                   .filter(Number.isFinite)
                                   .sort((a, b) => a - b);

        return values.length > 0 ? values[values.length >> 1] : null;
    }
}
