/* cases-people.mjs - accounts, names, and the library that people make together. */
import { assert, fresh, until } from '../tools/harness.mjs';
import { origin_of, password, seen, some_track } from './world.mjs';

export function people_cases(suite, world)
{
    suite.test('somebody signs up, and signs in in another browser', async t => {
        const ann = await world.person(t);
        const there = await world.visitor(t);
        const me = await there.people.signIn(ann.alias, password);
        assert.equal(me.pub, ann.people.me.pub);
        assert.equal(me.alias, ann.alias);
        there.people.signOut();
        assert.equal(there.people.me, null);
    });

    suite.test('a wrong password, a taken name, a short password are said in words', async t => {
        const ann = await world.person(t), bob = await world.visitor(t);
        await assert.rejects(bob.people.signIn(ann.alias, 'something else'), /Name or password is wrong/);
        await assert.rejects(bob.people.signUp(ann.alias, password), /taken/);
        await assert.rejects(bob.people.signUp(fresh('bob'), 'short'), /eight characters/);
        await assert.rejects(bob.people.signUp('  ', password), /Choose a name/);
    });

    suite.test('a page that is opened again is still signed in, until signed out', async t => {
        const ann = await world.person(t);
        const again = ann.browser.page(t, origin_of(world.relay));
        assert.equal((await again.people.recall()).alias, ann.alias);
        again.people.signOut();
        const third = ann.browser.page(t, origin_of(world.relay));
        assert.equal(await third.people.recall(), null);
    });

    suite.test('a track that is published is in the library of a visitor, with all its fields', async t => {
        const ann = await world.person(t), eve = await world.visitor(t);
        const peaks = Uint8Array.from({ length: 400 }, (_, i) => i & 255);
        const soul = await ann.tracks.publish(some_track(1, { title: 'Ember', genre: 'drone', year: 1999, note: 'one\ntake', peaks }));
        await seen('the track', () => eve.tracks.get(soul));
        const row = eve.tracks.get(soul);
        assert.deepEqual([row.title, row.artist, row.seconds, row.mine], ['Ember', 'Artist 1', 101, false]);
        await seen('the name', () => eve.people.name(row.pub) === ann.alias);
        const whole = await eve.tracks.load(soul);
        assert.deepEqual([whole.genre, whole.year, whole.note, whole.title], ['drone', '1999', 'one take', 'Ember']);
        assert.deepEqual(whole.peaks, peaks);
        await until('her own row', () => ann.tracks.get(soul)?.mine);
    });

    suite.test('a track that is edited or removed is so for others', async t => {
        const ann = await world.person(t), eve = await world.visitor(t);
        const soul = await ann.tracks.publish(some_track(2));
        await seen('the track', () => eve.tracks.get(soul));
        await ann.tracks.edit(soul, { title: 'Another', artist: '', root: 'nonsense' });
        await seen('the title', () => eve.tracks.get(soul).title === 'Another');
        assert.equal(eve.tracks.get(soul).artist, '');
        await assert.rejects(eve.tracks.edit(soul, { title: 'Mine' }), /Sign in/);
        await ann.tracks.remove(soul);
        await seen('it to be gone', () => !eve.tracks.get(soul));
        assert.equal(await eve.tracks.load(soul), null);
    });

    suite.test('a cover is found by its hash, and nothing but a picture is one', async t => {
        const ann = await world.person(t), eve = await world.visitor(t);
        const picture = 'data:image/png;base64,' + Buffer.alloc(9000, 7).toString('base64');
        const hash = await ann.covers.put(picture);
        assert.equal(await eve.covers.get(hash), picture);
        await assert.rejects(ann.covers.put('data:image/svg+xml;base64,AAAA'), /cover/);
        await assert.rejects(ann.covers.put('data:image/png;base64,' + 'A'.repeat(60_000)), /cover/);
        assert.equal(await eve.covers.get('00'.repeat(32)), '');
    });
}
