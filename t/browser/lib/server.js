/*
 * Copyright (C) vidcast contributors
 *
 * The demo as "make run" has it, with a port and a prefix of its own, that
 * can be killed and started again.
 */

'use strict';

const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');

const { until, diag } = require('./tap.js');

const TOP = path.resolve(__dirname, '../../..');
const MODULE = 'ngx_http_vidcast_module.so';


function freePort() {
    return new Promise((resolve) => {
        const probe = net.createServer();

        probe.listen(0, '127.0.0.1', () => {
            const { port } = probe.address();

            probe.close(() => resolve(port));
        });
    });
}


/* TEST_NGINX_LOAD_MODULES may name several */

function modulePath() {
    const named = (process.env.TEST_NGINX_LOAD_MODULES ?? '')
                  .split(/\s+/).find((file) => file.endsWith(MODULE));

    return path.resolve(named ?? path.join(TOP, 'build/module', MODULE));
}


class Server {

    /* with more sources, if the test has some */

    static async create(sources = '') {
        const server = new Server();

        server.port = Number(process.env.TEST_NGINX_SERVER_PORT)
                      || await freePort();
        server.prefix = fs.mkdtempSync(path.join(os.tmpdir(), 'vidcast-'));
        server.url = `http://127.0.0.1:${server.port}/`;
        server.child = null;
        server.configure(sources);

        return server;
    }


    configure(sources) {
        const { prefix } = this;
        const demo = fs.readFileSync(path.join(TOP, 'conf/nginx.conf'),
                                     'utf8');
        const listen = /listen  8080;/;
        const server = /^    server \{/m;

        if (!listen.test(demo) || !server.test(demo)) {
            throw new Error('conf/nginx.conf is not what this test knows');
        }

        /* a source that is black for a reason */

        fs.writeFileSync(path.join(prefix, 'nginx.conf'),
            demo.replace(listen, `listen  127.0.0.1:${this.port};`)
                .replace(server, '    vidcast_source black {\n'
                                 + '        input  '
                                 + 'v4l2:/dev/vidcast-is-not-there;\n'
                                 + '    }\n\n\n' + sources + '$&'));

        fs.mkdirSync(path.join(prefix, 'modules'));
        fs.symlinkSync(modulePath(), path.join(prefix, 'modules', MODULE));
        fs.cpSync(path.join(TOP, 'conf/html'), path.join(prefix, 'html'),
                  { recursive: true });
        fs.chmodSync(prefix, 0o755);
    }


    async start() {
        const nginx = process.env.TEST_NGINX_BINARY ?? 'nginx';
        const log = fs.openSync(path.join(this.prefix, 'stderr.log'), 'a');
        const user = process.getuid() === 0 ? ' user root;' : '';

        this.child = spawn(nginx, ['-p', `${this.prefix}/`,
                                   '-c', path.join(this.prefix, 'nginx.conf'),
                                   '-g', `daemon off;${user}`],
                           { stdio: ['ignore', log, log], detached: true });
        fs.closeSync(log);

        this.gone = new Promise((resolve) => {
            this.child.on('error', resolve);
            this.child.on('exit', resolve);
        });

        const up = await until(() => this.child.exitCode !== null
                                     ? 'down'
                                     : this.get('status'));

        if (up === null || up === 'down') {
            diag(fs.readFileSync(path.join(this.prefix, 'stderr.log')));
            throw new Error('nginx does not start');
        }
    }


    /* SIGKILL: of the master, the workers and all that they made */

    async stop(signal = 'SIGTERM') {
        if (this.child === null) {
            return;
        }

        if (signal === 'SIGKILL') {
            process.kill(-this.child.pid, signal);

        } else {
            this.child.kill(signal);
        }

        await this.gone;
        this.child = null;
    }


    async source(name) {
        const { body } = await this.get('status');

        return JSON.parse(body).sources.find((s) => s.name === name);
    }


    /* the status of the answer */

    post(what, type, body) {
        return new Promise((resolve, reject) => {
            const request = http.request(this.url + what, {
                method: 'POST',
                headers: { 'Content-Type': type, 'Content-Length': body.length },
            }, (response) => {
                response.resume();
                response.on('end', () => resolve(response.statusCode));
            });

            request.on('error', reject);
            request.end(body);
        });
    }


    /* headers and the first bytes; some answers have no end */

    get(what) {
        return new Promise((resolve, reject) => {
            const request = http.get(this.url + what, (response) => {
                const chunks = [];
                const finish = () => {
                    request.destroy();
                    resolve({ status: response.statusCode,
                              type: response.headers['content-type'] ?? '',
                              headers: response.headers,
                              body: Buffer.concat(chunks) });
                };

                response.on('data', (chunk) => {
                    chunks.push(chunk);

                    if (/multipart|event-stream/.test(
                                         response.headers['content-type']))
                    {
                        finish();
                    }
                });
                response.on('end', finish);
            });

            request.on('error', reject);
            request.setTimeout(5000, () => request.destroy(
                                             new Error(`${what}: time-out`)));
        });
    }


    async remove() {
        await this.stop();
        fs.rmSync(this.prefix, { recursive: true, force: true });
    }
}


module.exports = { Server, freePort, modulePath };
