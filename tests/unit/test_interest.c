/* test_interest.c - who hears of what, what makes room for what, and what a
 * writer finds when it comes back. */
#include "core/interest.h"
#include "tests/unit/failing.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
// clang-format on

static const slice whole = { NULL, 0 };

static interest_options roomy(void)
{
    return (interest_options){
        .secret = { 7 },
        .rows_max = 100000,
        .rows_per_holder_max = 100000,
        .keepsakes_max = 100,
        .keepsake_rows_max = 1000,
        .keepsake_rows_total = 10000,
        .keepsake_ms = 1000,
    };
}

static interest *make(interest_options options)
{
    interest *t;

    assert_int_equal(interest_new(&t, &options), STATUS_OK);
    return t;
}

static unsigned add(interest *t, interest_holder *h, slice soul, slice key, unsigned flags)
{
    unsigned before = 99;

    assert_int_equal(interest_add(t, h, soul, key, flags, &before), STATUS_OK);
    return before;
}

static uint64_t rows(const interest *t)
{
    interest_counts counts;

    interest_count(t, &counts);
    return counts.rows;
}

static void assert_empty(const interest *t)
{
    interest_counts counts;

    interest_count(t, &counts);
    assert_int_equal(counts.rows, 0);
    assert_int_equal(counts.souls, 0);
    assert_int_equal(counts.keepsakes, 0);
    assert_int_equal(counts.keepsake_rows, 0);
}

typedef struct audience {
    interest_holder *who[64];
    unsigned flags[64];
    size_t count, most;
} audience;

static bool note(void *visitor, interest_holder *holder, unsigned flags)
{
    audience *a = visitor;

    a->who[a->count] = holder;
    a->flags[a->count++] = flags;
    return a->most == 0 || a->count < a->most;
}

static audience each(const interest *t, slice soul, slice key)
{
    audience a = { .count = 0 };

    interest_each(t, soul, key, note, &a);
    return a;
}

static audience near(const interest *t, slice soul, slice key)
{
    audience a = { .count = 0 };

    interest_each_near(t, soul, key, note, &a);
    return a;
}

static void a_change_reaches_those_who_want_exactly_its_soul_or_key(void **state)
{
    (void)state;
    interest *t = make(roomy());
    interest_holder a = { 0 }, b = { 0 }, c = { 0 };

    assert_int_equal(add(t, &a, SLICE("s"), whole, INTEREST_WANTS), 0);
    assert_int_equal(add(t, &b, SLICE("s"), SLICE("k"), INTEREST_WANTS), 0);
    assert_int_equal(add(t, &c, SLICE("s"), SLICE("other"), INTEREST_WANTS), 0);

    audience heard = each(t, SLICE("s"), whole);
    assert_int_equal(heard.count, 1);
    assert_ptr_equal(heard.who[0], &a);
    heard = each(t, SLICE("s"), SLICE("k"));
    assert_int_equal(heard.count, 1);
    assert_ptr_equal(heard.who[0], &b);
    assert_int_equal(each(t, SLICE("sk"), whole).count, 0);
    assert_int_equal(each(t, SLICE("k"), SLICE("s")).count, 0);
    interest_free(t);
}

static void flags_gather_in_one_row_and_the_row_goes_with_the_last(void **state)
{
    (void)state;
    interest *t = make(roomy());
    interest_holder a = { 0 };

    assert_int_equal(add(t, &a, SLICE("s"), whole, INTEREST_ASKED), 0);
    assert_int_equal(each(t, SLICE("s"), whole).count, 0);
    assert_int_equal(add(t, &a, SLICE("s"), whole, INTEREST_WANTS), INTEREST_ASKED);
    assert_int_equal(each(t, SLICE("s"), whole).count, 1);
    assert_int_equal(rows(t), 1);
    assert_int_equal(interest_flags(t, &a, SLICE("s"), whole), INTEREST_ASKED | INTEREST_WANTS);

    interest_clear(t, &a, SLICE("s"), whole, INTEREST_ASKED);
    assert_int_equal(interest_flags(t, &a, SLICE("s"), whole), INTEREST_WANTS);
    interest_clear(t, &a, SLICE("s"), SLICE("no such key"), INTEREST_WANTS);
    interest_clear(t, &a, SLICE("s"), whole, INTEREST_WANTS | INTEREST_WROTE);
    assert_int_equal(interest_flags(t, &a, SLICE("s"), whole), 0);
    assert_int_equal(a.rows, 0);
    assert_empty(t);
    interest_free(t);
}

