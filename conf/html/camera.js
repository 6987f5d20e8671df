/*
 * Copyright (C) vidcast contributors
 *
 * A camera of this device, shown in a <video>, and why there is none.
 *
 * phase: "off", "asking" (the reader, or the device), "on"
 */

const CALM = 15;                /* a lower rate is ours to make, not its */


export class Camera {

    constructor(video, { change, lost }) {
        this.video = video;
        this.phase = 'off';
        this.stream = null;
        this.round = 0;         /* of the call that is the last one */
        this.pending = Promise.resolve();
        this.on = { change, lost };
    }


    /* names are empty till the reader has allowed one of them */

    async list() {
        const devices = await navigator.mediaDevices.enumerateDevices();

        return devices.filter((d) => d.kind === 'videoinput')
                      .map((d) => ({ id: d.deviceId, label: d.label }));
    }


    /*
     * True when it is on; null when another call has come between.  One after
     * the other, as browsers give to who asks meanwhile what the one before
     * has asked for.
     */

    async open(wanted) {
        const round = ++this.round;

        this.release();
        this.enter('asking');

        const asked = this.pending.then(() => round === this.round
                                              ? this.ask(wanted, round)
                                              : null);

        this.pending = asked.catch(() => { /* told to who asked */ });

        return asked;
    }


    async ask({ device, width, height, fps }, round) {
        let stream;

        try {
            stream = await navigator.mediaDevices.getUserMedia({
                audio: false,
                video: {
                    width: { ideal: width },
                    height: { ideal: height },
                    frameRate: { ideal: Math.max(fps, CALM) },
                    ...device === '' ? {} : { deviceId: { exact: device } },
                },
            });

        } catch (error) {
            if (round !== this.round) {
                return null;
            }

            this.enter('off');
            throw error;
        }

        if (round !== this.round) {
            stream.getTracks().forEach((track) => track.stop());
            return null;
        }

        this.stream = stream;
        this.track.addEventListener('ended', () => {
            if (round === this.round) {
                this.close();
                this.on.lost();
            }
        });

        this.video.srcObject = stream;
        this.video.play().catch(() => { /* stopped before it began */ });
        this.enter('on');

        return true;
    }


    get track() {
        return this.stream?.getVideoTracks()[0] ?? null;
    }


    get device() {
        return this.track?.getSettings().deviceId ?? '';
    }


    close() {
        this.round++;
        this.release();
        this.enter('off');
    }


    release() {
        this.stream?.getTracks().forEach((track) => track.stop());
        this.stream = null;
        this.video.srcObject = null;
    }


    enter(phase) {
        this.phase = phase;
        this.on.change();
    }
}


/* browsers have cameras only for pages that nobody can have changed */

export function forbidden() {
    if (navigator.mediaDevices?.getUserMedia !== undefined) {
        return null;
    }

    if (isSecureContext) {
        return ['No way to a camera',
                'This browser gives cameras to no page.'];
    }

    const port = location.port === '' ? '' : `:${location.port}`;

    return ['Not over plain HTTP',
            'Browsers give a camera only to pages that come over https:// '
            + 'or from the device itself. Serve this page over TLS '
            + '(“listen … ssl”), or open it on the server as '
            + `http://localhost${port}${location.pathname}.`];
}


const REASONS = {
    NotAllowedError: [
        'The camera was refused',
        'Allow it for this page, by the symbol beside its address, then try '
        + 'again. The system’s own settings may refuse it to the browser, '
        + 'too.',
    ],
    NotFoundError: [
        'No camera',
        'This device has none that the browser could find. It is opened when '
        + 'one is plugged in.',
    ],
    NotReadableError: [
        'The camera does not open',
        'Another program may have it, or the system refuses it. Close the '
        + 'other program, then try again.',
    ],
    OverconstrainedError: [
        'That camera is gone',
        'Choose another one, or plug it in again.',
    ],
    SecurityError: [
        'Cameras are turned off',
        'A policy of the browser, or of the page around this one, turns '
        + 'them off.',
    ],
};


export function reason(error) {
    return REASONS[error.name] ?? ['The camera does not open', error.message];
}
