/* cases-rules.mjs - verify and can: what the rules say, before a relay is asked; and
 * that the relay says the same. */
import { writeFileSync } from 'node:fs';
import { assert } from '../tools/harness.mjs';
import { open_raw } from '../tools/raw.mjs';
import { certificate, hash_of, hex_of, make_pair, signed, signed_with } from '../tools/signer.mjs';
import { as_lines, done, relay_of, scratch, tool } from './tool.mjs';

const [ann, bob, eve] = [make_pair(), make_pair(), make_pair()];
const space = '~' + ann.pub;
const inbox = space + '/inbox';
const hour = 3_600_000;
const now = Date.now() - 10_000; // no clock of a test is behind it
const terms = more => ({ c: [bob.pub, eve.pub + 'x'], w: { '*': 'inbox' }, ...more });
const lasting = certificate(ann, terms());
const ending = certificate(ann, terms({ e: now + hour }));
const ended = certificate(ann, terms({ e: now - hour }));
const listing = certificate(ann, terms({ wb: 'blocked' }));
const stranger = certificate(eve, terms());

/* Name: [soul, key, value, state, verdict, what the line says]. In a put of today. */
const writes = {
    'an account\'s own key': [space, 'pub', ann.pub, now, 'kept', 'the key of this account'],
    'the key "pub" where the soul spells the account in another way': [space.replace('.', '/'), 'pub', signed(ann, space.replace('.', '/'), 'pub', ann.pub, now), now, 'kept', `signed by its owner ${ann.pub}`],
    'another key as the account\'s': [space, 'pub', bob.pub, now, 'refused', 'Account not same! - "pub" of an account'],
    'what the owner signed': [space, 'name', signed(ann, space, 'name', 'Ann', now), now, 'kept', `signed by its owner ${ann.pub}`],
    'null, signed': [space, 'gone', signed(ann, space, 'gone', null, now), now, 'kept', 'signed by its owner'],
    'what another signed': [space, 'name', signed(eve, space, 'name', 'Eve', now), now, 'refused', `Unverified data. - the signature is not that of ${ann.pub}`],
    'what stands under another key': [space, 'nick', signed(ann, space, 'name', 'Ann', now), now, 'refused', 'over this soul, key, value and state'],
    'what has another state': [space, 'name', signed(ann, space, 'name', 'Ann', now), now + 1, 'refused', 'Unverified data.'],
    'a plain text in a user space': [space, 'name', 'Ann', now, 'refused', 'Unverified data. - the value is not signed'],
    'a number in a user space': [space, 'age', 5, now, 'refused', 'Unverified data. - the value is not signed'],
    'half of a signed value': [space, 'name', '{":":"Ann"}', now, 'refused', 'lacks its ":" or its signature "~"'],
    'an old form that proves nothing': [space, 'name', 'SEA{"m":"Ann","s":"x"}', now, 'refused', 'an old form'],
    'a bearer without a certificate': [space, 'name', signed(eve, space, 'name', 'Eve', now, { '*': eve.pub }), now, 'refused', 'certificate: missing, "*" names another writer'],
    'what is certified': [inbox, 'a', signed_with(lasting, bob, inbox, 'a', 'hi', now), now, 'kept', `certified by ${ann.pub} for ${bob.pub}, without end`],
    'what is certified for a while': [inbox, 'b', signed_with(ending, bob, inbox, 'b', 'hi', now), now, 'kept', `until ${new Date(now + hour).toISOString()}`],
    'what is certified until somebody is blocked': [inbox, 'c', signed_with(listing, bob, inbox, 'c', 'hi', now), now, 'kept', 'while its bearer is blocked in "blocked" of the owner'],
    'what was signed after the end': [inbox, 'd', signed_with(ended, bob, inbox, 'd', 'hi', now), now, 'refused', 'Certificate expired. - certified by'],
    'what was signed before the end, which is past': [inbox, 'e', signed_with(ended, bob, inbox, 'e', 'hi', now - 2 * hour), now - 2 * hour, 'refused', 'Certificate expired. - a put of today is refused'],
    'another path than the certified one': [space + '/other', 'a', signed_with(lasting, bob, space + '/other', 'a', 'hi', now), now, 'refused', 'Certificate verification fail. - its policy does not cover'],
    'a certificate of a stranger': [inbox, 'f', signed_with(stranger, bob, inbox, 'f', 'hi', now), now, 'refused', 'certificate: not signed by the owner of this space'],
    'a bearer who is not certified': [inbox, 'g', signed_with(lasting, eve, inbox, 'g', 'hi', now), now, 'refused', 'certificate: its bearer is not certified'],
    'a name of an account': ['~@ann', space, { '#': space }, now, 'kept', 'a link to the account that the key says'],
    'a name that links elsewhere': ['~@ann', space, { '#': '~' + eve.pub }, now, 'refused', 'Alias not same!'],
    'a name without a link': ['~@ann', space, null, now, 'refused', 'Alias must exist!'],
    'a chunk': ['#', hash_of('chunk'), 'chunk', now, 'kept', 'the key ends in the hash of the value'],
    'a chunk by its hex': ['a#b', 'x#' + hex_of('chunk'), 'chunk', now, 'kept', 'the key ends in the hash'],
    'a chunk with an escape in it': ['#', hash_of('a"\n\u{1f600}'), 'a"\n\u{1f600}', now, 'kept', 'the key ends in the hash'],
    'a chunk that is another': ['#', hash_of('chunk'), 'junk\u00fc', now, 'refused', `Data hash not same as hash! - the hash of this value is ${hash_of('junk\u00fc')}`],
    'nobody\'s': ['chat', 'a', 'b', now, 'kept', 'nobody\'s'],
    'nobody\'s, of the future': ['chat', 'later', 'b', now + hour, 'held', `in force from ${new Date(now + hour).toISOString()}`],
    'nobody\'s, of a far future': ['chat', 'never', 'b', now + 48 * hour, 'refused', 'future: the state is too far ahead'],
    'what has expired': ['chat<?5', 'a', 'b', now - hour, 'expired', 'it is not kept'],
    'what is no value': ['chat', 'list', [1], now, 'refused', 'malformed: not a value'],
    'a state that is a text': ['chat', 'state', 1, 'no', 'refused', 'malformed: state is not a number'],
};

