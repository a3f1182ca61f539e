/* killers.mjs - single frames that end or hang a gun.js relay, and their kin.
 *
 * Found on gun 0.2020.1241: a frame from anybody, an exception nobody catches,
 * and the process is gone. Each is sent on a connection of its own. {name: frame};
 * a Buffer goes out as a binary frame.
 */
const put = (id, soul, key = 'a', value = 1, state = 1000) => JSON.stringify({ '#': id,
    put: Object.fromEntries([[soul, Object.assign({ _: { '#': soul, '>': { [key]: state } } }, { [key]: value })]]) });
/* JSON.stringify would not print an own __proto__ made the usual way */
const proto_put = '{"#":"pp","put":{"__proto__":{"_":{"#":"__proto__",">":{"a":1}},"a":1}}}';
const proto_key = '{"#":"pk","put":{"ks":{"_":{"#":"ks",">":{"__proto__":1}},"__proto__":1}}}';
const signed = value => put('sea', '~a.b', 'k', value);

/* What every JavaScript object has: a gun client keeps ids in a plain object, so
 * such an id, passed on to it, is taken for a duplicate, and __proto__ ends up as
 * a field of Object.prototype. */
const inherited = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__', 'prototype', 'length'];
const souls = ['small', 'at', 'link', 'match', 'trim', 'name', ...inherited.filter(n => n !== '__proto__')];
const dams = ['c', 'd', 'call', 'apply', 'bind', 'one', 'name', ...inherited];

const made = {};
for (const soul of souls) made[`the first put on a soul named ${soul}`] = put('first' + soul, soul);
for (const dam of dams) made[`dam ${dam}`] = JSON.stringify({ dam, '#': 'dam' + dam });
for (const name of inherited) {
    made[`an ack to ${name}`] = `{"#":"a${name}","@":"${name}","ok":1}`;
    made[`an answer to ${name}`] = `{"#":"b${name}","@":"${name}","put":{"s":{"_":{"#":"s",">":{"a":5}},"a":5}}}`;
    made[`a get with the id ${name}`] = `{"#":"${name}","get":{"#":"nobody has ${name}"}}`;
    made[`a put with the id ${name}`] = `{"#":"${name}","put":{"s":{"_":{"#":"s",">":{"i${name}":5}},"i${name}":5}}}`;
    made[`a get of the soul ${name}`] = `{"#":"g${name}","get":{"#":"${name}"}}`;
    made[`a get of the key ${name}`] = `{"#":"k${name}","get":{"#":"s",".":"${name}"}}`;
    made[`a field ${name} beside the known ones`] = `{"#":"f${name}","${name}":{"x":1},"get":{"#":"s"}}`;
}

/* Keys that were put on the soul `s` by frames with such ids: its subscribers
 * must have heard them. */
export const put_under_odd_ids = inherited.map(name => 'i' + name);

