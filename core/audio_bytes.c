/* audio_bytes.c - see audio.h: where bytes stand, and which are asked for. */
#include "core/audio.h"

#include <stdint.h>

/* --- sizes --- */

uint32_t audio_plain_bytes(const audio_manifest *m, uint32_t index)
{
    uint64_t before = (uint64_t)index * m->span;

    return m->bytes - before < m->span ? (uint32_t)(m->bytes - before) : m->span;
}

uint32_t audio_stored_bytes(const audio_manifest *m, uint32_t index)
{
    return audio_plain_bytes(m, index) + (m->chunk - m->span);
}

uint64_t audio_stored_total(const audio_manifest *m)
{
    return m->bytes + (uint64_t)m->count * (m->chunk - m->span);
}

audio_place audio_place_of(const audio_manifest *m, uint64_t byte)
{
    return (audio_place){ (uint32_t)(byte / m->chunk), (uint32_t)(byte % m->chunk) };
}

/* --- ranges --- */

static void skip_space(slice *from)
{
    while (from->len > 0 && (from->at[0] == ' ' || from->at[0] == '\t'))
        *from = (slice){ from->at + 1, from->len - 1 };
}

/* A number that may be absent; what does not fit counts as more than there is. */
static bool take_number(slice *from, uint64_t *out)
{
    size_t digits = 0;

    *out = 0;
    for (; digits < from->len && from->at[digits] >= '0' && from->at[digits] <= '9'; ++digits) {
        uint64_t digit = (uint64_t)(from->at[digits] - '0');

        *out = *out > (UINT64_MAX - digit) / 10 ? UINT64_MAX : *out * 10 + digit;
    }
    *from = (slice){ from->at + digits, from->len - digits };
    return digits > 0;
}

static bool takes(slice *from, char c)
{
    if (from->len == 0 || from->at[0] != c) return false;
    *from = (slice){ from->at + 1, from->len - 1 };
    return true;
}

/* The unit, whose name knows no case. */
static bool takes_bytes(slice *from)
{
    static const char unit[] = "bytes";

    if (from->len < sizeof unit) return false;
    for (size_t i = 0; i + 1 < sizeof unit; ++i)
        if ((from->at[i] | 0x20) != unit[i]) return false;
    *from = (slice){ from->at + sizeof unit - 1, from->len - (sizeof unit - 1) };
    skip_space(from);
    return takes(from, '=');
}

static audio_range_kind suffix(uint64_t wanted, uint64_t bytes, audio_range *out)
{
    if (wanted == 0 || bytes == 0) return AUDIO_RANGE_NONE;
    *out = (audio_range){ wanted >= bytes ? 0 : bytes - wanted, bytes - 1 };
    return AUDIO_RANGE_PART;
}

audio_range_kind audio_range_read(slice header, uint64_t bytes, audio_range *out)
{
    uint64_t first, last;
    bool has_first, has_last;

    *out = (audio_range){ 0, bytes > 0 ? bytes - 1 : 0 };
    skip_space(&header);
    if (!takes_bytes(&header)) return AUDIO_RANGE_WHOLE;
    skip_space(&header);
    has_first = take_number(&header, &first);
    if (!takes(&header, '-')) return AUDIO_RANGE_WHOLE;
    has_last = take_number(&header, &last);
    skip_space(&header);
    if (header.len > 0 || (!has_first && !has_last) || (has_first && has_last && last < first))
        return AUDIO_RANGE_WHOLE;
    if (!has_first) return suffix(last, bytes, out);
    if (first >= bytes) return AUDIO_RANGE_NONE;
    *out = (audio_range){ first, has_last && last < bytes ? last : bytes - 1 };
    return AUDIO_RANGE_PART;
}

/* --- types --- */

static bool is_type_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$&-^_.+", c) != NULL);
}

bool audio_type_is_safe(slice mime)
{
    static const slice whole[] = { { "video/mp4", 9 },   { "video/webm", 10 }, { "image/png", 9 },
                                   { "image/jpeg", 10 }, { "image/webp", 10 }, { "image/gif", 9 } };
    slice audio = SLICE("audio/");

    for (size_t i = 0; i < sizeof whole / sizeof *whole; ++i)
        if (slice_equal(mime, whole[i])) return true;
    if (!slice_begins(mime, audio) || mime.len == audio.len || mime.len > AUDIO_TYPE_MAX)
        return false;
    for (size_t i = audio.len; i < mime.len; ++i)
        if (!is_type_character(mime.at[i])) return false;
    return true;
}
