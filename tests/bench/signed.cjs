// signed.cjs - the cases of signed data: puts made beforehand, and how many curves this
// machine could compute if it did nothing else.
//
// A signed put is one key of a new soul in a user's space, signed with P-256 as sea.js
// signs; there are as many users as connections. A forged one has a signature of the
// right form at random: it costs its verifier the whole curve, and its maker nothing.
'use strict'
const { randomBytes } = require('crypto')
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')

const USERS = 100
const VALUE_BYTES = 100
const FORGED = 10000
const STATE_AGE_MS = 10000

// How many signed puts are made: more than a server takes in the time, and if it
// takes all of them it is measured until then.
const amountOf = (quick) => (quick ? 40000 : 120000)
const windows = { connections: 100, window: 10 }

function bodyOf(user, number, forged, { signed }) {
  const soul = `~${user.pub}/${randomBytes(9).toString('base64url')}`
  const state = Date.now() - STATE_AGE_MS
  const said = number + ' ' + randomBytes(VALUE_BYTES).toString('base64url').slice(0, VALUE_BYTES - 8)
  const value = forged ? JSON.stringify({ ':': said, '~': randomBytes(64).toString('base64') })
    : signed(user, soul, 'k0', said, state)
  return `"put":{"${soul}":{"_":{"#":"${soul}",">":{"k0":${state}}},"k0":${JSON.stringify(value)}}}}\n`
}

// Writes `count` of them to a file of `folder` and gives its path.
async function make(folder, count, forged) {
  const signer = await import('../tools/signer.mjs')
  const users = Array.from({ length: USERS }, () => signer.make_pair())
  const name = path.join(folder, forged ? 'forged' : 'signed')
  const to = fs.openSync(name, 'w')
  for (let made = 0; made < count;) {
    const some = []
    for (; some.length < 1000 && made < count; made++) some.push(bodyOf(users[made % USERS], made, forged, signer))
    fs.writeSync(to, some.join(''))
  }
  fs.closeSync(to)
  return name
}

// Verifications of P-256 a second by OpenSSL's own measure, on one thread of this
// machine, with nothing beside it; NaN without the program.
function curves(quick) {
  const run = spawnSync('openssl', ['speed', '-seconds', quick ? '1' : '3', 'ecdsap256'], { encoding: 'utf8' })
  const line = /256 bits ecdsa \(nistp256\)\s+\S+\s+\S+\s+\S+\s+([\d.]+)/.exec(run.stdout || '')
  return line ? Number(line[1]) : NaN
}

// Gives the cases, with their files in `folder`.
async function cases(quick, folder) {
  process.stderr.write(`  signed: making ${amountOf(quick)} signed puts\n`)
  const signed = await make(folder, amountOf(quick), false)
  const forged = await make(folder, FORGED, true)
  const pace = quick ? ['--warm', 500, '--measure', 1500] : ['--warm', 1000, '--measure', 5000]
  return [
    { group: 'signed', mode: 'beside', name: '100 x 10, signed', quick: true,
      args: ['--bodies', signed, '--connections', windows.connections, '--window', windows.window, ...pace] },
    { group: 'signed', mode: 'beside', name: '10,000 forged, one connection', quick: true, forged: true,
      args: ['--bodies', forged, '--forged', '--connections', 1, '--window', FORGED, '--count', FORGED, '--warm', 0, '--measure', quick ? 1500 : 5000] },
  ]
}

module.exports = { make, cases, curves }
