// audio_streams.cjs - listeners: each reads a track by HTTP, from a place of its own,
// at a pace or as fast as it comes, and begins again at its end. A process of its own,
// so that it costs nobody else a wait. Told to stop by SIGTERM it prints what came.
//
//   node audio_streams.cjs PORT PATH BYTES LISTENERS BYTES_PER_SECOND     0: no pace
'use strict'
const http = require('http')

const [port, path, bytes, listeners, pace] = process.argv.slice(2).map((word, i) => (i === 1 ? word : Number(word)))
const TICK_MS = 20
const agent = new http.Agent({ keepAlive: true, maxSockets: Infinity })
let read = 0
const broken = {} // how often what
let ending = false

const note = (what) => { if (!ending) broken[what] = (broken[what] ?? 0) + 1 }

// How much may be read by now is counted from the start, so that late ticks lose nothing.
function paced(response, done) {
  const began = process.hrtime.bigint()
  let had = 0
  const due = () => Number(process.hrtime.bigint() - began) / 1e9 * pace
  const timer = setInterval(() => { if (had < due()) response.resume() }, TICK_MS)
  response.on('data', (part) => {
    had += part.length
    if (had > due()) response.pause()
  })
  response.on('close', () => { clearInterval(timer); done() })
}

function listen(from) {
  const request = http.get({ host: '127.0.0.1', port, path, agent, headers: { Range: `bytes=${from}-` } }, (response) => {
    if (response.statusCode !== 206) note(`status ${response.statusCode}`)
    let came = 0
    response.on('data', (part) => { read += part.length; came += part.length })
    const again = () => {
      if (ending) return
      if (came !== bytes - from) note('ended early')
      listen(0)
    }
    if (pace) paced(response, again)
    else response.on('close', again)
  })
  request.on('error', (error) => note(error.code))
}

const began = process.hrtime.bigint()
for (let i = 0; i < listeners; i++) listen(Math.floor(bytes / listeners * i))
console.log('listening')

process.on('SIGTERM', () => {
  ending = true
  const seconds = Number(process.hrtime.bigint() - began) / 1e9
  console.log(JSON.stringify({ megabytes_a_second: read / 1e6 / seconds, broken }))
  process.exit(0)
})
