// SPDX-License-Identifier: MIT
// node.js ADDRESS length|raw - Node's own net, on a Unix socket or a pipe of Windows: frames with a length of 4 bytes,
// little endian, or bytes without any. Everything is written as fast as the stream takes it and compared as it comes.
'use strict';
const net = require('net');

const [address, framing] = process.argv.slice(2);
const sizes = [0, 1, 127, 128, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20];
const rounds = 8;

function payload(size, seed) {
    const bytes = Buffer.alloc(size);
    let state = (seed * 2654435761 + 1) >>> 0;
    for (let at = 0; at < size; at += 1) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        bytes[at] = state >>> 24;
    }
    return bytes;
}

function frame(message) {
    if (framing === 'raw') {
        return message;
    }
    const header = Buffer.alloc(4);
    header.writeUInt32LE(message.length);
    return Buffer.concat([header, message]);
}

const frames = [];
for (let i = 0; i < rounds * sizes.length; i += 1) {
    frames.push(frame(payload(sizes[i % sizes.length], i)));
}
const sent = Buffer.concat(frames);
let came = 0;
let failed = false;

function fail(what) {
    failed = true;
    console.error(what);
    process.exitCode = 1;
    socket.destroy();
}

const socket = net.connect(address, () => {
    let next = 0;
    (function write() {
        while (next < frames.length) {
            if (!socket.write(frames[next++])) {
                socket.once('drain', write);
                return;
            }
        }
    })();
});
socket.setTimeout(60000, () => fail(`nothing came for a minute, after ${came} of ${sent.length} bytes`));
socket.on('error', (error) => fail(`error: ${error.message}`));
socket.on('data', (data) => {
    if (!failed && sent.compare(data, 0, data.length, came, Math.min(came + data.length, sent.length)) !== 0) {
        fail(`what came after ${came} bytes is not what was sent`);
    }
    came += data.length;
    if (came === sent.length) {
        socket.end();
    }
});
socket.on('close', () => {
    if (!failed && came !== sent.length) {
        fail(`it closed after ${came} of ${sent.length} bytes`);
    } else if (!failed) {
        console.log(`verified: ${frames.length} messages, ${came} bytes`);
    }
});
