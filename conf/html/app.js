/*
 * Copyright (C) vidcast contributors
 *
 * The page: which source is watched, what is known about it, and what the
 * reader is told.  The states are
 *
 *   connecting     nothing has arrived yet
 *   live           a picture in the last two seconds
 *   stale          connected, and no picture for two seconds
 *   reconnecting   the connection is gone, the next try is on its way
 *   paused         the tab is hidden and has stopped pulling
 */

import { Stream } from './stream.js';
import { Stage } from './stage.js';
import { Meter } from './meter.js';
import { Pulse } from './pulse.js';
import { Log, element } from './log.js';
import { beside, parsePicture, parseObject, sources, words, zones }
    from './wire.js';

const STALE = 2000;
const HALF_OPEN = 10000;        /* silent, yet said to be live: try anew */
const HIDDEN = 5000;            /* a hidden tab lets go after this */
const POLL_LIVE = 5000;
const POLL_ELSE = 1500;
const PLAUSIBLE = 10;           /* seconds a picture may have been under way */

const $ = (id) => document.getElementById(id);
const root = document.documentElement;
const calm = matchMedia('(prefers-reduced-motion: reduce)');

const meters = {
    picture: new Meter(),
    result: new Meter(),
    predict: new Meter(),
    delay: new Meter(),
};

const pulse = new Pulse($('pulse'));
const stage = new Stage($('picture'), shown);
const log = new Log({ list: $('list'), hold: $('hold'), raw: $('raw'),
                      note: $('note') }, (label) => stage.color(label));

let stream = null;
let current = null;             /* name of the source that is watched */
let known = [];                 /* sources as the status listed them last */
let asked = { ok: null, code: 0, failed: 0 };   /* the last status */
let pictureAt = 0;              /* performance.now() of the last one */
let hiddenTimer = 0;
let pollTimer = 0;


/* what arrives */

function gotText(text) {
    const message = parseObject(text);

    if (message === null || !('result' in message || 'status' in message)) {
        return;
    }

    meters.result.add();
    meters.predict.add(message.latency?.predict);
    pulse.add(message.skipped > 0 ? 'skip' : 'result');
    stage.add(message);
    log.add(message);
}


function gotBinary(buffer, subprotocol) {
    const picture = parsePicture(buffer, subprotocol);

    if (picture === null) {
        stage.broken++;
        return;
    }

    const live = root.dataset.state === 'live';

    pictureAt = performance.now();
    meters.picture.add(buffer.byteLength);
    pulse.add('picture');
    stage.push(picture);

    if (!live) {
        update();
    }
}


/* called after each drawing of the picture */

function shown(picture, result, boxes) {
    list(boxes);
    say(result);
    $('words').style.translate = `${stage.left / stage.ratio}px `
                                 + `${-stage.top / stage.ratio}px`;

    if (picture === null || picture.drawn) {
        return;
    }

    const { bitmap, meta } = picture;

    meters.delay.add(Date.now() / 1000 - meta.ts);

    if (stage.size !== `${bitmap.width}×${bitmap.height}`) {
        stage.size = `${bitmap.width}×${bitmap.height}`;
        $('size').textContent = stage.size;
        $('figure').style.aspectRatio = `${bitmap.width} / ${bitmap.height}`;
    }

    $('frame').textContent = meta.frame === undefined ? ''
                                                      : `frame ${meta.frame}`;
    $('clock').textContent = clock(meta.ts);
    $('picture').dataset.frame = meta.frame ?? '';

    if (!calm.matches) {
        pulse.draw();
    }
}


/* the same boxes for those who do not see the canvas */

function list(boxes) {
    const items = $('boxes').children;

    while (items.length > boxes.length) {
        items[items.length - 1].remove();
    }

    while (items.length < boxes.length) {
        $('boxes').append(element('li'));
    }

    boxes.forEach(({ label, name, score, bbox }, i) => {
        const { dataset } = items[i];
        const text = name || 'box';

        items[i].textContent = score === null ? text
                                              : `${text} ${score.toFixed(2)}`;
        dataset.bbox = bbox.join(',');
        dataset.color = stage.color(label);
    });
}


function say(result) {
    const text = result === null ? '' : words(result).slice(0, 400);

    if ($('words').textContent !== text) {
        $('words').textContent = text;
        $('words').hidden = text === '';
    }

    $('picture').dataset.result = result?.seq ?? '';
}


function clock(ts) {
    if (!Number.isFinite(ts)) {
        return '';
    }

    const date = new Date(ts * 1000);
    const two = (n) => String(n).padStart(2, '0');

    return `${two(date.getHours())}:${two(date.getMinutes())}:`
           + `${two(date.getSeconds())}.`
           + `${Math.floor(date.getMilliseconds() / 100)}`;
}


/* what the reader is told */

function state() {
    const now = performance.now();

    if (stream === null) {
        return 'connecting';
    }

    if (stream.phase === 'idle') {
        return 'paused';
    }

    if (stream.phase === 'open') {
        if (now - Math.max(pictureAt, stream.opened) > STALE) {
            return 'stale';
        }

        if (pictureAt >= stream.opened) {
            return 'live';
        }
    }

    return stream.gone ? 'reconnecting' : 'connecting';
}