static void a_visitor_may_stop(void **state)
{
    (void)state;
    interest *t = make(roomy());
    interest_holder h[5] = { 0 };
    audience heard = { .most = 2 };

    for (int i = 0; i < 5; i++) add(t, &h[i], SLICE("s"), whole, INTEREST_WANTS);
    interest_each(t, SLICE("s"), whole, note, &heard);
    assert_int_equal(heard.count, 2);
    interest_free(t);
}

static void the_longest_untouched_row_of_a_holder_makes_room(void **state)
{
    (void)state;
    interest_options options = roomy();
    options.rows_per_holder_max = 3;
    interest *t = make(options);
    interest_holder a = { 0 }, b = { 0 };
    interest_counts counts;

    add(t, &b, SLICE("1"), whole, INTEREST_WANTS);
    add(t, &a, SLICE("1"), whole, INTEREST_WANTS);
    add(t, &a, SLICE("2"), SLICE("k"), INTEREST_WANTS);
    add(t, &a, SLICE("3"), whole, INTEREST_WANTS);
    add(t, &a, SLICE("1"), whole, INTEREST_WANTS); /* touched: "2" is the oldest now */
    add(t, &a, SLICE("4"), whole, INTEREST_WANTS);

    assert_int_equal(a.rows, 3);
    assert_int_equal(interest_flags(t, &a, SLICE("2"), SLICE("k")), 0);
    assert_int_not_equal(interest_flags(t, &a, SLICE("1"), whole), 0);
    assert_int_not_equal(interest_flags(t, &b, SLICE("1"), whole), 0);
    interest_count(t, &counts);
    assert_int_equal(counts.dropped, 1);
    assert_int_equal(counts.rows, 4);
    assert_int_equal(counts.souls, 3); /* "2" left with its row */
    interest_free(t);
}

static void few_rows_on_huge_names_are_bounded_in_bytes_and_leave_no_keepsake(void **state)
{
    enum { NAME = 60000 };
    interest *t = make(roomy());
    interest_holder h = { 0 };
    char *name = malloc(NAME);

    (void)state;
    memset(name, 'n', NAME);
    for (int i = 0; i < 1000; i++) {
        memcpy(name, &i, sizeof i);
        add(t, &h, (slice){ name, NAME }, SLICE("k"), INTEREST_WANTS | INTEREST_WROTE);
    }
    assert_true(interest_bytes(t) < INTEREST_LONG_BYTES_MAX * 5 / 4);
    assert_int_equal(h.rows, INTEREST_LONG_BYTES_MAX / NAME);
    assert_true(interest_flags(t, &h, (slice){ name, NAME }, SLICE("k")) != 0); /* the newest */
    interest_keep(t, &h, SLICE("pid"), 0);
    interest_sweep(t, 2000);
    assert_empty(t);
    free(name);
    interest_free(t);
}

static void a_debt_is_the_last_to_make_room(void **state)
{
    (void)state;
    interest_options options = roomy();
    options.rows_per_holder_max = 2;
    interest *t = make(options);
    interest_holder a = { 0 };

    add(t, &a, SLICE("owed"), whole, INTEREST_OWED);
    add(t, &a, SLICE("1"), whole, INTEREST_WANTS);
    add(t, &a, SLICE("2"), whole, INTEREST_WANTS);
    assert_int_equal(interest_flags(t, &a, SLICE("owed"), whole), INTEREST_OWED);
    assert_int_equal(interest_flags(t, &a, SLICE("1"), whole), 0);

    add(t, &a, SLICE("owed too"), whole, INTEREST_OWED);
    add(t, &a, SLICE("owed last"), whole, INTEREST_OWED);
    assert_int_equal(interest_flags(t, &a, SLICE("owed"), whole), 0);
    assert_int_equal(a.rows, 2);
    interest_free(t);
}

