/* cases-many.mjs - libraries as large as people have them. */
import { assert, until } from '../tools/harness.mjs';
import { some_track } from './world.mjs';

async function publish_many(t, world, count)
{
    const relay = await world.own_relay(t), ann = await world.person(t, { relay });
    for (let i = 0; i < count; i += 25) await Promise.all(Array.from({ length: 25 }, (_, k) => ann.tracks.publish(some_track(i + k))));
    await until('all to be safe', () => ann.relay.waiting === 0, 60);
    const eve = await world.visitor(t, { relay }), began = performance.now();
    await until('all in the library', () => eve.tracks.list.length >= count, 120);
    console.log(`       ${count} tracks are in the library of a new visitor after ${Math.round(performance.now() - began)} ms`);
    assert.equal(eve.tracks.list.length, count);
    assert.equal(new Set(eve.tracks.list.map(track => track.title)).size, count);
    const soul = `~${ann.people.me.pub}/tracks/${some_track(count - 1).root.slice(0, 16)}`;
    assert.equal((await eve.tracks.load(soul)).title, `Title ${count - 1}`);
    await ann.tracks.edit(soul, { title: 'The last' });
    await until('an edit among them', () => eve.tracks.get(soul).title === 'The last');
}

export function many_cases(suite, world)
{
    suite.test('500 tracks are published and read by a visitor', t => publish_many(t, world, 500), { seconds: 180, beside: true });
    suite.test('5,000 tracks are published and read by a visitor', t => publish_many(t, world, 5000), { seconds: 1200, long: true });
}