function update() {
    const now = state();

    if (root.dataset.state !== now) {
        root.dataset.state = now;
        $('state').textContent = now;
        document.title = `${now === 'live' ? '' : `${now}: `}`
                         + `${current ?? ''} – vidcast`;

        if (now === 'stale' || now === 'reconnecting') {
            poll();
        }
    }

    veil(now);
    halfOpen(now);
}


function veil(now) {
    const [title, text] = explain(now);

    $('veil').hidden = title === '';
    put('veil-title', title);
    put('veil-text', text);

    $('retry').hidden = !(now === 'reconnecting'
                          && stream.retryAt - performance.now() > 1000);
    $('veil-mjpeg').hidden = !(now === 'reconnecting'
                               && asked.ok && stream.failures > 2);
}


function put(id, text) {
    if ($(id).textContent !== text) {
        $(id).textContent = text;
    }
}


function explain(now) {
    const wait = stream === null ? 0 : stream.retryAt - performance.now();

    switch (now) {

    case 'live':
        return stage.picture === null && stage.broken > 3
               ? ['Unreadable pictures',
                  'The pictures arrive, but this browser cannot decode them.']
               : ['', ''];

    case 'paused':
        return ['Paused', 'The picture comes back with the tab.'];

    case 'stale':
        return [`No picture for ${silence()}`, reason()];

    case 'reconnecting':
        return ['Reconnecting',
                `${sentence(stream.reason)} ${trouble()}`
                + (wait > 1000 ? ` Next try in ${Math.ceil(wait / 1000)} s.`
                               : '')];

    default:
        return ['Connecting', current === null ? trouble() : ''];
    }
}


function silence() {
    const since = Math.max(pictureAt, stream.opened);

    return `${Math.floor((performance.now() - since) / 1000)} s`;
}


/* why it is black, in the server's words */

function reason() {
    const source = known.find((s) => s.name === current);

    if (!asked.ok || source === undefined) {
        return trouble();
    }

    const error = source.error || source.last_error || '';

    return sentence(`the server says ${current} is ${source.state}`
                    + (error ? `: ${error}` : ''));
}


function trouble() {
    if (asked.ok === null) {
        return '';
    }

    if (!asked.ok) {
        return asked.code ? `The server’s status says ${asked.code}.`
                          : 'The server does not answer.';
    }

    if (known.length === 0) {
        return 'The server has no source.';
    }

    if (current !== null && !known.some((s) => s.name === current)) {
        return `The server has no source ${current}.`;
    }

    return stream !== null && !stream.everOpened && stream.failures > 1
           ? 'The server answers, but lets no WebSocket through: see its '
             + 'error log, or a proxy on the way.'
           : '';
}


function sentence(text) {
    if (text === '') {
        return '';
    }

    return text[0].toUpperCase() + text.slice(1)
           + (/[.!?]$/.test(text) ? '' : '.');
}


/* a connection that only looks open */

function halfOpen(now) {
    if (now !== 'stale') {
        return;
    }

    const since = Math.max(pictureAt, stream.opened);
    const source = known.find((s) => s.name === current);

    if (performance.now() - since > HALF_OPEN
        && (asked.failed > 1 || (asked.ok && source?.state === 'live')))
    {
        stream.drop('the connection fell silent');
    }
}


function figures() {
    const live = root.dataset.state === 'live';
    const delay = meters.delay.median();
    const sane = delay !== null && delay > -0.005 && delay < PLAUSIBLE;

    figure('fps', live ? plain(meters.picture.rate()) : '');
    figure('rps', live ? plain(meters.result.rate()) : '');
    figure('predict', live ? milliseconds(meters.predict.median()) : '');
    figure('delay', live && sane ? milliseconds(Math.max(delay, 0)) : '');
    figure('traffic', live ? plain(meters.picture.flow() * 8 / 1e6) : '');

    $('delay').parentElement.title = delay !== null && !sane
                   ? 'not known: this clock and the server’s differ'
                   : '';

    const count = $('boxes').childElementCount;

    $('picture').setAttribute('aria-label',
        stage.picture === null
        ? 'No picture yet'
        : `Live picture of ${current}, ${count} box${count === 1 ? '' : 'es'}`);
}


function figure(id, value) {
    put(id, value || '–');
    $(id).parentElement.toggleAttribute('data-none', value === '');
}


function plain(value) {
    return value.toFixed(value < 100 ? 1 : 0);
}


function milliseconds(seconds) {
    if (seconds === null) {
        return '';
    }

    return (seconds * 1000).toFixed(seconds < 0.00995 ? 1 : 0);
}


/* sources */

