// chance.mjs - everything random about the cases, from one seed.

export class Chance {
	constructor(seed) {
		this.state = seed >>> 0
	}

	// mulberry32: 32 bits of state are enough to replay any run by its seed.
	bits() {
		this.state = (this.state + 0x6d2b79f5) >>> 0
		let t = this.state
		t = Math.imul(t ^ (t >>> 15), t | 1)
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
		return (t ^ (t >>> 14)) >>> 0
	}

	below(n) {
		return Math.floor((this.bits() / 4294967296) * n)
	}

	oneOf(list) {
		return list[this.below(list.length)]
	}
}

const view = new DataView(new ArrayBuffer(8))

function fromBits(high, low) {
	view.setUint32(0, high)
	view.setUint32(4, low)
	return view.getFloat64(0)
}

// The double `steps` away from x, in the order of their bits.
function beside(x, steps) {
	view.setFloat64(0, x)
	view.setBigInt64(0, view.getBigInt64(0) + BigInt(steps))
	return view.getFloat64(0)
}

const numberKinds = [
	(c) => fromBits(c.bits(), c.bits()),
	(c) => beside(2 ** (c.below(2098) - 1074), c.below(7) - 3),
	(c) => beside(Number('1e' + (c.below(632) - 323)), c.below(7) - 3),
	(c) => 1600000000000 + c.below(4e11) + c.below(1000) / 1000,
	(c) => 1795211438951 + c.below(1e6) / 1e6,
	(c) => c.below(2000001) - 1000000,
	(c) => (c.bits() * 2 ** 21 + c.below(2 ** 21)) * 2 ** (c.below(20) - 10),
	(c) => c.bits() / 2 ** 32,
	(c) => c.below(1e9) / 10 ** c.below(15),
	(c) => fromBits(c.below(4), c.bits()),
	(c) => (c.below(1e6) + 0.5) * 10 ** (c.below(40) - 20),
	(c) => Number(`${c.below(10)}.${c.bits()}e${c.below(60) - 30}`),
]

export const numberKindCount = numberKinds.length

export function number(c, kind = c.below(numberKinds.length)) {
	for (;;) {
		const x = numberKinds[kind](c)
		if (Number.isFinite(x)) return c.below(4) ? x : -x
	}
}

// A number by grammar, of any spelling and length.
export function numberText(c) {
	if (c.below(3) === 0) return respellNumber(c, number(c))
	const digits = (most) => {
		let out = ''
		for (let n = 1 + c.below(most); n > 0; n--) out += c.below(10)
		return out
	}
	const most = c.oneOf([2, 5, 17, 20, 25, 40, 900])
	let text = c.below(3) ? '' : '-'
	text += c.below(4) ? digits(most).replace(/^0+(?=.)/, '') : '0'
	if (c.below(2)) text += '.' + (c.below(5) ? '' : '0'.repeat(c.below(400))) + digits(most)
	if (c.below(2)) text += c.oneOf(['e', 'E', 'e+', 'e-', 'E-']) + digits(c.oneOf([1, 2, 3, 3, 6]))
	return text
}

function respellNumber(c, x) {
	switch (c.below(5)) {
	case 0: return x.toExponential()
	case 1: return x.toExponential().replace('e', 'E')
	case 2: return x.toPrecision(21)
	case 3: return Math.abs(x) < 1e21 ? x.toFixed(c.below(30)) : String(x)
	default: return JSON.stringify(x)
	}
}

const unitKinds = [
	(c) => 0x61 + c.below(26),
	(c) => c.oneOf([0x22, 0x5c, 0x2f, 0x20, 0x21, 0x23, 0x7f, 0x30]),
	(c) => c.below(0x20),
	(c) => 0x80 + c.below(0x780),
	(c) => 0xd800 + c.below(0x800),
	(c) => c.oneOf([0xd83d, 0xde00, 0xd800, 0xdc00, 0xdbff, 0xdfff]),
	(c) => c.oneOf([0xd7ff, 0xe000, 0xffff, 0xfffd, 0xfeff, 0x2028, 0x2029]),
	(c) => c.below(0x10000),
]

// A JavaScript string, lone surrogates and all.
export function string(c, most = c.oneOf([1, 4, 12, 40])) {
	let out = ''
	const few = c.below(3) === 0
	for (let n = c.below(most + 1); n > 0; n--) {
		if (c.below(8) === 0) out += c.oneOf(['😀', '𐀀', '\u{10ffff}'])
		else out += String.fromCharCode((few ? unitKinds[0] : c.oneOf(unitKinds))(c))
	}
	return out
}

const short = { '"': '"', '\\': '\\', '/': '/', '\b': 'b', '\f': 'f', '\n': 'n', '\r': 'r', '\t': 't' }

