// Replies and where they go: plain acks end here, ok objects are passed back and
// forth (transcripts 06, 08; protocol 13.17; relay-rules 5, 14; design "whose ack").
import { answer, found, get, none, now, ok, put, update } from '../lib/frames.mjs';

const call = (id, to, what) => ({ '#': id, '@': to, ok: { rtc: what } });
const R = '/RTC/room<?99';

export default {
    name: 'calls',
    cases: [
        {
            name: 'a plain ack of a listener is not passed on to the author (13.17; gun.js: it is, and counts as his)',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r1')], ['B', '<', none('g')],
                ['A', '>', put('r1w', { r1: { a: 2 } }, now, { ok: { '@': 9, '/': 1 } })], ['A', '<', ok('r1w')],
                ['B', '<', update({ r1: { a: 2 } }, now, 'r1w')],
                ['B', '>', { '#': 'ackB1', '@': 'r1w', ok: 1 }, { '#': 'ackB2', '@': 'r1w', ok: true }, { '#': 'ackB3', '@': 'r1w', ok: 'yes' }, { '#': 'ackB4', '@': 'r1w', ok: [1] }],
                ['B', '='], ['A', '=']],
        },
        {
            name: 'an err of a listener is not passed on to the author',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r2')], ['B', '<', none('g')],
                ['A', '>', put('r2w', { r2: { a: 2 } })], ['A', '<', ok('r2w')], ['B', '<', update({ r2: { a: 2 } })],
                ['B', '>', { '#': 'errB', '@': 'r2w', err: 'B could not save' }, { '#': 'errB2', '@': 'r2w' }], ['B', '='],
                ['A', '=']],
        },
        {
            name: 'an err beside an ok object is not passed on',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r3')], ['B', '<', none('g')],
                ['A', '>', put('r3w', { r3: { a: 2 } })], ['A', '<', ok('r3w')], ['B', '<', update({ r3: { a: 2 } })],
                ['B', '>', { '#': 'errB3', '@': 'r3w', err: 'no', ok: { x: 1 } }], ['B', '='],
                ['A', '<', { '#': 'errB3', '@': 'r3w', ok: { x: 1 } }], ['A', '=']],
        },
        {
            name: 'an ok object is passed back to the author, with its own id and the id he knows',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r4')], ['B', '<', none('g')],
                ['A', '>', put('r4w', { r4: { a: 2 } })], ['A', '<', ok('r4w')],
                ['B', '<', update({ r4: { a: 2 } }, now, 'r4w')],
                ['B', '>', { '#': 'callB', '@': 'r4w', ok: { x: 1 } }], ['A', '<', { '#': 'callB', '@': 'r4w', ok: { x: 1 } }],
                ['B', '=']],
        },
        {
            name: 'when the update had a new id, "@" is put back to the id of the put',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r5', 'a')], ['B', '<', none('g')],
                ['A', '>', put('r5w', { r5: { a: 2, b: 3 } })], ['A', '<', ok('r5w')],
                ['B', '<', { '#': '{{cut}}', put: update({ r5: { a: 2 } }).put }],
                ['B', '>', { '#': 'call5', '@': '{{cut}}', ok: { x: 1 } }],
                ['A', '<', { '#': 'call5', '@': 'r5w', ok: { x: 1 } }],
                ['A', '>', { '#': 'call5b', '@': 'call5', ok: { y: 2 } }],
                ['B', '<', { '#': 'call5b', '@': 'call5', ok: { y: 2 } }]],
        },
        {
            name: 'each of two listeners\' calls reaches the author, and his answers reach each',
            steps: [
                ['A', 'open'], ['B', 'open'], ['C', 'open'], ['B', '>', get('g', 'r6')], ['B', '<', none('g')],
                ['C', '>', get('g', 'r6')], ['C', '<', none('g')], ['A', '>', put('r6w', { r6: { a: 1 } })],
                ['A', '<', ok('r6w')],
                ['B', '<', { '#': '{{b}}', put: update({ r6: { a: 1 } }).put }],
                ['C', '<', { '#': '{{c}}', put: update({ r6: { a: 1 } }).put }],
                ['B', '>', { '#': 'b6', '@': '{{b}}', ok: { b: 1 } }], ['C', '>', { '#': 'c6', '@': '{{c}}', ok: { c: 1 } }],
                ['A', '<<', { '#': 'b6', '@': 'r6w', ok: { b: 1 } }, { '#': 'c6', '@': 'r6w', ok: { c: 1 } }],
                ['A', '>', { '#': 'a6', '@': 'c6', ok: { d: 1 } }], ['C', '<', { '#': 'a6', '@': 'c6', ok: { d: 1 } }],
                ['B', '=']],
        },
        {
            name: 'of a call only "#", "@" and ok go on, the object as it was sent',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r7')], ['B', '<', none('g')],
                ['A', '>', put('r7w', { r7: { a: 1 } })], ['A', '<', ok('r7w')], ['B', '<', update({ r7: { a: 1 } })],
                ['B', '>', { '#': 'call7', '@': 'r7w', ok: { deep: [1, { n: null, t: true }], s: 'é\u2028"' }, '><': 'x', FOO: 1, DBG: 1, token: 'secret', '##': 5, '%': 1 }],
                ['A', '<', { '#': 'call7', '@': 'r7w', ok: { deep: [1, { n: null, t: true }], s: 'é\u2028"' } }]],
        },
        {
            name: 'a call without an id arrives with one that is invented: RTC candidates have none',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r8')], ['B', '<', none('g')],
                ['A', '>', put('r8w', { r8: { a: 1 } })], ['A', '<', ok('r8w')], ['B', '<', update({ r8: { a: 1 } })],
                ['B', '>', { '@': 'r8w', ok: { rtc: { candidate: 1 } } }],
                ['A', '<', { '#': '{{?}}', '@': 'r8w', ok: { rtc: { candidate: 1 } } }]],
        },
        {
            name: 'a call to an id nobody knows goes nowhere',
            steps: [
                ['A', 'open'], ['B', 'open'],
                ['A', '>', { '#': 'ackZ', '@': 'neverseen', ok: { x: 1 } }, { '#': 'ackY', '@': 'neverseen', ok: 1 }],
                ['A', '='], ['B', '=']],
        },
        {
            name: 'a call to oneself goes nowhere',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r9')], ['B', '<', none('g')],
                ['A', '>', put('r9w', { r9: { a: 1 } })], ['A', '<', ok('r9w')], ['B', '<', update({ r9: { a: 1 } })],
                ['A', '>', { '#': 'self', '@': 'r9w', ok: { x: 1 } }], ['A', '='], ['B', '=']],
        },
        {
            name: 'a call to one who has left goes nowhere',
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r10')], ['B', '<', none('g')],
                ['A', '>', put('r10w', { r10: { a: 1 } })], ['A', '<', ok('r10w')], ['B', '<', update({ r10: { a: 1 } })],
                ['A', 'drop'], ['B', '='], ['B', '>', { '#': 'late', '@': 'r10w', ok: { x: 1 } }], ['B', '=']],
        },
        {
            name: 'an ack of an answer ends here (gun.js: passed to the answerer)',
            steps: [
                ['A', 'open'], ['B', 'open'], ['A', '>', get('r11g', 'r11')], ['A', '<', none('r11g')],
                ['B', '<ask', { '#': 'r11g', get: { '#': 'r11' } }],
                ['B', '>', answer('ansB', 'r11g', { r11: { x: 1 } }, 1000)], ['A', '<', found('r11g', { r11: { x: 1 } }, 1000)],
                ['A', '>', { '#': 'ackA', '@': 'ansB', ok: 1 }], ['A', '='], ['B', '=']],
        },
        {
            name: 'the first ack the author sees is the one of this relay, whatever strangers send before it',
            steps: [['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r12')], ['B', '<', none('g')],
                ['A', '>', put('r12w', { r12: { a: 1 } })],
                ['B', '>', { '#': 'forged', '@': 'r12w', ok: 1 }, { '#': 'forged2', '@': 'r12w', err: 'no' }],
                ['A', '<', ok('r12w')], ['B', '<', update({ r12: { a: 1 } })], ['A', '='], ['B', '=']],
        },
        {
            name: 'WebRTC signalling as lib/webrtc does it: get and put "+", an announcement, offer, answer, candidates, both ways (08)',
            steps: [['A', 'open', { pid: 'pidA' }], ['B', 'open', { pid: 'pidB' }], ['C', 'open', { pid: 'pidC' }],
                ['B', '>', get('rgB_', R, '+')], ['B', '<', none('rgB_')],
                ['B', '>', put('raB_', { [R]: { '+': 'pidB' } }, '{{now-3}}', { ok: { '@': 55, '/': 1 } })],
                ['B', '<', ok('raB_')], ['B', '='],
                ['C', '>', get('rgC_', R, '+')], ['C', '<', found('rgC_', { [R]: { '+': 'pidB' } }, '{{now-3}}')],
                ['C', '>', put('raC_', { [R]: { '+': 'pidC' } }, '{{now-2}}', { ok: { '@': 55, '/': 1 } })],
                ['C', '<', ok('raC_')], ['B', '<', update({ [R]: { '+': 'pidC' } }, '{{now-2}}')],
                ['A', '>', put('raA_', { [R]: { '+': 'pidA' } }, '{{now-1}}', { ok: { '@': 55, '/': 1 } })],
                ['A', '<', ok('raA_')], ['B', '<', { '#': '{{toB}}', put: update({ [R]: { '+': 'pidA' } }, '{{now-1}}').put }],
                ['C', '<', { '#': '{{toC}}', put: update({ [R]: { '+': 'pidA' } }, '{{now-1}}').put }],
                ['B', '>', call('askB_', '{{toB}}', { offer: { type: 'offer', sdp: 'v=0 offer' }, id: 'pidB' })],
                ['A', '<', call('askB_', 'raA_', { offer: { type: 'offer', sdp: 'v=0 offer' }, id: 'pidB' })],
                ['B', '>', call('iceB_', '{{toB}}', { candidate: { candidate: 'candidate:1', sdpMid: '0' }, id: 'pidB' })],
                ['A', '<', call('iceB_', 'raA_', { candidate: { candidate: 'candidate:1', sdpMid: '0' }, id: 'pidB' })],
                ['C', '>', call('askC_', '{{toC}}', { offer: { type: 'offer', sdp: 'v=0 offerC' }, id: 'pidC' })],
                ['A', '<', call('askC_', 'raA_', { offer: { type: 'offer', sdp: 'v=0 offerC' }, id: 'pidC' })],
                ['A', '>', call('ansA_', 'askB_', { answer: { type: 'answer', sdp: 'v=0 answer' }, id: 'pidA' })],
                ['B', '<', call('ansA_', 'askB_', { answer: { type: 'answer', sdp: 'v=0 answer' }, id: 'pidA' })],
                ['A', '>', { '@': 'askB_', ok: { rtc: { candidate: { candidate: 'candidate:2' }, id: 'pidA' } } }],
                ['B', '<', { '#': '{{?}}', '@': 'askB_', ok: { rtc: { candidate: { candidate: 'candidate:2' }, id: 'pidA' } } }],
                ['C', '=']],
        },
        {
            name: 'a route outlives a minute when it is used: a late candidate still arrives',
            long: true,
            steps: [
                ['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r13')], ['B', '<', none('g')],
                ['A', '>', put('r13w', { r13: { a: 1 } })], ['A', '<', ok('r13w')], ['B', '<', update({ r13: { a: 1 } })],
                ['wait', 40_000, 'a route lives 60 s after its last use'], ['B', '>', call('l1', 'r13w', 1)],
                ['A', '<', call('l1', 'r13w', 1)], ['wait', 40_000, 'the use renewed it'], ['B', '>', call('l2', 'r13w', 2)],
                ['A', '<', call('l2', 'r13w', 2)]],
        },
        {
            name: 'a route that was not used for its time is gone (--limit route_ms)',
            server: { args: ['--limit', 'route_ms=300'] },
            steps: [['A', 'open'], ['B', 'open'], ['B', '>', get('g', 'r14')], ['B', '<', none('g')],
                ['A', '>', put('r14w', { r14: { a: 1 } })], ['A', '<', ok('r14w')], ['B', '<', update({ r14: { a: 1 } })],
                ['wait', 800, 'longer than it lives'], ['B', '>', call('l3', 'r14w', 3)], ['B', '='], ['A', '=']],
        },
    ],
};