const put_of = (soul, key, value, state) => ({ [soul]: { _: { '#': soul, '>': { [key]: state } }, [key]: value } });
const row_of = ([soul, key, value, state]) => ({ soul, key, value, state });
const last = out => out.trimEnd().split('\n').at(-1);

async function verify(input, code)
{
    const said = await tool(['verify', '-'], typeof input === 'string' ? input : JSON.stringify(input));
    assert.equal(said.code, code, said.out + said.err);
    return said.out;
}

const status_of = verdict => (verdict === 'kept' || verdict === 'held' ? 0 : 1);

function begins(line, [soul, key, , , verdict, says])
{
    const lead = `${verdict} ${JSON.stringify(soul)} ${JSON.stringify(key)}: `;
    assert.ok(line.startsWith(lead) && line.includes(says), `${line}\nis not ${lead}${says}`);
}

export function rules_cases(admin)
{
    admin.test('verify says of each write what becomes of it and why', async () => {
        for (const [name, write] of Object.entries(writes)) {
            const [soul, key, value, state, verdict] = write;
            const out = await verify({ '#': 'x', put: put_of(soul, key, value, state) }, status_of(verdict));
            begins(out.split('\n')[0], write);
            assert.match(last(out), new RegExp(`\\b${verdict} 1\\b`), name);
        }
    });

    admin.test('verify says what a relay says', async t => {
        const relay = await relay_of(t);
        const raw = await open_raw(relay.ws_url);
        // Refused ones first: what is older than what is kept needs no signature to be dropped.
        const in_turn = Object.entries(writes).sort(([, a], [, b]) => (b[4] === 'refused') - (a[4] === 'refused'));
        for (const [name, [soul, key, value, state, verdict, says]] of in_turn) {
            const answer = await raw.ask({ '#': 'p' + name.replace(/\W/g, ''), put: put_of(soul, key, value, state) });
            if (verdict === 'refused') {
                const text = says.split(' - ')[0];
                assert.ok(answer.err, `${name}: ${JSON.stringify(answer)}`);
                const near = text.startsWith(answer.err) || answer.err.startsWith(text) || /^(lacks|an old|over)/.test(text);
                assert.ok(near, `${name}: the relay says ${answer.err}, verify ${says}`);
            } else {
                assert.equal(answer.ok, true, `${name}: ${JSON.stringify(answer)}`);
            }
        }
        await raw.close();
    });

    admin.test('verify and can show what a stranger wrote, and no terminal obeys it', async t => {
        const at = scratch(t);
        const sly = '\x1b]0;x\x07\0\nkept \x7f\u009b31m';
        const rows = [
            { soul: space, key: 'name', value: JSON.stringify({ ':': 1, '~': 'x', '*': sly }), state: now },
            { soul: `chat${sly}`, key: sly, value: 1, state: now },
            { soul: inbox, key: 'a', value: signed_with(certificate(ann, terms({ wb: sly })), bob, inbox, 'a', 'hi', now), state: now },
        ];
        const out = await verify(as_lines(rows), 1);
        assert.doesNotMatch(out, /[^\n\P{Cc}]/u);
        assert.deepEqual(out.split('\n').map(line => line.split(' ')[0]), ['refused', 'kept', 'kept', 'kept', '']);
        assert.match(out, /is not that of \?\]0;x\?\?\?kept \?\?\?31m over this soul/);
        writeFileSync(at('cert'), JSON.stringify(certificate(ann, terms({ wb: sly }))));
        const said = await done(['can', bob.pub, inbox, 'a', '--cert', at('cert')]);
        assert.match(said, /^yes: .* blocked in "\?\]0;x\?\?\?kept \?\?\?31m" of the owner\n$/);
        assert.doesNotMatch(said, /[^\n\P{Cc}]/u);
    });

    admin.test('verify understands a message, a batch, a node, a graph, a write, a row, and lines of them', async () => {
        const good = writes['what the owner signed'], bad = writes['what another signed'];
        const [soul, key, value, state] = good;
        const node = put_of(soul, key, value, state)[soul];
        const forms = [
            { '#': 'x', put: { [soul]: node } },
            { put: { [soul]: node } },
            [{ '#': 'x', put: { [soul]: node } }],
            [JSON.stringify({ '#': 'x', put: { [soul]: node } })],
            { '@': 'y', put: { [soul]: node } },
            node,
            { [soul]: node },
            row_of(good),
            { '#': soul, '.': key, ':': value, '>': state },
        ];
        for (const form of forms) {
            for (const text of [JSON.stringify(form), JSON.stringify(form, null, 2), `\n${JSON.stringify(form)}\r\n\n`]) {
                const out = await verify(text, 0);
                begins(out.split('\n')[0], good);
                assert.equal(last(out), 'kept 1, held 0, expired 0, refused 0');
            }
        }
        const out = await verify(forms.map(form => JSON.stringify(form)).join('\n') + '\n' + JSON.stringify(row_of(bad)), 1);
        assert.equal(last(out), `kept ${forms.length}, held 0, expired 0, refused 1`);
    });

    admin.test('verify reads a file as well', async t => {
        const at = scratch(t);
        writeFileSync(at('write.json'), JSON.stringify(row_of(writes['a chunk'])));
        begins((await done(['verify', at('write.json')])).split('\n')[0], writes['a chunk']);
    });

    admin.test('one bad key: verify says that nothing of a put is kept, and of an answer the others', async () => {
        const nodes = { [space]: { _: { '#': space, '>': { name: now, age: now } }, name: writes['what the owner signed'][2], age: 5 } };
        const put = await verify({ '#': 'x', put: nodes }, 1);
        assert.match(put, /^refused .* "age": Unverified data\./m);
        assert.match(put, /^kept .* "name": signed/m);
        assert.match(put, /nothing of it is kept/);
        const answer = await verify({ '@': 'x', put: nodes }, 1);
        assert.match(answer, /its other keys are kept/);
        assert.equal(last(answer), 'kept 1, held 0, expired 0, refused 1');
    });

    admin.test('of malformed keys verify names each', async () => {
        const node = { _: { '#': 's', '>': { a: 1, b: 'x', c: 1 } }, a: [], b: 1, c: 2, d: 3 };
        const out = await verify({ '#': 'x', put: { s: node, other: { _: { '#': 'else' } } } }, 1);
        assert.match(out, /^refused "s" "a": malformed: not a value$/m);
        assert.match(out, /^refused "s" "b": malformed: state is not a number$/m);
        assert.match(out, /^kept "s" "c": /m);
        assert.match(out, /^refused "s" "d": malformed: no state$/m);
        assert.match(out, /^refused "other": malformed: soul not same$/m);
    });

    admin.test('what was taken under a certificate that has run out since is kept, unless it is put today', async () => {
        const [soul, key, value, state] = writes['what was signed before the end, which is past'];
        const put = put_of(soul, key, value, state);
        assert.match(await verify({ '#': 'x', put }, 1), /^refused .*: Certificate expired\. - a put of today/);
        assert.match(await verify({ '@': 'x', put }, 0), /^kept .*, which is past/);
        assert.match(await verify(row_of(writes['what was signed before the end, which is past']), 0), /^kept /);
    });

    admin.test('verify says what it cannot read, and ends with 2', async () => {
        const unreadable = {
            '': /there is nothing in it/,
            'hello': /not JSON/,
            '{"a":': /not JSON/,
            '5': /it is no object/,
            '{"a":1}': /no message, node, graph or write/,
            '{"_":{}}': /a node has its soul/,
            '{"soul":"a","key":"b"}': /a write has a soul, a key and a value/,
            '{"soul":"a","key":5,"value":1}': /a write has a soul/,
            '{"soul":"a","key":"b","value":1,"state":1}\nhello\n': /line 2: it is not JSON/,
        };
        for (const [input, why] of Object.entries(unreadable)) {
            const { code, err } = await tool(['verify', '-'], input);
            assert.equal(code, 2, input);
            assert.match(err, why, input);
        }
        const { code, err } = await tool(['verify', '/nowhere/at/all']);
        assert.equal(code, 2);
        assert.match(err, /No such file/);
    });

    admin.test('what a relay keeps of users verifies again, line by line, out of its export', async t => {
        const relay = await relay_of(t);
        const raw = await open_raw(relay.ws_url);
        const taken = Object.values(writes).filter(([, , , , verdict]) => verdict === 'kept');
        for (const [i, [soul, key, value, state]] of taken.entries())
            assert.equal((await raw.ask({ '#': 'e' + i, put: put_of(soul, key, value, state) })).ok, true);
        await raw.close();
        const lines = await done(['export', relay.data]);
        assert.equal(last(await verify(lines, 0)), `kept ${taken.length}, held 0, expired 0, refused 0`);
    });

    admin.test('verify reads ten thousand lines', async () => {
        const rows = Array.from({ length: 10_000 }, (_, i) => ({ soul: 'chat', key: `k${i}`, value: i, state: now }));
        assert.equal(last(await verify(as_lines(rows), 0)), 'kept 10000, held 0, expired 0, refused 0');
    });

    admin.test('can says who may write where', async t => {
        const at = scratch(t);
        const cases = [
            [ann, space, 'name', null, 0, /^yes: the space is theirs; the value must be signed/],
            [ann, space, 'pub', null, 0, /^yes: .* holds their key/],
            [ann, space.replace('.', '/'), 'pub', null, 0, /^yes: the space is theirs; the value must be signed/],
            [ann, 'x' + space + '/a', 'pub', null, 0, /^yes: the space is theirs; the value must be signed/],
            [bob, space, 'name', null, 1, /^no: the space is another's/],
            [bob, 'chat', 'name', null, 0, /^yes: it is nobody's/],
            [bob, '#', 'x', null, 0, /^yes: .* hash/],
            [bob, '~@bob', '~x', null, 0, /^yes: .* link/],
            [bob, '~@', '~x', null, 0, /^yes: .* link/],
            [bob, inbox, 'a', lasting, 0, /^yes: certified by .* without end/],
            [bob, inbox, 'a', ending, 0, /^yes: certified by .* until /],
            [bob, inbox, 'a', listing, 0, /^yes: .* blocked in "blocked"/],
            [bob, inbox, 'a', ended, 1, /^no: Certificate expired\./],
            [bob, space + '/other', 'a', lasting, 1, /^no: Certificate verification fail\./],
            [eve, inbox, 'a', lasting, 1, /^no: certificate: its bearer is not certified/],
            [bob, inbox, 'a', stranger, 1, /^no: certificate: not signed by the owner/],
            [bob, '~' + bob.pub, 'a', lasting, 0, /^yes: the space is theirs/],
        ];
        for (const [who, soul, key, cert, code, says] of cases) {
            const forms = cert === null ? [null] : [JSON.stringify(cert), 'SEA' + JSON.stringify(cert), JSON.stringify('SEA' + JSON.stringify(cert)) + '\n'];
            for (const form of forms) {
                if (form !== null) writeFileSync(at('cert'), form);
                const said = await tool(['can', who.pub, soul, key, ...form === null ? [] : ['--cert', at('cert')]]);
                assert.equal(said.code, code, said.out + said.err);
                assert.match(said.out, says);
            }
        }
        const piped = await tool(['can', bob.pub, inbox, 'a', '--cert', '-'], JSON.stringify(lasting));
        assert.equal(piped.code, 0, piped.out + piped.err);
    });

    admin.test('can says what is wrong with the question, and ends with 2', async t => {
        const at = scratch(t);
        writeFileSync(at('junk'), 'junk');
        writeFileSync(at('half'), '{"m":{"c":"*"}}');
        const wrong = [
            [['can', bob.pub, inbox], /usage/],
            [['can', bob.pub + '=', inbox, 'a'], /is no public key/],
            [['can', '~' + bob.pub, inbox, 'a'], /is no public key/],
            [['can', bob.pub, inbox, 'a', '--cert'], /usage/],
            [['can', bob.pub, inbox, 'a', '--cert', at('none')], /No such file/],
            [['can', bob.pub, inbox, 'a', '--cert', at('junk')], /is no certificate/],
            [['can', bob.pub, inbox, 'a', '--cert', at('half')], /is no certificate/],
        ];
        for (const [words, why] of wrong) {
            const { code, err } = await tool(words);
            assert.equal(code, 2, words.join(' '));
            assert.match(err, why);
        }
    });
}