function escapeUnit(c, unit) {
	let hex = unit.toString(16).padStart(4, '0')
	const style = c.below(3)
	if (style === 1) hex = hex.toUpperCase()
	if (style === 2) hex = [...hex].map((h) => (c.below(2) ? h.toUpperCase() : h)).join('')
	return '\\u' + hex
}

// The string as JSON in any of its spellings; valid UTF-16 throughout.
export function rawString(c, value) {
	if (c.below(4) === 0) return JSON.stringify(value)
	let out = '"'
	for (const character of value) {
		const lone = character.length === 1 && character >= '\ud800' && character <= '\udfff'
		const must = lone || character < ' ' || character === '"' || character === '\\'
		if (!must && c.below(5)) out += character
		else if (short[character] && c.below(2)) out += '\\' + short[character]
		else for (let i = 0; i < character.length; i++) out += escapeUnit(c, character.charCodeAt(i))
	}
	return out + '"'
}

// One of the values GUN knows, as raw JSON.
export function rawValue(c) {
	switch (c.below(10)) {
	case 0: return c.oneOf(['null', 'true', 'false'])
	case 1: case 2: return respellNumber(c, number(c))
	case 3: return `{${space(c)}"#"${space(c)}:${rawString(c, string(c) || 'x')}${space(c)}}`
	default: return rawString(c, string(c))
	}
}

// Two values that are likely to be close neighbours.
export function rawValuePair(c) {
	const a = rawValue(c)
	switch (c.below(4)) {
	case 0: return [a, a]
	case 1: {
		const value = JSON.parse(a)
		if (typeof value !== 'string') return [a, rawValue(c)]
		return [a, rawString(c, value + string(c, 2))]
	}
	default: return [a, rawValue(c)]
	}
}

function space(c) {
	return c.below(6) ? '' : c.oneOf([' ', '\n', '\t', '\r', '  ', '\r\n\t '])
}

const names = ['#', '.', '>', '<', '*', '_', 'a', 'b', 'put', '__proto__', 'constructor', '', '1', '10']

function rawName(c) {
	return rawString(c, c.below(3) ? c.oneOf(names) : string(c, 6))
}

export function document(c, depth = 0) {
	const kind = c.below(depth > 4 ? 6 : 10)
	const s = () => space(c)
	if (kind < 2) return rawString(c, string(c))
	if (kind < 4) return c.below(2) ? numberText(c) : respellNumber(c, number(c))
	if (kind < 6) return c.oneOf(['null', 'true', 'false', '0', '-0', '{}', '[]', '1e400', '""'])
	const parts = []
	for (let n = c.below(depth ? 4 : 7); n > 0; n--) {
		const value = s() + document(c, depth + 1) + s()
		parts.push(kind < 8 ? value : s() + rawName(c) + s() + ':' + value)
	}
	return kind < 8 ? `[${s()}${parts.join(',')}]` : `{${s()}${parts.join(',')}}`
}

const pieces = ['"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e', '\\u', '\\ud800', ' ', '\0',
	'\n', 'true', 'nul', '\x7f', '//', "'", '+'].map((s) => Buffer.from(s))
const odd = [[0xff], [0x80], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82],
	[0xf0, 0x9f, 0x98], [0xef, 0xbb, 0xbf], [0xc2, 0xa0], [0xe2, 0x80, 0xa8], [0x0b]].map((b) => Buffer.from(b))

// Bytes changed, put in, left out, said twice.
export function mutate(c, bytes) {
	for (let n = c.below(4); n > 0; n--) {
		const at = c.below(bytes.length + 1), to = Math.min(bytes.length, at + 1 + c.below(4))
		const before = bytes.subarray(0, at), after = bytes.subarray(at)
		switch (c.below(7)) {
		case 0: bytes = Buffer.concat([before, c.oneOf(pieces), after]); break
		case 1: bytes = Buffer.concat([before, c.oneOf(odd), after]); break
		case 2: bytes = Buffer.concat([before, bytes.subarray(to)]); break
		case 3: bytes = Buffer.concat([before, bytes.subarray(at, to), after]); break
		case 4: bytes = Buffer.from(before); break
		default:
			bytes = Buffer.from(bytes)
			if (at < bytes.length) bytes[at] = c.below(2) ? c.below(256) : bytes[at] ^ (1 << c.below(8))
		}
	}
	return bytes
}

// A lexical query over few letters, so that it often meets the name.
const letters = ['a', 'b', 'ab', '~', 'é', '😀', '\ud83d', '\uffff']

export function lexName(c) {
	let out = ''
	for (let n = c.below(4); n > 0; n--) out += c.oneOf(letters)
	return out
}

export function lexQuery(c) {
	const query = {}
	for (const key of ['=', '*', '>', '<']) if (c.below(3) === 0) query[key] = lexName(c)
	if (c.below(6) === 0) query['-'] = 1
	if (c.below(6) === 0) query['%'] = c.below(1000)
	return query
}
