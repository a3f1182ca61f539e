/* part.js - a piece of a file. */

/** Bytes from..to of a file, or as many as there are. */
export const bytesOf = async (file, from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer());
