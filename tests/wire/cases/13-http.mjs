// The pages beside the WebSocket (transcript 12; the issue's "HTTP on the same port").
import { bare, request } from '../lib/steps.mjs';
import { get, none, ok, put } from '../lib/frames.mjs';

const open = { 'access-control-allow-origin': '*' };
const answers = (line, want, sent = {}) => ({
    name: `${line}${Object.keys(sent.headers ?? {}).length ? ` ${JSON.stringify(sent.headers)}` : ''}: ${want.status}${want.headers?.['content-type'] ? ` ${String(want.headers['content-type'])}` : ''}`,
    steps: [['http', line, sent, { ...want, headers: { ...open, ...want.headers } }]],
});

const js = { 'content-type': /^text\/javascript/ };
const html = { 'content-type': /^text\/html/ };

// gun.js is there only when the npm package could be had at build time.
const asset = (path, begins) => ({
    name: `GET ${path} is the file of the npm package, or 404 with a sentence when the package could not be had`,
    steps: [['do', async (c) => {
        const got = await request(c.server, `GET ${path}`);
        if (got.headers['access-control-allow-origin'] !== '*') throw new Error('no CORS');
        if (got.status === 404 && /npm|nothing/.test(got.body)) return;
        if (got.status !== 200 || !/^text\/javascript/.test(got.headers['content-type']) || !begins.test(got.body)) throw new Error(`${got.status} ${got.headers['content-type']}`);
        const head = await request(c.server, `HEAD ${path}`);
        if (head.status !== 200 || head.body !== '' || head.headers['content-length'] !== String(Buffer.byteLength(got.body))) throw new Error('HEAD differs');
        const again = await request(c.server, `GET ${path}`, { headers: { 'If-None-Match': got.headers.etag } });
        if (again.status !== 304 || again.body !== '') throw new Error(`with its ETag: ${again.status}`);
    }]],
});

const types = { '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml' };

// Every script and style that the page and what they import name, one after the other.
const strict = /^default-src 'none'; script-src 'self'; style-src 'self'; (?!.*(?:unsafe| wss?:| https?:))/;
const pageOf = (path) => ({
    name: `all that ${path} loads is served, with its type, a tag and a policy that runs no inline script`,
    steps: [['do', async (c) => {
        const todo = [path], seen = new Set(todo);
        for (let at; (at = todo.shift());) {
            const got = await request(c.server, `GET ${at}`), type = types[/\.\w+$/.exec(at)?.[0]] ?? 'text/html; charset=utf-8';
            if (got.status !== 200 || got.headers['content-type'] !== type) throw new Error(`${at}: ${got.status} ${got.headers['content-type']}`);
            if (!strict.test(got.headers['content-security-policy'])) throw new Error(`${at}: ${got.headers['content-security-policy']}`);
            if (/<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=/.test(type.startsWith('text/html') ? got.body : '')) throw new Error(`${at} has something inline`);
            const again = await request(c.server, `GET ${at}`, { headers: { 'If-None-Match': got.headers.etag } });
            if (again.status !== 304) throw new Error(`${at} with its tag: ${again.status}`);
            const named = type.startsWith('text/html') ? got.body.matchAll(/(?:src|href)="(\/(?:js|style|check)\/[^"]+)"/g) : type.startsWith('text/javascript') ? got.body.matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g) : [];
            for (const [, name] of named) {
                const next = new URL(name, `http://x${at}`).pathname;
                if (!seen.has(next)) todo.push(next);
                seen.add(next);
            }
        }
        if (seen.size < 2) throw new Error('it loads nothing');
    }]],
});

const noFile = (path) => answers(`GET ${path}`, { status: 404 });

