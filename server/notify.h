/* notify.h - a word to the service manager that started us, if one did.
 *
 * The protocol of systemd's Type=notify is a datagram to the socket that
 * NOTIFY_SOCKET names; a library for that would be more than this file.
 */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

void notify_manager(const char *word);

#endif
