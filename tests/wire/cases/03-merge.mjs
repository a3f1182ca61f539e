// Which write survives, and how values are printed (transcript 03; protocol 3.3, 3.5).
import { err, found, get, none, ok, put, update } from '../lib/frames.mjs';

let next = 0;

// One writer A, one listener B, one soul. Each row: [what, value, state, taken].
// What is taken reaches B; what is not comes back to A as what is kept.
function duel(name, rows) {
    const soul = `h${next++}`;
    const steps = [['A', 'open'], ['B', 'open'], ['B', '>', get('bg', soul)], ['B', '<', none('bg')]];
    let kept;
    rows.forEach(([value, state, fate], i) => {
        const id = `${soul}p${i}`; // fresh: an id that is remembered is not kept when passed on
        steps.push(['A', '>', put(id, { [soul]: { base: value } }, state)]);
        if (fate === 'taken') {
            kept = [value, state];
            steps.push(['A', '<', ok(id)], ['B', '<', update({ [soul]: { base: value } }, state, id)]);
        } else if (fate === 'kept') {
            steps.push(['A', '<', update({ [soul]: { base: kept[0] } }, kept[1]), ok(id)]);
        } else steps.push(['A', '<', ok(id)]);
    });
    steps.push(['A', '='], ['B', '='], ['A', '>', get('end', soul)], ['A', '<', found('end', { [soul]: { base: kept[0] } }, kept[1])]);
    return { name, steps };
}

// A value as it is written in a frame, and as it must be printed.
function printed(text, as) {
    const soul = `n${next++}`;
    return {
        name: `the number ${text} is stored and passed on as ${as}`,
        steps: [['A', 'open'], ['B', 'open'], ['B', '>', get('bg', soul)], ['B', '<', none('bg')],
            ['A', '>', `{"#":"p${soul}","put":{"${soul}":{"_":{"#":"${soul}",">":{"v":1000}},"v":${text}}}}`],
            ['A', '<', ok(`p${soul}`)],
            ['B', '<', { '#': `p${soul}`, put: { [soul]: { _: { '#': soul, '>': { v: 1000 } }, v: '{{v}}' } } }],
            ['do', (c) => {
                for (const [way, frame] of c.peer('B').frames)
                    if (way === '<' && frame.includes(`"#":"p${soul}"`) && !frame.includes(`"v":${as}}`)) throw new Error(frame);
            }],
            ['C', 'open'], ['C', '>', get('g', soul, 'v')],
            ['C', '<', { '#': '{{?}}', '@': 'g', put: { [soul]: { _: { '#': soul, '>': { v: 1000 } }, v: '{{v}}' } } }]],
    };
}

const refusedValue = (text) => {
    const soul = `n${next++}`;
    return {
        name: `the value ${text} is refused: it is no number`,
        steps: [['A', 'open'], ['A', '>', `{"#":"p","put":{"${soul}":{"_":{"#":"${soul}",">":{"v":1000}},"v":${text}}}}`],
            ['A', '<', err('p', 'malformed')], ['A', '='], ['A', '>', get('g', soul)], ['A', '<', none('g')]],
    };
};

const refusedState = (text) => {
    const soul = `n${next++}`;
    return {
        name: `the state ${text} is refused (13.18; gun.js: stored as -Infinity, or silence)`,
        steps: [['A', 'open'], ['A', '>', `{"#":"p","put":{"${soul}":{"_":{"#":"${soul}",">":{"v":${text}}},"v":1}}}`],
            ['A', '<', err('p', 'malformed')], ['A', '='], ['A', '>', get('g', soul)], ['A', '<', none('g')]],
    };
};

