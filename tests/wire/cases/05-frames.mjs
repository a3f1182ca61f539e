// Frames that are no messages, and single frames that kill a gun.js relay
// (transcripts 07, 17; protocol 13.13, 13.19; design "bad JSON"). Behind each the
// connection lives, another client notices nothing, and the process is the same.
import { denied, err, found, get, graph, none, ok, put, scold } from '../lib/frames.mjs';

const bystander = [['Z', 'open'], ['Z', '>', get('zg', 'standing')], ['Z', '<', none('zg')]];
const unmoved = [['Z', '='], ['Z', '>', get('zend', 'standing')], ['Z', '<', none('zend')]];
const standing = get('probe', 's', 'a');

// The frame is answered with one dam "!", then the peer is served as before.
const scolded = (name, frame, word = 'malformed') => ({
    name: `${name}: one dam "!" ${word}:, the connection lives`,
    acks: false,
    steps: [
        ...bystander, ['A', 'open'], ['A', '>', frame], ['A', '<', scold(word)], ['A', '='], ['A', '>', standing],
        ['A', '<', none('probe')], ...unmoved],
});

// The frame is a message; what is answered is given.
const answered = (name, frame, ...patterns) => ({
    name,
    acks: false,
    steps: [
        ...bystander, ['A', 'open'], ['A', '>', frame], ['A', '<<', ...patterns], ['A', '='], ['A', '>', standing],
        ['A', '<', none('probe')], ...unmoved],
});

// A put of one key that is nobody's to write: one err, nothing kept or told.
const unkept = (name, id, why, soul, key, value) => ({
    name: `${name}: one err, nothing kept`,
    steps: [
        ...bystander, ['Z', '>', get('zs', soul, key)], ['Z', '<', none('zs')],
        ['A', 'open'], ['A', '>', put(id, { [soul]: { [key]: value } }, 1000)], ['A', '<', denied(id, why, soul, key)], ['A', '='],
        ['A', '>', get('g', soul, key)], ['A', '<', none('g')],
        ['A', '>', standing], ['A', '<', none('probe')], ...unmoved],
});

const quiet = (name, frame) => ({
    name,
    acks: false,
    steps: [
        ...bystander, ['A', 'open'], ['A', '>', frame], ['A', '='], ['A', '>', standing], ['A', '<', none('probe')], ...unmoved],
});

const binary = (name, bytes) => ({
    name: `${name}: one dam "!", the connection lives (gun.js: silence)`,
    steps: [
        ...bystander, ['A', 'open'], ['A', '>bin', bytes], ['A', '<', scold('binary')], ['A', '='], ['A', '>', standing],
        ['A', '<', none('probe')], ...unmoved],
});

const S = '{"#":"x","get":{"#":"s"}}';
const nested = (open, close, n, inner = '') => open.repeat(n) + inner + close.repeat(n);

