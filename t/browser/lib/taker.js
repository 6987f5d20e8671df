/*
 * Copyright (C) vidcast contributors
 *
 * A server that takes what the page publishes, and does on demand what a real
 * one does seldom: refuses, closes with any code, stops reading, goes away.
 */

'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const HTML = path.resolve(__dirname, '../../../conf/html');
const TYPES = { '.html': 'text/html', '.css': 'text/css',
                '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';


class Taker {

    static async create() {
        const taker = new Taker();

        await taker.start();

        return taker;
    }


    constructor() {
        this.port = 0;
        this.sockets = new Set();       /* open WebSockets */
        this.pictures = [];             /* binary messages, the last ones */
        this.texts = [];
        this.count = 0;
        this.opened = 0;
        this.codes = [];                /* what the page closed with */
        this.status = 0;                /* answered instead of the upgrade */
        this.code = 0;                  /* closed with at once */
        this.paused = false;
    }


    start() {
        this.server = http.createServer((request, response) => {
            this.answer(request, response);
        });

        this.server.on('upgrade', (request, socket) => {
            this.upgrade(request, socket);
        });

        this.server.on('connection', (socket) => {
            this.all.add(socket);
            socket.on('close', () => this.all.delete(socket));
            socket.on('error', () => { /* it is gone */ });
        });

        this.all = new Set();

        return new Promise((resolve) => {
            this.server.listen(this.port, '127.0.0.1', () => {
                this.port = this.server.address().port;
                resolve();
            });
        });
    }


    /* without a word, as a machine that loses its power */

    stop() {
        this.all.forEach((socket) => socket.destroy());

        return new Promise((resolve) => {
            this.server.close(resolve);
        });
    }


    url(host = '127.0.0.1') {
        return `http://${host}:${this.port}/publish.html`;
    }


    answer(request, response) {
        const { pathname } = new URL(request.url, 'http://localhost/');
        const file = path.join(HTML, path.normalize(pathname));

        if (pathname === '/status') {
            response.setHeader('Content-Type', 'application/json');
            response.end(JSON.stringify({ sources: [
                { name: 'webcam', state: 'live',
                  viewers: { websocket: 2, sse: 0, mjpeg: 1, all: 3 } },
            ] }));
            return;
        }

        if (pathname.startsWith('/publish/')) {
            response.statusCode = this.status || 404;
            response.end();
            return;
        }

        if (!fs.existsSync(file)) {
            response.statusCode = 404;
            response.end();
            return;
        }

        response.setHeader('Content-Type', TYPES[path.extname(file)]);
        response.setHeader('Content-Security-Policy', "default-src 'none'; "
            + "script-src 'self'; style-src 'self'; img-src 'self'; "
            + "connect-src 'self'");
        response.end(fs.readFileSync(file));
    }


    upgrade(request, socket) {
        if (this.status) {
            socket.end(`HTTP/1.1 ${this.status} No\r\n`
                       + 'Connection: close\r\n\r\n');
            return;
        }

        const accept = crypto.createHash('sha1')
            .update(request.headers['sec-websocket-key'] + GUID)
            .digest('base64');

        socket.write('HTTP/1.1 101 Switching Protocols\r\n'
                     + 'Upgrade: websocket\r\nConnection: Upgrade\r\n'
                     + `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);

        this.opened++;
        this.path = request.url;
        this.protocol = request.headers['sec-websocket-protocol'];
        this.sockets.add(socket);

        if (this.code) {
            close(socket, this.code);
        }

        let rest = Buffer.alloc(0);

        socket.on('close', () => this.sockets.delete(socket));
        socket.on('data', (data) => {
            rest = this.frames(socket, Buffer.concat([rest, data]));
        });

        if (this.paused) {
            socket.pause();
        }
    }


    frames(socket, data) {
        for ( ;; ) {
            if (data.length < 2) {
                return data;
            }

            const short = data[1] & 0x7f;
            const head = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);

            if (data.length < head + 4) {
                return data;
            }

            const size = short === 126 ? data.readUInt16BE(2)
                         : short === 127 ? Number(data.readBigUInt64BE(2))
                         : short;

            if (data.length < head + 4 + size) {
                return data;
            }

            const payload = data.subarray(head + 4, head + 4 + size);

            for (let i = 0; i < size; i++) {
                payload[i] ^= data[head + (i & 3)];
            }

            this.message(socket, data[0], Buffer.from(payload));
            data = data.subarray(head + 4 + size);
        }
    }


    message(socket, first, payload) {
        switch (first) {

        case 0x82:
            this.count++;
            this.pictures = [...this.pictures.slice(-7), payload];
            return;

        case 0x81:
            this.texts.push(payload.toString());
            return;

        case 0x88:
            this.codes.push(payload.length > 1 ? payload.readUInt16BE(0) : 0);
            socket.end(Buffer.from([0x88, 0]));
            return;

        default:
            throw new Error(`the page sent a frame of type ${first}`);
        }
    }


    /* all that are open */

    close(code) {
        this.sockets.forEach((socket) => close(socket, code));
    }


    pause(paused) {
        this.paused = paused;
        this.sockets.forEach((socket) => socket[paused ? 'pause'
                                                       : 'resume']());
    }
}


function close(socket, code) {
    socket.write(Buffer.from([0x88, 2, code >> 8, code & 0xff]));
    socket.end();
}


module.exports = { Taker };
