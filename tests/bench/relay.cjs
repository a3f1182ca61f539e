// The gun.js relay that brasa is measured against: what gun's own example starts,
// on a free port of the loopback (or PORT) and without multicast, dialling PEER if one
// is named. Prints its port.
'use strict'
const path = require('path')
const http = require('http')

const folder = process.argv[2]
if (!folder) {
  console.error('usage: relay.cjs FOLDER [PORT [PEER]]')
  process.exit(2)
}

// gun prints a welcome to stdout, where only the port belongs.
console.log = console.error
const Gun = require(path.join(__dirname, '..', 'node_modules', 'gun'))

const web = http.createServer((request, response) => response.end('gun.js relay of the bench\n'))
web.listen(Number(process.argv[3] || 0), '127.0.0.1', 1024, () => {
  const peers = process.argv[4] ? [process.argv[4]] : []
  Gun({ web, file: path.join(folder, 'radata'), multicast: false, peers })
  process.stdout.write(`listening http://127.0.0.1:${web.address().port}/\nready\n`)
})
process.on('SIGTERM', () => process.exit(0))
