// audio_edits.cjs - people who edit playlists, and those who look at them. So many
// edits a second, spread evenly; of each is timed how long its author waits for the ok,
// and how long until those who look at that playlist have it. Prints JSON.
//
//   node audio_edits.cjs PORT EDITS_PER_SECOND SECONDS
'use strict'
const WebSocket = require('ws')

const [port, rate, seconds] = process.argv.slice(2).map(Number)
const EDITORS = 10
const LOOKERS = 10
const PLAYLISTS = 50
const ITEMS = 200
const TICK_MS = 4
const LAST_WORDS_MS = 5000

const now = () => Number(process.hrtime.bigint()) / 1e6
const sent = new Map()
const figures = { asked: 0, acked: 0, delivered: 0, ack: [], delivery: [], refused: 0 }
const soulOf = (n) => `playlists/${n}/items`

function connect(hear) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/gun`)
    socket.on('error', reject)
    socket.on('open', () => resolve(socket))
    socket.on('message', (bytes) => {
      const at = now()
      const whole = JSON.parse(bytes.toString())
      for (const part of Array.isArray(whole) ? whole : [whole]) hear(typeof part === 'string' ? JSON.parse(part) : part, at)
    })
  })
}

function hearAck(message, at) {
  const edit = sent.get(message['@'])
  if (!edit || edit.acked) return
  edit.acked = true
  if (message.err) figures.refused++
  else figures.acked++
  figures.ack.push(at - edit.at)
}

// The value carries the id of its edit.
function hearEdit(message, at) {
  for (const node of Object.values(message.put ?? {})) {
    for (const [key, value] of Object.entries(node)) {
      const edit = key === '_' ? undefined : sent.get(String(value).split(' ')[0])
      if (!edit) continue
      figures.delivered++
      figures.delivery.push(at - edit.at)
    }
  }
}

function edit(socket, n) {
  const id = `e${n}`
  const soul = soulOf(n % PLAYLISTS)
  const key = String(n % ITEMS).padStart(16, '0')
  const value = `${id} ${'x'.repeat(80)}`
  const state = Date.now() + (n % 1000) / 1000
  const text = JSON.stringify({ '#': id, put: { [soul]: { _: { '#': soul, '>': { [key]: state } }, [key]: value } } })
  sent.set(id, { at: now(), acked: false })
  socket.send(text)
  figures.asked++
}

const summary = (all) => {
  all.sort((a, b) => a - b)
  const at = (part) => all[Math.min(all.length - 1, Math.floor(all.length * part))]
  return { p50_ms: at(0.5), p99_ms: at(0.99), max_ms: all[all.length - 1] }
}

async function run() {
  const editors = []
  for (let i = 0; i < EDITORS; i++) editors.push(await connect(hearAck))
  for (let i = 0; i < LOOKERS; i++) {
    const socket = await connect(hearEdit)
    for (let n = i; n < PLAYLISTS; n += LOOKERS) socket.send(JSON.stringify({ '#': `g${i}-${n}`, get: { '#': soulOf(n) } }))
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  const began = now()
  await new Promise((resolve) => {
    let n = 0
    const timer = setInterval(() => {
      const due = Math.min((now() - began) / 1000, seconds) * rate
      for (; n < due; n++) edit(editors[n % EDITORS], n)
      if (now() - began < seconds * 1000) return
      clearInterval(timer)
      resolve()
    }, TICK_MS)
  })
  const until = now() + LAST_WORDS_MS
  while (now() < until && (figures.ack.length < figures.asked || figures.delivered < figures.asked)) await new Promise((resolve) => setTimeout(resolve, 20))
  const { asked, acked, refused, delivered } = figures
  console.log(JSON.stringify({ asked, acked, refused, delivered, ack: summary(figures.ack), delivery: summary(figures.delivery) }))
  process.exit(0)
}
run()
