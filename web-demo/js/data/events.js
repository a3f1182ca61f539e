/* events.js - what happens, told to whoever wants to know.
 *
 * Smaller than EventTarget, and the same in Node and in pages. A listener that
 * throws is reported and hurts nobody else.
 */

/** @returns {{on(name: string, listener: Function): () => void, emit(name: string, ...what: any[]): void}} */
export function emitter()
{
    const listeners = new Map();
    return {
        on(name, listener)
        {
            if (!listeners.has(name)) listeners.set(name, new Set());
            listeners.get(name).add(listener);
            return () => listeners.get(name).delete(listener);
        },
        emit(name, ...what)
        {
            for (const listener of [...listeners.get(name) ?? []]) {
                try {
                    listener(...what);
                } catch (error) {
                    console.error(error);
                }
            }
        },
    };
}

/** Calls `work` once, `ms` after the first of many calls: a node of 5,000 keys
 * arrives as many changes and is drawn once. */
export function gather(work, ms = 30)
{
    let timer = null;
    const run = () => { timer = null; work(); };
    const call = () => { timer ??= setTimeout(run, ms); };
    call.stop = () => { clearTimeout(timer); timer = null; };
    return call;
}
