// store.cjs - what brasa's store costs those who wait for it, and what a crash costs:
// the groups `long`, `ack` and `restart` of the bench. Of brasa alone: a gun.js relay
// has nothing to set beside them.
'use strict'
const fs = require('fs')
const path = require('path')
const net = require('net')
const { spawnSync } = require('child_process')
const { LOAD, now, start, stop, kill, load, metrics, written } = require('./servers.cjs')

const FOLD_PATIENCE_MS = 120000
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const shape = (connections, window, frame = 1) =>
  ['--connections', connections, '--window', window, '--frame', frame]

function loadOf(server, mode, args) {
  return load([mode, ...args, '--port', server.port, '--pid', server.child.pid].map(String))
}

// A load whose sums must add up.
async function goodLoad(server, mode, args) {
  const result = await loadOf(server, mode, args)
  if (result.status !== 0) throw new Error(`${mode} ${args.join(' ')}: ${result.status} ${result.errors} ${result.text}`)
  return JSON.parse(result.text).load
}

// What was written so far: all of it by the kernel's count, and what the store itself
// says of its journal. (Of LMDB is the rest.)
async function costs(server) {
  const found = await metrics(server)
  return { at: now(), written: written(server), journal: found.brasa_store_journal_bytes_total ?? NaN,
    folds: found.brasa_store_folds_total ?? NaN }
}

const LOOK_MS = 100

// Sums up how long folds take, until it is told to stop; a long fold that is under way
// at the beginning or the end is in the sum whole, or not at all.
function watchFolds(server) {
  let stopped = false
  const watching = (async () => {
    let folds = NaN
    let seconds = 0
    for (; !stopped; await pause(LOOK_MS)) {
      const found = await metrics(server)
      if (found.brasa_store_folds_total > folds) seconds += found.brasa_store_fold_seconds
      folds = found.brasa_store_folds_total
    }
    return folds === undefined ? NaN : seconds
  })()
  return () => { stopped = true; return watching }
}

// Waits until everything is in LMDB, so that its cost is in the sums.
async function folded(server) {
  for (const until = now() + FOLD_PATIENCE_MS; now() < until; await pause(20))
    if ((await metrics(server)).brasa_store_overlay_rows === 0) return
  throw new Error('the store does not come to rest')
}

