// Copyright (C) vidcast contributors

// A broadcast server on npm's "ws", compression off.
//
//     node broadcast.js PORT text|picture BYTES RATE      RATE 0: flat out
//
// Messages look as vidcast's do, so that the load client reads both alike.

'use strict';

const { WebSocketServer } = require('ws');

const [port, kind, size, rate] = process.argv.slice(2)
    .map((value, i) => i === 1 ? value : Number(value));

const picture = Buffer.alloc(Math.max(size, 132), ' ');
let seq = 0;

picture.write('vidc\x01\x00\x00\x80\x00\x74\x00\x00', 0, 'latin1');
picture.writeUInt16BE(0xffd8, 128);
picture.writeUInt16BE(0xffd9, picture.length - 2);


function message()
{
    const ts = (performance.timeOrigin + performance.now()) / 1000;
    const json = `{"v":1,"seq":${++seq},"ts":${ts.toFixed(6)}`;

    if (kind === 'text') {
        return json.padEnd(size - 1) + '}';
    }

    const copy = Buffer.from(picture);

    copy.write(json.padEnd(115) + '}', 12, 'latin1');

    return copy;
}


const server = new WebSocketServer({
    port, host: '127.0.0.1', backlog: 4096, perMessageDeflate: false,
    handleProtocols: () => 'vidcast.v1',
});

if (rate === 0) {
    server.on('connection', (socket) => {
        const next = () => {
            if (socket.readyState === socket.OPEN) {
                socket.send(message(), next);
            }
        };

        next();
    });

} else {
    setInterval(() => {
        const data = message();

        for (const socket of server.clients) {

            // whoever is behind misses it

            if (socket.bufferedAmount <= size) {
                socket.send(data);
            }
        }
    }, 1000 / rate);
}
