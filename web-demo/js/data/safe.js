/* safe.js - reading what strangers wrote.
 *
 * Every value of the graph passes through here before anything else looks at it:
 * whatever came, what goes out has the type and the size that its name says.
 * Nothing here throws.
 */

/* Line ends and other controls become a space; what turns the direction of the text around it goes:
 * a title needs none, and would turn the words beside it. */
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, turns = /[\u202a-\u202e\u2066-\u2069]/g;

/** A text of at most `max` units without control characters; '' for what is none. */
export function text(value, max = 200)
{
    if (typeof value !== 'string') return '';
    const cut = value.slice(0, max * 2).replace(turns, '').replace(controls, ' ').trim().slice(0, max);
    return cut.isWellFormed?.() === false ? cut.toWellFormed() : cut;
}

/** A finite number between min and max, else `otherwise`. */
export function number(value, min, max, otherwise = 0)
{
    return typeof value === 'number' && value >= min && value <= max ? value : otherwise;
}

/** The soul a link names, or ''. */
export function link(value)
{
    const soul = value !== null && typeof value === 'object' ? value['#'] : undefined;
    return typeof soul === 'string' && soul.length <= 500 ? soul : '';
}

/** An object from JSON text, or from nothing: always an object. */
export function record(value, max = 4000)
{
    if (typeof value !== 'string' || value.length > max) {
        return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};
    }
    try {
        const parsed = JSON.parse(value);
        return parsed !== null && typeof parsed === 'object' && !Array.isArray(parsed) ? parsed : {};
    } catch {
        return {};
    }
}

/** A picture of one of four kinds under 50,000 characters, else ''. SVG is a document, and not one of them. */
export function picture(value)
{
    if (typeof value !== 'string' || value.length >= 50_000) return '';
    return /^data:image\/(png|jpeg|webp|gif);base64,[A-Za-z0-9+/]+={0,2}$/.test(value) ? value : '';
}

/** 64 digits of lower-case hexadecimal, or ''. */
export const hex64 = value => (typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : '');

/** A hash in base64 with its padding, or ''. */
export const hash44 = value => (typeof value === 'string' && /^[A-Za-z0-9+/]{43}=$/.test(value) ? value : '');

/** A media type that <audio> may be given, without parameters; or ''. */
export const audioType = value => (typeof value === 'string' && /^(audio\/[a-z0-9.+-]{1,60}|video\/(mp4|webm))$/.test(value) ? value : '');

const key = '[A-Za-z0-9_-]{43}\\.[A-Za-z0-9_-]{43}';
const keyAlone = new RegExp(`^${key}$`);
const soulForm = new RegExp(`^~(${key})/(tracks|playlists)/([A-Za-z0-9_-]{1,32})$`);

/** A public key of a user, or ''. */
export const pub = value => (typeof value === 'string' && keyAlone.test(value) ? value : '');

/** {pub, kind, id} of a soul of the forms that this page makes, or null. */
export function soul(value)
{
    const found = typeof value === 'string' && value.length < 200 ? soulForm.exec(value) : null;
    return found && { pub: found[1], kind: found[2], id: found[3] };
}
