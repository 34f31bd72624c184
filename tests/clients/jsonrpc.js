// SPDX-License-Identifier: MIT
// jsonrpc.js KIT ADDRESS - vscode-jsonrpc (KIT is its node.js) on a Unix socket or a pipe of Windows: requests and
// notifications of every size, many at once, texts of one, two, three and four bytes a character.
'use strict';
const assert = require('assert');
const net = require('net');

const [kit, address] = process.argv.slice(2);
const rpc = require(kit);
const sizes = [0, 1, 127, 128, 511, 512, 513, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20];
const alphabet = ['a', '"', '\\', 'é', '日', '😀', '\n', '\u0000', 'Z'];

// A text of `size` bytes as UTF-8.
function text(size, seed) {
    const parts = [];
    let left = size;
    for (let i = seed; left > 0; i += 1) {
        const letter = alphabet[i % alphabet.length];
        const bytes = Buffer.byteLength(letter);
        parts.push(bytes <= left ? letter : 'x');
        left -= bytes <= left ? bytes : 1;
    }
    return parts.join('');
}

const texts = [];
for (let i = 0; i < 8 * sizes.length; i += 1) {
    texts.push(text(sizes[i % sizes.length], i));
}

async function talk(connection) {
    let noted = 0;
    const allNoted = new Promise((resolve, reject) => {
        connection.onNotification('noted', (params) => {
            try {
                assert.strictEqual(params.number, noted);
                assert.strictEqual(params.text, texts[noted]);
            } catch (error) {
                reject(error);
            }
            noted += 1;
            if (noted === texts.length) {
                resolve();
            }
        });
    });
    connection.listen();
    const answers = texts.map((item, number) => {
        connection.sendNotification('note', {number, text: item});
        return connection.sendRequest('echo', {number, text: item});
    });
    for (let number = 0; number < texts.length; number += 1) {
        assert.deepStrictEqual(await answers[number], {number, text: texts[number]});
    }
    await allNoted;
    await assert.rejects(connection.sendRequest('sing', [1, {a: '}'}]), (error) => {
        assert.strictEqual(error.code, -32601);
        assert.strictEqual(error.message, 'no such method');
        return true;
    });
    return `verified: ${answers.length} requests, ${noted} notifications, 1 error`;
}

const late = setTimeout(() => {
    console.error('nothing came of it in a minute');
    process.exit(1);
}, 60000);
const socket = net.connect(address, () => {
    const connection = rpc.createMessageConnection(new rpc.StreamMessageReader(socket), new rpc.StreamMessageWriter(socket));
    talk(connection).then((said) => {
        console.log(said);
        connection.dispose();
    }, (error) => {
        console.error(error);
        process.exitCode = 1;
    }).finally(() => {
        clearTimeout(late);
        socket.end();
    });
});
socket.on('error', (error) => {
    console.error(`error: ${error.message}`);
    process.exit(1);
});
