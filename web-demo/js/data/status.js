/* status.js - skeleton: final signatures, being filled in. */

/**
 * @returns status
 *   status.now                           the last answer of /status, {} until then
 *   status.samples                       last 60: [{at, peers, writes, bytes, memory, listeners}], writes per second
 *   status.on('sample', () => {})
 *   status.start(), status.stop()        every 2 s
 *   status.writeMode                     '' until known, 'open' 'signed' 'closed'
 */
export function openStatus(data) { throw new Error('being written'); }
