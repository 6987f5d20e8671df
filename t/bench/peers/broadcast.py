#!/usr/bin/python3

# Copyright (C) vidcast contributors

# A broadcast server on Python's "websockets", as its documentation has it:
# one message to everybody, compression off.
#
#     broadcast.py PORT text|picture BYTES RATE       RATE 0: flat out
#
# Messages look as vidcast's do, so that the load client reads both alike.

import asyncio
import sys
import time

import websockets

port, kind, size, rate = (int(sys.argv[1]), sys.argv[2], int(sys.argv[3]),
                          float(sys.argv[4]))
seq = 0
viewers = set()

if kind == 'picture':
    picture = b'\xff\xd8' + b' ' * (size - 128 - 4) + b'\xff\xd9'


def message():
    global seq
    seq += 1
    json = '{"v":1,"seq":%d,"ts":%.6f' % (seq, time.time())

    if kind == 'text':
        return json + ' ' * (size - len(json) - 1) + '}'

    return (b'vidc\x01\x00\x00\x80\x00\x74\x00\x00'
            + (json.encode() + b' ' * (115 - len(json)) + b'}') + picture)


async def viewer(socket, *path):
    viewers.add(socket)

    try:
        if rate == 0:
            while True:
                await socket.send(message())

        await socket.wait_closed()

    except websockets.ConnectionClosed:
        pass

    finally:
        viewers.discard(socket)


async def main():
    async with websockets.serve(viewer, '127.0.0.1', port, compression=None,
                                subprotocols=['vidcast.v1'], max_size=None,
                                ping_interval=None, backlog=4096):
        if rate == 0:
            await asyncio.Future()

        due = time.monotonic()

        while True:
            due = max(due + 1 / rate, time.monotonic() - 1 / rate)
            await asyncio.sleep(max(0, due - time.monotonic()))
            websockets.broadcast(viewers, message())


asyncio.run(main())
