// audio.cjs - what a large track costs. Started by tests/bench/audio.
'use strict'
const { spawn, spawnSync } = require('child_process')
const crypto = require('crypto')
const fs = require('fs')
const http = require('http')
const os = require('os')
const path = require('path')
const { ROOT, BUILD, LOAD, now, start, stop } = require('./servers.cjs')

const BRASA = process.env.BRASA || path.join(BUILD, 'server', 'brasa')
const PACE = 176400 // bytes a second of CD audio
const LISTENERS = 50
const EDITS = 500
const broken = []

function optionsOf(args) {
  const options = { megabytes: 1000, seconds: 20, seeks: 500, json: null }
  const usage = (why) => { console.error(`${why}\nusage: audio [--quick] [--megabytes N] [--seconds N] [--json FILE]`); process.exit(2) }
  const next = () => Number(args.shift()) || usage('a number is missing')
  while (args.length) {
    const arg = args.shift()
    if (arg === '--quick') Object.assign(options, { megabytes: 50, seconds: 4, seeks: 100 })
    else if (arg === '--megabytes') options.megabytes = next()
    else if (arg === '--seconds') options.seconds = next()
    else if (arg === '--json') options.json = args.shift() || usage('a name is missing')
    else usage(arg === '--help' ? '' : `unknown option ${arg}`)
  }
  return options
}

function wrong(what) {
  broken.push(what)
  console.error(`  broken: ${what}`)
}

// ---- files

// A WAV of noise: nothing in it compresses or comes twice.
function makeWav(file, bytes) {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0); header.writeUInt32LE(bytes - 8, 4); header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16); header.writeUInt16LE(1, 20); header.writeUInt16LE(2, 22)
  header.writeUInt32LE(44100, 24); header.writeUInt32LE(PACE, 28); header.writeUInt16LE(4, 32); header.writeUInt16LE(16, 34)
  header.write('data', 36); header.writeUInt32LE(bytes - 44, 40)
  const fd = fs.openSync(file, 'w')
  fs.writeSync(fd, header)
  for (let left = bytes - 44; left > 0;) left -= fs.writeSync(fd, crypto.randomBytes(Math.min(left, 4 << 20)))
  fs.fsyncSync(fd)
  fs.closeSync(fd)
}

function sha256Of(file) {
  const hash = crypto.createHash('sha256')
  const fd = fs.openSync(file, 'r')
  const room = Buffer.alloc(4 << 20)
  for (let n; (n = fs.readSync(fd, room)) > 0;) hash.update(room.subarray(0, n))
  fs.closeSync(fd)
  return hash.digest('hex')
}

function spaceOf(folder) {
  let bytes = 0
  for (const name of fs.readdirSync(folder, { recursive: true })) bytes += fs.statSync(path.join(folder, name)).blocks * 512
  return bytes
}

// ---- what the server holds meanwhile

// Anonymous pages: the map and the files that are read are the page cache's.
const anonymousOf = (pid) => Number(/^RssAnon:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

function watch(pid) {
  let most = anonymousOf(pid)
  const timer = setInterval(() => { most = Math.max(most, anonymousOf(pid)) }, 20)
  return () => { clearInterval(timer); return most }
}

// ---- programs

// Resolves to { seconds, status, text, errors }.
function run(program, args, toFile) {
  const began = now()
  const to = toFile ? fs.openSync(toFile, 'w') : 'pipe'
  const child = spawn(program, args, { stdio: ['ignore', to, 'pipe'] })
  const said = { text: '', errors: '' }
  if (!toFile) child.stdout.on('data', (bytes) => { said.text += bytes })
  child.stderr.on('data', (bytes) => { said.errors += bytes })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) => {
      if (toFile) { fs.fsyncSync(to); fs.closeSync(to) }
      resolve({ seconds: (now() - began) / 1000, status, ...said })
    })
  })
}

async function put(server, file, report) {
  const result = await run(BRASA, ['audio', 'put', file, '--server', `http://127.0.0.1:${server.port}`])
  const root = /\b[0-9a-f]{64}\b/.exec(result.text)
  if (result.status !== 0 || !root) throw new Error(`audio put: ${result.status} ${result.text}${result.errors}`)
  report.root = root[0]
  return result.seconds
}

