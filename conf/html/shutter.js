/*
 * Copyright (C) vidcast contributors
 *
 * Takes JPEGs of a <video> at a rate.  The newest wins: one at a time is
 * being encoded, and what cannot be taken when it is due is dropped, never
 * kept.  It goes by the camera's frames, and by a clock when the browser does
 * not tell of them, as in a hidden tab.
 */

const SLACK = 4;                /* milliseconds that a frame may be early */
const SILENT = 500;             /* of frames, until the clock goes on */


export class Shutter {

    constructor(video, { ready, taken, dropped, failed }) {
        this.video = video;
        this.on = { ready, taken, dropped, failed };
        this.options = { fps: 25, side: 640, quality: 0.75 };
        this.running = false;
        this.busy = false;
        this.due = 0;
        this.frameAt = 0;       /* performance.now() of the camera's last */
        this.listening = false;
        this.painter = painter((answer) => this.answer(answer));
    }


    set(options) {
        Object.assign(this.options, options);

        if (this.running) {
            this.painter.clock(1000 / this.options.fps);
        }
    }


    start() {
        if (this.running) {
            return;
        }

        this.running = true;
        this.due = 0;
        this.painter.clock(1000 / this.options.fps);
        this.listen();
    }


    stop() {
        this.running = false;
        this.painter.clock(0);
    }


    listen() {
        if (!this.running || !this.video.requestVideoFrameCallback
            || this.listening)
        {
            return;
        }

        this.listening = true;

        this.video.requestVideoFrameCallback((now) => {
            this.listening = false;
            this.listen();
            this.frameAt = now;
            this.tick(now);
        });
    }


    answer({ tick, jpeg, error }) {
        if (tick) {
            const now = performance.now();

            if (now - this.frameAt > SILENT) {
                this.tick(now);
            }

            return;
        }

        this.busy = false;

        if (!this.running) {
            return;
        }

        if (error !== undefined) {
            this.on.failed(error);
            return;
        }

        this.on.taken(jpeg);
    }


    tick(now) {
        const { video, options } = this;
        const period = 1000 / options.fps;

        if (!this.running || now < this.due - SLACK
            || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA)
        {
            return;
        }

        this.due = Math.max(this.due + period, now - period);

        if (this.busy || !this.on.ready()) {
            this.on.dropped();
            return;
        }

        const { videoWidth, videoHeight } = video;
        const scale = Math.min(1, options.side / Math.max(videoWidth,
                                                          videoHeight));

        this.busy = true;
        this.painter.paint(video, {
            width: Math.round(videoWidth * scale),
            height: Math.round(videoHeight * scale),
            quality: options.quality,
        });
    }
}


/* where the JPEGs are made: a worker, or the page in older browsers */

function painter(answer) {
    if (typeof OffscreenCanvas !== 'undefined') {
        return new Background(answer);
    }

    return new Foreground(answer);
}


class Background {

    constructor(answer) {
        this.answer = answer;
        this.worker = new Worker(new URL('./shutter-worker.js',
                                         import.meta.url));
        this.worker.onmessage = ({ data }) => answer(data);
        this.worker.onerror = ({ message }) =>
            answer({ error: message ?? 'shutter-worker.js does not load' });
    }


    clock(period) {
        this.worker.postMessage({ period });
    }


    async paint(video, options) {
        try {
            const bitmap = await createImageBitmap(video);

            this.worker.postMessage({ bitmap, ...options }, [bitmap]);

        } catch (error) {
            this.answer({ error: error.message });
        }
    }
}


class Foreground {

    constructor(answer) {
        this.answer = answer;
        this.canvas = document.createElement('canvas');
        this.context = this.canvas.getContext('2d', { alpha: false });
        this.timer = 0;
    }


    clock(period) {
        clearInterval(this.timer);
        this.timer = period > 0
                     ? setInterval(() => this.answer({ tick: true }), period)
                     : 0;
    }


    paint(video, { width, height, quality }) {
        this.canvas.width = width;
        this.canvas.height = height;
        this.context.drawImage(video, 0, 0, width, height);

        this.canvas.toBlob(async (blob) => {
            this.answer(blob === null ? { error: 'the browser makes no JPEG' }
                                      : { jpeg: await blob.arrayBuffer() });
        }, 'image/jpeg', quality);
    }
}
