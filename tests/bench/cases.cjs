// cases.cjs - what is measured: the cases of gun.js's own figures, so that the
// tables can be laid side by side, and those whose aims are in the design.
'use strict'

// `signed` has messages made beforehand (signed.cjs); the last three are of brasa's
// store alone (store.cjs).
const GROUPS = ['put', 'get', 'fanout', 'mixed', 'idle', 'signed', 'long', 'ack', 'restart']

// How long to warm up and to measure. A gun.js relay acknowledges after 250 ms at
// the least and is compiled while it warms up: less than this says nothing.
function paceOf(quick) {
  return quick ? ['--warm', 500, '--measure', 1500] : ['--warm', 1000, '--measure', 4000]
}

const shape = (connections, window, frame = 1) =>
  ['--connections', connections, '--window', window, '--frame', frame]

function puts(quick) {
  const make = (name, args, more = {}) => ({ group: 'put', mode: 'put', name, args: [...args, ...paceOf(quick)], ...more })
  const all = [
    make('1 x 1', shape(1, 1), { quick: true }),
    make('100 x 1', shape(100, 1)),
    make('10 x 100', shape(10, 100), { quick: true, ceiling: 'echo' }),
    make('100 x 100', shape(100, 100)),
    make('10 x 1000', shape(10, 1000)),
    make('100 x 100, ten a frame', shape(100, 100, 10), { quick: true, ceiling: 'echo' }),
    make('10 x 10, 1,000 souls again and again', [...shape(10, 10), '--souls', 1000]),
    make('10 x 10, values of 10 KB', [...shape(10, 10), '--value', 10000]),
  ]
  return all
}

function gets(quick) {
  const make = (name, args, more = {}) => ({ group: 'get', mode: 'get', name, args: [...args, ...paceOf(quick)], ...more })
  const one = ['--souls', quick ? 1000 : 10000]
  return [
    make('1 x 1', [...shape(1, 1), ...one]),
    make('1 x 100', [...shape(1, 100), ...one], { ceiling: 'echo' }),
    make('10 x 10', [...shape(10, 10), ...one], { quick: true, ceiling: 'echo' }),
    make('100 x 1', [...shape(100, 1), ...one]),
    make('100 x 10, ten a frame', [...shape(100, 10, 10), ...one]),
    make('10 x 1, nodes of 100 keys', [...shape(10, 1), '--souls', 100, '--keys', 100], { quick: true }),
    make('4 x 1, nodes of 1,000 keys', [...shape(4, 1), '--souls', 20, '--keys', 1000]),
  ]
}

function fanouts(quick) {
  const make = (name, args, more = {}) => ({ group: 'fanout', mode: 'fanout', name, args: [...args, ...paceOf(quick)], ...more })
  return [
    make('100 subscribers, 100 puts/s', ['--connections', 100, '--rate', 100], { quick: true, paced: true }),
    make('1,000 subscribers, 10 puts/s', ['--connections', 1000, '--rate', 10], { paced: true }),
    make('100 subscribers, saturated', ['--connections', 100, '--window', 4], { ceiling: 'broadcast' }),
    make('1,000 subscribers, saturated', ['--connections', 1000, '--window', 4], { quick: true, ceiling: 'broadcast' }),
  ]
}

function mixes(quick) {
  return [{ group: 'mixed', mode: 'mixed', name: '100 x 10', quick: true,
    args: [...shape(100, 10), '--souls', quick ? 1000 : 10000, '--warm', 1000, '--measure', quick ? 3000 : 10000] }]
}

function idles(quick) {
  return [{ group: 'idle', mode: 'idle', name: '10,000 idle, 10 active', quick: true,
    args: [...shape(10, 1), '--souls', 1000, '--idle', 10000, ...paceOf(quick)] }]
}

function casesOf(options) {
  const all = [...puts(options.quick), ...gets(options.quick), ...fanouts(options.quick),
    ...mixes(options.quick), ...idles(options.quick)]
  return all.filter((one) => options.only.includes(one.group) && (one.quick || !options.quick))
}

module.exports = { GROUPS, casesOf }
