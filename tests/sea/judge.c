/* judge.c - asks brasa's rules about writes, for Node to compare with sea.js.
 *
 * A line on stdin is {"soul":...,"key":...,"value":...,"state":...}; a line on
 * stdout answers it: {"good":true} or {"good":false,"err":"..."}. A write by
 * certificate has "certified":true and, if it ends, "expires" besides; a good one
 * has "says", what the signed value says, when that is something a value can be.
 */
#include "core/number.h"
#include "core/sea.h"
#include "core/value.h"
#include "server/crypto.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const json_bounds BOUNDS = { .depth_max = 16, .tokens_max = 1u << 20 };

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "judge: %s\n", what);
    exit(2);
}

static uint32_t member(const json *j, slice name)
{
    uint32_t at = json_member(j, 0, name);

    must(at != 0, "a line lacks soul, key, value or state");
    return at;
}

static void add_number(text *out, double x)
{
    char digits[NUMBER_TEXT_MAX];

    text_add(out, (slice){ digits, number_print(digits, x) });
}

static void answer(text *out, arena *a, const sea_finding *found, slice value)
{
    slice says;

    text_add(out, SLICE("{\"good\":"));
    text_add(out, sea_is_good(found) ? SLICE("true") : SLICE("false"));
    if (!sea_is_good(found)) {
        text_add(out, SLICE(",\"err\":"));
        json_print_name(out, found->why);
    } else if (sea_unpack(value, a, &says) == STATUS_OK) {
        text_add(out, SLICE(",\"says\":"));
        text_add(out, says);
    }
    if (found->certified) text_add(out, SLICE(",\"certified\":true"));
    if (found->certified && isfinite(found->expires)) {
        text_add(out, SLICE(",\"expires\":"));
        add_number(out, found->expires);
    }
    text_add(out, SLICE("}\n"));
}

static void judge(text *out, arena *a, const sea_crypto *with, slice line)
{
    slice soul, key, value;
    sea_finding found;
    double state;
    json j;

    must(json_read(&j, a, line, &BOUNDS) == STATUS_OK, "a line is no JSON");
    must(json_name(&j, a, member(&j, SLICE("soul")), &soul) == STATUS_OK, "no such soul");
    must(json_name(&j, a, member(&j, SLICE("key")), &key) == STATUS_OK, "no such key");
    must(value_read(&j, a, member(&j, SLICE("value")), &value) == STATUS_OK, "no such value");
    must(number_read(json_raw(&j, member(&j, SLICE("state"))), &state), "no such state");
    must(sea_judge(with, a, soul, key, value, state, &found) == STATUS_OK, "no verdict");
    answer(out, a, &found, value);
}

int main(void)
{
    arena a = arena_make(256u << 20);
    const crypto_limits limits = crypto_default_limits();
    const uint8_t secret[CRYPTO_SECRET_BYTES] = { 0 };
    crypto *keys = NULL;
    text out = { 0 };
    char *line = NULL;
    size_t room = 0;
    ssize_t len;

    setvbuf(stdout, NULL, _IOLBF, 0); /* who asks waits for each line */
    must(crypto_new(&keys, &limits, secret) == STATUS_OK, "no crypto");
    while ((len = getline(&line, &room, stdin)) > 0) {
        text_reset(&out, SIZE_MAX);
        judge(&out, &a, crypto_table(keys), (slice){ line, (size_t)len });
        must(text_ok(&out) && fwrite(out.at, 1, out.len, stdout) == out.len, "cannot write");
        arena_reset(&a, 1 << 20);
    }
    free(line);
    text_free(&out);
    arena_free(&a);
    crypto_free(keys);
    return 0;
}