export const killers = {
    'a bad escape': '{"a\\q":1}',
    'a bad unicode escape': '{"#":"x16\\u12","get":{"#":"s"}}',
    'an array of an unclosed object': '[{',
    'an unclosed object': '{',
    'three unclosed objects': '{{{',
    'an unclosed array': '[',
    'an array closed as an object': '[}',
    ...made,
    'a put of the soul __proto__': proto_put,
    'a put of the key __proto__': proto_key,
    'a get and a put of constructor in a batch': '[{"#":"q1_","get":{"#":"s"}},' + put('q2_', 'constructor') + ']',
    'a bad escape inside a signed value': signed('{"\\q":1}'),
    'an unclosed array as signed value': signed('[{'),
    'a signed value of numbers': signed('{"~":1,":":1}'),
    'a signed value with a numeric certificant': signed('{":":1,"~":"AA","*":5}'),
    'a certificate of numbers': signed('{":":1,"~":"AA","*":"x.y","+":{"m":1,"s":1}}'),
    'a signed value that is null': signed(null),
    'a content hash that is wrong': put('h', '#', 'k', 'x'.repeat(40000)),
    'a state that is text': '{"#":"st","put":{"s":{"_":{"#":"s",">":{"a":"1000"}},"a":1}}}',
    'a state that is null': '{"#":"sn","put":{"s":{"_":{"#":"s",">":{"a":null}},"a":1}}}',
    'a state beyond all numbers': '{"#":"sb","put":{"s":{"_":{"#":"s",">":{"a":1e400}},"a":1}}}',
    'a value beyond all numbers': '{"#":"vb","put":{"s":{"_":{"#":"s",">":{"a":1}},"a":1e309}}}',
    'comments and trailing commas': '{/*c*/"#":"x11","get":{"#":"s",},}',
    'numbers as only gun.js reads them': '{"#":"n","x":[01,.5,+1,1_000]}',
    'two objects in a frame': '{"#":"x6","get":{"#":"s"}}{"#":"x7","get":{"#":"s"}}',
    'rubbish behind an object': '{"#":"x5","get":{"#":"s"}} trailing',
    'raw control characters': '{"#":"x14\t\u0001","get":{"#":"s"}}',
    'a lexical query of everything': '{"#":"lx","get":{"#":{"*":""}}}',
    'a lexical range over souls': '{"#":"ly","get":{"#":{">":"","<":"\uffff"}}}',
    'a lexical query that is empty': '{"#":"lz","get":{"#":{}}}',
    'a lexical query nested in itself': '{"#":"x3","get":{"#":"s",".":{"*":{"a":1}}}}',
    'a lexical bound that is an array': '{"#":"x4","get":{"#":"s",".":{">":[1]},"%":100}}',
    'a limit that is text': '{"#":"x6","get":{"#":"s",".":{"*":"a"},"%":"zz"}}',
    'a negative limit': '{"#":"x7","get":{"#":"s",".":{"*":"a"},"%":-5}}',
    'a get of an array': '{"#":"x55","get":[]}',
    'a get of null': '{"#":"x53","get":{"#":null}}',
    'dam ? with an object as pid': '{"dam":"?","#":"x8","pid":{"a":1}}',
    'dam mob': '{"dam":"mob","#":"m","mob":1,"peers":{"http://127.0.0.1:1/gun":{}}}',
    'dam mob with text as peers': '{"dam":"mob","#":"x10","peers":"abc"}',
    'dam opt with a peer to dial': '{"dam":"opt","#":"o","opt":{"peers":"http://127.0.0.1:1/gun"}}',
    'dam opt with a bad address': '{"dam":"opt","#":"x11","opt":{"peers":"::::"}}',
    'dam opt with another scheme': '{"dam":"opt","#":"x12","opt":{"peers":"ftp://127.0.0.1:1/"}}',
    'an object as id': '{"#":{"a":1},"get":{"#":"s"}}',
    'an object as @': '{"#":"x26","@":{"a":1},"ok":1}',
    'an array as @': '{"#":"x28","@":["a"],"put":{"s":{"_":{"#":"s",">":{"z":1}},"z":1}}}',
    'internal fields': '{"#":"x47","$":{"_":{"root":1}},"_":{"via":1},"out":1,"nts":1,"DBG":1,"get":{"#":"s"}}',
    'an id of 200,000 characters': JSON.stringify({ '#': 'i'.repeat(200_000), get: { '#': 's' } }),
    'a soul of 200,000 characters': put('ls', 's'.repeat(200_000)),
    '200 names in ><': JSON.stringify({ '#': 'x13', '><': 'a,'.repeat(200), get: { '#': 's' } }),
    'arrays 5,000 deep': '['.repeat(5000) + ']'.repeat(5000),
    'objects 5,000 deep': '{"a":'.repeat(5000) + '1' + '}'.repeat(5000),
    'objects a million deep, never closed': '{"a":'.repeat(1_000_000),
    'a batch of 100,000 empty objects': '[' + '{},'.repeat(99_999) + '{}]',
    'a batch of rubbish': '[1,"str",null,true,[[]],{},"{","[{",{"#":"br","get":{"#":"s"}}]',
    'a frame above the limit': '{"#":"big","x":"' + 'x'.repeat(34 << 20) + '"}',
    'an empty frame': '',
    'a scalar': 'null',
    'a binary frame of zeros': Buffer.alloc(70_000),
    'a binary frame that is not UTF-8': Buffer.from([0xff, 0xfe, 0x80, 0x00, 0xc0]),
    'a NUL byte': '\0',
};
