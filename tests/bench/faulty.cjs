// faulty.cjs - a relay that makes one kind of mistake, to see that the bench
// notices it: `faulty.cjs good|twice|drop|err|empty|die|gullible`. Prints its port.
'use strict'
const path = require('path')
const { WebSocketServer } = require(path.join(__dirname, '..', 'node_modules', 'ws'))

const mistake = process.argv[2]
const EACH = 500
let heard = 0

// What to send for one message; `wrong` is true for one in EACH.
function answersTo(message, id, wrong) {
  const to = { '#': id, '@': message['#'] }
  if (message.get) {
    if (wrong && mistake === 'empty') return [to]
    const soul = message.get['#']
    return [{ ...to, put: { [soul]: { _: { '#': soul, '>': { k0: 1 } }, k0: 'V-' } } }]
  }
  if (wrong && mistake === 'drop') return []
  if (wrong && mistake === 'err') return [{ ...to, err: 'no' }]
  if (wrong && mistake === 'twice') return [{ ...to, ok: true }, { ...to, ok: true }]
  return [{ ...to, ok: true }]
}

function hear(socket, text) {
  const messages = JSON.parse(text)
  for (const message of Array.isArray(messages) ? messages : [messages]) {
    if (message.dam) continue
    heard++
    if (mistake === 'die' && heard === 3 * EACH) process.exit(3)
    for (const answer of answersTo(message, 'a' + heard, heard % EACH === 0)) socket.send(JSON.stringify(answer))
  }
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => {
  process.stdout.write(`listening ws://127.0.0.1:${server.address().port}/\nready\n`)
})
server.on('connection', (socket) => {
  socket.send(JSON.stringify({ '#': 'greeting', dam: '?', pid: 'faulty' }))
  socket.on('message', (text) => hear(socket, text))
})
process.on('SIGTERM', () => process.exit(0))