static void when_all_is_full_only_own_rows_make_room(void **state)
{
    (void)state;
    interest_options options = roomy();
    options.rows_max = 4;
    interest *t = make(options);
    interest_holder a = { 0 }, b = { 0 };
    unsigned before;

    add(t, &a, SLICE("1"), whole, INTEREST_WANTS);
    add(t, &a, SLICE("2"), whole, INTEREST_WANTS);
    add(t, &a, SLICE("3"), whole, INTEREST_WANTS);
    add(t, &a, SLICE("4"), whole, INTEREST_WANTS);
    assert_int_equal(interest_add(t, &b, SLICE("5"), whole, INTEREST_WANTS, &before),
                     STATUS_TOO_BIG);
    assert_int_equal(b.rows, 0);
    add(t, &a, SLICE("5"), whole, INTEREST_WANTS);
    assert_int_equal(a.rows, 4);
    assert_int_equal(interest_flags(t, &a, SLICE("1"), whole), 0);
    assert_int_equal(rows(t), 4);
    interest_free(t);
}

static void debts_are_paid_in_the_order_they_were_made(void **state)
{
    (void)state;
    interest *t = make(roomy());
    interest_holder a = { 0 }, b = { 0 };
    slice soul;

    add(t, &a, SLICE("1"), whole, INTEREST_WANTS | INTEREST_OWED);
    add(t, &b, SLICE("1"), whole, INTEREST_OWED);
    add(t, &a, SLICE("2"), whole, INTEREST_WANTS);
    add(t, &a, SLICE("3"), whole, INTEREST_OWED);
    add(t, &a, SLICE("2"), whole, INTEREST_OWED);
    add(t, &a, SLICE("1"), whole, INTEREST_WANTS); /* a touch does not lose the place */
    interest_clear(t, &a, SLICE("3"), whole, INTEREST_OWED);

    assert_true(interest_next_owed(t, &a, &soul));
    assert_true(slice_equal(soul, SLICE("1")));
    assert_int_equal(interest_flags(t, &a, soul, whole), INTEREST_WANTS | INTEREST_ASKED);
    assert_true(interest_next_owed(t, &a, &soul));
    assert_true(slice_equal(soul, SLICE("2")));
    assert_false(interest_next_owed(t, &a, &soul));
    assert_true(interest_next_owed(t, &b, &soul));
    interest_free(t);
}

static void a_miss_finds_everybody_who_had_to_do_with_the_soul_once(void **state)
{
    (void)state;
    interest *t = make(roomy());
    interest_holder a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };

    add(t, &a, SLICE("s"), whole, INTEREST_ASKED);
    add(t, &a, SLICE("s"), SLICE("k"), INTEREST_WANTS);
    add(t, &b, SLICE("s"), SLICE("k"), INTEREST_WROTE);
    add(t, &c, SLICE("s"), SLICE("x"), INTEREST_WANTS);
    add(t, &d, SLICE("other"), SLICE("k"), INTEREST_WANTS);

    audience found = near(t, SLICE("s"), SLICE("k"));
    assert_int_equal(found.count, 2);
    assert_ptr_equal(found.who[0], &a);
    assert_ptr_equal(found.who[1], &b);
    assert_int_equal(near(t, SLICE("s"), whole).count, 1);
    assert_int_equal(near(t, SLICE("none"), SLICE("k")).count, 0);
    interest_free(t);
}

static void a_writer_is_subscribed_again_when_its_pid_is_back(void **state)
{
    (void)state;
    interest *t = make(roomy());
    interest_holder a = { 0 }, again = { 0 };
    slice soul;

    add(t, &a, SLICE("s"), SLICE("k"), INTEREST_WANTS | INTEREST_WROTE);
    add(t, &a, SLICE("s"), SLICE("l"), INTEREST_WROTE);
    add(t, &a, SLICE("only read"), whole, INTEREST_WANTS);
    interest_keep(t, &a, SLICE("pid"), 1000);
    assert_int_equal(a.rows, 0);
    assert_int_equal(rows(t), 0);
    assert_int_equal(each(t, SLICE("s"), SLICE("k")).count, 0);

    assert_int_equal(interest_return(t, &again, SLICE("stranger"), 1500), 0);
    assert_int_equal(interest_return(t, &again, SLICE("pid"), 2000), 2);
    assert_int_equal(interest_flags(t, &again, SLICE("s"), SLICE("k")),
                     INTEREST_WANTS | INTEREST_WROTE);
    assert_int_equal(each(t, SLICE("s"), SLICE("l")).count, 1);
    assert_int_equal(interest_flags(t, &again, SLICE("only read"), whole), 0);
    assert_true(interest_next_owed(t, &again, &soul));
    assert_true(slice_equal(soul, SLICE("s")));
    assert_false(interest_next_owed(t, &again, &soul));
    assert_int_equal(interest_return(t, &again, SLICE("pid"), 2000), 0);
    interest_leave(t, &again);
    assert_empty(t);
    interest_free(t);
}

