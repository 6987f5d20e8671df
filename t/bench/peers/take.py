# Copyright (C) vidcast contributors

# A server on Python's websockets that takes messages and drops them, without
# compression: take.py PORT

import asyncio
import sys

import websockets


async def take(ws, path=None):
    async for message in ws:
        pass


async def main():
    await websockets.serve(take, '127.0.0.1', int(sys.argv[1]),
                           compression=None, max_size=None)
    await asyncio.Future()


asyncio.run(main())
