/*
 * Copyright (C) vidcast contributors
 *
 * An nginx with a configuration of the test's, in a directory of its own; both
 * are gone when the test is.  server.js has the demo instead.
 */

'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');

const { diag, ok, until } = require('./tap.js');
const { modulePath } = require('./server.js');


/* the main level, around what belongs into "http" */

function configuration(prefix, http) {
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
                 .map((name) => `${name}_temp_path ${prefix}/${name};`);

    return `
        load_module ${modulePath()};
        ${process.getuid() === 0 ? 'user root;' : ''}
        daemon off;
        pid nginx.pid;
        error_log stderr info;
        events { }
        http {
            access_log off;
            ${temp.join(' ')}
            ${http}
        }`;
}


/*
 * prepare() makes what the configuration names in "prefix", and answers what
 * belongs into "http"; run() comes when up() is true, which is one test, of
 * this name.
 */

async function withNginx(prepare, name, up, run) {
    const prefix = fs.mkdtempSync(path.join(os.tmpdir(), 'vidcast-'));
    const file = path.join(prefix, 'nginx.conf');
    const nginx = process.env.TEST_NGINX_BINARY ?? 'nginx';
    let child = null;

    try {
        fs.chmodSync(prefix, 0o755);
        fs.writeFileSync(file, configuration(prefix, prepare(prefix)));

        const log = fs.openSync(path.join(prefix, 'stderr.log'), 'a');

        child = spawn(nginx, ['-p', `${prefix}/`, '-c', file],
                      { stdio: ['ignore', log, log] });

        if (!ok(await until(up), name)) {
            diag(fs.readFileSync(path.join(prefix, 'stderr.log')));
            return;
        }

        await run(prefix);

    } finally {
        child?.kill('SIGTERM');
        await until(() => child === null || child.exitCode !== null);
        fs.rmSync(prefix, { recursive: true, force: true });
    }
}


module.exports = { withNginx };
