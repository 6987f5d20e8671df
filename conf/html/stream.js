/*
 * Copyright (C) vidcast contributors
 *
 * One WebSocket to one source that comes back by itself.  It knows about
 * sockets and waiting, not about what the messages mean.
 *
 * phase: "idle" (not wanted), "connecting", "open", "waiting" (for retryAt)
 */

import { SUBPROTOCOL } from './wire.js';

const FIRST_WAIT = 250;
const LONGEST_WAIT = 10000;
const HANDSHAKE_TIMEOUT = 8000;

const REASONS = {
    1000: 'the server closed the connection',
    1001: 'the server is restarting',
    1002: 'protocol error',
    1003: 'message refused',
    1006: 'connection lost',
    1008: 'refused by the server\u2019s policy',
    1009: 'message too large',
    1011: 'error in the server',
    1013: 'the server is full',
};


export class Stream {

    constructor(url, { change, text, binary }, protocols = [SUBPROTOCOL]) {
        this.url = url;
        this.protocols = protocols;
        this.phase = 'idle';
        this.opened = 0;        /* performance.now() of the last handshake */
        this.failures = 0;      /* attempts since the last good message */
        this.everOpened = false;
        this.gone = false;      /* it was lost and is being sought */
        this.reason = '';
        this.code = 0;          /* of the last close, if there was one */
        this.retryAt = 0;

        this.socket = null;
        this.timer = 0;
        this.on = { change, text, binary };
    }


    open() {
        if (this.phase === 'open' || this.phase === 'connecting') {
            return;
        }

        clearTimeout(this.timer);
        this.code = 0;

        let socket;

        try {
            socket = new WebSocket(this.url, this.protocols);

        } catch (error) {
            this.lost(error.message);
            return;
        }

        socket.binaryType = 'arraybuffer';

        socket.onopen = () => {
            clearTimeout(this.timer);
            this.opened = performance.now();
            this.everOpened = true;
            this.enter('open');
        };

        socket.onmessage = ({ data }) => {
            this.failures = 0;

            if (typeof data === 'string') {
                this.on.text(data);

            } else {
                this.on.binary(data, socket.protocol);
            }
        };

        socket.onclose = ({ code, reason }) => {
            const known = REASONS[code] ?? `closed with code ${code}`;

            this.code = code;
            this.forget();
            this.lost(reason ? `${known}: ${reason}` : known);
        };

        this.socket = socket;
        this.timer = setTimeout(() => this.drop('no answer'),
                                HANDSHAKE_TIMEOUT);
        this.enter('connecting');
    }


    /* what was sent and has not left yet, in bytes */

    get buffered() {
        return this.socket === null ? 0 : this.socket.bufferedAmount;
    }


    send(data) {
        if (this.phase !== 'open') {
            return false;
        }

        this.socket.send(data);

        return true;
    }


    /* the other side is gone without saying so */

    drop(reason) {
        this.forget();
        this.lost(reason);
    }


    close() {
        this.forget();
        this.reason = '';
        this.failures = 0;
        this.gone = false;
        this.enter('idle');
    }


    forget() {
        const socket = this.socket;

        clearTimeout(this.timer);

        if (socket === null) {
            return;
        }

        this.socket = null;
        socket.onopen = socket.onmessage = socket.onclose = null;
        socket.close(1000);
    }


    lost(reason) {
        const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures)
                     * (0.75 + Math.random() / 2);

        this.failures++;
        this.gone = true;
        this.reason = reason;
        this.retryAt = performance.now() + wait;
        this.timer = setTimeout(() => this.open(), wait);
        this.enter('waiting');
    }


    enter(phase) {
        this.phase = phase;
        this.on.change();
    }
}
