/*
 * Copyright (C) vidcast contributors
 *
 * Pictures to JPEG, off the page's own thread, and a clock that runs on while
 * the page is hidden, when its own timers nearly stand still.
 */

let canvas = null;
let context = null;
let timer = 0;


async function encode({ bitmap, width, height, quality }) {
    if (canvas === null) {
        canvas = new OffscreenCanvas(width, height);
        context = canvas.getContext('2d', { alpha: false });

    } else if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
    }

    context.drawImage(bitmap, 0, 0, width, height);
    bitmap.close();

    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality });
    const jpeg = await blob.arrayBuffer();

    postMessage({ jpeg }, [jpeg]);
}


addEventListener('message', async ({ data }) => {
    if (data.period !== undefined) {
        clearInterval(timer);
        timer = data.period > 0
                ? setInterval(() => postMessage({ tick: true }), data.period)
                : 0;
        return;
    }

    try {
        await encode(data);

    } catch (error) {
        postMessage({ error: error.message });
    }
});
