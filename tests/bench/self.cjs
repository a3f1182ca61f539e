// self.cjs - does the load generator notice? One case per mistake that a relay can
// make with acknowledgements and answers. Started by tests/bench/run --self.
'use strict'
const { spawn } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const signed = require('./signed.cjs')

const LOAD = process.argv[2]

function relay(mistake) {
  const child = spawn(process.execPath, [path.join(__dirname, 'faulty.cjs'), mistake], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.stdout.once('data', (text) => resolve({ child, port: /:(\d+)\//.exec(text)[1] }))
  })
}

function load(args) {
  const child = spawn(LOAD, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.on('data', (bytes) => { text += bytes })
  return new Promise((resolve) => child.on('close', (status) => resolve({ status, figures: JSON.parse(text).load })))
}

const FORGED = 2000

// mistake, mode, what the figures must say, and more options.
const CASES = [
  ['good', 'put', (f) => f.adds_up && f.asked === f.answered],
  ['good', 'get', (f) => f.adds_up && f.asked === f.answered],
  ['twice', 'put', (f) => f.twice > 0 && f.asked === f.answered],
  ['drop', 'put', (f) => f.lost > 0 && f.asked === f.answered + f.lost],
  ['err', 'put', (f) => f.refused > 0 && f.lost === 0],
  ['empty', 'get', (f) => f.empty > 0 && f.lost === 0],
  ['die', 'put', (f) => f.lost > 0 && f.answered < f.asked],
  ['good', 'beside', (f) => f.adds_up && f.asked === f.answered],
  ['twice', 'beside', (f) => f.twice > 0 && f.asked === f.answered],
  ['drop', 'beside', (f) => f.lost > 0 && f.asked === f.answered + f.lost],
  ['gullible', 'beside', (f) => f.refused > 0 && f.refused === f.asked, ['--forged']],
]

async function main() {
  let failed = 0
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'brasa-bench-'))
  const forged = await signed.make(scratch, FORGED, true)
  for (const [mistake, mode, expected, more = []] of CASES) {
    const { child, port } = await relay(mistake)
    const { status, figures } = await load([mode, '--bodies', forged, ...more, '--port', port, '--connections', '2', '--window', '20', '--frame', '2',
      '--souls', '20', '--warm', '100', '--measure', '700'])
    child.kill()
    const good = expected(figures) && (status === 0) === (mistake === 'good')
    if (!good) failed++
    console.log(`${good ? 'ok' : 'not ok'} - a relay that is ${mistake}, ${mode}: status ${status}, asked ${figures.asked}, ` +
      `answered ${figures.answered}, refused ${figures.refused}, empty ${figures.empty}, twice ${figures.twice}, lost ${figures.lost}`)
  }
  fs.rmSync(scratch, { recursive: true })
  console.log(`bench: ${CASES.length - failed} passed, ${failed} failed`)
  process.exit(failed ? 1 : 0)
}

main().catch((error) => { console.error(error); process.exit(2) })
