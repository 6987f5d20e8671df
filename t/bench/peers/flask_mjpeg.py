#!/usr/bin/python3

# Copyright (C) vidcast contributors

# The tutorials' MJPEG page: Flask's threaded server, a generator for each
# viewer, one thread that makes the frames.
#
#     flask_mjpeg.py PORT picture BYTES RATE

import logging
import sys
import threading
import time

from flask import Flask, Response

port, size, rate = int(sys.argv[1]), int(sys.argv[3]), float(sys.argv[4])

app = Flask(__name__)
changed = threading.Condition()
frame = (0, 0.0, b'')


def camera():
    global frame
    number = 0
    picture = b'\xff\xd8' + b' ' * (size - 4) + b'\xff\xd9'

    while True:
        time.sleep(1 / rate)
        number += 1

        with changed:
            frame = (number, time.time(), picture)
            changed.notify_all()


def parts():
    seen = 0

    while True:
        with changed:
            changed.wait_for(lambda: frame[0] != seen)
            seen, ts, picture = frame

        yield (b'--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n'
               b'X-Timestamp: %.6f\r\n\r\n' % (len(picture), ts)
               + picture + b'\r\n')


@app.route('/mjpeg')
def mjpeg():
    return Response(parts(),
                    mimetype='multipart/x-mixed-replace; boundary=frame')


logging.getLogger('werkzeug').setLevel(logging.ERROR)
threading.Thread(target=camera, daemon=True).start()
app.run(host='127.0.0.1', port=port, threaded=True)
