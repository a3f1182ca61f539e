/* quota.h - how much one uploader may have here.
 *
 * The bytes of each piece of audio are charged to somebody (radisk/space.h): the key that
 * pins it, else the one that signed a link to it, else the address that uploaded it. With
 * --limit uploader-bytes=N nobody may have more than N: an address that has them may not
 * bring more chunks, a key may not sign a link (or a pin) to audio that would make it
 * more; and once the manifest of a root is here, only chunks that it names may be put
 * there, for whoever answers for them did not ask for others. What is here already stays. Whoever shows a token has no bound, nor have loopback
 * and trusted proxies, which are nobody in particular.
 *
 * What is counted is what is folded, a second or so ago: who is fast gets so much more.
 */
#ifndef SERVER_QUOTA_H
#define SERVER_QUOTA_H

#include "server/server.h"

/* What relay_uploads asks. */
relay_uploads quota_uploads(server *s);

/* The same for who uploads by HTTP: whether so many bytes of text more are too many for
 * this person (NULL: nobody in particular), and that a row of this soul was taken. */
bool quota_is_over(server *s, const gate_person *person, uint64_t bytes);
void quota_note(server *s, const gate_person *person, slice soul);

/* Now and then: when the bytes of content hashes are near their quota, or the store near
 * its size, collects what may go without waiting for the hour. */
void quota_tick(server *s);

#endif
