/* order.js - places in a list that several people sort at once.
 *
 * Each item has a place, a text of digits and letters that is compared unit by unit, like
 * a fraction: between two places there is always another. Moving an item gives that item
 * a new place and touches no other, so two people who move two items both have their way,
 * and two who move one item get the later place, the same for both. Equal places (two
 * inserts into one gap have them once in some thousand times) are ordered by the item's id.
 */
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
export const placeMax = 60;

/** Whether a text is a place. The last digit is never the least, so that there is room before it. */
export const isPlace = value => typeof value === 'string' && value.length <= 200 && /^[0-9A-Za-z]*[1-9A-Za-z]$/.test(value);

export const compare = (a, b) => (a.place < b.place ? -1 : a.place > b.place ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0);

const tail = chance => digits[Math.floor(chance() * 62)] + digits[1 + Math.floor(chance() * 61)];

/* Lists mostly grow at an end, where halving what is left would make each place longer than
 * the one before. There the first five digits are counted on, by steps that leave room. */
const headDigits = 5, headMax = 62 ** headDigits, step = 4000;

function headOf(place)
{
    let number = 0;
    for (let i = 0; i < headDigits; i++) number = number * 62 + (i < place.length ? digits.indexOf(place[i]) : 0);
    return number;
}

function fromHead(number, chance)
{
    let head = '';
    for (let i = 0; i < headDigits; i++, number = Math.floor(number / 62)) head = digits[number % 62] + head;
    return head + tail(chance);
}

function outside(low, high, chance)
{
    if (low === '' && high === null) return fromHead(headMax / 2, chance);
    const by = 1 + Math.floor(chance() * step);
    const head = high === null ? headOf(low) + by : headOf(high) - by;
    return head > 0 && head < headMax ? fromHead(head, chance) : '';
}

/** A place between two; '' for before all, null for behind all. `chance` gives [0, 1). */
export function between(low, high, chance = Math.random)
{
    const found = low === '' || high === null ? outside(low, high, chance) : '';
    if (found) return found;
    let place = '';
    for (let i = 0; ; i++) {
        const least = i < low.length ? digits.indexOf(low[i]) : 0;
        const most = high !== null && i < high.length ? digits.indexOf(high[i]) : digits.length;
        if (most - least > 1) return place + digits[least + 1 + Math.floor(chance() * (most - least - 1))] + tail(chance);
        place += digits[least];
        if (most > least) high = null; /* from here on everything is below */
    }
}

/** `count` places in order between two. */
export function spread(low, high, count, chance = Math.random)
{
    const places = [];
    for (let i = 0; i < count; i++) {
        low = between(low, high, chance);
        places.push(low);
    }
    return places;
}
