#!/usr/bin/env node

/*
 * Copyright (C) vidcast contributors
 *
 * EventSource is the browser's own: it comes back by itself, or never does,
 * by rules that each browser has, and says where it was by Last-Event-ID.  So
 * browsers are asked what a page gets when a line breaks, even amid an event,
 * when nginx is told to reload, and when it goes and comes back: each result
 * once.  t/sse.t has the bytes.
 */

'use strict';

const net = require('node:net');

const { diag, ok, is, until, done } = require('./lib/tap.js');
const { Server } = require('./lib/server.js');
const { both, open } = require('./lib/browser.js');


/* between browser and server, a line that can be cut anywhere in an event */

class Line {

    constructor(port) {
        this.to = port;
        this.cutAt = null;              /* behind this text */
        this.pairs = new Set();
        this.asked = [];                /* heads of requests for events */
        this.cuts = 0;
        this.server = net.createServer((socket) => this.connect(socket));
    }


    listen() {
        return new Promise((resolve) => {
            this.server.listen(0, '127.0.0.1', () => {
                this.url = `http://127.0.0.1:${this.server.address().port}/`;
                resolve();
            });
        });
    }


    connect(near) {
        const far = net.connect(this.to, '127.0.0.1');
        const pair = { near, far };
        const end = () => {
            near.destroy();
            far.destroy();
            this.pairs.delete(pair);
        };

        this.pairs.add(pair);

        near.on('data', (data) => {
            const head = data.toString('latin1');

            if (head.startsWith('GET /events')) {
                this.asked.push(head);
            }

            far.write(data);
        });

        far.on('data', (data) => this.pass(near, data, end));

        for (const socket of [near, far]) {
            socket.on('error', end);
            socket.on('close', end);
        }
    }


    pass(near, data, end) {
        const text = data.toString('latin1');
        const found = this.cutAt === null ? null : this.cutAt.exec(text);

        if (found === null) {
            near.write(data);
            return;
        }

        this.cutAt = null;
        this.cuts++;
        near.end(data.subarray(0, found.index + found[0].length));
        setTimeout(end, 100);
    }


    close() {
        for (const { near, far } of this.pairs) {
            near.destroy();
            far.destroy();
        }

        this.server.close();
    }
}


/* in the page: all that an EventSource says */

function listen(page, url) {
    return page.evaluate((url) => {
        const source = new EventSource(url);

        globalThis.told = [];
        globalThis.opened = 0;
        globalThis.source = source;

        source.onopen = () => globalThis.opened++;
        source.onmessage = ({ data, lastEventId }) => {
            const { epoch, seq, reset } = JSON.parse(data);

            globalThis.told.push({ id: lastEventId, epoch, seq,
                                   reset: Boolean(reset),
                                   connection: globalThis.opened });
        };
    }, url);
}


function heard(page) {
    return page.evaluate(() => ({ told: globalThis.told,
                                  opened: globalThis.opened,
                                  state: globalThis.source.readyState }));
}


/* results on another connection than before */

async function returns(page, before, name) {
    const after = await until(async () => {
        const now = await heard(page);

        return now.told.filter(({ connection }) =>
            connection > before.opened).length > 20 && now;
    });

    ok(after, `${name}: it comes back by itself`);

    return after ?? heard(page);
}


/* where a result is lost, comes twice, or has another's id */

function faults(told) {
    return told.slice(1).map((event, i) => {
        const last = told[i];

        return event.epoch === last.epoch && event.seq !== last.seq + 1
               ? `${last.seq} to ${event.seq}` : '';
    }).concat(told.map(({ id, epoch, seq }) =>
        id === `${epoch}-${seq}` ? '' : `${seq} has ${id}`))
    .filter((text) => text !== '').join(', ');
}


async function cut(page, line) {
    const places = [
        [/\n\n/, 'between events'],
        [/\nid: [^\n]*\n/, 'behind an id'],
        [/\nid: [^\n-]*-/, 'in an id'],
        [/\ndata: [^\n]{9}/, 'in the data'],
        [/\ndata: [^\n]*\n(?=\n)/, 'before the end of an event'],
    ];

    for (const [place, name] of places) {
        const before = await heard(page);
        const asked = line.asked.length;

        line.cutAt = place;

        const after = await returns(page, before, `cut ${name}`);

        is(line.cutAt, null, 'the line was cut');
        is(faults(after.told), '', 'each result once');

        const { epoch } = after.told[0];
        const id = /^last-event-id: (.*)\r$/mi.exec(line.asked[asked] ?? '');

        is(id?.[1].split('-')[0], epoch, 'by Last-Event-ID');
        is(after.told.filter(({ reset }) => reset).length, 0, 'no reset');
    }
}


async function reload(page, server) {
    const before = await heard(page);

    server.child.kill('SIGHUP');

    const after = await returns(page, before, 'a reload');

    is(after.told.at(-1).epoch, before.told[0].epoch, 'it is the same epoch');
    is(faults(after.told), '', 'each result once');
    is(after.told.filter(({ reset }) => reset).length, 0, 'no reset');
}


async function restart(page, server, signal) {
    const before = await heard(page);

    await server.stop(signal);
    await until(async () => (await heard(page)).state === 0);
    await server.start();

    const after = await returns(page, before, signal);
    const epochs = [...new Set(after.told.map(({ epoch }) => epoch))];
    const last = after.told.filter(({ epoch }) => epoch === epochs.at(-1));

    ok(epochs.at(-1) !== before.told.at(-1).epoch, 'another epoch');
    is(faults(after.told), '', 'each result once');
    is(last.findLastIndex(({ reset }) => reset), 0,
       'the page is told that there is a gap, once');
}


async function listens(browser) {
    const server = await Server.create();

    await server.start();

    const line = new Line(server.port);

    try {
        await line.listen();

        const page = await open(browser, `${line.url}status`);

        await listen(page, `${line.url}events/front`);
        ok(await until(async () => (await heard(page)).told.length > 10),
           'results come');

        await cut(page, line);
        await reload(page, server);
        await restart(page, server, 'SIGTERM');
        await restart(page, server, 'SIGKILL');

    } finally {
        line.close();
        await server.remove();
    }
}


both([], listens).catch((error) => {
    ok(false, 'the test ran to its end');
    diag(error.stack);
}).finally(done);
