/*
 * Copyright (C) vidcast contributors
 *
 * The page that publishes a camera of the browser's.  The states are
 *
 *   idle           the camera is off
 *   asking         the camera has been asked for
 *   preview        it is on, and seen by nobody else
 *   connecting     no picture has left yet
 *   live           a picture has left in the last two seconds
 *   stale          connected, and none has left for two seconds
 *   reconnecting   the connection is gone, the next try is on its way
 *   failed         it needs the reader's help
 */

import { Stream } from './stream.js';
import { Camera, forbidden, reason } from './camera.js';
import { Shutter } from './shutter.js';
import { Meter } from './meter.js';
import { Pulse } from './pulse.js';
import { beside, sources } from './wire.js';
import { ended, explain, sentence } from './publish-words.js';

const STALE = 2000;
const HALF_OPEN = 10000;        /* nothing leaves, yet it is said to be open */
const STEADY = 2000;            /* open for so long it was not refused */
const POLL = 3000;
const NAME = 'webcam';          /* the source when the address has none */

const STATES = {
    idle: 'off',
    asking: 'asking',
    preview: 'preview',
    connecting: 'connecting',
    live: 'publishing',
    stale: 'stale',
    reconnecting: 'reconnecting',
    failed: 'stopped',
};

const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const calm = matchMedia('(prefers-reduced-motion: reduce)');

const meters = { sent: new Meter(), dropped: new Meter() };
const pulse = new Pulse($('pulse'));
const camera = new Camera($('preview'), { change: update, lost });
const shutter = new Shutter($('preview'), { ready, taken, dropped, failed });

let stream = null;              /* not null: publishing is wanted */
let fault = null;               /* [title, text] that ended it */
let back = null;                /* what the camera is wanted back for */
let sentAt = 0;                 /* performance.now() of the last picture */
let answered = 0;               /* HTTP status where no WebSocket opens */
let lock = null;                /* keeps the screen of a phone on */


/* pictures */

function ready() {
    return stream !== null && stream.phase === 'open'
           && stream.buffered === 0;
}


function taken(jpeg) {
    if (stream === null || !stream.send(jpeg)) {
        return;
    }

    const now = performance.now();

    if (now - stream.opened > STEADY) {
        stream.failures = 0;
    }

    sentAt = now;
    meters.sent.add(jpeg.byteLength);
    tick('picture');

    if (root.dataset.state !== 'live') {
        update();
    }
}


function dropped() {
    if (stream?.phase === 'open') {
        meters.dropped.add();
        tick('skip');
    }
}


function tick(kind) {
    pulse.add(kind);

    if (!calm.matches && !document.hidden) {
        pulse.draw();
    }
}


function failed(error) {
    stop(['The browser makes no pictures', sentence(error)]);
}


/* the camera */

function wanted() {
    const [width, height] = $('dimensions').value.split('x').map(Number);

    return { device: $('camera').value, width, height,
             fps: Number($('rate').value) };
}


function settings() {
    const { width, height, fps } = wanted();

    $('quality-value').textContent = $('quality').value;
    shutter.set({ fps, side: Math.max(width, height),
                  quality: $('quality').value / 100 });
}


async function show() {
    fault = null;
    back = null;

    try {
        if (await camera.open(wanted())) {
            await choices();
        }

    } catch (error) {
        const again = stream === null ? look : publish;

        stop(reason(error));

        if (['NotFoundError', 'OverconstrainedError'].includes(error.name)) {
            back = again;
        }
    }

    update();

    return camera.phase === 'on';
}


/* labels are there once one has been allowed */

async function choices() {
    const cameras = await camera.list();
    const select = $('camera');
    const chosen = camera.phase === 'on' ? camera.device : select.value;

    if (cameras.every((c) => c.label === '')) {
        return;
    }

    select.replaceChildren(...cameras.map(({ id, label }, i) =>
        new Option(label || `Camera ${i + 1}`, id)));

    if (cameras.some((c) => c.id === chosen)) {
        select.value = chosen;
    }
}