// Runs `work(server)` beside a fresh server; what is thrown is a defect.
async function withServer(scratch, work) {
  const folder = fs.mkdtempSync(path.join(scratch, 'store-'))
  let server = null
  try {
    server = await start('brasa', folder)
    const result = await work(server, folder)
    const ending = await stop(result.server || server)
    if (ending) throw new Error(ending)
    return result
  } catch (error) {
    if (server) server.child.kill('SIGKILL')
    throw error
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

// --- long: does the rate last? ---

function longCases(quick) {
  const seconds = quick ? [3] : [10, 60]
  return seconds.flatMap((s) => [1, 10].map((frame) => ({ frame, seconds: s })))
}

function runLong(one, scratch) {
  return withServer(scratch, async (server) => {
    const before = await costs(server)
    const figures = await goodLoad(server, 'put', [...shape(100, 100, one.frame), '--warm', 0, '--measure', one.seconds * 1000])
    await folded(server)
    const after = await costs(server)
    return { figures, puts: figures.asked, written: after.written - before.written,
      journal: after.journal - before.journal, folds: after.folds - before.folds,
      restSeconds: (after.at - before.at) / 1000 - figures.seconds }
  })
}

// --- ack: one put at a time, beside the disk's own sync and beside folds ---

const ACK_ROWS = 1000000
const BESIDE_RATE = 20000

function diskSync(scratch) {
  const run = spawnSync(LOAD, ['sync', '--folder', scratch], { encoding: 'utf8' })
  return JSON.parse(run.stdout).overwritten
}

async function ackRun(server, name, ms) {
  const before = await costs(server)
  const stopWatching = watchFolds(server)
  const figures = await goodLoad(server, 'put', [...shape(1, 1), '--prefix', `${name}/`, '--warm', 500, '--measure', ms])
  const foldSeconds = await stopWatching()
  const after = await costs(server)
  return { ...figures, folds: after.folds - before.folds, foldShare: foldSeconds * 1000 / (after.at - before.at) }
}

function runAck(quick, scratch) {
  const rows = quick ? ACK_ROWS / 10 : ACK_ROWS
  const ms = quick ? 2000 : 10000
  return withServer(scratch, async (server) => {
    await goodLoad(server, 'put', [...shape(100, 100, 10), '--warm', 0, '--count', rows])
    await folded(server)
    const disk = diskSync(scratch)
    const alone = await ackRun(server, 'alone', ms)
    const others = goodLoad(server, 'put', [...shape(10, 1000), '--prefix', 'others/', '--rate', BESIDE_RATE,
      '--warm', 0, '--measure', ms + 3000])
    await pause(1500)
    const beside = await ackRun(server, 'beside', ms)
    return { rows, disk, alone, beside, others: await others }
  })
}

// --- restart: killed under load, how soon does it answer? ---

const RESTART_ROWS = 5000000
const RESTARTS = 3
const LOADED_MS = 5000

// A port nobody has, so that a client can knock before the server is there.
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer()
    probe.on('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

async function killUnderLoad(server, name) {
  const loading = loadOf(server, 'put', [...shape(100, 100), '--prefix', `${name}/`, '--warm', 0, '--measure', 60000])
  await pause(LOADED_MS)
  const found = await metrics(server)
  await kill(server)
  await loading
  return { overlayRows: found.brasa_store_overlay_rows, journalBytes: found.brasa_store_unfolded_bytes ?? NaN }
}

// The client knocks before the server is started, as fast as it can.
async function restart(folder, rows) {
  const port = await freePort()
  const knocking = load(['first', '--port', port, '--souls', rows, '--measure', 60000].map(String))
  await pause(300)
  const server = await start('brasa', folder, port)
  const result = await knocking
  if (result.status !== 0) throw new Error(`no answer after a restart: ${result.text} ${result.errors}`)
  const first = JSON.parse(result.text)
  const since = (ms) => ms - server.startedAt
  return { server, listening: since(server.listeningAt), ready: since(server.readyAt), open: since(first.open_ns / 1e6),
    got: since(first.got_ns / 1e6), acked: since(first.acked_ns / 1e6), empty: first.empty, refused: first.refused }
}

function runRestart(quick, scratch) {
  const rows = quick ? RESTART_ROWS / 50 : RESTART_ROWS
  return withServer(scratch, async (first, folder) => {
    let server = first
    await goodLoad(server, 'put', [...shape(100, 100, 10), '--warm', 0, '--count', rows])
    await folded(server)
    const times = []
    for (let i = 0; i < RESTARTS; i++) {
      const lost = await killUnderLoad(server, `late${i}`)
      const again = await restart(folder, rows)
      server = again.server
      times.push({ ...lost, ...again, server: undefined })
    }
    return { rows, times, server }
  })
}

// --- all of it ---

async function attempt(report, group, name, run) {
  process.stderr.write(`  ${group} ${name}: brasa\n`)
  try {
    return await run()
  } catch (error) {
    report.broken.push({ one: { group, name }, name: 'brasa', run: { figures: null, status: 2, wrong: error.message } })
    return null
  }
}

// Adds what was asked for to the report.
async function measure(options, scratch, report) {
  const { only, quick, rounds } = options
  report.store = { rate: BESIDE_RATE, long: [], ack: [], restart: null }
  if (only.includes('long')) {
    for (const one of longCases(quick)) {
      const name = `100 x 100, ${one.frame} a frame, ${one.seconds} s`
      const runs = []
      for (let i = 0; i < rounds; i++) runs.push(await attempt(report, 'long', `${name} ${i + 1}/${rounds}`, () => runLong(one, scratch)))
      report.store.long.push({ name, runs: runs.filter(Boolean) })
    }
  }
  if (only.includes('ack'))
    for (let i = 0; i < rounds; i++) report.store.ack.push(await attempt(report, 'ack', `${i + 1}/${rounds}`, () => runAck(quick, scratch)))
  report.store.ack = report.store.ack.filter(Boolean)
  if (only.includes('restart')) report.store.restart = await attempt(report, 'restart', '', () => runRestart(quick, scratch))
}

module.exports = { measure }
