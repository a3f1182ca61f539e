/* cases-killers.mjs - bad input costs nobody but the peer that sent it. */
import { assert, fresh, until } from '../tools/harness.mjs';
import { killers, put_under_odd_ids } from './killers.mjs';

/* A client that lives through it: it hears and writes all the time. */
async function open_witness(world, t, relay)
{
    const ann = await world.host(t).client(relay.url);
    const soul = fresh('witness');
    await ann.put([soul, 'count'], 0);
    await ann.listen([soul, 'heard']);
    await ann.listen(['s']); /* the frames are about this one */
    return { ann, soul, beats: 0 };
}

/* One change each way: the witness writes and is acknowledged, another's write reaches it. */
async function beat(witness, bob)
{
    const { ann, soul } = witness;
    const now = ++witness.beats;
    assert.deepEqual(await ann.put([soul, 'count'], now), { ok: true, err: undefined });
    assert.equal((await bob.put([soul, 'heard'], now)).err, undefined);
    await ann.sees([soul, 'heard'], now);
}

/* The relay has worked through what was sent on this connection: it answers what
 * comes after, or it has closed it. */
async function worked_through(raw)
{
    const id = fresh('after');
    raw.send({ '#': id, get: { '#': id } });
    await until('an answer after the frame, or a close', () => raw.closed !== null || raw.answers(id).length > 0);
}

async function notice_nothing(witness, bob, before)
{
    const { ann, soul } = witness;
    const counts = await ann.counts();
    assert.equal(counts.closed, 0, 'the witness lost its connection');
    assert.equal(counts.opened, before.opened);
    assert.deepEqual(await bob.once([soul]), { count: witness.beats, heard: witness.beats });
    assert.equal(await ann.run(() => Object.keys(Object.prototype).length), 0, 'the client\'s Object.prototype was changed');
}

export function killer_cases(gun, world)
{
    gun.test('no single frame ends the relay or is noticed by another client', async t => {
        const relay = await world.own_relay(t);
        const witness = await open_witness(world, t, relay);
        const bob = await world.host(t).client(relay.url);
        await beat(witness, bob);
        const before = await witness.ann.counts();
        const pid = relay.pid;
        for (const [name, frame] of Object.entries(killers)) {
            const raw = await world.raw(t, relay.ws_url);
            try {
                raw.send(frame);
                await worked_through(raw);
                await beat(witness, bob);
                assert.ok(relay.alive && relay.pid === pid, 'the relay ended');
            } catch (error) {
                throw new Error(`${name}: ${error.message}`, { cause: error });
            }
            await raw.close();
        }
        await notice_nothing(witness, bob, before);
        for (const key of put_under_odd_ids) await witness.ann.holds('s', key, 5);
        const health = await fetch(relay.http('/health'));
        assert.equal(health.status, 200);
        console.log(`       ${Object.keys(killers).length} frames, pid ${relay.pid} before and after`);
    }, { seconds: 120 });

    gun.test('half a frame, and a connection that is dropped in the middle of one, harm nobody', async t => {
        const relay = await world.own_relay(t);
        const witness = await open_witness(world, t, relay);
        const bob = await world.host(t).client(relay.url);
        await beat(witness, bob);
        const before = await witness.ann.counts();
        for (const header of [[0x81], [0x81, 0xfe], [0x81, 0xff, 0, 0, 0, 0], [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [0x81, 0x85, 1, 2, 3, 4, 0x7a], [0x01, 0x81, 0, 0, 0, 0, 0x7b], [0xff, 0xff], [0x8f, 0x80, 0, 0, 0, 0], [0x80, 0x80, 0, 0, 0, 0]]) {
            const raw = await world.raw(t, relay.ws_url);
            raw.socket._socket.write(Buffer.from(header));
            await beat(witness, bob);
            await raw.close();
            await beat(witness, bob);
        }
        await notice_nothing(witness, bob, before);
    });
}
