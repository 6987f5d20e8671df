/*
 * Copyright (C) vidcast contributors
 *
 * The results streaming by: the newest on top, the last ones kept.  Held
 * still, rows can be walked with the arrow keys and read as sent.
 */

import { detections, words } from './wire.js';

const KEPT = 120;
const LABELS = 8;               /* in a row, ... */
const SCORES = 6;               /* ... and of each of them */
const EVERY = 120;              /* milliseconds between two insertions ... */
const CALM = 1000;              /* ... for those who want less motion */


export class Log {

    constructor({ list, hold, raw, note }, color) {
        this.list = list;
        this.hold = hold;
        this.raw = raw;
        this.note = note;
        this.color = color;
        this.calm = matchMedia('(prefers-reduced-motion: reduce)');

        this.rows = new Map();  /* element to message */
        this.queue = [];
        this.held = false;
        this.missed = 0;
        this.count = 0;
        this.picked = null;
        this.timer = 0;

        hold.addEventListener('click', () => this.pause(!this.held));
        list.addEventListener('click', (event) => {
            const row = event.target.closest('li');

            if (row !== null) {
                this.pause(true);
                this.pick(row);
            }
        });
        list.addEventListener('keydown', (event) => this.key(event));
    }


    add(message) {
        if (this.held) {
            this.missed++;
            this.tell();
            return;
        }

        this.queue.push(message);

        if (this.queue.length > KEPT) {
            this.queue.shift();
        }

        this.timer ||= setTimeout(() => this.flush(),
                                  this.calm.matches ? CALM : EVERY);
    }


    flush() {
        this.timer = 0;

        const rows = this.queue.reverse().flatMap((m) => this.build(m));

        this.queue = [];
        this.list.prepend(...rows);

        while (this.list.childElementCount > KEPT) {
            this.rows.delete(this.list.lastElementChild);
            this.list.lastElementChild.remove();
        }

        this.show(this.rows.get(this.list.firstElementChild));
    }


    build(message) {
        const row = element('li', 'row');
        const what = element('span', 'what');
        const found = detections(message);
        const said = words(message);

        row.id = `result-${this.count++}`;
        row.setAttribute('role', 'option');
        row.append(element('span', 'at', String(message.frame ?? '')), what,
                   element('span', 'took', duration(message.latency?.predict)));

        what.append(...this.groups(found));

        if (said !== '') {
            what.append(element('span', 'said', said.slice(0, 120)));

        } else if (found.length === 0) {
            what.append(element('span', 'none', 'nothing seen'));
        }

        if (message.status !== undefined && message.status !== 'ok') {
            what.prepend(element('span', 'alarm',
                                 String(message.status).replace(/_/g, ' ')));
        }

        this.rows.set(row, message);

        if (message.skipped > 0) {
            const skip = element('li', 'row skip');
            const plural = message.skipped === 1 ? '' : 's';

            skip.setAttribute('role', 'option');
            skip.id = `result-${this.count++}`;
            skip.append(element('span', 'what',
                                `${message.skipped} result${plural} skipped`));
            this.rows.set(skip, message);

            return [row, skip];
        }

        return [row];
    }


    /* one item for each label, with the scores of all that bear it */

    groups(found) {
        const scores = new Map();

        for (const { label, score } of found) {
            const name = String(label ?? '');

            scores.set(name, [...scores.get(name) ?? [], score]);
        }

        return [...scores].slice(0, LABELS).map(([name, list]) => {
            const item = element('span', 'found', name || 'box');
            const told = list.filter(Number.isFinite).slice(0, SCORES)
                             .map((score) => score.toFixed(2));

            if (list.length > told.length) {
                told.unshift(`\u00d7${list.length}`);
            }

            item.prepend(element('i', `swatch box-${this.color(name)}`));
            item.append(element('b', '', told.join(' ')));

            return item;
        });
    }


    pause(held) {
        if (held === this.held) {
            return;
        }

        this.held = held;
        this.hold.setAttribute('aria-pressed', String(held));
        this.hold.textContent = held ? 'Resume' : 'Pause';

        if (held) {
            clearTimeout(this.timer);
            this.flush();

        } else {
            this.pick(null);
        }

        this.missed = 0;
        this.tell();
    }


    tell() {
        this.note.textContent = this.held
                                ? `held, ${this.missed} more since`
                                : '';
    }


    key(event) {
        const step = { ArrowDown: 'nextElementSibling',
                       ArrowUp: 'previousElementSibling' }[event.key];

        if (event.key === 'Escape') {
            this.pause(false);
            return;
        }

        if (step === undefined) {
            return;
        }

        event.preventDefault();
        this.pause(true);
        this.pick(this.picked?.[step] ?? this.picked
                  ?? this.list.firstElementChild);
    }


    pick(row) {
        this.picked?.removeAttribute('aria-selected');
        this.picked = row;

        if (row === null) {
            this.list.removeAttribute('aria-activedescendant');
            return;
        }

        row.setAttribute('aria-selected', 'true');
        row.scrollIntoView({ block: 'nearest' });
        this.list.setAttribute('aria-activedescendant', row.id);
        this.show(this.rows.get(row));
    }


    show(message) {
        if (message !== undefined && this.raw.parentElement.open) {
            this.raw.textContent = JSON.stringify(message, null, 2);
        }
    }


    reset() {
        clearTimeout(this.timer);
        this.timer = 0;
        this.queue = [];
        this.rows.clear();
        this.list.replaceChildren();
        this.raw.textContent = '';
        this.pause(false);
    }
}


function duration(seconds) {
    if (!Number.isFinite(seconds)) {
        return '';
    }

    const ms = seconds * 1000;

    if (ms >= 9950) {
        return `${seconds.toFixed(1)} s`;
    }

    return `${ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}


export function element(name, className = '', text = '') {
    const node = document.createElement(name);

    node.className = className;
    node.textContent = text;

    return node;
}
