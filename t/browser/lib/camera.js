/*
 * Copyright (C) vidcast contributors
 *
 * The cameras that browsers pretend to have.  Chromium's: on a dark green
 * ground a light green disk, of which a sector grows and shrinks.  Firefox's:
 * one bright color, which changes, and small digits at the top.
 */

'use strict';


/* what a JPEG shows, looked at by a browser */

function fake(page, jpeg) {
    const name = page.context().browser().browserType().name();

    return page.evaluate(async ([base64, firefox]) => {
        const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
        const bitmap = await createImageBitmap(
            new Blob([bytes], { type: 'image/jpeg' }));
        const { width, height } = bitmap;
        const context = new OffscreenCanvas(width, height).getContext('2d');

        context.drawImage(bitmap, 0, 0);

        const { data } = context.getImageData(0, 0, width, height);
        let ground = 0;
        let disk = 0;
        let same = 0;
        let sum = 0;

        const middle = 4 * (width * (height >> 1) + (width >> 1));
        const color = data.subarray(middle, middle + 3);
        const bright = Math.max(...color) - Math.min(...color) > 100;

        for (let i = 0; i < data.length; i += 4) {
            const [r, g, b] = data.subarray(i, i + 3);

            ground += r < 30 && g > 110 && g < 160 && b < 30 ? 1 : 0;
            disk += g > 220 && b < 60 ? 1 : 0;
            same += Math.hypot(r - color[0], g - color[1], b - color[2]) < 30
                    ? 1 : 0;
            sum = (sum * 31 + g) % 1000000007;
        }

        const pixels = width * height;

        return { width, height, sum,
                 ground: ground / pixels, disk: disk / pixels,
                 fake: firefox
                       ? bright && same / pixels > 0.7 && same < pixels
                       : ground / pixels > 0.6 && disk / pixels > 0.01 };
    }, [jpeg.toString('base64'), name === 'firefox']);
}


/* "WxH" of a JPEG, by its frame header */

function dimensions(jpeg) {
    let at = 2;

    while (at + 9 < jpeg.length && jpeg[at] === 0xff) {
        const marker = jpeg[at + 1];

        if (marker >= 0xc0 && marker <= 0xc2) {
            return `${jpeg.readUInt16BE(at + 7)}x${jpeg.readUInt16BE(at + 5)}`;
        }

        at += 2 + jpeg.readUInt16BE(at + 2);
    }

    return 'no JPEG';
}


module.exports = { fake, dimensions };
