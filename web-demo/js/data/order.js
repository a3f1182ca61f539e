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

/** A place between two; '' for before all, null for behind all. `chance` gives [0, 1). */
export function between(low, high, chance = Math.random)
{
    let place = '';
    for (let i = 0; ; i++) {
        const least = i < low.length ? digits.indexOf(low[i]) : 0;
        const most = high !== null && i < high.length ? digits.indexOf(high[i]) : digits.length;
        if (most - least > 1) return place + digits[least + 1 + Math.floor(chance() * 0.999 * (most - least - 1))] + tail(chance);
        place += digits[least];
        if (most > least) high = null; /* from here on everything is below */
    }
}

const tail = chance => digits[Math.floor(chance() * 62)] + digits[1 + Math.floor(chance() * 61)];

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
