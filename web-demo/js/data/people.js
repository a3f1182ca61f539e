/* people.js - skeleton: final signatures, being filled in. */

/**
 * @returns people
 *   people.me                            null, or {pub, epub, alias}
 *   people.on('me', me => {})            signed in, signed out
 *   people.on('names', () => {})         a name became known
 *   people.signUp(alias, password, {remember}) -> Promise<me>   rejects with an Error whose message can be shown
 *   people.signIn(alias, password, {remember}) -> Promise<me>
 *   people.signOut()
 *   people.recall() -> Promise<me|null>  at the start of a page
 *   people.name(pub) -> string           what is known now ('' until then; it is asked for, and 'names' follows)
 *   people.short(pub) -> string          'a3Fx…9k' tells apart who bear the same name
 *   people.find(alias) -> Promise<[{pub, epub, alias}]>   all who bear the name
 *   people.all                           Set of pubs that have shown themselves on this relay
 *   people.on('people', () => {})
 */
export function openPeople(data) { throw new Error('being written'); }
