// run.mjs - the text layer of core against Node's own JSON, numbers and strings,
// and gun's String.match. A C program (differ.c) answers; here it is judged.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Chance } from './chance.mjs'
import { kinds } from './kinds.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const folder = join(process.env.BUILD ?? join(here, '../../build/asan'), 'tests/differential')
const times = process.argv.includes('--long') ? 10 : 1
const asked = process.argv.indexOf('--seed')
const seed = asked > 0 ? Number(process.argv[asked + 1]) : 20240229
// Enough that a batch costs little beside its cases, few enough to fit a pipe soon.
const batchCases = 20000

class Differ {
	constructor(program) {
		this.child = spawn(join(folder, program), [], { stdio: ['pipe', 'pipe', 'inherit'] })
		this.chunks = []
		this.have = 0
		this.wake = () => {}
		this.child.stdout.on('data', (chunk) => {
			this.chunks.push(chunk)
			this.have += chunk.length
			this.wake()
		})
		this.child.stdin.on('error', () => {})
		this.ended = new Promise((resolve) => {
			const end = (why) => {
				this.dead = why
				this.wake()
				resolve(why)
			}
			this.child.on('error', (e) => end(e.message))
			this.child.on('close', (code, signal) => end(signal ?? code))
		})
	}

	async read(length) {
		while (this.have < length) {
			if (this.dead !== undefined) throw new Error(`the program ended: ${this.dead}`)
			await new Promise((resolve) => { this.wake = resolve })
		}
		const all = this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks)
		this.chunks = [all.subarray(length)]
		this.have -= length
		return all.subarray(0, length)
	}

	// Answers to many questions, each a letter and a Buffer.
	async ask(letter, bodies) {
		const size = bodies.reduce((sum, body) => sum + 5 + body.length, 0)
		const batch = Buffer.allocUnsafe(4 + size)
		let at = batch.writeUInt32LE(size, 0)
		for (const body of bodies) {
			at = batch.writeUInt32LE(body.length + 1, at)
			batch[at++] = letter.charCodeAt(0)
			at += body.copy(batch, at)
		}
		this.child.stdin.write(batch)
		const answer = await this.read((await this.read(4)).readUInt32LE(0))
		const out = []
		for (let i = 0; i < answer.length;) {
			const length = answer.readUInt32LE(i)
			out.push(answer.subarray(i + 4, i + 4 + length))
			i += 4 + length
		}
		if (out.length !== bodies.length) throw new Error('the program answered another number of times')
		return out
	}

	// A sanitizer may have the last word, so how it ends is part of the verdict.
	async end() {
		this.child.stdin.end()
		const how = await this.ended
		if (how !== 0) throw new Error(`the program ended with ${how}`)
	}
}

// Each kind has its own chance, so that one can change without the others.
function chanceOf(name) {
	return new Chance([...name].reduce((h, x) => Math.imul(h, 31) + x.charCodeAt(0), seed))
}

function show(kind, which, answer, trouble) {
	console.log(`${kind.name}: ${trouble}`)
	console.log(`  case   ${JSON.stringify(kind.body(which).toString())}`)
	console.log(`  answer ${JSON.stringify(answer.toString())}`)
}

// Asks all cases of a kind; returns how many answers were wrong.
async function judge(kind, count) {
	const chance = chanceOf(kind.name), differ = new Differ(kind.program ?? 'differ')
	let wrong = 0
	for (let done = 0; done < count;) {
		const cases = []
		for (; cases.length < batchCases && done < count; done++) cases.push(kind.generate(chance, done))
		const answers = await differ.ask(kind.letter, cases.map(kind.body))
		answers.forEach((answer, i) => {
			const trouble = kind.judge(answer, cases[i])
			if (trouble !== undefined && wrong++ < 5) show(kind, cases[i], answer, trouble)
		})
	}
	await differ.end()
	return wrong
}

let passed = 0, failed = 0
for (const kind of kinds) {
	const count = kind.fixed ? kind.count : kind.count * times
	try {
		const wrong = await judge(kind, count)
		console.log(`${kind.name}: ${count} cases, ${wrong} wrong${kind.note ? `; ${kind.note()}` : ''}`)
		if (wrong) failed++
		else passed++
	} catch (e) {
		console.log(`${kind.name}: ${e.message}`)
		failed++
	}
}
console.log(`seed ${seed}`)
console.log(`differential: ${passed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0
