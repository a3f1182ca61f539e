// tables.cjs - the results of a bench as text that is also Markdown.
'use strict'

function median(numbers) {
  const sorted = numbers.filter((n) => Number.isFinite(n)).sort((a, b) => a - b)
  if (!sorted.length) return NaN
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

// The median over the rounds of what `pick` finds in the figures of a run.
function over(runs, pick) {
  return median((runs || []).map((run) => {
    try { return pick(run.figures) } catch { return NaN }
  }))
}

const dash = (n, text) => (Number.isFinite(n) ? text : '-')
const count = (n) => dash(n, n >= 100 ? Math.round(n).toLocaleString('en-US') : n.toFixed(1))
const ms = (n) => dash(n, n >= 100 ? n.toFixed(0) : n >= 10 ? n.toFixed(1) : n.toFixed(2))
const micro = (n) => dash(n, n >= 100 ? n.toFixed(0) : n.toFixed(1))
const cores = (n) => dash(n, n.toFixed(2))
const megabytes = (kb) => dash(kb, (kb / 1024).toFixed(1))
const times = (a, b) => dash(a / b, a / b >= 10 ? (a / b).toFixed(0) + ' x' : (a / b).toFixed(2) + ' x')
const share = (a, b) => dash(a / b, Math.round(a / b * 100) + ' %')

function table(head, rows) {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)))
  const line = (row) => '| ' + row.map((cell, i) => (i ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ') + ' |'
  const rule = '|' + widths.map((width, i) => (i ? '-'.repeat(width + 1) + ':' : '-'.repeat(width + 2))).join('|') + '|'
  return [line(head), rule, ...rows.map(line)].join('\n') + '\n'
}

// One row for a server: rate, latencies, costs.
function paceCells(runs) {
  // Where nothing was answered in time there is nothing to divide by.
  const pick = (member) => over(runs, (f) => (f.load.measured || member === 'rate' ? f.load[member] : NaN))
  return [count(pick('rate')), `${ms(pick('p50_ms'))} / ${ms(pick('p99_ms'))} / ${ms(pick('max_ms'))}`,
    micro(pick('server_cpu_us')), cores(pick('server_cores')), cores(pick('own_cores')),
    megabytes(over(runs, (f) => f.load.memory.peak_kb))]
}

function paceTable(title, unit, results) {
  if (!results.length) return ''
  const rate = (runs) => over(runs, (f) => f.load.rate)
  const rows = []
  for (const { one, runs } of results) {
    for (const name of Object.keys(runs)) {
      // At a given pace both deliver the same number; what differs is the latency.
      const against = name === 'brasa' && runs.gun && !one.paced ? times(rate(runs.brasa), rate(runs.gun)) : ''
      const ceiling = name === 'brasa' && one.ceiling ? share(rate(runs.brasa), rate(runs[one.ceiling])) : ''
      rows.push([name === 'brasa' ? one.name : '', name, ...paceCells(runs[name]), against, ceiling])
    }
  }
  return `\n${title}\n\n` + table(['', '', unit, 'p50 / p99 / max ms', 'CPU us', 'cores', 'load cores',
    'peak MB', 'to gun.js', 'of ceiling'], rows)
}

function mixedTable(results) {
  if (!results.length) return ''
  const rows = []
  for (const { one, runs } of results) {
    for (const name of Object.keys(runs)) {
      const r = runs[name]
      rows.push([one.name, name,
        count(over(r, (f) => f.load.rate)), ms(over(r, (f) => f.load.p50_ms)), ms(over(r, (f) => f.load.p99_ms)),
        megabytes(over(r, (f) => f.before.resident_kb)), megabytes(over(r, (f) => f.load.memory.peak_kb)),
        megabytes(over(r, (f) => f.after.resident_kb)), megabytes(over(r, (f) => f.after.anonymous_kb)),
        name === 'brasa' && r && runs.gun ? times(over(r, (f) => f.load.rate), over(runs.gun, (f) => f.load.rate)) : ''])
    }
  }
  return '\nMixed load (70 % gets, 10 % puts others follow, 20 % puts of new souls): memory\n\n' +
    table(['', '', 'messages/s', 'p50 ms', 'p99 ms', 'idle MB', 'peak MB', 'after MB', 'of it heap MB', 'to gun.js'], rows)
}

function idleTable(results) {
  if (!results.length) return ''
  const rows = []
  for (const { one, runs } of results) {
    for (const name of Object.keys(runs)) {
      const r = runs[name]
      const rate = (member) => over(r, (f) => f[member].rate)
      rows.push([one.name, name, `${count(over(r, (f) => f.idle_open))} + ${over(r, (f) => f.active_open)}`,
        ms(over(r, (f) => (f.beside.resident_kb - f.before.resident_kb) / f.idle_open)),
        `${count(rate('get_alone'))} > ${count(rate('get_beside'))}`,
        `${ms(over(r, (f) => f.get_alone.p50_ms))} > ${ms(over(r, (f) => f.get_beside.p50_ms))}`,
        `${count(rate('put_alone'))} > ${count(rate('put_beside'))}`,
        `${ms(over(r, (f) => f.put_alone.p50_ms))} > ${ms(over(r, (f) => f.put_beside.p50_ms))}`])
    }
  }
  return '\nIdle connections: what one costs, and the active ones without > with them\n\n' +
    table(['', '', 'open at the end', 'KB each', 'gets/s', 'p50 ms', 'puts/s', 'p50 ms'], rows)
}

const latencies = (runs, member) => {
  const pick = (name) => over(runs, (f) => (f[member].measured ? f[member][name] : NaN))
  return `${ms(pick('p50_ms'))} / ${ms(pick('p99_ms'))} / ${ms(pick('max_ms'))}`
}

// What was asked, and what became of it: every bad signature has to get its err.
function outcome(runs) {
  const sum = (name) => runs.reduce((n, run) => n + (run.figures ? run.figures.load[name] : NaN), 0)
  return [sum('asked'), sum('answered') - sum('refused'), sum('twice'), sum('lost')].map(whole).join(' / ')
}

function signedTable(results, curves) {
  if (!results.length) return ''
  const rows = []
  for (const { one, runs } of results) {
    const rate = (name) => over(runs[name], (f) => f.load.rate)
    for (const name of Object.keys(runs)) {
      const r = runs[name]
      rows.push([name === 'brasa' ? one.name : '', name, count(rate(name)), latencies(r, 'load'),
        micro(over(r, (f) => f.load.server_cpu_us)), cores(over(r, (f) => f.load.server_cores)), outcome(r),
        name === 'brasa' && runs.gun ? times(rate('brasa'), rate('gun')) : '',
        latencies(r, 'quiet'), latencies(r, 'meanwhile'), median(r.map((run) => run.loadavg)).toFixed(1)])
    }
  }
  return '\nSigned puts and bad signatures, each answered; and 500 unsigned puts/s of one other connection, before and meanwhile\n\n' +
    table(['', '', 'puts/s', 'p50 / p99 / max ms', 'CPU us', 'cores', 'asked / right / twice / lost', 'to gun.js',
      'unsigned, quiet: p50 / p99 / max ms', 'meanwhile', 'load average'], rows) +
    `\nOpenSSL alone, one thread: ${count(curves)} verifications of P-256 a second.\n`
}

const bytes = (n) => dash(n, n >= 10000 ? `${(n / 1024).toFixed(1)} KB` : n.toFixed(0))
const whole = (n) => dash(n, n.toFixed(0))

function longTable(results) {
  if (!results.length) return ''
  const of = (runs, pick) => median(runs.map(pick))
  const rows = results.map(({ name, runs }) => [name, count(of(runs, (r) => r.figures.rate)),
    `${ms(of(runs, (r) => r.figures.p50_ms))} / ${ms(of(runs, (r) => r.figures.p99_ms))} / ${ms(of(runs, (r) => r.figures.max_ms))}`,
    micro(of(runs, (r) => r.figures.server_cpu_us)), cores(of(runs, (r) => r.figures.server_cores)),
    bytes(of(runs, (r) => r.written / r.puts)), bytes(of(runs, (r) => r.journal / r.puts)),
    bytes(of(runs, (r) => (r.written - r.journal) / r.puts)), whole(of(runs, (r) => r.folds)),
    dash(of(runs, (r) => r.restSeconds), of(runs, (r) => r.restSeconds).toFixed(1)),
    megabytes(of(runs, (r) => r.figures.memory.anonymous_kb))])
  return '\nPuts of new souls, 100 bytes, for longer\n\n' + table(['', 'puts/s', 'p50 / p99 / max ms', 'CPU us', 'cores',
    'written a put', 'journal', 'LMDB', 'folds', 's to rest', 'heap MB'], rows)
}

function ackTable(results, rate) {
  if (!results.length) return ''
  const of = (pick) => median(results.map(pick))
  const row = (name, member) => [name, count(of((r) => r[member].rate)), ms(of((r) => r[member].p50_ms)),
    ms(of((r) => r[member].p99_ms)), ms(of((r) => r[member].max_ms)), whole(of((r) => r[member].folds)),
    share(of((r) => r[member].foldShare), 1)]
  const disk = ["the disk's own: 256 bytes overwritten, fdatasync", '', ms(of((r) => r.disk.p50_ms)), ms(of((r) => r.disk.p99_ms)),
    ms(of((r) => r.disk.max_ms)), '', '']
  return `\nOne put at a time, until its ack (store of ${count(results[0].rows)} rows)\n\n` +
    table(['', 'puts/s', 'p50 ms', 'p99 ms', 'max ms', 'folds', 'time folding'],
      [disk, row('alone', 'alone'), row(`beside ${count(rate)} puts/s of others`, 'beside')])
}

function restartTable(result) {
  if (!result) return ''
  const cell = (n) => dash(n, n.toFixed(0))
  const rows = result.times.map((t, i) => [String(i + 1), count(t.overlayRows), megabytes(t.journalBytes / 1024), cell(t.listening), cell(t.open),
    cell(t.ready), cell(t.got), cell(t.acked), `${t.empty} / ${t.refused}`])
  return `\nKilled under load (100 x 100) with ${count(result.rows)} rows and more: ms from the start of the process\n\n` +
    table(['', 'rows unfolded', 'journal MB', 'listening', 'connected', 'ready', 'first get', 'first ack', 'empty / refused before'], rows)
}

const COUNTS = ['asked', 'answered', 'refused', 'empty', 'twice', 'lost', 'late', 'puts', 'acked', 'deliveries',
  'expected', 'behind']

// What did not add up in a run, member by member.
function explain({ one, name, run }) {
  const lines = [`${one.group} ${one.name}, ${name}: status ${run.status}${run.wrong ? ', ' + run.wrong : ''}`]
  for (const [member, value] of Object.entries(run.figures || {})) {
    if (!value || value.adds_up !== false) continue
    lines.push(`    ${member}: ` + COUNTS.filter((c) => c in value).map((c) => `${c} ${value[c]}`).join(', '))
  }
  return lines.join('\n')
}

// gun.js repeats itself: one line per case is enough.
function notesOf(notes) {
  const seen = new Set()
  return notes.filter(({ one, name }) => !seen.has(one.group + one.name + name) && seen.add(one.group + one.name + name))
}

function print(report) {
  const of = (group) => report.results.filter((result) => result.one.group === group)
  const { quick, rounds } = report.options
  let text = `\n${report.machine}\n${rounds === 1 ? 'one round' : `medians of ${rounds} rounds`}` +
    `${quick ? ', quick: too short to be quoted' : ''}; connections x window\n`
  text += paceTable('Puts, each acknowledged (100-byte values, new souls)', 'puts/s', of('put'))
  text += paceTable('Gets (nodes of one key)', 'gets/s', of('get'))
  text += paceTable('Fan-out: one publisher', 'deliveries/s', of('fanout'))
  text += mixedTable(of('mixed'))
  text += idleTable(of('idle'))
  text += signedTable(of('signed'), report.curves)
  text += longTable(report.store.long) + ackTable(report.store.ack, report.store.rate) + restartTable(report.store.restart)
  if (report.notes.length) text += '\nDid not add up (gun.js):\n' + notesOf(report.notes).map(explain).join('\n') + '\n'
  if (report.broken.length) text += '\nBROKEN:\n' + report.broken.map(explain).join('\n') + '\n'
  else text += '\nEvery put was acknowledged exactly once, every get answered, every last value delivered.\n'
  return text
}

module.exports = { print }
