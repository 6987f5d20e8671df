/*
 * Copyright (C) vidcast contributors
 *
 * Chromium and Firefox, and pages that remember everything they said and asked
 * for.
 */

'use strict';

const fs = require('node:fs');
const path = require('node:path');

const { diag, ok } = require('./tap.js');

const FIREFOX = process.env.TEST_FIREFOX ?? '/usr/bin/firefox-esr';
const TOP = path.resolve(__dirname, '../../..');

/* NODE_PATH or the build's own modules */

function playwright() {
    try {
        return require('playwright-core');

    } catch {
        return require(path.join(TOP, 'build/npm/node_modules',
                                 'playwright-core'));
    }
}


const ARGS = [
    '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-sync',
    '--disable-background-networking', '--disable-component-update',
];


/* a camera that is not there, names of hosts that are this machine */

const CAMERA = ['--use-fake-device-for-media-stream',
                '--use-fake-ui-for-media-stream'];
const HERE = ['--host-resolver-rules=MAP *.test 127.0.0.1'];

const PREFS = new Map([
    [CAMERA, { 'media.navigator.streams.fake': true,
               'media.navigator.permission.disabled': true }],
    [HERE, { 'network.dns.forceResolve': '127.0.0.1' }],
]);


function launch(args = []) {
    return playwright().chromium.launch({
        executablePath: process.env.TEST_CHROMIUM ?? '/usr/bin/chromium',
        args: [...ARGS, ...args],
    });
}


/* a distribution's own, by WebDriver BiDi, and not one of playwright's */

function firefox(...needs) {
    return playwright().firefox.launch({
        channel: 'moz-firefox',
        executablePath: FIREFOX,
        firefoxUserPrefs: Object.assign({}, ...needs.map((need) =>
                                                         PREFS.get(need))),
    });
}


/* run(browser, name) in Chromium, and in Firefox if there is one */

async function both(needs, run) {
    for (const name of ['Chromium', 'Firefox']) {
        if (name === 'Firefox' && !fs.existsSync(FIREFOX)) {
            ok(true, `Firefox # SKIP no ${FIREFOX}`);
            continue;
        }

        const browser = await (name === 'Firefox' ? firefox(...needs)
                                                  : launch(needs.flat()));

        diag(`${name} ${browser.version()}`);

        try {
            await run(browser, name);

        } finally {
            await browser.close();
        }
    }
}


/* a message that a WebSocket of the page got */

function received(seen, text) {
    const message = JSON.parse(text);

    seen.results.set(`${message.source} ${message.seq}`, message);
}


function watch(page, seen) {
    page.on('websocket', (socket) => {
        seen.requests.push(socket.url());
        seen.sockets++;
        seen.opened++;
        socket.on('close', () => seen.sockets--);
        socket.on('framereceived', ({ payload }) => {
            if (typeof payload === 'string') {
                received(seen, payload);
            }
        });
    });
}


/* WebDriver BiDi does not tell of WebSockets, so that the page has to */

async function wrap(page, seen) {
    await page.exposeFunction('tellTest', (what, text) => {
        if (what === 'open') {
            seen.requests.push(text);
            seen.sockets++;
            seen.opened++;

        } else if (what === 'close') {
            seen.sockets--;

        } else {
            received(seen, text);
        }
    });

    await page.addInitScript(() => {
        globalThis.WebSocket = class extends WebSocket {
            constructor(...options) {
                super(...options);

                globalThis.tellTest('open', this.url);
                this.addEventListener('close', () =>
                    globalThis.tellTest('close'));
                this.addEventListener('message', ({ data }) => {
                    if (typeof data === 'string') {
                        globalThis.tellTest('text', data);
                    }
                });
            }
        };
    });
}


/* page.seen: what it asked for, complained about, and was told */

async function open(browser, url, options = {}, before = null) {
    const firefox = browser.browserType().name() === 'firefox';
    const { isMobile, ...others } = options;
    const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        ...(firefox ? others : options),
    });
    const page = await context.newPage();
    const seen = { requests: [], complaints: [], results: new Map(),
                   sockets: 0, opened: 0 };

    page.seen = seen;
    page.setDefaultTimeout(20000);

    page.on('request', (request) => seen.requests.push(request.url()));
    page.on('pageerror', (error) => seen.complaints.push(error.message));
    page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) {
            seen.complaints.push(message.text());
        }
    });

    await (firefox ? wrap : watch)(page, seen);

    if (before !== null) {
        await before(page);
    }

    await page.goto(url);

    return page;
}


function state(page) {
    return page.evaluate(() => document.documentElement.dataset.state);
}


function text(page, id) {
    return page.evaluate((id) => {
        const node = document.getElementById(id);

        return node.hidden ? '' : node.textContent;
    }, id);
}


module.exports = { CAMERA, HERE, both, launch, open, state, text };
