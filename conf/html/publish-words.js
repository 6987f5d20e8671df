/*
 * Copyright (C) vidcast contributors
 *
 * What whoever publishes is told: a title and a sentence for each trouble.
 */


/* of a connection that was closed, and will not do better another time */

export function ended({ code, reason }, name, steady) {
    if (code === 1009) {
        return ['The picture is too large',
                `The source ${name} does not take pictures of this size. `
                + 'Choose a smaller size or quality, or raise “frames” on the '
                + 'server.'];
    }

    /* two pages must not take the source from each other for ever */

    if (code === 1008 && (steady || /took over/.test(reason))) {
        return ['Somebody else took over',
                `Another publisher is now the one of ${name}.`];
    }

    return null;
}


export function explain(state, { name, stream, answered, fault }) {
    switch (state) {

    case 'idle':
        return ['The camera is off', ''];

    case 'asking':
        return ['Asking for the camera',
                'The browser may want to know whether this page may use it.'];

    case 'stale':
        return stream.buffered > 0
               ? ['The server takes no picture',
                  'The line is too slow, or the server too busy.']
               : ['No picture for a while', 'The camera gives none.'];

    case 'reconnecting':
        return trouble(stream, name, answered);

    case 'failed':
        return fault;

    default:
        return ['', ''];
    }
}


/* "answered": the HTTP status where no WebSocket ever opened */

function trouble(stream, name, answered) {
    if (stream.code === 1008) {
        return ['Somebody else publishes',
                `The source ${name} takes one publisher at a time.`];
    }

    if (stream.opened > 0) {
        return ['Reconnecting', sentence(stream.reason)];
    }

    switch (answered) {

    case 0:
        return ['Reconnecting', 'The server does not answer.'];

    case 401:
        return ['A password is wanted',
                'The server wants a name and a password.'];

    case 403:
        return ['Refused', 'The server does not let this device, or this '
                           + 'page, publish: see its error log.'];

    case 404:
        return ['No such source', `The server takes nothing as ${name}.`];

    case 405:
        return ['Reconnecting',
                'The server opens no WebSocket to this page: “vidcast_origin” '
                + 'may refuse it, see the error log, or a proxy on the way.'];

    default:
        return ['Reconnecting',
                `The server answers ${answered}, but opens no WebSocket: see `
                + 'its error log, or a proxy on the way.'];
    }
}


export function sentence(text) {
    return text === '' ? '' : text[0].toUpperCase() + text.slice(1)
                              + (/[.!?]$/.test(text) ? '' : '.');
}
