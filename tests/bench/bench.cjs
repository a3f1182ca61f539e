// bench.cjs - runs the load generator against brasa, a gun.js relay and the echo
// server, in turns, and prints medians side by side. Started by tests/bench/run.
//
// Every run has a fresh process and an empty folder. Within a round the servers
// take turns, so that whatever else the machine does meets all of them.
'use strict'
const { spawnSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const tables = require('./tables.cjs')
const { casesOf, GROUPS } = require('./cases.cjs')
const store = require('./store.cjs')
const signed = require('./signed.cjs')
const { ROOT, LOAD, start, stop, load } = require('./servers.cjs')

function usage(why) {
  if (why) console.error(why)
  console.error(`usage: run [--quick] [--signed] [--only ${GROUPS.join(',')}] [--rounds N] [--brasa-only] [--json FILE]`)
  process.exit(2)
}

function optionsOf(args) {
  const options = { quick: false, only: GROUPS, rounds: 0, brasaOnly: false, json: null }
  const next = () => (args.length ? args.shift() : usage('a value is missing'))
  while (args.length) {
    const arg = args.shift()
    if (arg === '--quick') options.quick = true
    else if (arg === '--brasa-only') options.brasaOnly = true
    else if (arg === '--signed') options.only = ['signed']
    else if (arg === '--only') options.only = next().split(',')
    else if (arg === '--rounds') options.rounds = Number(next())
    else if (arg === '--json') options.json = next()
    else usage(arg === '--help' ? '' : `unknown option ${arg}`)
  }
  for (const name of options.only) if (!GROUPS.includes(name)) usage(`there is no group ${name}`)
  if (!options.rounds) options.rounds = options.quick ? 1 : 3
  if (!(options.rounds > 0)) usage('--rounds wants a number')
  return options
}

// One run of one case on one server: { figures, status, wrong }.
async function runOnce(one, name, scratch) {
  const folder = fs.mkdtempSync(path.join(scratch, `${name}-`))
  try {
    const server = await start(name, folder)
    const bare = name === 'broadcast' ? ['--bare'] : []
    const mode = name === 'echo' ? ['echo'] : [one.mode]
    const result = await load([...mode, ...one.args, ...bare, '--port', server.port, '--pid', server.child.pid].map(String))
    const ending = await stop(server)
    const figures = result.text ? JSON.parse(result.text) : null
    return { figures, status: result.status, wrong: [result.errors, ending].filter(Boolean).join('; ') }
  } catch (error) {
    return { figures: null, status: 2, wrong: error.message }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

// Sums that do not add up are a defect of brasa. Of gun.js they are known, and noted.
function isBroken(name, run) {
  if (run.figures === null) return true
  if (name === 'gun') return false
  return run.status !== 0 || run.wrong !== ''
}

function machineLine(scratch) {
  const sync = spawnSync(LOAD, ['sync', '--folder', scratch], { encoding: 'utf8' })
  const disk = sync.status === 0 ? JSON.parse(sync.stdout) : null
  const cpus = os.cpus()
  return `${cpus.length} x ${cpus[0] ? cpus[0].model.trim() : 'unknown'}, ${Math.round(os.totalmem() / 2 ** 30)} GB, ` +
    `Linux ${os.release()}, node ${process.version}; ` +
    (disk ? `fdatasync behind 4 KB appended p50 ${disk.appended.p50_ms.toFixed(2)} ms, p99 ${disk.appended.p99_ms.toFixed(2)} ms, ` +
      `behind 256 bytes overwritten p50 ${disk.overwritten.p50_ms.toFixed(2)} ms, p99 ${disk.overwritten.p99_ms.toFixed(2)} ms; ` : '') +
    `load average ${os.loadavg().map((n) => n.toFixed(1)).join(' ')}`
}

// The servers of a case in the order of the table; the ceilings come last.
function serversOf(one, options) {
  return ['brasa', ...(options.brasaOnly ? [] : ['gun']), ...(one.ceiling ? [one.ceiling] : [])]
}

async function runCase(one, options, scratch, report) {
  const runs = {}
  for (let round = 0; round < options.rounds; round++) {
    for (const name of serversOf(one, options)) {
      process.stderr.write(`  ${one.group} ${one.name}: ${name} ${round + 1}/${options.rounds}\n`)
      const run = { ...await runOnce(one, name, scratch), loadavg: os.loadavg()[0] }
      ;(runs[name] ||= []).push(run)
      if (isBroken(name, run)) report.broken.push({ one, name, run })
      else if (run.status !== 0 || run.wrong) report.notes.push({ one, name, run })
    }
  }
  return { one, runs }
}

async function main() {
  const options = optionsOf(process.argv.slice(2))
  // Beside the build and not in /tmp, which may be memory: the disk is measured too.
  const out = path.join(ROOT, 'tests', 'out')
  fs.mkdirSync(out, { recursive: true })
  const scratch = fs.mkdtempSync(path.join(out, 'bench-'))
  const report = { machine: machineLine(scratch), options, results: [], broken: [], notes: [] }
  try {
    for (const one of casesOf(options)) report.results.push(await runCase(one, options, scratch, report))
    if (options.only.includes('signed')) {
      report.curves = signed.curves(options.quick)
      for (const one of await signed.cases(options.quick, scratch)) report.results.push(await runCase(one, options, scratch, report))
    }
    await store.measure(options, scratch, report)
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true })
  }
  if (options.json) fs.writeFileSync(options.json, JSON.stringify(report, null, 1))
  process.stdout.write(tables.print(report))
  process.exit(report.broken.length ? 1 : 0)
}

main().catch((error) => { console.error(error); process.exit(2) })
