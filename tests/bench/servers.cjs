// servers.cjs - starting and stopping what is measured, and asking it how it fares.
'use strict'
const { spawn } = require('child_process')
const fs = require('fs')
const http = require('http')
const path = require('path')

const ROOT = path.join(__dirname, '..', '..')
const BUILD = process.env.BUILD || path.join(ROOT, 'build', 'release')
const LOAD = path.join(BUILD, 'tests', 'bench', 'load')
const START_MS = 30000
const STOP_MS = 15000

// Milliseconds of CLOCK_MONOTONIC.
const now = () => Number(process.hrtime.bigint()) / 1e6

// What can be started. Each prints `listening http://127.0.0.1:PORT...`, then `ready`.
const SERVERS = {
  brasa: (folder, port) => [process.env.BRASA || path.join(BUILD, 'server', 'brasa'),
    ['serve', '--listen', `127.0.0.1:${port}`, '--data', path.join(folder, 'data')]],
  gun: (folder) => [process.execPath, [path.join(__dirname, 'relay.cjs'), folder]],
  echo: () => [path.join(BUILD, 'tests', 'bench', 'echo'), []],
  broadcast: () => [path.join(BUILD, 'tests', 'bench', 'echo'), ['--broadcast']],
}

function lastWords(folder) {
  return fs.readFileSync(path.join(folder, 'stderr'), 'utf8').slice(-500).trim()
}

// Resolves to { child, port } when the server is ready, with the moments (of
// CLOCK_MONOTONIC, in ms) of its start and of its two lines. Only brasa heeds a port.
function start(name, folder, port = 0) {
  const [program, args] = SERVERS[name](folder, port)
  const startedAt = now()
  const log = fs.openSync(path.join(folder, 'stderr'), 'w')
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', log] })
  fs.closeSync(log)
  return new Promise((resolve, reject) => {
    let said = ''
    let listeningAt = 0
    const timer = setTimeout(() => { child.kill('SIGKILL'); reject(new Error(`${name} is not ready: ${said}${lastWords(folder)}`)) }, START_MS)
    child.on('error', reject)
    child.on('exit', (status) => { clearTimeout(timer); reject(new Error(`${name} ended (${status}): ${said}${lastWords(folder)}`)) })
    child.stdout.on('data', (bytes) => {
      if (said.length > 65536) return
      said += bytes
      const where = /^.*listening .*?127\.0\.0\.1:(\d+)/m.exec(said)
      if (where && !listeningAt) listeningAt = now()
      if (!where || !/\bready\b/.test(said)) return
      clearTimeout(timer)
      resolve({ child, port: Number(where[1]), startedAt, listeningAt, readyAt: now() })
    })
  })
}

// Resolves to what was wrong with the way it ended, or null. A server that is
// told to stop has to stop; by itself it must not have ended at all.
function stop(server) {
  const { child } = server
  if (child.exitCode !== null || child.signalCode !== null)
    return Promise.resolve(`had ended by itself (${child.exitCode ?? child.signalCode})`)
  return new Promise((resolve) => {
    const timer = setTimeout(() => { child.kill('SIGKILL'); resolve(`did not stop within ${STOP_MS / 1000} s`) }, STOP_MS)
    child.removeAllListeners('exit')
    child.on('exit', (status, signal) => {
      clearTimeout(timer)
      resolve(status === 0 ? null : `stopped with ${status ?? signal}`)
    })
    child.kill('SIGTERM')
  })
}

// Resolves to { status, text, errors }; the server lives in this process's
// children, so nothing here may block.
function load(args) {
  return new Promise((resolve, reject) => {
    const child = spawn(LOAD, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    let errors = ''
    child.stdout.on('data', (bytes) => { text += bytes })
    child.stderr.on('data', (bytes) => { errors += bytes })
    child.on('error', reject)
    child.on('close', (status, signal) => resolve({ status: status ?? signal, text, errors: errors.trim() }))
  })
}

// Resolves to the figures of brasa's /metrics by their names.
function metrics(server) {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port: server.port, path: '/metrics' }, (response) => {
      let text = ''
      response.on('data', (bytes) => { text += bytes })
      response.on('end', () => {
        const found = {}
        for (const line of text.split('\n')) {
          const pair = /^(\w+) (\S+)$/.exec(line)
          if (pair) found[pair[1]] = Number(pair[2])
        }
        resolve(found)
      })
    })
    request.on('error', reject)
  })
}

// Loses power, as far as a process can.
function kill(server) {
  return new Promise((resolve) => {
    server.child.removeAllListeners('exit')
    server.child.on('exit', resolve)
    server.child.kill('SIGKILL')
  })
}

// Bytes that a process handed to write calls, so to its files: see machine.h.
function written(server) {
  const line = /^wchar: (\d+)$/m.exec(fs.readFileSync(`/proc/${server.child.pid}/io`, 'utf8'))
  return Number(line[1])
}

module.exports = { ROOT, BUILD, LOAD, now, start, stop, kill, load, metrics, written }
