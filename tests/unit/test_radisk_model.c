/* test_radisk_model.c - random merges, reads, purges, folds, crashes and restarts
 * under a seed, against a model that is too dumb to be wrong, and against the plain
 * store in memory. RADISK_SEEDS sets how many, RADISK_SEED runs one again.
 */
#include "tests/unit/model.h"

enum { SEEDS = 60, STEPS = 300 };

static void one_step(model *m)
{
    switch (model_chance(m, 40)) {
    case 0:
        model_purge(m);
        break;
    case 1:
        model_settle(m);
        break;
    case 2:
        if (model_chance(m, 3) == 0) model_reopen(m);
        break;
    case 3:
        if (model_chance(m, 2) == 0) model_crash(m);
        break;
    case 4:
        if (model_chance(m, 2) == 0) model_view(m);
        break;
    case 5:
        model_follow(m);
        break;
    case 6:
        assert_int_equal(radisk_fold(m->kit->store), STATUS_OK);
        break;
    case 7:
    case 8:
        model_due(m);
        break;
    case 9:
    case 10:
    case 11:
        model_souls(m);
        break;
    case 12:
    case 13:
    case 14:
    case 15:
        model_scan(m);
        break;
    case 16:
    case 17:
    case 18:
        model_look(m);
        break;
    case 19:
    case 20:
    case 21:
    case 22:
    case 23:
    case 24:
        model_work(m);
        break;
    default:
        model_merge(m);
        break;
    }
}

static void run_seed(uint64_t seed)
{
    static model m;

    model_open(&m, seed, (treatment)(seed % 3));
    for (int i = 0; i < STEPS; i++) one_step(&m);
    model_reopen(&m);
    for (int i = 0; i < 20; i++) {
        model_scan(&m);
        model_souls(&m);
    }
    model_due(&m);
    model_view(&m);
    model_close(&m);
}

/* The seed that failed is still here. */
static int print_seed(void **state)
{
    const int *seed = *state;

    if (*seed != 0) print_error("again with RADISK_SEED=%d\n", *seed);
    return 0;
}

static int number_of(const char *name, int otherwise)
{
    const char *value = getenv(name);

    return value == NULL ? otherwise : atoi(value);
}

static void the_store_is_what_the_model_is(void **state)
{
    int first = number_of("RADISK_SEED", 1);
    int last = number_of("RADISK_SEED", number_of("RADISK_SEEDS", SEEDS));
    int *seed = *state;

    for (*seed = first; *seed <= last; ++*seed) run_seed((uint64_t)*seed);
    *seed = 0;
}

int main(void)
{
    int seed = 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate_setup_teardown(the_store_is_what_the_model_is, NULL, print_seed,
                                                 &seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
