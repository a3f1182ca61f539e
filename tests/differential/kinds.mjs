// kinds.mjs - the kinds of cases: how each is made, asked, and judged.
//
// judge(answer, case) returns what is wrong, or nothing; note() tells what the
// cases were. The number of cases of `fixed` kinds is not multiplied by --long.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as make from './chance.mjs'

const here = dirname(fileURLToPath(import.meta.url))
export const kinds = []

function add(name, letter, count, how) {
	kinds.push({ name, letter, count, ...how })
}

const same = (answer, want) => (answer.toString() === want ? undefined : `want ${JSON.stringify(want)}`)
const pair = ([a, b]) => Buffer.from(`${a}\0${b}`)
const sign = (a, b) => (a < b ? -1 : a > b ? 1 : 0)

// ---- documents

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parse(bytes) {
	try {
		return [JSON.parse(strict.decode(bytes))]
	} catch {
		return null
	}
}

// JavaScript moves keys that look like an index to the front.
function hasIndexKey(value) {
	if (value === null || typeof value !== 'object') return false
	if (Array.isArray(value)) return value.some(hasIndexKey)
	return Object.keys(value).some((key) => /^(0|[1-9]\d*)$/.test(key) || hasIndexKey(value[key]))
}

const seen = { taken: 0, refused: 0, twice: 0 }

function judgeDocument(answer, bytes) {
	const read = parse(bytes), text = answer.toString()
	if (read === null) {
		seen.refused++
		return text === '!' ? undefined : 'JSON.parse refuses it'
	}
	seen.taken++
	if (text === '!') return 'JSON.parse takes it'
	const printed = text.slice(0, -1), want = JSON.stringify(read[0])
	if (JSON.stringify(JSON.parse(printed)) !== want) return `want ${want}`
	// A member said twice is printed twice, and by JSON.stringify once.
	const twice = printed.length !== want.length
	if (twice) seen.twice++
	if (text.slice(-1) !== (twice ? 'd' : 'u')) return `duplicates: ${twice}`
	if (!twice && printed !== want && !hasIndexKey(read[0])) return `want ${want}`
}

const documents = {
	generate: (c) => {
		const bytes = Buffer.from(make.document(c))
		return c.below(3) ? make.mutate(c, bytes) : bytes
	},
	body: (bytes) => bytes,
	judge: judgeDocument,
	note: () => {
		const said = `${seen.taken} taken, ${seen.refused} refused, ${seen.twice} with a key twice`
		seen.taken = seen.refused = seen.twice = 0
		return said
	},
}
add('documents', 'j', 200000, documents)
add('documents, scanned without strides', 'j', 60000, { ...documents, program: 'differ_scalar' })

// ---- numbers

const bitsOf = (x) => {
	const out = Buffer.allocUnsafe(8)
	out.writeDoubleLE(x)
	return out
}

const printed = { body: bitsOf, judge: (answer, x) => same(answer, JSON.stringify(x)) }

add('numbers printed', 'n', 1000000, {
	...printed,
	generate: (c, i) => make.number(c, i % make.numberKindCount),
	note: () => `${make.numberKindCount} kinds in turn`,
})

// Every one of them, the subnormal ones too.
const lowest = -1074, highest = 1023
add('powers of two printed', 'n', highest - lowest + 1, {
	...printed,
	fixed: true,
	generate: (c, i) => 2 ** (lowest + i),
})

const vectors = JSON.parse(readFileSync(join(here, '../vectors/numbers.json'))).numbers
add('number vectors printed', 'n', vectors.length, {
	fixed: true,
	generate: (c, i) => vectors[i],
	body: (v) => Buffer.from(v.bits, 'hex').reverse(),
	judge: (answer, v) => same(answer, v.json),
})

add('numbers read', 'r', 200000, {
	generate: (c) => make.numberText(c),
	body: (text) => Buffer.from(text),
	judge: (answer, text) => {
		const x = JSON.parse(text)
		if (!Number.isFinite(x)) return same(answer, '!')
		return answer.equals(bitsOf(x)) ? undefined : `want ${x}`
	},
})

// ---- strings and names

function hash31(s) {
	let h = 0
	for (let i = 0; i < s.length; i++) h = (Math.imul(h, 31) + s.charCodeAt(i)) | 0
	return h
}

add('strings', 's', 150000, {
	generate: (c) => {
		const value = make.string(c)
		return [value, make.rawString(c, value)]
	},
	body: ([, raw]) => Buffer.from(raw),
	judge: (answer, [value]) =>
		same(answer, `${JSON.stringify(value)}\0${value.length} ${hash31(value)} ${value.length || 9}`),
	note: () => 'canonical text, length, ## hash, weight',
})

add('order of names', 'o', 150000, {
	generate: (c) => {
		const a = make.string(c), b = c.below(3) ? make.string(c) : a + make.string(c, 2)
		return [a, b, make.rawString(c, a), make.rawString(c, b)]
	},
	body: ([, , a, b]) => pair([a, b]),
	judge: (answer, [a, b]) => same(answer, String(sign(a, b))),
})

// ---- values and HAM

const verdicts = { TAKE: 0, KEEP: 1, SAME: 2 }

add('HAM', 'v', 200000, {
	generate: (c) => make.rawValuePair(c),
	body: pair,
	judge: (answer, [a, b]) => {
		const order = sign(JSON.stringify(JSON.parse(a)), JSON.stringify(JSON.parse(b)))
		const tie = order < 0 ? verdicts.TAKE : order > 0 ? verdicts.KEEP : verdicts.SAME
		return same(answer, `${order} ${tie} ${verdicts.TAKE} ${verdicts.KEEP}`)
	},
	note: () => 'order of the text, verdict at equal, lower and higher state held',
})

// ---- lexical queries

// The file that defines String.match, without the rest of gun.
createRequire(join(here, '../package.json'))('gun/src/shim.js')

function rangeHas(q, name) {
	if ('=' in q) return name === q['=']
	const prefix = q['*'] ?? ''
	if (!name.startsWith(prefix)) return false
	const rest = name.slice(prefix.length)
	return !('>' in q && rest < q['>']) && !(q['<'] && rest > q['<'])
}

const found = { matched: 0, inside: 0 }
add('lexical queries', 'x', 150000, {
	generate: (c) => [make.lexQuery(c), make.lexName(c)],
	body: ([query, name]) => pair([JSON.stringify(query), JSON.stringify(name)]),
	judge: (answer, [query, name]) => {
		const match = String.match(name, query), inside = rangeHas(query, name)
		found.matched += match
		found.inside += inside
		return same(answer, `${Number(match)}${Number(inside)}`)
	},
	note: () => `${found.matched} matched by gun's String.match, ${found.inside} in the range`,
})
