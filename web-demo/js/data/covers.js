/* covers.js - skeleton: final signatures, being filled in. */

/**
 * @returns covers
 *   covers.put(dataUrl) -> Promise<hex>        under 50,000 characters, png jpeg webp gif; rejects else
 *   covers.get(hex) -> Promise<dataUrl|''>     '' when there is none, or what is there is no picture
 */
export function openCovers(data) { throw new Error('being written'); }