static void a_soul_asked_already_is_not_owed_again(void **state)
{
    (void)state;
    interest *t = make(roomy());
    interest_holder a = { 0 }, again = { 0 };
    slice soul;

    add(t, &a, SLICE("s"), SLICE("k"), INTEREST_WROTE);
    interest_keep(t, &a, SLICE("pid"), 0);
    add(t, &again, SLICE("s"), whole, INTEREST_ASKED);
    assert_int_equal(interest_return(t, &again, SLICE("pid"), 0), 1);
    assert_false(interest_next_owed(t, &again, &soul));
    interest_free(t);
}

static void a_writer_that_hears_of_the_whole_soul_does_so_again(void **state)
{
    (void)state;
    interest *t = make(roomy());
    interest_holder a = { 0 };
    slice soul;

    add(t, &a, SLICE("s"), whole, INTEREST_WANTS | INTEREST_ASKED);
    add(t, &a, SLICE("s"), whole, INTEREST_WROTE);
    add(t, &a, SLICE("t"), whole, INTEREST_WANTS | INTEREST_OWED | INTEREST_WROTE);
    interest_keep(t, &a, SLICE("pid"), 0);
    assert_int_equal(interest_return(t, &a, SLICE("pid"), 0), 2);
    assert_int_equal(interest_flags(t, &a, SLICE("s"), whole),
                     INTEREST_WANTS | INTEREST_WROTE | INTEREST_OWED);
    assert_int_equal(each(t, SLICE("t"), whole).count, 1);
    assert_true(interest_next_owed(t, &a, &soul));
    assert_true(interest_next_owed(t, &a, &soul));
    interest_free(t);
}

static void keepsakes_end_and_make_room_for_newer_ones(void **state)
{
    (void)state;
    interest_options options = roomy();
    options.keepsakes_max = 2;
    options.keepsake_rows_max = 3;
    options.keepsake_rows_total = 5;
    interest *t = make(options);
    interest_holder h = { 0 };
    interest_counts counts;
    char key[2] = "0";

    for (int i = 0; i < 5; i++) {
        key[0] = (char)('0' + i);
        add(t, &h, SLICE("s"), (slice){ key, 1 }, INTEREST_WROTE);
    }
    interest_keep(t, &h, SLICE("p1"), 100);
    interest_count(t, &counts);
    assert_int_equal(counts.keepsake_rows, 3); /* the newest three */
    assert_int_equal(interest_return(t, &h, SLICE("p1"), 100), 3);
    assert_int_equal(interest_flags(t, &h, SLICE("s"), SLICE("1")), 0);
    assert_int_not_equal(interest_flags(t, &h, SLICE("s"), SLICE("2")), 0);
    interest_keep(t, &h, SLICE("p1"), 100);

    add(t, &h, SLICE("s"), SLICE("x"), INTEREST_WROTE);
    interest_keep(t, &h, SLICE("p2"), 200);
    interest_count(t, &counts);
    assert_int_equal(counts.keepsakes, 2);
    add(t, &h, SLICE("s"), SLICE("y"), INTEREST_WROTE);
    interest_keep(t, &h, SLICE("p3"), 300); /* a third pid: the first goes */
    assert_int_equal(interest_return(t, &h, SLICE("p1"), 300), 0);

    interest_sweep(t, 1200); /* p2 ends after 1200, p3 after 1300 */
    interest_count(t, &counts);
    assert_int_equal(counts.keepsakes, 2);
    interest_sweep(t, 1201);
    interest_count(t, &counts);
    assert_int_equal(counts.keepsakes, 1);
    assert_int_equal(interest_return(t, &h, SLICE("p3"), 1301), 0);
    assert_empty(t);
    interest_free(t);
}