async function inAndOut(server, file, scratch, report) {
  const copy = path.join(scratch, 'copy.wav')
  const back = path.join(scratch, 'back.wav')
  report.copy_s = (await run('dd', [`if=${file}`, `of=${copy}`, 'bs=1M', 'conv=fsync'])).seconds
  fs.rmSync(copy)
  let end = watch(server.child.pid)
  report.put_s = await put(server, file, report)
  report.put_rss_mb = end()
  end = watch(server.child.pid)
  const got = await run(BRASA, ['audio', 'get', report.root, '--server', `http://127.0.0.1:${server.port}`], back)
  report.get_s = got.seconds
  report.get_rss_mb = end()
  if (got.status !== 0 || sha256Of(back) !== sha256Of(file)) wrong(`audio get gave other bytes (${got.status} ${got.errors})`)
  fs.rmSync(back)
}

// ---- space

async function space(server, file, folder, report) {
  const settle = () => new Promise((resolve) => setTimeout(resolve, 3000))
  await settle()
  report.disk_bytes = spaceOf(folder)
  // The same bytes under other types are other tracks: other manifests, the same chunks.
  for (const type of ['audio/x-wav', 'audio/vnd.wave']) {
    const again = await run(BRASA, ['audio', 'put', file, '--type', type, '--server', `http://127.0.0.1:${server.port}`])
    if (again.status !== 0) wrong(`a second track of the file: ${again.errors}`)
  }
  await settle()
  report.disk_bytes_three = spaceOf(folder)
}

// ---- seeks

function firstByte(server, root, from, agent) {
  const began = now()
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port: server.port, path: `/audio/${root}`, agent, headers: { Range: `bytes=${from}-${from + 199999}` } }, (response) => {
      let first = 0
      if (response.statusCode !== 206) wrong(`a seek was answered with ${response.statusCode}`)
      response.on('data', () => { first ||= now() - began })
      response.on('end', () => resolve(first))
    })
    request.on('error', reject)
  })
}

async function seeks(server, bytes, count, report) {
  for (const [name, agent] of [['new connection', new http.Agent({ keepAlive: false })], ['same connection', new http.Agent({ keepAlive: true, maxSockets: 1 })]]) {
    const times = []
    for (let i = 0; i < count; i++) times.push(await firstByte(server, report.root, crypto.randomInt(bytes - 200000), agent))
    times.sort((a, b) => a - b)
    report.seeks[name] = { p50_ms: times[count >> 1], p99_ms: times[Math.floor(count * 0.99)], max_ms: times[count - 1] }
    agent.destroy()
  }
}

// ---- listeners and editors

async function edits(server, seconds) {
  const result = await run(process.execPath, [path.join(__dirname, 'audio_edits.cjs'), server.port, EDITS, seconds])
  const figures = JSON.parse(result.text)
  if (figures.acked !== figures.asked) wrong(`of ${figures.asked} edits ${figures.acked} were acknowledged`)
  if (figures.delivered !== figures.asked) wrong(`of ${figures.asked} edits ${figures.delivered} were delivered`)
  return figures
}

