// The ways in besides a plain port: TLS and its renewal, a socket from the service
// manager, a port that listens before the store is open (the issue's --listen
// wss://..., SIGHUP; relay-rules 12; design "restart"). tests/wire/tls holds
// certificates that are good for nothing but this.
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import https from 'node:https';
import tls from 'node:tls';
import { Peer } from '../lib/peer.mjs';
import { Server } from '../lib/server.mjs';
import { get, put } from '../lib/frames.mjs';

const pems = join(dirname(fileURLToPath(import.meta.url)), '../tls');

// The certificate in use lies in a folder of the case, where it can be renewed.
function certified(c) {
    const folder = mkdtempSync(`${c.server.folder}-pem`);
    const at = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    at.use = (name) => {
        copyFileSync(join(pems, `${name}.crt`), at.cert);
        copyFileSync(join(pems, `${name}.key`), at.key);
    };
    at.use('first');
    return at;
}

async function secureServer(c, at) {
    const args = ['--listen', '127.0.0.1:0', '--listen', 'wss://127.0.0.1:0', '--tls-cert', at.cert, '--tls-key', at.key];
    const server = new Server(c.server.binary, `${c.server.folder}-tls${Math.random()}`, args);
    await server.start();
    server.wss = server.text.match(/wss:\/\/\S+/)[0];
    return server;
}

// Who the server says it is, to a new connection.
function nameOf(server) {
    const { port, hostname } = new URL(server.wss);
    return new Promise((resolve, reject) => {
        const socket = tls.connect({ port: Number(port), host: hostname, rejectUnauthorized: false }, () => {
            resolve(socket.getPeerCertificate().subject.CN);
            socket.destroy();
        });
        socket.on('error', reject);
    });
}

async function secure(server) {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // for ws, which this suite lends no other way
    process.removeAllListeners('warning');
    const peer = new Peer('S');
    await peer.open(server.wss);
    await peer.until(() => peer.inbox.length > 0, 'the greeting');
    peer.inbox.length = 0;
    return peer;
}

async function asks(peer, id) {
    peer.send(JSON.stringify(get(id, 'nothing')));
    await peer.until(() => peer.inbox.some((m) => m['@'] === id), 'an answer');
    peer.inbox.length = 0;
}

async function renewed(server, expected) {
    for (const until = Date.now() + 8000; Date.now() < until;) {
        if (await nameOf(server) === expected) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`new connections still see ${await nameOf(server)}`);
}

// A stand-in for systemd: owns a listening socket that nobody else accepts on, and
// starts and ends the server with it as descriptor 3. In Perl, which every Debian
// has: a socket that node listens on is accepted on by node.
const keeper = `
use IO::Socket::INET; use POSIX;
$| = 1; $^F = 10;
my $door = IO::Socket::INET->new(Listen => 64, LocalAddr => "127.0.0.1") or die $!;
dup2(fileno($door), 3) if fileno($door) != 3;
print "port ", $door->sockport, "\\n";
my $child;
while (my $line = <STDIN>) {
    if ($line =~ /^run/) {
        if (($child = fork) == 0) {
            open(STDOUT, ">&", STDERR);
            @ENV{qw(LISTEN_FDS LISTEN_PID)} = (1, $$);
            exec @ARGV or die $!;
        }
        print "running $child\\n";
    } elsif ($line =~ /^kill (\\w+)/) {
        kill $1, $child; waitpid $child, 0;
        print "ended ", $? & 127 ? "by " . ($? & 127) : $? >> 8, "\\n";
    }
}
`;

async function serviceManager(binary, folder) {
    const { spawn } = await import('node:child_process');
    const child = spawn('perl', ['-e', keeper, binary, 'serve', '--data', folder], { stdio: ['pipe', 'pipe', 'pipe'] });
    const lines = [];
    let wake = () => {};
    let log = '';
    let rest = '';
    child.stderr.on('data', (d) => { log += d; });
    child.stdout.on('data', (d) => {
        const parts = (rest + d).split('\n');
        rest = parts.pop();
        lines.push(...parts);
        wake();
    });
    const next = async () => {
        for (const until = Date.now() + 20_000; lines.length === 0;) {
            if (Date.now() > until) throw new Error(`the service manager said nothing: ${log}`);
            await new Promise((resolve) => { wake = resolve; setTimeout(resolve, 100); });
        }
        return lines.shift();
    };
    const port = (await next()).split(' ')[1];
    return {
        ws: `ws://127.0.0.1:${port}/gun`,
        say(command) {
            child.stdin.write(`${command}\n`);
            return next();
        },
        text: () => log,
        end: () => child.stdin.end(),
    };
}

const own = (name, act) => ({ name, steps: [['do', act]] });

