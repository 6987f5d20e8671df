/*
 * Copyright (C) vidcast contributors
 *
 * A server on npm's ws that takes messages and drops them, without
 * compression: take.js PORT
 */

'use strict';

const { WebSocketServer } = require('ws');

new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]),
                      perMessageDeflate: false, maxPayload: 0 })
    .on('connection', (socket) => {
        socket.on('message', () => { /* dropped */ });
        socket.on('error', () => { /* gone */ });
    });