async function poll() {
    clearTimeout(pollTimer);

    if (document.hidden) {
        return;
    }

    try {
        const answer = await fetch(beside('status'), {
            headers: { Accept: 'application/json' },
            cache: 'no-store',
            signal: AbortSignal.timeout(4000),
        });

        asked = { ok: answer.ok, code: answer.ok ? 0 : answer.status,
                  failed: 0 };

        if (answer.ok) {
            known = sources(await answer.json());
        }

    } catch {
        asked = { ok: false, code: 0, failed: asked.failed + 1 };
    }

    clearTimeout(pollTimer);
    pollTimer = setTimeout(poll, root.dataset.state === 'live' ? POLL_LIVE
                                                               : POLL_ELSE);
    offer();
    choose();
    mark();
    update();
}


/* the zones of the source that is watched */

function mark() {
    const list = zones(known.find((s) => s.name === current));

    if (JSON.stringify(list) !== JSON.stringify(stage.zones)) {
        stage.zones = list;
        stage.invalidate();
    }
}


function offer() {
    const box = $('sources');
    const names = known.map((s) => s.name);
    const old = [...box.querySelectorAll('input')].map((i) => i.value);

    if (asked.ok && names.join('\n') !== old.join('\n')) {
        box.querySelectorAll('label').forEach((label) => label.remove());

        for (const name of names) {
            const label = element('label');
            const input = element('input');

            input.type = 'radio';
            input.name = 'source';
            input.value = name;
            input.checked = name === current;
            input.addEventListener('change', () => {
                location.hash = encodeURIComponent(name);
            });
            label.append(input, name);
            box.append(label);
        }
    }

    box.hidden = names.length < 2;
    door();

    for (const input of box.querySelectorAll('input')) {
        const source = known.find((s) => s.name === input.value);

        input.parentElement.dataset.state = source?.state ?? '';
        input.parentElement.title = source?.state ?? '';
    }
}


/* to the page that publishes, where there is a source for it */

function door() {
    const open = known.filter((s) => s.published_by !== undefined);
    const own = open.find((s) => s.name === current);
    const name = (own ?? open[0])?.name;

    $('to-publish').hidden = name === undefined;
    $('veil-publish').hidden = own === undefined
                               || own.published_by.publishers > 0;

    $('to-publish').href = $('veil-publish').href
                         = `publish.html#${encodeURIComponent(name)}`;
}


function choose() {
    let wanted = '';

    try {
        wanted = decodeURIComponent(location.hash.slice(1));

    } catch {
        /* not ours */
    }

    const names = known.map((s) => s.name);

    if (wanted === '' || (asked.ok && !names.includes(wanted))) {
        wanted = names[0];
    }

    if (wanted !== undefined && wanted !== current) {
        watch(wanted);
    }
}


function watch(name) {
    const url = beside(`live/${encodeURIComponent(name)}`);

    url.protocol = url.protocol.replace('http', 'ws');

    stream?.close();
    stream = new Stream(url.href, { change, text: gotText,
                                    binary: gotBinary });
    current = name;
    pictureAt = 0;
    root.dataset.source = name;

    stage.reset();
    pulse.reset();
    log.reset();
    Object.values(meters).forEach((meter) => meter.reset());

    put('name', name);
    put('size', '');
    put('frame', '');
    put('clock', '');
    stage.size = '';

    const form = encodeURIComponent(name);

    $('to-mjpeg').href = $('veil-mjpeg').href = `video_feed/${form}`;
    $('to-snapshot').href = `snapshot/${form}.jpg`;
    $('to-events').href = `events/${form}`;

    for (const input of $('sources').querySelectorAll('input')) {
        input.checked = input.value === name;
    }

    door();

    if (!document.hidden) {
        stream.open();
    }

    update();
}


function change() {
    if (stream === null) {
        return;
    }

    if (stream.phase === 'waiting') {
        Object.values(meters).forEach((meter) => meter.reset());
    }

    update();
}


/* a hidden tab pulls nothing */

function visibility() {
    clearTimeout(hiddenTimer);

    if (document.hidden) {
        hiddenTimer = setTimeout(() => {
            stream?.close();
        }, HIDDEN);
        return;
    }

    resume();
}


function resume() {
    if (document.hidden) {
        return;
    }

    if (stream !== null && stream.phase !== 'open') {
        Object.values(meters).forEach((meter) => meter.reset());
        stream.open();
    }

    poll();
}


document.addEventListener('visibilitychange', visibility);
addEventListener('pagehide', () => stream?.close());
addEventListener('pageshow', (event) => event.persisted && resume());
addEventListener('online', resume);
addEventListener('hashchange', choose);

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    stage.theme();
    pulse.theme();
});

$('retry').addEventListener('click', () => stream?.open());

$('show-boxes').addEventListener('click', () => {
    stage.boxes = !stage.boxes;
    $('show-boxes').setAttribute('aria-pressed', String(stage.boxes));
    stage.invalidate();
});

$('fullscreen').hidden = !document.fullscreenEnabled;
$('fullscreen').addEventListener('click', () =>
    $('figure').requestFullscreen());

setInterval(() => {
    if (document.hidden) {
        return;
    }

    update();
    figures();

    if (calm.matches || root.dataset.state !== 'live') {
        pulse.draw();
    }
}, 500);

poll();