export default {
    name: 'doors',
    cases: [
        own('wss:// is a WebSocket, pages come by https:// on the same port, plain and TLS listeners serve one graph', async (c) => {
            const server = await secureServer(c, certified(c));
            const peer = await secure(server);
            peer.send(JSON.stringify(put('p', { tls: { a: 1 } }, 1000)));
            await peer.until(() => peer.owed.get('p') === 0 || undefined, 'an ack');
            const plain = new Peer('P');
            await plain.open(server.ws);
            plain.send(JSON.stringify(get('g', 'tls')));
            await plain.until(() => plain.inbox.some((m) => m.put?.tls?.a === 1), 'what was written over TLS');
            const { port, hostname } = new URL(server.wss);
            const status = await new Promise((resolve, reject) => {
                https.get({ port, hostname, path: '/health', rejectUnauthorized: false, agent: false }, (r) => { r.resume(); resolve(r.statusCode); }).on('error', reject);
            });
            if (status !== 200) throw new Error(`/health: ${status}`);
            plain.close();
            peer.close();
            await server.stop();
        }),
        own('a node of 3 MB comes whole over TLS, and a value of 2 MB goes in', async (c) => {
            const server = await secureServer(c, certified(c));
            const peer = await secure(server);
            const node = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`k${i}`, `${i}-`.padEnd(1000, 'x')]));
            peer.send(JSON.stringify(put('p', { tls: node, big: { v: 'y'.repeat(2_000_000) } }, 1000)));
            await peer.until(() => peer.owed.get('p') === 0 || undefined, 'an ack');
            peer.inbox.length = 0;
            peer.send(JSON.stringify(get('g', 'tls')));
            const seen = {};
            await peer.until(() => {
                for (const m of peer.inbox.splice(0)) Object.assign(seen, m.put?.tls);
                return Object.keys(seen).length === 3001 || undefined;
            }, '3,000 keys', 30_000);
            for (const key of Object.keys(node)) if (seen[key] !== node[key]) throw new Error(`${key} is another`);
            peer.close();
            await server.stop();
        }),
        own('SIGHUP loads a renewed certificate and drops nobody; a broken file keeps the old one', async (c) => {
            const at = certified(c);
            const server = await secureServer(c, at);
            const peer = await secure(server);
            await renewed(server, 'brasa test first');
            at.use('second');
            server.process.kill('SIGHUP');
            await renewed(server, 'brasa test second');
            await asks(peer, 'g1');
            writeFileSync(at.cert, 'this is no certificate');
            server.process.kill('SIGHUP');
            for (const until = Date.now() + 5000; !/certificate|cert/i.test(server.text.slice(server.text.indexOf('ready'))) && Date.now() < until;)
                await new Promise((resolve) => setTimeout(resolve, 20));
            await new Promise((resolve) => setTimeout(resolve, 200));
            await renewed(server, 'brasa test second');
            await asks(peer, 'g2');
            at.use('first');
            server.process.kill('SIGHUP');
            await renewed(server, 'brasa test first');
            await asks(peer, 'g3');
            if (peer.closed !== undefined) throw new Error('the old connection was dropped');
            peer.close();
            await server.stop();
        }),
        own('plain bytes on the TLS port, and half a TLS handshake, harm nobody', async (c) => {
            const server = await secureServer(c, certified(c));
            const peer = await secure(server);
            const { bare } = await import('../lib/steps.mjs');
            const door = { http: server.wss.replace('wss', 'http') };
            for (const bytes of ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', Buffer.from('160301', 'hex'), Buffer.alloc(3000, 22), Buffer.from('16030100050100000100', 'hex')]) await bare(door, bytes, 100);
            await asks(peer, 'g');
            peer.close();
            await server.stop();
        }),
        own('SIGHUP without TLS, and a hundred in a row, harm nobody', async (c) => {
            const peer = new Peer('A');
            await peer.open(c.server.ws);
            for (let i = 0; i < 100; i++) c.server.process.kill('SIGHUP');
            await peer.until(() => peer.inbox.length > 0, 'the greeting');
            await asks(peer, 'g');
            peer.close();
        }),
        own('a listening socket from the service manager: who connects while the server is away is served when it is back', async (c) => {
            const manager = await serviceManager(c.server.binary, `${c.server.folder}-door`);
            await manager.say('run');
            const first = new Peer('A');
            await first.open(manager.ws);
            first.send(JSON.stringify(put('p', { door: { a: 1 } }, 1000)));
            await first.until(() => first.owed.get('p') === 0 || undefined, 'an ack');
            first.drop();
            await manager.say('kill KILL');
            const second = new Peer('B');
            const opening = second.open(manager.ws); // lies in the backlog
            await new Promise((resolve) => setTimeout(resolve, 300));
            await manager.say('run');
            await opening;
            second.send(JSON.stringify(get('g', 'door')));
            await second.until(() => second.inbox.some((m) => m.put?.door?.a === 1), 'what was stored before');
            second.close();
            const ended = await manager.say('kill TERM');
            manager.end();
            if (ended !== 'ended 0') throw new Error(`${ended}: ${manager.text()}`);
        }),
        own('who connects at the first moment the port listens is served: the handshake waits for the store', async (c) => {
            const { spawn } = await import('node:child_process');
            const { once } = await import('node:events');
            for (let round = 0; round < 5; round++) {
                const child = spawn(c.server.binary, ['serve', '--listen', '127.0.0.1:0', '--data', `${c.server.folder}-first`], { stdio: ['ignore', 'pipe', 'pipe'] });
                let text = '';
                const exit = once(child, 'exit');
                child.stderr.on('data', (d) => { text += d; });
                const ws = await new Promise((resolve, reject) => {
                    child.stdout.on('data', (d) => {
                        text += d;
                        const at = text.match(/listening \S+ (ws:\/\/\S+)\n/);
                        if (at) resolve(at[1]);
                    });
                    child.on('exit', () => reject(new Error(text)));
                });
                const peer = new Peer('A');
                await peer.open(ws);
                peer.send(JSON.stringify(put(`p${round}`, { first: { [`k${round}`]: round } }, 1000)));
                await peer.until(() => peer.owed.get(`p${round}`) === 0 || undefined, 'an ack');
                peer.drop();
                child.kill(round % 2 ? 'SIGKILL' : 'SIGTERM');
                await exit;
            }
        }),
    ],
};
