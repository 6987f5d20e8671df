/*
 * Copyright (C) vidcast contributors
 *
 * What comes over the wire, turned into plain objects.  Nothing here touches
 * the document or the network; whatever is malformed is a null.
 */

export const SUBPROTOCOL = 'vidcast.v1';

const MAGIC = 0x76696463;       /* "vidc" */
const VERSION = 1;
const PREFIX = 12;

const SEEN = 0.25;              /* as for pictures that the server draws */
const FAR = 1e6;

const utf8 = new TextDecoder();


/*
 * A binary message: magic, version, flags, offset of the picture, length of
 * the JSON, two zero bytes, JSON, filler, JPEG.  Without the subprotocol it
 * is the bare JPEG, which then has no number.
 */

export function parsePicture(buffer, subprotocol) {
    if (subprotocol !== SUBPROTOCOL) {
        return { meta: {}, jpeg: new Uint8Array(buffer) };
    }

    if (buffer.byteLength < PREFIX) {
        return null;
    }

    const view = new DataView(buffer);

    if (view.getUint32(0) !== MAGIC || view.getUint8(4) !== VERSION) {
        return null;
    }

    const offset = view.getUint16(6);
    const length = view.getUint16(8);

    if (PREFIX + length > offset || offset >= buffer.byteLength) {
        return null;
    }

    const meta = parseObject(utf8.decode(new Uint8Array(buffer, PREFIX,
                                                        length)));

    return meta && { meta, jpeg: new Uint8Array(buffer, offset) };
}


export function parseObject(text) {
    let value;

    try {
        value = JSON.parse(text);

    } catch {
        return null;
    }

    return typeof value === 'object' && !Array.isArray(value) ? value : null;
}


/*
 * The address of what stands beside the page.  That of the page itself may
 * have a password in it, and a page must not fetch such addresses.
 */

export function beside(path) {
    return new URL(path, location.origin + location.pathname);
}


/*
 * A coordinate or a side, in pixels of the picture: of one that is too far
 * away Firefox draws nothing, and nothing of the others in the same path.
 */

function near(value) {
    return Number.isFinite(value) && Math.abs(value) <= FAR;
}


/* detections with a usable box; a predictor may answer anything */

export function detections(message) {
    const list = message.result?.detections;

    if (!Array.isArray(list)) {
        return [];
    }

    return list.filter((d) => Array.isArray(d?.bbox)
                              && d.bbox.length === 4
                              && d.bbox.every(near));
}


/*
 * Key points of a detection that are worth drawing: a model guesses those that
 * it does not see, too, and says so by their score.
 */

export function keypoints({ keypoints: list }) {
    if (!Array.isArray(list)) {
        return [];
    }

    return list.filter((p) => Array.isArray(p)
                              && (p.length === 2 || p.length === 3)
                              && p.every(near)
                              && !(p[2] < SEEN));
}


/* what a box is called, and a thing's number where it has one */

export function named({ label, track_id: track }) {
    const id = Number.isInteger(track) || typeof track === 'string'
               ? `#${track}` : '';

    return `${label ?? ''} ${id}`.trim();
}


/* zones of a source, as the status has them, which can be drawn */

export function zones(source) {
    const list = source?.zones;

    if (!Array.isArray(list)) {
        return [];
    }

    return list.filter((z) => Array.isArray(z?.points)
                              && z.points.length > 2
                              && z.points.every((p) => Array.isArray(p)
                                                && p.length === 2
                                                && p.every(Number.isFinite)));
}


/* what a result says in words, for predictors that do not draw boxes */

export function words(message) {
    const result = message.result;

    if (result === undefined || result === null) {
        return '';
    }

    if (typeof result === 'string') {
        return result;
    }

    if (Array.isArray(result.detections)) {
        return '';
    }

    if (typeof result.text === 'string') {
        return result.text;
    }

    return JSON.stringify(result);
}


/* a status document, whatever its age, as a list of sources */

export function sources(status) {
    const given = status?.sources;

    if (given === null || typeof given !== 'object') {
        return [];
    }

    const list = Array.isArray(given)
                 ? given
                 : Object.entries(given).map(([name, s]) => ({ name, ...s }));

    return list.filter((s) => typeof s?.name === 'string' && s.name !== '');
}