export default {
    name: 'merging',
    cases: [
        duel('a newer state wins', [[1, 1000, 'taken'], [2, 1001, 'taken']]),
        duel('an older state loses, and its author is told', [[1, 1000, 'taken'], [3, 990, 'kept']]),
        duel('the same write twice is one write', [[2, 1000, 'taken'], [2, 1000, 'same']]),
        duel('at equal states the smaller text loses: 1 against 2', [[2, 1000, 'taken'], [1, 1000, 'kept']]),
        duel('at equal states the greater text wins: 3 against 2', [[2, 1000, 'taken'], [3, 1000, 'taken']]),
        duel('at equal states numbers compare as text: 9 beats 10', [[10, 1000, 'taken'], [9, 1000, 'taken'], [10, 1000, 'kept']]),
        duel('at equal states a string loses against a number: a quote is below a digit', [[3, 1000, 'taken'], ['a', 1000, 'kept']]),
        duel('at equal states: string < number < false < null < true < link',
            [['zzz', 1000, 'taken'], [0, 1000, 'taken'], [false, 1000, 'taken'], [null, 1000, 'taken'], [true, 1000, 'taken'], [{ '#': 'x' }, 1000, 'taken'], [true, 1000, 'kept']]),
        duel('at equal states "apple" beats "apple!": the closing quote is above the exclamation mark', [['apple!', 1000, 'taken'], ['apple', 1000, 'taken']]),
        duel('at equal states U+E000 beats U+10000: text is compared by UTF-16 unit', [['\u{10000}', 1000, 'taken'], ['\ue000', 1000, 'taken'], ['\u{10000}', 1000, 'kept']]),
        duel('at equal states a newline compares as a backslash', [['a[b', 1000, 'taken'], ['a\nb', 1000, 'taken'], ['a[b', 1000, 'kept']]),
        duel('at equal states two links compare as text', [[{ '#': 'b' }, 1000, 'taken'], [{ '#': 'c' }, 1000, 'taken'], [{ '#': 'bz' }, 1000, 'kept']]),
        duel('a state of 0 is a state', [[1, 0, 'taken'], [2, 1, 'taken'], [3, 0, 'kept']]),
        duel('a negative state is a state', [[1, -5, 'taken'], [2, 0, 'taken']]),
        duel('a state may have a fraction', [[1, 1000.125, 'taken'], [2, 1000, 'kept'], [3, 1000.126, 'taken']]),
        duel('states differ by thousandths, as clients send them', [[1, 1795211438951.001, 'taken'], [2, 1795211438951.002, 'taken'], [3, 1795211438951, 'kept']]),
        duel('null is a value like others: it wins with a newer state and loses with an older', [['x', 1000, 'taken'], [null, 1001, 'taken'], ['y', 1000, 'kept']]),
        duel('an empty string is a value', [['', 1000, 'taken'], ['x', 1001, 'taken'], ['', 1002, 'taken']]),
        duel('a value of another type replaces', [[1, 1000, 'taken'], ['1', 1001, 'taken'], [true, 1002, 'taken'], [{ '#': 's' }, 1003, 'taken'], [null, 1004, 'taken']]),

        refusedState('"5"'), refusedState('null'), refusedState('true'), refusedState('{}'), refusedState('[1]'), refusedState('""'),
        refusedState('1e309'), refusedState('-1e309'), refusedState('1e400'),

        printed('1e21', '1e+21'), printed('0.1', '0.1'), printed('-0', '0'), printed('0', '0'), printed('-0.0', '0'),
        printed('12345678901234567890', '12345678901234567000'), printed('9007199254740993', '9007199254740992'),
        printed('1.0', '1'), printed('1e5', '100000'), printed('1E-7', '1e-7'), printed('0.000001', '0.000001'), printed('1e-7', '1e-7'),
        printed('123456789012345680000', '123456789012345680000'), printed('5e-324', '5e-324'),
        printed('1.7976931348623157e308', '1.7976931348623157e+308'), printed('3.0e0', '3'), printed('1e-400', '0'),
        refusedValue('1e309'), refusedValue('-1e309'), refusedValue('1e400'),

        {
            name: 'a state is printed as JavaScript prints it',
            steps: [
                ['A', 'open'],
                ['A', '>', '{"#":"p","put":{"sp":{"_":{"#":"sp",">":{"a":1.0e3,"b":1795211438951.0010}},"a":1,"b":2}}}'],
                ['A', '<', ok('p')],
                ['B', 'open'], ['B', '>', get('g', 'sp')],
                ['B', '<', found('g', { sp: { a: 1, b: 2 } }, { a: 1000, b: 1795211438951.001 })],
                ['do', (c) => {
                    const frame = c.peer('B').frames.find(([way, text]) => way === '<' && text.includes('"@":"g"'))[1];
                    if (!/"a":1000[,}]/.test(frame) || !/"b":1795211438951\.001[,}]/.test(frame)) throw new Error(frame);
                }]],
        },
        {
            name: 'strings come back unit for unit: escapes, controls, astral characters, lone surrogates',
            steps: [
                ['A', 'open'],
                ['A', '>', '{"#":"p","put":{"st":{"_":{"#":"st",">":{"v":1,"w":1,"x":1}},"v":"\\u2028\\/\\"\\\\ \\u0000\\u001f\\u007f","w":"x\\udc00y\\ud800","x":"\\ud83d\\ude00\\t\\b\\f\\n\\r"}}}'],
                ['A', '<', ok('p')], ['B', 'open'], ['B', '>', get('g', 'st')],
                ['B', '<', found('g', { st: { v: '\u2028/"\\ \0\x1f\x7f', w: 'x\udc00y\ud800', x: '\u{1f600}\t\b\f\n\r' } }, 1)],
                ['do', (c) => {
                    const frame = c.peer('B').frames.find(([way, text]) => way === '<' && text.includes('"@":"g"'))[1];
                    for (const piece of ['"\u2028/\\"\\\\ \\u0000\\u001f\x7f"', '"x\\udc00y\\ud800"', '"\u{1f600}\\t\\b\\f\\n\\r"'])
                        if (!frame.includes(piece)) throw new Error(`${JSON.stringify(piece)} is not in ${frame}`);
                }]],
        },
        {
            name: 'names are compared as characters: an escaped name and a plain one are one key',
            steps: [
                ['A', 'open'], ['A', '>', '{"#":"p","put":{"\\u0065s":{"_":{"#":"es",">":{"\\u00e9":5}},"é":"x"}}}'],
                ['A', '<', ok('p')],
                ['A', '>', '{"#":"g","get":{"#":"e\\u0073",".":"\\u00E9"}}'], ['A', '<', found('g', { es: { 'é': 'x' } }, 5)]],
        },
        {
            name: 'unicode souls and keys, and a key that is a lone surrogate, are found again',
            steps: [['A', 'open'],
                ['A', '>', put('p69_', { 'söul😀': { 'ké y😀': 'v' } }, 1), '{"#":"pesc","put":{"hu":{"_":{"#":"hu",">":{"\\u00e9\\ud83d\\ude00":1,"lone\\ud800":1}},"\\u00e9\\ud83d\\ude00":2,"lone\\ud800":"x"}}}'],
                ['A', '<', ok('p69_'), ok('pesc')], ['B', 'open'],
                ['B', '>', get('gu1', 'söul😀'), get('gu2', 'hu', 'é😀'), '{"#":"gu3","get":{"#":"hu",".":"lone\\ud800"}}'],
                ['B', '<', found('gu1', { 'söul😀': { 'ké y😀': 'v' } }, 1), found('gu2', { hu: { 'é😀': 2 } }, 1), found('gu3', { hu: { 'lone\ud800': 'x' } }, 1)]],
        },
        {
            name: 'U+001B in souls and keys is a character like others (13.5; gun.js: stored elsewhere)',
            steps: [
                ['A', 'open'], ['A', '>', put('p', { 's\x1bx': { k: 1 }, hesc: { 'a\x1bb': 2 } }, 1)], ['A', '<', ok('p')],
                ['B', 'open'],
                ['B', '>', get('g1', 's\x1bx'), get('g2', 'hesc'), get('g3', 's'), get('g4', 'hesc', 'a')],
                ['B', '<<', found('g1', { 's\x1bx': { k: 1 } }, 1), found('g2', { hesc: { 'a\x1bb': 2 } }, 1), none('g3'), none('g4')]],
        },
        {
            name: 'NUL in souls, keys and values is a character like others',
            steps: [
                ['A', 'open'], ['A', '>', put('p', { 'z\0x': { 'k\0y': 'v\0w' }, z: { k: 'short' } }, 1)], ['A', '<', ok('p')],
                ['B', 'open'],
                ['B', '>', get('g1', 'z\0x'), get('g2', 'z'), get('g3', 'z\0x', 'k\0y'), get('g4', 'z\0x', 'k')],
                ['B', '<<', found('g1', { 'z\0x': { 'k\0y': 'v\0w' } }, 1), found('g2', { z: { k: 'short' } }, 1), found('g3', { 'z\0x': { 'k\0y': 'v\0w' } }, 1), none('g4')]],
        },
        {
            name: 'the keys "#", ">" and "." are keys like others',
            steps: [['A', 'open'], ['A', '>', put('p', { hk: { '#': 'x', '>': 'y', '.': 'z' } }, 1)], ['A', '<', ok('p')],
                ['A', '>', get('g', 'hk')], ['A', '<', found('g', { hk: { '#': 'x', '>': 'y', '.': 'z' } }, 1)]],
        },
        ...['__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'prototype', 'length', 'small', 'at', 'link', 'match', 'trim', 'put', 'get', 'ok'].map((name) => ({
            name: `${name} is a key and a soul like others (13.13; gun.js: dies of some of them)`,
            steps: [['A', 'open'],
                ['A', '>', `{"#":"p1","put":{"hp":{"_":{"#":"hp",">":{"${name}":1}},"${name}":"evil"}}}`, `{"#":"p2","put":{"${name}":{"_":{"#":"${name}",">":{"a":1}},"a":1}}}`],
                ['A', '<', ok('p1'), ok('p2')], ['B', 'open'],
                ['B', '>', get('g1', 'hp', name), get('g2', name), get('g3', name, 'a'), get('g4', name, 'nokey')],
                ['B', '<<', { '#': '{{?}}', '@': 'g1', put: { hp: { _: { '#': 'hp', '>': { [name]: 1 } }, [name]: 'evil' } } },
                    { '#': '{{?}}', '@': 'g2', put: { [name]: { _: { '#': name, '>': { a: 1 } }, a: 1 } } },
                    { '#': '{{?}}', '@': 'g3', put: { [name]: { _: { '#': name, '>': { a: 1 } }, a: 1 } } }, none('g4')]],
        })),
        {
            name: 'a key of a node that is named like something of Object.prototype, and is not there, is not found (13.18)',
            steps: [['A', 'open'], ['A', '>', put('p', { plain: { a: 1 } }, 1)], ['A', '<', ok('p')],
                ['A', '>', get('q4_', 'plain', 'constructor'), get('q5_', 'plain', '__proto__'), get('q6_', 'plain', 'toString')],
                ['A', '<', none('q4_'), none('q5_'), none('q6_')]],
        },
        {
            name: 'a key and a soul of 5,000 characters are stored',
            steps: [
                ['A', 'open'],
                ['A', '>', put('p72_', { hl: { ['K'.repeat(5000)]: 1 } }, 1), put('p73_', { ['S'.repeat(5000)]: { a: 1 } }, 1)],
                ['A', '<', ok('p72_'), ok('p73_')], ['B', 'open'], ['B', '>', get('g1', 'hl'), get('g2', 'S'.repeat(5000))],
                ['B', '<', found('g1', { hl: { ['K'.repeat(5000)]: 1 } }, 1), found('g2', { ['S'.repeat(5000)]: { a: 1 } }, 1)]],
        },
        {
            name: 'long names that differ in their last character only are different names',
            steps: [['A', 'open'],
                ['A', '>', put('p', { ['T'.repeat(900) + 'a']: { ['L'.repeat(900) + '1']: 'a1', ['L'.repeat(900) + '2']: 'a2' }, ['T'.repeat(900) + 'b']: { ['L'.repeat(900) + '1']: 'b1' } }, 1)],
                ['A', '<', ok('p')],
                ['B', 'open'],
                ['B', '>', get('g1', 'T'.repeat(900) + 'b'), get('g2', 'T'.repeat(900) + 'a', 'L'.repeat(900) + '2'), get('g3', 'T'.repeat(900))],
                ['B', '<<', found('g1', { ['T'.repeat(900) + 'b']: { ['L'.repeat(900) + '1']: 'b1' } }, 1),
                    found('g2', { ['T'.repeat(900) + 'a']: { ['L'.repeat(900) + '2']: 'a2' } }, 1), none('g3')]],
        },
        {
            name: 'a value of 200 KB is stored and passed on',
            steps: [['A', 'open'], ['B', 'open'], ['B', '>', get('bg', 'hb')], ['B', '<', none('bg')],
                ['A', '>', put('p74_', { hb: { big: 'B'.repeat(200_000) } }, 1)], ['A', '<', ok('p74_')],
                ['B', '<', update({ hb: { big: 'B'.repeat(200_000) } }, 1, 'p74_')]],
        },
    ],
};