export default {
    name: 'frames',
    cases: [
        scolded('an unclosed object', '{"#":"x1","get":{"#":"s"'), scolded('{', '{'), scolded('{{{', '{{{'), scolded('[', '['),
        scolded('[{ (13.13; gun.js: dies)', '[{'), scolded('[}', '[}'), scolded('{]', '{]'), scolded('a word', 'hello'), scolded('a number', '5'),
        scolded('null', 'null'), scolded('a string', '"str"'), scolded('a string that holds a message', JSON.stringify(S)), scolded('true', 'true'),
        scolded('an empty frame', ''), scolded('white space only', ' \n\t\r '), scolded('a BOM before an object', '\ufeff' + S),
        scolded('an object, then garbage (13.19; gun.js: accepted)', `${S} trailing`), scolded('two objects (13.19; gun.js: the second)', S + S),
        scolded('single quotes', "{'#':'x8','get':{'#':'s'}}"), scolded('names without quotes', '{#:"x9",get:{#:"s"}}'),
        scolded('trailing commas (13.19)', '{"#":"x10","get":{"#":"s",},}'), scolded('a comment (13.19)', '{/*c*/"#":"x11","get":{"#":"s"}}'),
        scolded('a raw tab in a string (13.19)', '{"#":"x14\t","get":{"#":"s"}}'), scolded('a raw newline in a string', '{"#":"x\n","get":{"#":"s"}}'),
        scolded('a raw NUL in a string', '{"#":"x\0","get":{"#":"s"}}'), scolded('a raw NUL behind a message', `${S}\0`), scolded('a raw NUL as a frame', '\0'),
        scolded('a bad escape (13.13; gun.js: dies)', '{"#":"x15\\q","get":{"#":"s"}}'), scolded('{"a\\q":1} (13.13; gun.js: dies)', '{"a\\q":1}'),
        scolded('a bad unicode escape (gun.js: dies)', '{"#":"x16\\u12","get":{"#":"s"}}'), scolded('\\u without digits', '{"#":"\\u"}'), scolded('\\uD8 and no more', '{"#":"\\uD8"}'),
        ...['01', '.5', '+1', '1_000', '1.', '0x10', 'NaN', 'Infinity', '-', '1e', '--1', '1e+', 'tru', 'nul', "'x'", 'undefined'].map((text) =>
            scolded(`a value written ${text} (13.19)`, `{"#":"xn","put":{"s":{"_":{"#":"s",">":{"a":1}},"a":${text}}}}`)),
        scolded('a colon is missing', '{"#" "x"}'), scolded('a comma is missing', '{"#":"x" "get":{"#":"s"}}'), scolded('a name without a value', '{"#"}'), scolded('a value without a name', '{:1}'),
        scolded('a name that is a number', '{1:2}'), scolded('5,000 arrays in each other', nested('[', ']', 5000)), scolded('5,000 objects in each other', nested('{"a":', '}', 5000, '1'), '/^(limit|malformed):/'),
        scolded('a million opening brackets', '['.repeat(1_000_000)), scolded('a million bytes of opening braces', '{"a":'.repeat(200_000), '/^(limit|malformed):/'), scolded('a million quotes', '"'.repeat(1_000_000)), scolded('a megabyte of x', 'x'.repeat(1_000_000)),

        answered('white space before a message is fine (gun.js: ignored)', ' \r\n\t{"#":"x2","get":{"#":"s"}}', none('x2')),
        answered('white space behind a message is fine', '{"#":"x3","get":{"#":"s"}} \n', none('x3')),
        answered('white space before a batch is fine', ' [{"#":"x3b","get":{"#":"s"}}]', none('x3b')),
        answered('white space everywhere is fine', '{\n\t"#" : "x12" ,\n\t"get" : { "#" : "s" }\n}', none('x12')),
        answered('escaped names of fields are names', '{"\\u0023":"xe","g\\u0065t":{"\\u0023":"s"}}', none('xe')),
        answered('a field twice is refused (gun.js: the second wins)', '{"#":"x13","get":{"#":"nope"},"get":{"#":"s"}}', err('x13', 'malformed')),
        answered('a field of a get twice is refused', '{"#":"x13b","get":{"#":"nope","#":"s"}}', err('x13b', 'malformed')),
        answered('an id twice is refused', '{"#":"x13c","#":"x13d","get":{"#":"s"}}', { '#': '{{?}}', '@??': '{{/^x13[cd]$/}}', 'dam??': '!', err: '{{malformed:}}' }),
        quiet('an empty batch is a heartbeat: silence', '[]'),
        quiet('an empty batch with white space: silence', '[ ]'),
        answered('a message with nothing in it but an id is told unknown: (gun.js: silence)', '{"#":"x45"}', err('x45', 'unknown')),
        answered('an error about nothing is told unknown: (gun.js: silence)', '{"#":"x46","err":"some"}', err('x46', 'unknown')),
        answered('an ok object that answers nothing is told unknown:, and goes to nobody (gun.js: to everybody)', '{"#":"z1","ok":{"hello":1}}', err('z1', 'unknown')),
        answered('an empty object is told unknown: (gun.js: silence)', '{}', scold('unknown')),
        answered('unknown fields alone are told unknown:', '{"#":"x45b","zzz":1,"rad":{"a":1}}', err('x45b', 'unknown')),

        answered('an array in an array is skipped: one dam "!"', '[[{"#":"x17","get":{"#":"s"}}]]', scold('malformed')),
        answered('junk in a batch is skipped, its messages are answered, one dam "!" for all junk of the frame', '[1,"str",null,{"#":"x18","get":{"#":"s"}},true,[],[[]],"{",5.5]', none('x18'), scold('malformed')),
        answered('null first in a batch', '[null,{"#":"x19","get":{"#":"s"}}]', none('x19'), scold('malformed')),
        answered('0 first in a batch', '[0,{"#":"x20","get":{"#":"s"}}]', none('x20'), scold('malformed')),
        answered('strings in a batch hold messages as JSON', JSON.stringify([S.replace('"x"', '"x21"'), S.replace('"x"', '"x21b"')]), none('x21'), none('x21b')),
        answered('a string in a batch that holds a batch is skipped', JSON.stringify([`[${S}]`]), scold('malformed')),
        answered('a string in a batch that holds a string is skipped', JSON.stringify([JSON.stringify(S)]), scold('malformed')),
        answered('a string in a batch with an unclosed message is skipped', JSON.stringify(['{"#":"q"', S.replace('"x"', '"x22"')]), none('x22'), scold('malformed')),
        answered('strings and objects mixed in a batch, with escapes and white space', '[ "{\\"#\\":\\"x23\\",\\"get\\":{\\"#\\":\\"s\\\\u00e9\\"}}" , {"#":"x24","get":{"#":"s"}} ]', none('x23'), none('x24')),
        answered('30 gets in one batch get 30 answers', JSON.stringify(Array.from({ length: 30 }, (_, i) => get(`arr${i}_`, 's', 'a'))), ...Array.from({ length: 30 }, (_, i) => none(`arr${i}_`))),
        scolded('a batch that breaks off behind a good message', '[{"#":"x25","get":{"#":"s"}},{"#"'),
        scolded('a batch with a trailing comma', '[{"#":"x26","get":{"#":"s"}},]'), scolded('a batch, then garbage', '[{"#":"x27","get":{"#":"s"}}] x'),
        scolded('a batch of commas', '[,,]'), scolded('messages without a comma', `[${S}${S}]`),

        binary('a binary frame that holds a message', Buffer.from('{"#":"x22","get":{"#":"s"}}')), binary('an empty binary frame', Buffer.alloc(0)),
        binary('a binary frame of junk', Buffer.from([0, 1, 2, 255])), binary('a binary frame of 100 KB', Buffer.alloc(100_000, 7)),

        answered('an id of null is none: the get is answered', '{"#":null,"get":{"#":"s"}}', { '#': '{{?}}', '@??': '{{?}}' }),
        answered('an empty id is none', '{"#":"","get":{"#":"s"}}', { '#': '{{?}}', '@??': '{{?}}' }),
        ...[['an object', '{"a":1}'], ['an array', '["q"]'], ['true', 'true'], ['a number', '12345']].map(([what, text]) =>
            answered(`an id that is ${what} is refused (gun.js: takes it)`, `{"#":${text},"get":{"#":"s"}}`, scold('malformed'))),
        answered('an id of 3,000 characters is refused', `{"#":"${'i'.repeat(3000)}","get":{"#":"s"}}`, scold('limit')),
        answered('an id of 128 characters is an id', `{"#":"${'i'.repeat(128)}","get":{"#":"s"}}`, none('i'.repeat(128))),
        answered('an id of 129 characters is refused', `{"#":"${'i'.repeat(129)}","get":{"#":"s"}}`, scold('limit')),
        answered('an "@" that is an object is refused', '{"#":"x26a","@":{"a":1},"ok":1}', err('x26a', 'malformed')),
        answered('an "@" that is a number is refused', '{"#":"x27a","@":5,"ok":1}', err('x27a', 'malformed')),
        answered('an "@" that is an array is refused, with its put (gun.js: stored)', '{"#":"x28","@":["a"],"put":{"sat":{"_":{"#":"sat",">":{"z":1}},"z":1}}}', err('x28', 'malformed')),
        answered('an "@" of 3,000 characters is refused', `{"#":"x28b","@":"${'i'.repeat(3000)}","ok":1}`, err('x28b', 'limit')),
        answered('a dam that is a number is refused', '{"dam":7,"#":"d5"}', err('d5', 'malformed')),
        answered('a ## that is a string is not looked at', '{"#":"x29","##":"abc","get":{"#":"s"}}', none('x29')),
        answered('a >< that is a number or an array is not looked at', '[{"#":"x30","><":5,"get":{"#":"s"}},{"#":"x31","><":["a"],"get":{"#":"s"}}]', none('x30'), none('x31')),
        answered('a >< with 200 names is not looked at', `{"#":"x13e","><":"${'a,'.repeat(200)}","get":{"#":"s"}}`, none('x13e')),
        answered('fields that gun uses inside are not looked at: _, $, out, nts, DBG (13; gun.js: leaks timings)',
            '[{"#":"x39","_":{"via":1},"get":{"#":"s"}},{"#":"x40","$":{"_":{}},"get":{"#":"s"}},{"#":"x40b","$":"a","get":{"#":"s"}},{"#":"x41","DBG":1,"get":{"#":"s"}},{"#":"x42","out":1,"get":{"#":"s"}},{"#":"x43","nts":1,"get":{"#":"s"}}]',
            none('x39'), none('x40'), none('x40b'), none('x41'), none('x42'), none('x43')),
        answered('unknown fields and deep ones are not looked at', '{"#":"xu","get":{"#":"s"},"zzz":[{"a":[1,{"b":null}]}],"__proto__":{"x":1},"constructor":5}', none('xu')),
        answered('{"#":"x47","$":{"_":{"root":1}},"put":...} is a put', { '#': 'x47', $: { _: { root: 1 } }, put: graph({ dollar: { z: 5 } }) }, ok('x47')),
        answered('a put whose id is of Object.prototype is acked', [put('toString', { tp: { a: 1 } }), put('constructor', { tp: { b: 1 } }), put('__proto__', { tp: { c: 1 } })], ok('toString'), ok('constructor'), ok('__proto__')),
        answered('a get whose id is of Object.prototype is answered', '[{"#":"toString","get":{"#":"s"}},{"#":"__proto__","get":{"#":"s"}},{"#":"constructor","get":{"#":"s"}}]', none('toString'), none('__proto__'), none('constructor')),
        ...['toString', '__proto__', 'constructor', 'hasOwnProperty', 'valueOf'].map((name) =>
            quiet(`{"@":"${name}","ok":1} is an ack of nothing (13.13; gun.js: dies)`, `{"#":"x59${name}","@":"${name}","ok":1}`)),
        quiet('"@":"constructor" with a put is an answer (13.13; gun.js: dies)', '{"#":"x2c","@":"constructor","put":{"sc":{"_":{"#":"sc",">":{"a":5}},"a":5}}}'),
        ...['c', 'd', 'call', 'apply', 'bind', 'one', 'constructor', 'toString', 'length', 'prototype', 'hasOwnProperty', 'valueOf', 'name', '__proto__'].map((name) =>
            quiet(`{"dam":"${name}"} is an unknown dam (13.13; gun.js: dies of most)`, `{"dam":"${name}","#":"z${name}"}`)),
        ...['small', 'at', 'link', 'toString', 'constructor', 'valueOf', 'length', 'match', 'trim'].map((name) => ({
            name: `the first put of all on a soul named ${name} is a put (13.13; gun.js: dies of most)`,
            alone: ['small', 'constructor'].includes(name),
            steps: [
                ['A', 'open'], ['A', '>', put(`z${name}_`, { [name]: { a: 1 } }, 1000)], ['A', '<', ok(`z${name}_`)],
                ['A', '>', get('g', name)], ['A', '<', found('g', { [name]: { a: 1 } }, 1000)]],
        })),
        answered('a get and a put on "constructor" in one batch', '[{"#":"q1_","get":{"#":"sq"}},{"#":"q2_","put":{"constructor":{"_":{"#":"constructor",">":{"b":1000}},"b":1}}}]', none('q1_'), ok('q2_')),
        ...['{"~":1,":":1}', '{"\\\\q":1}', '[{', '{":":1,"~":"AA","*":5}', '{":":1,"~":"AA","*":"x.y","+":{"m":1,"s":1}}'].map((text, i) =>
            unkept(`a hostile value in user space is not signed (17; gun.js: dies of some): ${text}`, `xs${i}`, 'Unverified data.', '~a.b', `k${i}`, text)),
        unkept('null in user space is not signed', 'xs9', 'Unverified data.', '~a.b', 'n', null),
        unkept('a key of a hash soul that is not the hash of its value', 'xs10', 'Data hash not same as hash!', '#', 'k', 'x'.repeat(1000)),
        ...[['an array under ">"', '{">":[1]}'], ['an object under "*"', '{"*":{"a":1}}'], ['a number under "*"', '{"*":5}'], ['null under ">"', '{">":null}'], ['a number under ">"', '{">":5}'], ['an object under ">"', '{">":{"a":1}}'],
            ['true under "="', '{"=":true}'], ['unknown members', '{"zz":1,"yy":{}}']].map(([what, text], i) =>
            answered(`a query with ${what} is answered`, `{"#":"xl${i}","get":{"#":"s",".":${text},"%":100}}`, none(`xl${i}`))),
        ...[['a string', '"zz"'], ['negative', '-5'], ['0', '0'], ['1e400', '1e400'], ['null', 'null'], ['an object', '{}']].map(([what, text], i) =>
            answered(`a "%" that is ${what} is answered`, `{"#":"xp${i}","get":{"#":"s",".":{"*":"a"},"%":${text}}}`, none(`xp${i}`))),
        ...[['a string', '"n"'], ['a number', '5'], ['an array', '[]'], ['true', 'true']].map(([what, text], i) =>
            answered(`a get that is ${what} is refused (gun.js: the whole store)`, `{"#":"xg${i}","get":${text}}`, err(`xg${i}`, 'malformed'))),
        answered('a get of null is no get: unknown: (gun.js: silence)', '{"#":"xg9","get":null}', err('xg9', 'unknown')),
        ...[['a number', '5'], ['an array', '["s"]'], ['true', 'true']].map(([what, text], i) =>
            answered(`a soul that is ${what} is refused (13.7; gun.js: the whole store)`, `{"#":"xh${i}","get":{"#":${text}}}`, err(`xh${i}`, 'malformed'))),
        ...[['{}', '{}'], ['a soul of null', '{"#":null}'], ['an empty soul', '{"#":""}'], ['a key without a soul', '{".":"a"}']].map(([what, text], i) =>
            answered(`get ${what} is nothing: a bare not-found (13.7; gun.js: the whole store)`, `{"#":"xi${i}","get":${text}}`, none(`xi${i}`))),
        answered('a key that is an array is refused', '{"#":"xk1","get":{"#":"s",".":["a"]}}', err('xk1', 'malformed')),
        answered('a soul over 64 KB in a get is refused', `{"#":"xk2","get":{"#":"${'s'.repeat(65_537)}"}}`, err('xk2', 'limit')),
        answered('a key over 64 KB in a get is refused', `{"#":"xk3","get":{"#":"s",".":"${'s'.repeat(65_537)}"}}`, err('xk3', 'limit')),
        answered('a prefix over 64 KB in a get is refused', `{"#":"xk4","get":{"#":"s",".":{"*":"${'s'.repeat(65_537)}"}}}`, err('xk4', 'limit')),
        {
            name: 'a flood of bad frames is answered one by one, and the connection lives',
            acks: false,
            steps: [
                ...bystander, ['A', 'open'], ['A', '>', ...Array(500).fill('{"a\\q":1}')],
                ['A', '<', ...Array(500).fill(scold('malformed'))], ['A', '='], ...unmoved],
        },
    ],
};