function lost() {
    const again = stream === null ? look : publish;

    stop(['The camera is gone', 'It is opened again when it is back.']);
    back = again;
}


/* plugged in or taken out; a phone takes it from a page that is hidden */

async function changed() {
    await choices().catch(() => { /* then they stay as they are */ });

    if (back !== null && !document.hidden && (await camera.list()).length) {
        back();
    }
}


/* start and stop */

async function look() {
    if (camera.phase === 'off') {
        return show();
    }

    camera.close();
}


async function publish() {
    const name = $('source').value;
    const url = beside(`publish/${encodeURIComponent(name)}`);

    url.protocol = url.protocol.replace('http', 'ws');

    fault = null;
    answered = 0;
    stream = new Stream(url.href, { change, text: ignore, binary: ignore },
                        []);
    Object.values(meters).forEach((meter) => meter.reset());
    pulse.reset();

    if (camera.phase === 'off' && !await show()) {
        return;
    }

    /* it may have been stopped meanwhile, or started anew */

    if (stream !== null && stream.phase === 'idle') {
        settings();
        shutter.start();
        stream.open();
        awake();
    }

    poll();
    update();
}


function stop(why = null) {
    shutter.stop();
    stream?.close();
    stream = null;
    fault = why;
    back = null;
    camera.close();
    awake();
    poll();
    update();
}


function ignore() {
    /* the server has nothing to tell but by closing */
}


/* the connection changed its phase */

function change() {
    if (stream?.phase === 'waiting') {
        Object.values(meters).forEach((meter) => meter.reset());
        refused();
    }

    update();
}


function refused() {
    const steady = stream.everOpened
                   && performance.now() - stream.opened > STEADY;
    const why = ended(stream, $('source').value, steady);

    if (why !== null) {
        stop(why);

    } else if (stream.code === 1006 && stream.opened === 0) {
        ask(stream);
    }
}


/* browsers do not tell a page why a WebSocket was refused */

async function ask(asking) {
    const url = asking.url.replace(/^ws/, 'http');
    let status = 0;

    try {
        status = (await fetch(url, { cache: 'no-store',
                                     signal: AbortSignal.timeout(4000) }))
                 .status;

    } catch {
        /* nobody is there */
    }

    if (asking === stream) {
        answered = status;
        update();
    }
}


/* the screen of a phone */

async function awake() {
    if (stream === null || document.hidden) {
        lock?.release().catch(ignore);
        lock = null;
        return;
    }

    if (lock !== null && !lock.released) {
        return;
    }

    try {
        lock = await navigator.wakeLock?.request('screen') ?? null;

        if (stream === null) {
            lock?.release().catch(ignore);
            lock = null;
        }

    } catch {
        lock = null;            /* the battery is low, or it may not be */
    }
}


/* what the reader is told */

function state() {
    if (fault !== null) {
        return 'failed';
    }

    if (camera.phase === 'asking') {
        return 'asking';
    }

    if (stream === null) {
        return camera.phase === 'on' ? 'preview' : 'idle';
    }

    if (stream.phase === 'open') {
        if (performance.now() - Math.max(sentAt, stream.opened) > STALE) {
            return 'stale';
        }

        if (sentAt >= stream.opened) {
            return 'live';
        }
    }

    return stream.gone ? 'reconnecting' : 'connecting';
}


function update() {
    const now = state();
    const name = $('source').value;

    if (root.dataset.state !== now) {
        root.dataset.state = now;
        put('state', STATES[now]);
        document.title = `${STATES[now]}: ${name} – vidcast`;
    }

    const [title, text] = explain(now, { name, stream, answered, fault });

    $('veil').hidden = title === '';
    put('veil-title', title);
    put('veil-text', text);
    countdown(now);

    const on = stream !== null;

    put('publish', on ? 'Stop' : 'Publish');
    put('look', camera.phase === 'off' ? 'Preview' : 'Close');
    $('publish').toggleAttribute('data-on', on);
    $('look').hidden = on;
    $('source').disabled = on;
    $('send').disabled = !on || stream.phase !== 'open';

    put('name', name);
    put('label', camera.track?.label ?? '');
    $('watch').href = `./#${encodeURIComponent(name)}`;
    halfOpen(now);
}