export default {
    name: 'http',
    cases: [
        answers('GET /', { status: 200, headers: html, body: /brasa/i }),
        answers('HEAD /', { status: 200, headers: { ...html, 'content-length': /^[1-9]\d*$/ }, body: '' }),
        answers('GET /gun', { status: 200, headers: html }), answers('GET /gun/', { status: 200, headers: html }), answers('GET /?x=1', { status: 200, headers: html }), answers('GET /gun?x=1', { status: 200, headers: html }),
        answers('GET /check', { status: 200, headers: html, body: /Live check/ }), pageOf('/'), pageOf('/check'),
        noFile('/js'), noFile('/style/'), noFile('/two-tabs.html'), noFile('/index.html'), noFile('/js/../index.html'), noFile('/JS/ui/app.js'),
        { name: '/status and the start-up lines say the write mode', steps: [['do', async (c) => {
            const status = JSON.parse((await request(c.server, 'GET /status')).body);
            if (status.write_mode !== 'open' || status.allowed_keys !== 0 || status.write_tokens !== false) throw new Error(JSON.stringify(status));
        }], ['log', /^write mode open: /m]] },
        asset('/gun.js', /./), asset('/gun.js?x=1', /./), asset('/sea.js', /./), asset('/gun/sea.js', /./), asset('/gun/gun.js', /./), asset('/gun/lib/webrtc.js', /./),
        noFile('/nosuch.js'), noFile('/nosuch'), noFile('/gun/nosuch'), noFile('/gun/nosuch.js'), noFile('/gun/package.json'), noFile('/gun/lib/nosuch.js'), noFile('/gun/lib/server.js/'),
        noFile('/gun/../../etc/passwd'), noFile('/gun/..%2f..%2fpackage.json'), noFile('/gun/lib/../../package.json'), noFile('/gun//etc/passwd'), noFile('/gun/.%00js'), noFile('/a/b/gun.jsx'),
        answers('GET /health', { status: 200, body: /ok/ }), answers('HEAD /health', { status: 200, body: '' }),
        answers('GET /status', { status: 200, headers: { 'content-type': /^application\/json/ }, json: ['version', 'ready', 'connections', 'store', 'limits'] }),
        answers('GET /metrics', { status: 200, headers: { 'content-type': /^text\/plain; version=0\.0\.4/ }, body: /^brasa_messages_in_total \d+$/m }),
        { name: '/metrics follows Prometheus\' text: every line is a comment or a name and a number, every metric has HELP and TYPE and stands there once', steps: [['do', async (c) => {
            const { body } = await request(c.server, 'GET /metrics');
            const said = new Set();
            const seen = new Set();
            for (const line of body.trimEnd().split('\n')) {
                const [, , name] = /^# (HELP|TYPE) (\S+)/.exec(line) ?? [];
                if (name) { said.add(name); continue; }
                const [, metric] = /^([a-z_0-9]+)(?:\{[^}]*\})? -?[\d.e+-]+$/.exec(line) ?? [];
                if (!metric || !said.has(metric)) throw new Error(line);
                if (seen.has(metric)) throw new Error(`${metric} stands there twice`);
                seen.add(metric);
            }
        }]] },
        { name: '/metrics is refused to who comes through a proxy, unless --admin-listen', steps: [
            ['http', 'GET /metrics', { headers: { 'X-Forwarded-For': '203.0.113.5' } }, { status: 403 }],
            ['http', 'GET /metrics', { headers: { Via: '1.1 x' } }, { status: 403 }]] },
        answers('OPTIONS /gun', { status: 204, headers: { 'access-control-allow-methods': /GET/ } }, { headers: { Origin: 'http://x.example', 'Access-Control-Request-Method': 'GET' } }),
        answers('OPTIONS /health', { status: 204 }),
        ...['POST', 'PUT', 'DELETE', 'PATCH'].map((method) => ({
            name: `${method} is refused, with a body and without`,
            steps: [['do', async (c) => {
                for (const body of [undefined, 'x=1']) {
                    const status = await request(c.server, `${method} /gun`, { body }).then((r) => r.status, () => 'hung up');
                    if (!(status >= 400 && status < 500) && status !== 'hung up') throw new Error(`${status}`);
                }
            }], ['http', 'GET /health', {}, { status: 200 }]],
        })),
        { name: 'a chunked POST is refused and its chunks are not taken for requests', steps: [['do', async (c) => {
            const text = await bare(c.server, 'POST /gun HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n22\r\nGET /status HTTP/1.1\r\nHost: smuggle\r\n0\r\n\r\n', 1000);
            if ((text.match(/HTTP\/1\.1/g) ?? []).length > 1) throw new Error(text);
            if (text !== '' && !/^HTTP\/1\.1 4\d\d/.test(text)) throw new Error(text.slice(0, 200));
        }]] },
        { name: 'a GET with a chunked body is refused, and so are its chunks', steps: [['do', async (c) => {
            const text = await bare(c.server, 'GET /status HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1b\r\nGET /gun.js HTTP/1.1\r\n\r\n\r\n0\r\n\r\n', 1000);
            if (/200 OK/.test(text)) throw new Error(text.slice(0, 300));
        }]] },
        { name: 'requests one behind another on one connection are answered one by one', steps: [['do', async (c) => {
            const text = await bare(c.server, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /status HTTP/1.1\r\nHost: x\r\n\r\nGET /nosuch HTTP/1.1\r\nHost: x\r\n\r\n', 200, /(HTTP[\s\S]*){3}/);
            const codes = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((m) => m[1]).join();
            if (codes !== '200,200,404') throw new Error(codes);
        }]] },
        ...[['no request at all', 'hello\r\n\r\n'], ['a request without a version', 'GET /\r\n\r\n'], ['a NUL in the path', 'GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n'], ['a header of 100 KB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(100_000)}\r\n\r\n`], ['a path of 100 KB', `GET /${'p'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
            ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\nhello'],
            ['HTTP/2 by prior knowledge', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
            ['HTTP/2 by upgrade', 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n'],
            ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
            ['a Content-Length of -1', 'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'],
            ['a Content-Length of 10^30', `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1${'0'.repeat(30)}\r\n\r\n`],
            ['ten thousand empty lines', '\r\n'.repeat(10_000)],
            ['a Range', 'GET /gun.js HTTP/1.1\r\nHost: x\r\nRange: bytes=-1\r\n\r\n'], ['nothing but a method', 'GET '],
            ['half a header', 'GET / HTTP/1.1\r\nHost'],
        ].map(([what, bytes]) => ({
            name: `${what} harms nobody`,
            steps: [
                ['A', 'open'], ['do', (c) => bare(c.server, bytes, 200)],
                ['A', '>', put(`p${what.length}`, { calm: { a: 1 } }, 1000)], ['A', '<', ok(`p${what.length}`)],
                ['http', 'GET /health', {}, { status: 200 }]],
        })),
        { name: 'two hundred requests at a time are all answered', steps: [['do', async (c) => {
            const all = await Promise.all(Array.from({ length: 200 }, () => request(c.server, 'GET /status')));
            if (all.some((r) => r.status !== 200)) throw new Error('not all');
        }]] },

        ...[['http://app.example', true], ['https://app.example', false], ['http://app.example.evil', false], ['http://evil.example', false], ['null', false], ['', true]].map(([origin, let_in]) => ({
            name: `--origin http://app.example ${let_in ? 'lets in' : 'refuses'} ${origin === '' ? 'who sends no Origin' : origin}`,
            server: { args: ['--origin', 'http://app.example'] },
            steps: [
                let_in ? ['A', 'open', origin ? { headers: { Origin: origin } } : {}] : ['A', 'refused', 403, { headers: { Origin: origin } }],
                ['http', 'GET /health', { headers: { Origin: 'http://evil.example' } }, { status: 200 }]],
        })),
        ...[['https://a.example', true], ['https://x.b.example', true], ['https://example', false], ['https://a.example.evil', false], ['http://a.example', false], ['https://other.org', true]].map(([origin, let_in]) => ({
            name: `--origin https://*.example --origin https://other.org ${let_in ? 'lets in' : 'refuses'} ${origin}`,
            server: { args: ['--origin', 'https://*.example', '--origin', 'https://other.org'] },
            steps: [let_in ? ['A', 'open', { headers: { Origin: origin } }] : ['A', 'refused', 403, { headers: { Origin: origin } }]],
        })),
        { name: 'a refused origin is counted, and named in no log line with more than a sentence', server: { args: ['--origin', 'http://app.example'] }, steps: [
            ['A', 'refused', 403, { headers: { Origin: 'http://evil.example' } }],
            ['metric', 'brasa_refused_origin_total', { above: 0 }]] },
        {
            name: '--admin-listen answers /metrics to who comes through a proxy as well, and opens no WebSocket',
            server: { args: ['--admin-listen', '127.0.0.1:0'] },
            steps: [['do', async (c) => {
                const found = [...c.server.text.matchAll(/http:\/\/(127\.0\.0\.1:\d+)/g)].map((m) => m[1]).filter((at) => !c.server.http.endsWith(at));
                if (found.length === 0) throw new Error(`the admin address is not in the log:\n${c.server.text}`);
                const admin = { http: `http://${found[0]}` };
                const got = await request(admin, 'GET /metrics', { headers: { 'X-Forwarded-For': '203.0.113.5' } });
                if (got.status !== 200) throw new Error(`${got.status}`);
                const { Peer } = await import('../lib/peer.mjs');
                const peer = new Peer('A');
                await peer.open(`ws://${found[0]}/gun`).catch(() => { peer.status = 0; });
                if (peer.status === 101) throw new Error('a WebSocket opened');
            }]],
        },
        {
            name: 'PORT in the environment sets the port, --listen wins over it',
            steps: [['do', async (c) => {
                const { createServer } = await import('node:net');
                const { Server } = await import('../lib/server.mjs');
                const free = await new Promise((resolve) => { const s = createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)); }); });
                const a = new Server(c.server.binary, `${c.server.folder}-port`, [], { PORT: String(free) });
                await a.start();
                await a.stop();
                if (!a.http.endsWith(`:${free}`)) throw new Error(a.http);
                const b = new Server(c.server.binary, `${c.server.folder}-port`, ['--listen', '127.0.0.1:0'], { PORT: String(free) });
                await b.start();
                await b.stop();
                if (b.http.endsWith(`:${free}`)) throw new Error(b.http);
            }]],
        },
        {
            name: 'two listeners serve one graph',
            server: { args: ['--listen', '127.0.0.1:0', '--listen', '127.0.0.1:0'] },
            steps: [['A', 'open'], ['do', async (c) => {
                const { Peer } = await import('../lib/peer.mjs');
                const all = [...c.server.text.matchAll(/ws:\/\/\S+/g)].map((m) => m[0]);
                if (all.length !== 2) throw new Error(`${all}`);
                const other = new Peer('B');
                await other.open(all[1]);
                other.send(JSON.stringify(put('p', { both: { a: 1 } }, 1000)));
                await other.until(() => other.owed.get('p') === 0 || undefined, 'an ack');
                other.close();
            }], ['A', '>', get('g', 'both')], ['A', '<', { '#': '{{?}}', '@': 'g', put: put('x', { both: { a: 1 } }, 1000).put }]],
        },
        ...[['--nonsense'], ['--listen'], ['--listen', 'nowhere'], ['--listen', '127.0.0.1:99999'], ['--max-message', 'x'], ['--limit', 'nosuch=1'], ['--limit', 'depth_max'], ['--trust-proxy', '1.2.3.4/99'], ['--listen', 'wss://127.0.0.1:0']].map((args) => ({
            name: `a wrong option is explained, nothing starts: ${args.join(' ')}`,
            steps: [['do', async (c) => {
                const { spawnSync } = await import('node:child_process');
                const ran = spawnSync(c.server.binary, ['serve', '--data', `${c.server.folder}-wrong`, ...args], { encoding: 'utf8', timeout: 10_000 });
                if (ran.status === 0 || ran.status === null) throw new Error(`status ${ran.status}`);
                if (!/[a-z]{3,} [a-z]/i.test(ran.stderr + ran.stdout)) throw new Error(`it said ${ran.stderr}${ran.stdout}`);
            }]],
        })),
        { name: '--version and --help end with 0', steps: [['do', async (c) => {
            const { spawnSync } = await import('node:child_process');
            for (const [flag, words] of [['--version', /\d+\.\d+/], ['--help', /--listen[\s\S]*--data[\s\S]*--max-message/]]) {
                const ran = spawnSync(c.server.binary, [flag], { encoding: 'utf8', timeout: 10_000 });
                if (ran.status !== 0 || !words.test(ran.stdout)) throw new Error(`${flag}: ${ran.status} ${ran.stdout}`);
            }
        }]] },
        { name: 'a WebSocket and pages live on one port', steps: [
            ['A', 'open'], ['http', 'GET /health', {}, { status: 200 }], ['A', '>', get('g', 'nope')], ['A', '<', none('g')]] },
    ],
};
