/* held_curve.c - preloaded into a server: no verdict about a signature until the test
 * allows it.
 *
 *   BRASA_GATE=FILE LD_PRELOAD=.../held_curve.so brasa serve ...
 *
 * Every verification waits until the file is there. So a test can look at what the
 * server does while a verdict is out, and needs no clock to know that it is. A gate
 * that a failing test leaves closed opens by itself, for the server has to end.
 */
#include <dlfcn.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 2, PATIENCE_MS = 60000 };

typedef int verify_call(EVP_PKEY_CTX *, const unsigned char *, size_t, const unsigned char *,
                        size_t);

static void wait_for_gate(void)
{
    const char *gate = getenv("BRASA_GATE");
    const struct timespec pause = { 0, LOOK_MS * 1000000 };

    if (gate == NULL) return;
    for (int waited = 0; waited < PATIENCE_MS && access(gate, F_OK) != 0; waited += LOOK_MS)
        nanosleep(&pause, NULL);
}

int EVP_PKEY_verify(EVP_PKEY_CTX *ctx, const unsigned char *signature, size_t signature_len,
                    const unsigned char *digest, size_t digest_len)
{
    void *found = dlsym(RTLD_NEXT, "EVP_PKEY_verify");
    verify_call *real;

    wait_for_gate();
    memcpy(&real, &found, sizeof real); /* C has no cast from an object to a function */
    return real(ctx, signature, signature_len, digest, digest_len);
}
