/* cases-gun.mjs - the writer and reader of docs/audio.md in real gun clients. */
import { assert, fresh, until } from '../tools/harness.mjs';
import { open_host } from '../tools/gun-client.mjs';
import { keys, new_user } from '../tools/people.mjs';
import { start_relay } from '../tools/relay.mjs';
import { buyer, noise_of, reader, seller, writer } from './convention.mjs';
import { ask } from './http.mjs';
import { hex_of, noise } from './track.mjs';
import { metric } from './world.mjs';

export const premium_keys = { key: noise(60, 32).toString('base64'), preview: { n: 3, key: noise(61, 32).toString('base64') } };

async function sea_client(t, relay)
{
    const host = open_host({ sea: true });
    t.after(() => host.close());
    return host.client(relay.url);
}

/* What was published plays by HTTP as well, or its preview does. */
export async function judge_by_http(relay, published, plain, type, is_premium)
{
    const path = `GET /audio/${published.root}`;
    const got = await ask(relay, is_premium ? `${path}/preview` : path);
    assert.equal(got.status, 200);
    assert.equal(got.headers['content-type'], type);
    const want = is_premium ? plain.subarray(0, premium_keys.preview.n * (36864 - 16)) : plain;
    assert.ok(!got.cut && got.body.equals(want));
    const have = JSON.parse((await ask(relay, `${path}/have`)).body);
    assert.equal(have.have, have.n);
    assert.equal(have.manifest, published.manifest);
}

function writing_cases(suite, world)
{
    for (const [what, premium] of [['a plain track', null], ['a premium track', premium_keys]]) {
        suite.test(`gun.js in Node writes ${what} of 3 MB, another reads it, and it plays by HTTP`, async t => {
            const [ann, bob] = [await sea_client(t, world.relay), await sea_client(t, world.relay)];
            const pub = await new_user(ann, fresh('ann'));
            const plain = noise(premium ? 62 : 63, 3_000_001);
            const published = await ann.run(writer, noise_of(premium ? 62 : 63, plain.length), 'audio/mpeg', premium);
            const got = await bob.run(reader, pub, published.id, premium?.key ?? null);
            assert.deepEqual([got.bytes, got.sha256, got.heard], [plain.length, hex_of(plain), 82]);
            assert.ok(got.most <= 64 + 6, `${got.most} chunks of 82 in memory: a segment and what is fetched ahead`);
            await judge_by_http(world.relay, published, plain, 'audio/mpeg', Boolean(premium));
        });
    }

    suite.test('whoever has bought the key of a premium track plays it, another hears its preview only', async t => {
        const people = await Promise.all([1, 2, 3].map(() => sea_client(t, world.relay)));
        const [ann, bob, eve] = people;
        const pub = await new_user(ann, fresh('ann'));
        await new_user(bob, fresh('bob'));
        const plain = noise(64, 200_000);
        const published = await ann.run(writer, noise_of(64, plain.length), 'audio/mpeg', premium_keys);
        const artist = await ann.run(keys);
        assert.equal(await ann.run(seller, published.root, await bob.run(keys), premium_keys.key), null);
        const bought = await bob.run(buyer, { pub, epub: artist.epub }, published.root);
        assert.equal(bought, premium_keys.key);
        assert.equal((await bob.run(reader, pub, published.id, bought)).sha256, hex_of(plain));
        await assert.rejects(eve.run(reader, pub, published.id, premium_keys.preview.key), /OperationError|decrypt/);
    });
}

/* A gun.js relay dials only when it has something to say to everybody. */
async function wake(t, world, gun, brasa)
{
    const raw = await world.raw(t, gun);
    raw.send({ '#': 'wake', ok: { awake: 1 } });
    await until('the gun.js relay to have dialled', async () => await metric(brasa, 'connections') === 1);
}

function relay_cases(suite, world)
{
    suite.test('what was written to brasa is read through a gun.js relay that dials it, and the other way round', async t => {
        const brasa = await world.own_relay(t);
        const gun = await start_relay({ gun: true, peer: brasa.url });
        t.after(() => gun.close());
        await wake(t, world, gun, brasa);
        const [ann, bob] = [await sea_client(t, brasa), await sea_client(t, gun)];
        const pubs = [await new_user(ann, fresh('ann')), await new_user(bob, fresh('bob'))];
        const first = await ann.run(writer, noise_of(65, 600_000), 'audio/mpeg', null);
        assert.equal((await bob.run(reader, pubs[0], first.id, null)).sha256, hex_of(noise(65, 600_000)));
        const second = await bob.run(writer, noise_of(66, 600_000), 'audio/ogg', null);
        assert.equal((await ann.run(reader, pubs[1], second.id, null)).sha256, hex_of(noise(66, 600_000)));
        await until('all chunks at brasa', async () => (await ask(brasa, `GET /audio/${second.root}/have`)).status === 200 &&
            JSON.parse((await ask(brasa, `GET /audio/${second.root}/have`)).body).have === 17);
        await judge_by_http(brasa, second, noise(66, 600_000), 'audio/ogg', false);
    });
}

export function gun_cases(suite, world)
{
    writing_cases(suite, world);
    relay_cases(suite, world);
}
