/* site.mjs - the web site of the tests: a page, and the apps in web-demo.
 *
 * It lives on a port of its own, as an app's site does, so that it is still
 * there when the relay is away. gun.js comes from the relay itself.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const demo = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..', 'web-demo');

/* What a test may do with a page: window.gun, and on() reports in window.seen;
 * window.near is what functions shipped there by Tab.run get, as in gun-host.cjs. */
const page = (scripts, peers, options) => `<!doctype html><meta charset="utf-8"><title>test</title>
${scripts.map(src => `<script src="${src}"></script>`).join('\n')}
<script>
  window.gun = Gun({ peers: ${JSON.stringify(peers)}, ...${JSON.stringify(options)} });
  window.seen = {};
  const walk = path => path.reduce((chain, key) => chain.get(key), gun);
  window.app = {
    put: (path, value) => { walk(path).put(value); },
    listen: path => { walk(path).on(value => { seen[path.join('\\n')] = value; }); },
    open: () => Object.values(gun._.opt.peers).some(p => p.wire && p.wire.readyState === 1),
  };
  const plain = data => data && typeof data === 'object'
    ? Object.fromEntries(Object.entries(data).filter(([key]) => key !== '_')) : data;
  window.near = {
    gun, SEA: window.SEA, memory: { seen }, plain, walk,
    sleep: ms => new Promise(resolve => setTimeout(resolve, ms)),
    /* gun calls back for the first ack only, unless told otherwise, and in a page that
     * may be the one of localStorage (0, or an object); what is asked here is the relay's. */
    put: (chain, value, options) => new Promise(resolve => {
      const heard = ack => { if (ack.ok === true || ack.err) resolve({ ok: Boolean(ack.ok), err: ack.err }); };
      chain.put(value, heard, { acks: 9, ...options });
    }),
    /* In a page localStorage is the first to say that it has nothing, and once() gives
     * all others 99 ms from there: too short for a machine that is busy with tests. */
    once: chain => new Promise(resolve => chain.once(data => resolve(plain(data)), { wait: 2000 })),
    value: chain => new Promise(resolve => chain.on((data, key, message, event) => {
      if (data === undefined) return;
      event.off();
      resolve(plain(data));
    })),
  };
</script>`;

/* Gives {url, close}. */
export function open_site()
{
    const server = http.createServer((request, response) => {
        const url = new URL(request.url, 'http://site');
        const list = name => url.searchParams.getAll(name);
        response.setHeader('Content-Type', 'text/html; charset=utf-8');
        if (url.pathname === '/page') {
            response.end(page(list('script'), list('peer'), JSON.parse(url.searchParams.get('options') ?? '{}')));
        } else if (url.pathname === '/two-tabs.html') {
            /* the page of the README, its relay's address replaced */
            const text = readFileSync(path.join(demo, 'two-tabs.html'), 'utf8');
            response.end(text.replaceAll('http://127.0.0.1:8765', url.searchParams.get('relay')));
        } else {
            response.statusCode = 404;
            response.end();
        }
    });
    return new Promise(resolve => server.listen(0, '127.0.0.1', () => resolve({
        url: `http://127.0.0.1:${server.address().port}`,
        close: () => new Promise(done => { server.closeAllConnections(); server.close(done); }),
    })));
}