static void a_writer_inherits_from_its_connection_that_is_not_known_to_be_dead(void **state)
{
    (void)state;
    interest *t = make(roomy());
    interest_holder old = { 0 }, new = { 0 };
    slice soul;

    assert_int_equal(interest_return(t, &old, SLICE("pid"), 0), 0);
    add(t, &old, SLICE("s"), SLICE("k"), INTEREST_WANTS | INTEREST_WROTE);
    add(t, &old, SLICE("read"), whole, INTEREST_WANTS);
    assert_int_equal(interest_return(t, &new, SLICE("pid"), 0), 1);
    assert_int_equal(each(t, SLICE("s"), SLICE("k")).count, 2);
    assert_int_equal(each(t, SLICE("read"), whole).count, 1);
    assert_true(interest_next_owed(t, &new, &soul));
    assert_true(slice_equal(soul, SLICE("s")));

    interest_keep(t, &old, SLICE("pid"), 0);
    assert_int_equal(each(t, SLICE("s"), SLICE("k")).count, 1);
    interest_leave(t, &new);
    assert_int_equal(interest_return(t, &old, SLICE("pid"), 0), 1);
    interest_leave(t, &old);
    assert_empty(t);
    interest_free(t);
}

static void two_connections_of_one_pid_leave_one_keepsake(void **state)
{
    (void)state;
    interest *t = make(roomy());
    interest_holder a = { 0 }, b = { 0 };
    interest_counts counts;

    add(t, &a, SLICE("s"), SLICE("1"), INTEREST_WROTE);
    add(t, &b, SLICE("s"), SLICE("2"), INTEREST_WROTE);
    interest_keep(t, &a, SLICE("pid"), 0);
    interest_keep(t, &b, SLICE("pid"), 10);
    interest_count(t, &counts);
    assert_int_equal(counts.keepsakes, 1);
    assert_int_equal(interest_return(t, &a, SLICE("pid"), 20), 2);
    interest_free(t);
}

/* Everything against tables a child would write. */
enum { HOLDERS = 6, SOULS = 8, KEYS = 5 };

typedef struct model {
    unsigned flags[HOLDERS][SOULS][KEYS];
} model;

static slice name_of(char *into, char kind, int i)
{
    return (slice){ into, (size_t)sprintf(into, "%c%d", kind, i) };
}

static uint32_t roll(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(*seed >> 33) % n;
}

static void compare(const interest *t, interest_holder *h, const model *m)
{
    char a[16], b[16];
    uint64_t count = 0;

    for (int s = 0; s < SOULS; s++) {
        for (int k = 0; k < KEYS; k++) {
            slice soul = name_of(a, 's', s), key = k ? name_of(b, 'k', k) : whole;
            size_t wants = 0;

            for (int i = 0; i < HOLDERS; i++) {
                assert_int_equal(interest_flags(t, &h[i], soul, key), m->flags[i][s][k]);
                wants += (m->flags[i][s][k] & INTEREST_WANTS) != 0;
                count += m->flags[i][s][k] != 0;
            }
            assert_int_equal(each(t, soul, key).count, wants);
        }
    }
    assert_int_equal(rows(t), count);
}

static void any_sequence_of_calls_agrees_with_a_plain_table(void **state)
{
    (void)state;
    uint64_t seed = 1;
    interest *t = make(roomy());
    interest_holder h[HOLDERS] = { 0 };
    model m = { 0 };
    char a[16], b[16];

    for (int step = 0; step < 20000; step++) {
        uint32_t i = roll(&seed, HOLDERS), s = roll(&seed, SOULS), k = roll(&seed, KEYS);
        unsigned flags = 1 + roll(&seed, 15);
        slice soul = name_of(a, 's', (int)s), key = k ? name_of(b, 'k', (int)k) : whole;

        uint32_t what = roll(&seed, 40);
        if (what == 0) {
            interest_leave(t, &h[i]);
            memset(m.flags[i], 0, sizeof m.flags[i]);
            assert_int_equal(h[i].rows, 0);
        } else if (what <= 15) {
            interest_clear(t, &h[i], soul, key, flags);
            m.flags[i][s][k] &= ~flags;
        } else {
            assert_int_equal(add(t, &h[i], soul, key, flags), m.flags[i][s][k]);
            m.flags[i][s][k] |= flags;
        }
        if (step % 100 == 0) compare(t, h, &m);
    }
    for (int i = 0; i < HOLDERS; i++) interest_leave(t, &h[i]);
    assert_empty(t);
    interest_free(t);
}

