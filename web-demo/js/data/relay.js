/* relay.js - skeleton: final signatures, being filled in. */

/**
 * @returns relay
 *   relay.online                         boolean: a socket is open
 *   relay.waiting                        how many writes no relay has acknowledged yet
 *   relay.skewMs                         relay's clock minus ours, NaN until known
 *   relay.on('state', () => {})          online or waiting changed
 *   relay.on('refused', ({soul, key, err}) => {})   the relay took a write not (its words)
 *   relay.meta, relay.stream             the two Gun instances: with localStorage, and without for what is large
 *   relay.put(soul, key, value, {cert}) -> Promise<'saved'|'waiting'>; rejects with the relay's words when refused.
 *                                        'waiting': it is kept here, and goes out when the relay is back
 *   relay.putAll(soul, {key: value}, {cert}) -> likewise
 *   relay.watch(soul, node => {}, {stream}) -> off()    the whole node, now and after each change ({} when nothing is known)
 *   relay.read(soul, key, {stream, ms}) -> Promise<value|undefined>      undefined when it is not there or not within ms (5000)
 *   relay.retry()                        try to connect now
 *   relay.close()
 */
export function openRelay(data) { throw new Error('being written'); }