function countdown(now) {
    const wait = now === 'reconnecting' ? stream.retryAt - performance.now()
                                        : 0;

    put('veil-wait', wait > 1000 ? `Next try in ${Math.ceil(wait / 1000)} s.`
                                 : '');
    $('retry').hidden = wait < 1000;
}


/* a connection that only looks open */

function halfOpen(now) {
    if (now === 'stale' && stream.buffered > 0
        && performance.now() - Math.max(sentAt, stream.opened) > HALF_OPEN)
    {
        stream.drop('the server took nothing');
    }
}


function put(id, text) {
    if ($(id).textContent !== text) {
        $(id).textContent = text;
    }
}


function figures() {
    const live = root.dataset.state === 'live';
    const rate = meters.sent.rate();
    const flow = meters.sent.flow();

    figure('fps', live ? rate.toFixed(1) : '');
    figure('dropped', live ? meters.dropped.rate().toFixed(1) : '');
    figure('traffic', live ? (flow / 1000).toFixed(0) : '');
    figure('bytes', live && rate > 0 ? (flow / rate / 1000).toFixed(1) : '');
}


function figure(id, value) {
    put(id, value || '–');
    $(id).parentElement.toggleAttribute('data-none', value === '');
}


/* who sees me: of the server's status, if it serves one */

async function poll() {
    let count = '';

    if (stream !== null && !document.hidden) {
        try {
            const answer = await fetch(beside('status'), {
                headers: { Accept: 'application/json' },
                cache: 'no-store',
                signal: AbortSignal.timeout(4000),
            });
            const source = sources(await answer.json())
                           .find((s) => s.name === $('source').value);

            count = String(source.viewers.all);

        } catch {
            /* not told */
        }
    }

    figure('viewers', stream === null ? '' : count);
}


/* what the reader does */

function hash() {
    let name = NAME;

    try {
        name = decodeURIComponent(location.hash.slice(1)) || NAME;

    } catch {
        /* not ours */
    }

    if (stream === null) {
        $('source').value = name;
    }

    update();
}


function say() {
    const text = $('message').value.trim();
    let json = text;

    try {
        JSON.parse(text);

    } catch {
        json = JSON.stringify(text);
    }

    if (text !== '' && stream?.send(json)) {
        put('said', `Sent: ${json}`);
        $('message').value = '';
        tick('result');
    }
}


$('form').addEventListener('submit', (event) => {
    event.preventDefault();

    if (stream === null) {
        publish();

    } else {
        stop();
    }
});

$('say').addEventListener('submit', (event) => {
    event.preventDefault();
    say();
});

$('look').addEventListener('click', look);
$('retry').addEventListener('click', () => stream?.open());
$('source').addEventListener('input', update);

for (const id of ['camera', 'dimensions', 'rate']) {
    $(id).addEventListener('change', () => {
        settings();

        if (camera.phase !== 'off') {
            show();
        }
    });
}

$('quality').addEventListener('input', settings);

$('preview').addEventListener('resize', () => {
    const { videoWidth, videoHeight } = $('preview');

    put('size', videoWidth > 0 ? `${videoWidth}×${videoHeight}` : '');

    if (videoWidth > 0) {
        $('figure').style.aspectRatio = `${videoWidth} / ${videoHeight}`;
    }
});

addEventListener('hashchange', hash);
addEventListener('pagehide', () => stop());
document.addEventListener('visibilitychange', () => {
    awake();

    if (!document.hidden && back !== null) {
        changed();
    }
});

navigator.mediaDevices?.addEventListener?.('devicechange', changed);

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
    pulse.theme());

setInterval(() => {
    if (document.hidden) {
        return;
    }

    update();
    figures();
    pulse.draw();
}, 500);

setInterval(poll, POLL);

fault = forbidden();
$('publish').disabled = $('look').disabled = fault !== null;
settings();
hash();
figures();
poll();

if (fault === null) {
    choices().catch(ignore);
}