static void many_rows_are_found_again_and_all_go(void **state)
{
    (void)state;
    interest_options options = roomy();
    options.rows_max = options.rows_per_holder_max = 1000000;
    interest *t = make(options);
    interest_holder a = { 0 };
    char name[16];
    size_t empty = interest_bytes(t);

    for (int i = 0; i < 100000; i++)
        add(t, &a, name_of(name, 's', i % 1000), name_of(name + 8, 'k', i), INTEREST_WANTS);
    assert_int_equal(rows(t), 100000);
    assert_true(interest_bytes(t) < (size_t)100000 * 110);
    for (int i = 0; i < 100000; i += 7)
        assert_int_equal(each(t, name_of(name, 's', i % 1000), name_of(name + 8, 'k', i)).count, 1);
    interest_leave(t, &a);
    assert_empty(t);
    assert_true(interest_bytes(t) < empty + 200000);
    interest_free(t);
}

static void a_failed_allocation_changes_nothing(void **state)
{
    (void)state;
    bool through = false;

    for (long n = 1; !through; n++) {
        interest *t = make(roomy());
        interest_holder a = { 0 };

        failing_at(n);
        status result = interest_add(t, &a, SLICE("s"), SLICE("k"), INTEREST_WANTS, NULL);
        through = !failing_happened();
        failing_at(0);
        assert_int_equal(result, through ? STATUS_OK : STATUS_NO_MEMORY);
        if (!through) assert_empty(t);
        assert_int_equal(add(t, &a, SLICE("s"), SLICE("k"), INTEREST_WANTS), through ? 1 : 0);
        interest_free(t);
    }
}

static void a_keepsake_that_finds_no_memory_is_forgotten_whole(void **state)
{
    (void)state;
    bool through = false;

    for (long n = 1; !through; n++) {
        interest *t = make(roomy());
        interest_holder a = { 0 };

        add(t, &a, SLICE("s"), SLICE("k"), INTEREST_WROTE);
        failing_at(n);
        interest_keep(t, &a, SLICE("pid"), 0);
        through = !failing_happened();
        failing_at(0);
        assert_int_equal(rows(t), 0);
        if (!through) assert_empty(t);

        failing_at(n);
        size_t back = interest_return(t, &a, SLICE("pid"), 0);
        failing_at(0);
        assert_true(back <= 1);
        interest_leave(t, &a);
        assert_empty(t);
        interest_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_reaches_those_who_want_exactly_its_soul_or_key),
        cmocka_unit_test(flags_gather_in_one_row_and_the_row_goes_with_the_last),
        cmocka_unit_test(a_visitor_may_stop),
        cmocka_unit_test(the_longest_untouched_row_of_a_holder_makes_room),
        cmocka_unit_test(few_rows_on_huge_names_are_bounded_in_bytes_and_leave_no_keepsake),
        cmocka_unit_test(a_debt_is_the_last_to_make_room),
        cmocka_unit_test(when_all_is_full_only_own_rows_make_room),
        cmocka_unit_test(debts_are_paid_in_the_order_they_were_made),
        cmocka_unit_test(a_miss_finds_everybody_who_had_to_do_with_the_soul_once),
        cmocka_unit_test(a_writer_is_subscribed_again_when_its_pid_is_back),
        cmocka_unit_test(a_soul_asked_already_is_not_owed_again),
        cmocka_unit_test(a_writer_that_hears_of_the_whole_soul_does_so_again),
        cmocka_unit_test(keepsakes_end_and_make_room_for_newer_ones),
        cmocka_unit_test(a_writer_inherits_from_its_connection_that_is_not_known_to_be_dead),
        cmocka_unit_test(two_connections_of_one_pid_leave_one_keepsake),
        cmocka_unit_test(any_sequence_of_calls_agrees_with_a_plain_table),
        cmocka_unit_test(many_rows_are_found_again_and_all_go),
        cmocka_unit_test(a_failed_allocation_changes_nothing),
        cmocka_unit_test(a_keepsake_that_finds_no_memory_is_forgotten_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
