/*
 * Copyright (C) vidcast contributors
 *
 * TAP, and waiting for something with a deadline.
 */

'use strict';

/* ms; on a slow machine VIDCAST_TEST_PATIENCE stretches it */

const DEADLINE = 20000 * (Number(process.env.VIDCAST_TEST_PATIENCE) || 1);

let count = 0;
let failed = 0;


function diag(text) {
    process.stdout.write(String(text).replace(/^/gm, '# ') + '\n');
}


function ok(passed, name) {
    count++;
    failed += passed ? 0 : 1;
    console.log(`${passed ? 'ok' : 'not ok'} ${count} - ${name}`);

    return Boolean(passed);
}


function is(got, expected, name) {
    const passed = ok(got === expected, name);

    if (!passed) {
        diag(`     got: ${JSON.stringify(got)}`);
        diag(`expected: ${JSON.stringify(expected)}`);
    }

    return passed;
}


function like(got, pattern, name) {
    const passed = ok(pattern.test(got), name);

    if (!passed) {
        diag(`     got: ${JSON.stringify(got)}`);
        diag(`expected: ${pattern}`);
    }

    return passed;
}


/* calls until it answers something true, which is returned; else null */

async function until(call, deadline = DEADLINE) {
    const end = Date.now() + deadline;
    let error = null;

    for ( ;; ) {
        try {
            const value = await call();

            error = null;

            if (value) {
                return value;
            }

        } catch (caught) {
            error = caught;
        }

        if (Date.now() > end) {
            if (error !== null) {
                diag(error.message);
            }

            return null;
        }

        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}


function done() {
    console.log(`1..${count}`);
    process.exitCode = failed > 0 ? 1 : 0;
}


module.exports = { DEADLINE, diag, ok, is, like, until, done };
