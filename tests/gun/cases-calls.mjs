/* cases-calls.mjs - messages that are no data: `ok` objects that find their way
 * back by reply ids, as lib/webrtc.js uses them to connect two pages.
 *
 * The announcer puts its pid at /RTC/ROOM<?99, key +. Who listens there answers
 * the update it was pushed; the relay brings that to the announcer with the id
 * of the put, and the talk goes on by ids from there, longer than the nine
 * seconds that gun.js remembers an id without use.
 */
import { assert, fresh, sleep } from '../tools/harness.mjs';
import { put_of } from '../tools/raw.mjs';

const rtc = (what, id) => ({ rtc: { [what]: { type: what, sdp: 'v=0' }, id } });

/* Bob listens in a room, Ann announces herself, Bob's offer reaches her. */
async function meet(world, t)
{
    const room = '/RTC/' + fresh('room') + '<?99';
    const [ann, bob, cid] = [await world.raw(t), await world.raw(t), await world.raw(t)];
    await bob.ask({ '#': 'listen' + room, get: { '#': room, '.': '+' } });
    const announce = put_of('announce' + room, room, { '+': [ann.pid, Date.now() - 10] });
    ann.send({ ...announce, ok: { '@': 55, '/': 1 } });
    const update = await bob.hear('the announcement', m => m.put?.[room]?.['+'] === ann.pid);
    const offer = 'offer' + room;
    bob.send({ '@': update['#'], '#': offer, ok: rtc('offer', bob.pid) });
    const heard = await ann.hear('the offer', m => m.ok?.rtc?.offer);
    assert.equal(heard['@'], announce['#']);
    assert.deepEqual(heard.ok, rtc('offer', bob.pid));
    return { room, ann, bob, cid, announce, offer, asked: heard['#'] };
}

export function call_cases(gun, world)
{
    gun.test('WebRTC: offer, answer and candidates find their way both ways, and to nobody else', async t => {
        const { room, ann, bob, cid, announce, offer, asked } = await meet(world, t);
        ann.send({ '@': asked, '#': 'answer' + room, ok: rtc('answer', ann.pid) });
        const answer = await bob.hear('the answer', m => m.ok?.rtc?.answer);
        assert.equal(answer['@'], offer);
        ann.send({ '@': asked, ok: rtc('candidate', ann.pid) }); /* gun sends these without an id */
        const candidate = await bob.hear('a candidate', m => m.ok?.rtc?.candidate);
        assert.equal(candidate['@'], offer);
        bob.send({ '@': announce['#'], ok: rtc('candidate', bob.pid) });
        assert.equal(ann.acks(announce['#']).filter(m => m.ok === true).length, 1);
        await cid.settle(fresh('by'));
        assert.ok(!cid.heard.some(m => m.ok?.rtc), 'a third client heard the talk');
    });

    gun.test('WebRTC: a route lives longer than nine seconds because it is used', async t => {
        const { ann, bob, asked, offer, room } = await meet(world, t);
        for (let i = 0; i < 3; i++) {
            await sleep(5000);
            const id = 'candidate' + i + room;
            ann.send({ '@': asked, '#': id, ok: { rtc: { candidate: { candidate: 'c' + i }, id: ann.pid } } });
            const heard = await bob.hear('candidate ' + i, m => m.ok?.rtc?.candidate?.candidate === 'c' + i);
            assert.equal(heard['@'], offer);
        }
    }, { beside: true });

    gun.test('plain acks of strangers never reach the author of a put', async t => {
        const [ann, bob] = [await world.raw(t), await world.raw(t)];
        const soul = fresh('stranger');
        await bob.ask({ '#': 'sub' + soul, get: { '#': soul } });
        ann.send(put_of('put' + soul, soul, { k: [1, Date.now() - 10] }));
        const update = await bob.hear('the update', m => m.put?.[soul]);
        bob.send({ '@': update['#'], '#': 'bad' + soul, err: 'not mine' });
        bob.send({ '@': update['#'], '#': 'good' + soul, ok: 1 });
        await bob.settle(fresh('by'));
        await ann.settle(fresh('by'));
        const acks = ann.acks('put' + soul);
        assert.equal(acks.length, 1);
        assert.equal(acks[0].ok, true);
    });
}