async function beside(server, bytes, seconds, pace, report) {
  const streams = spawn(process.execPath, [path.join(__dirname, 'audio_streams.cjs'), server.port, `/audio/${report.root}`, bytes, LISTENERS, pace].map(String),
    { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  streams.stdout.on('data', (text) => { said += text })
  await new Promise((resolve) => setTimeout(resolve, 1500))
  const before = anonymousOf(server.child.pid)
  const end = watch(server.child.pid)
  const figures = await edits(server, seconds)
  figures.rss_mb = [before, end()]
  await new Promise((resolve) => { streams.on('close', resolve); streams.kill('SIGTERM') })
  figures.streams = JSON.parse(said.trim().split('\n').pop())
  for (const [what, n] of Object.entries(figures.streams.broken)) wrong(`${n} streams: ${what}`)
  return figures
}

// ---- the table

const ms = (x) => x === undefined ? '-' : x < 10 ? x.toFixed(2) : x.toFixed(1)
const trio = (f) => `${ms(f.p50_ms)} / ${ms(f.p99_ms)} / ${ms(f.max_ms)}`

function print(report, bytes) {
  const mb = bytes / 1e6
  const line = (...cells) => console.log(`| ${cells.join(' | ')} |`)
  console.log(`\n${report.machine}\n\nA WAV of ${mb.toFixed(0)} MB\n`)
  line('', 's', 'MB/s', 'RSS without mapped pages, at most, MB'); line('---', '--:', '--:', '--:')
  line('a plain copy with fsync', report.copy_s.toFixed(2), (mb / report.copy_s).toFixed(0), '')
  line('`brasa audio put`', report.put_s.toFixed(2), (mb / report.put_s).toFixed(0), report.put_rss_mb.toFixed(1))
  line('`brasa audio get`, with fsync', report.get_s.toFixed(2), (mb / report.get_s).toFixed(0), report.get_rss_mb.toFixed(1))
  console.log(`\nOn disk: ${(report.disk_bytes / bytes).toFixed(3)} bytes a byte of audio; as three tracks ${(report.disk_bytes_three / bytes).toFixed(3)}\n`)
  line('first byte of a seek', 'p50 / p99 / max ms'); line('---', '--:')
  for (const [name, figures] of Object.entries(report.seeks)) line(name, trio(figures))
  console.log(`\n${EDITS} edits of playlists a second, and ${LISTENERS} listeners\n`)
  line('', 'edit to ok: p50 / p99 / max ms', 'edit to others: p50 / p99 / max ms', 'streamed MB/s', 'RSS without mapped pages before, at most, MB', 'edits, acknowledged, delivered'); line('---', '--:', '--:', '--:', '--:', '--:')
  for (const [name, f] of Object.entries(report.beside)) {
    line(name, trio(f.ack), trio(f.delivery), f.streams ? f.streams.megabytes_a_second.toFixed(1) : '', f.rss_mb ? f.rss_mb.map((x) => x.toFixed(1)).join(', ') : '', `${f.asked}, ${f.acked}, ${f.delivered}`)
  }
}

async function main() {
  const options = optionsOf(process.argv.slice(2))
  const out = path.join(ROOT, 'tests', 'out')
  fs.mkdirSync(out, { recursive: true })
  const scratch = fs.mkdtempSync(path.join(out, 'audio-'))
  const bytes = options.megabytes * 1e6
  const file = path.join(scratch, 'track.wav')
  const cpus = os.cpus()
  const disk = JSON.parse(spawnSync(LOAD, ['sync', '--folder', scratch], { encoding: 'utf8' }).stdout)
  const report = { seeks: {}, beside: {},
    machine: `${cpus.length} x ${cpus[0].model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GB, Linux ${os.release()}; fdatasync behind 4 KB p50 ` +
      `${disk.appended.p50_ms.toFixed(2)} ms, p99 ${disk.appended.p99_ms.toFixed(2)} ms; load average ${os.loadavg()[0].toFixed(1)}` }
  let server
  try {
    makeWav(file, bytes)
    server = await start('brasa', scratch)
    await inAndOut(server, file, scratch, report)
    await space(server, file, path.join(scratch, 'data'), report)
    await seeks(server, bytes, options.seeks, report)
    report.beside['nobody listens'] = await edits(server, options.seconds)
    report.beside['at the pace of a CD'] = await beside(server, bytes, options.seconds, PACE, report)
    report.beside['as fast as it comes'] = await beside(server, bytes, options.seconds, 0, report)
    report.beside['nobody listens, again'] = await edits(server, options.seconds)
    const ending = await stop(server)
    if (ending) wrong(ending)
    print(report, bytes)
    if (options.json) fs.writeFileSync(options.json, JSON.stringify(report, null, 1))
  } finally {
    if (server && server.child.exitCode === null) server.child.kill('SIGKILL')
    fs.rmSync(scratch, { recursive: true, force: true })
  }
  process.exit(broken.length ? 1 : 0)
}
main()
