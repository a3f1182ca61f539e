/* test_writers.c - the promises of server/writers.h, and of the options that name
 * who may write. */
#include "server/writers.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>
// clang-format on

#define ANN                                                                                        \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"
#define BOB                                                                                        \
    "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAU"

/* Its last character has bits that no key uses. */
#define MISSPELLED                                                                                 \
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"

static char folder[] = "/tmp/brasa-writers-XXXXXX";

static char *write_file(char path[64], const char *name, const char *lines, mode_t mode)
{
    FILE *to;

    snprintf(path, 64, "%s/%s", folder, name);
    to = fopen(path, "w");
    assert_non_null(to);
    fputs(lines, to);
    assert_int_equal(fclose(to), 0);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

/* `serve` and what follows, up to a NULL. */
static options_wish read_line(options *o, char why[OPTIONS_WHY_MAX], char *const *rest)
{
    char *words[32] = { "brasa", "serve" };
    int count = 2;

    while (*rest) words[count++] = *rest++;
    why[0] = 0;
    return options_read(o, count, words, NULL, why);
}

#define READ(o, why, ...) read_line((o), (why), (char *const[]){ __VA_ARGS__, NULL })

#define assert_wrong(says, ...)                                                                    \
    do {                                                                                           \
        options o_;                                                                                \
        char why_[OPTIONS_WHY_MAX];                                                                \
        assert_int_equal(READ(&o_, why_, __VA_ARGS__), OPTIONS_WRONG);                             \
        if (!strstr(why_, says)) fail_msg("\"%s\" lacks \"%s\"", why_, says);                      \
    } while (0)

static void serve_and_read(options *o, writers *a, char *const *rest)
{
    char why[OPTIONS_WHY_MAX];

    if (read_line(o, why, rest) != OPTIONS_SERVE) fail_msg("%s", why);
    assert_true(writers_read(a, o, why));
}

#define SERVE(o, a, ...) serve_and_read((o), (a), (char *const[]){ __VA_ARGS__, NULL })

static void assert_word(slice got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.at, want, got.len);
}

static void without_a_mode_everything_is_open(void **state)
{
    options o;
    writers a;

    (void)state;
    SERVE(&o, &a, "--data", "d");
    assert_int_equal(o.write, GUARD_OPEN);
    assert_int_equal(o.hash_bytes, 0);
    assert_int_equal(a.keys.count + a.tokens.count, 0);
    writers_free(&a);
}

static void a_mode_is_one_of_three(void **state)
{
    options o;
    writers a;

    (void)state;
    SERVE(&o, &a, "--write", "open");
    assert_int_equal(o.write, GUARD_OPEN);
    writers_free(&a);
    SERVE(&o, &a, "--write=signed");
    assert_int_equal(o.write, GUARD_SIGNED);
    writers_free(&a);
    SERVE(&o, &a, "--write", "closed", "--allow", ANN);
    assert_int_equal(o.write, GUARD_CLOSED);
    writers_free(&a);
    assert_wrong("--write: \"shut\" is none of open, signed and closed", "--write", "shut");
    assert_wrong("--write", "--write", "");
}

static void hash_souls_are_bounded_in_signed_mode_unless_somebody_says_otherwise(void **state)
{
    options o;
    writers a;

    (void)state;
    SERVE(&o, &a, "--write", "signed");
    assert_int_equal(o.hash_bytes, (size_t)8 << 30);
    writers_free(&a);
    SERVE(&o, &a, "--limit", "hash-bytes=0", "--write", "signed");
    assert_int_equal(o.hash_bytes, 0);
    writers_free(&a);
    SERVE(&o, &a, "--limit", "hash_bytes=5M");
    assert_int_equal(o.hash_bytes, 5 << 20);
    writers_free(&a);
}

static void keys_come_from_words_and_files(void **state)
{
    char path[64];
    options o;
    writers a;

    (void)state;
    write_file(path, "keys",
               "# who may write\n\n  " ANN "\t# Ann\r\n" BOB "#Bob\n#" MISSPELLED "\n" ANN, 0644);
    SERVE(&o, &a, "--write", "closed", "--allow", BOB, "--allow", path);
    assert_int_equal(a.keys.count, 4);
    assert_word(a.keys.at[0], BOB);
    assert_word(a.keys.at[1], ANN);
    assert_word(a.keys.at[2], BOB);
    assert_word(a.keys.at[3], ANN);
    writers_free(&a);
}

static void a_long_list_of_keys_is_read(void **state)
{
    enum { LINES = 5000 };
    char path[64];
    options o;
    writers a;
    FILE *to;

    (void)state;
    to = fopen(write_file(path, "many", "", 0644), "w");
    assert_non_null(to);
    for (int i = 0; i < LINES; i++) fputs(i % 2 ? ANN "\n" : BOB "\n", to);
    assert_int_equal(fclose(to), 0);
    SERVE(&o, &a, "--allow", path);
    assert_int_equal(a.keys.count, LINES);
    assert_word(a.keys.at[LINES - 1], ANN);
    writers_free(&a);
}

static void what_is_no_key_is_refused_with_a_sentence(void **state)
{
    char path[64], line[80];

    (void)state;
    assert_wrong("is no public key and no file that can be read (No such file", "--allow",
                 MISSPELLED);
    assert_wrong("43 characters, a dot and 43 characters", "--allow", "ann");
    assert_wrong("Is a directory", "--allow", folder);
    write_file(path, "wrong", ANN "\n\n" MISSPELLED " # Ann\n", 0644);
    snprintf(line, sizeof line,
             "%s, line 3: \""
             "AAAA",
             path);
    assert_wrong(line, "--allow", path);
    write_file(path, "soul", "~" ANN "\n", 0644);
    assert_wrong("line 1: \"~AAAA", "--allow", path);
}

static void closed_mode_wants_somebody_who_may_write(void **state)
{
    char path[64];
    options o;
    writers a;

    (void)state;
    write_file(path, "nobody", "# nobody yet\n", 0644);
    assert_wrong("nobody could write anything", "--write", "closed");
    assert_wrong("nobody could write anything", "--write", "closed", "--allow", path);
    SERVE(&o, &a, "--write", "closed", "--write-token", "open-sesame");
    writers_free(&a);
}

/* It would be empty when the server reads it, after the options. */
static void a_pipe_is_no_file_of_keys_or_tokens(void **state)
{
    static const char *const said[] = { ANN "\n", "first-token\n" };
    int pipes[2][2];
    char at[2][64];

    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(pipes[i]), 0);
        assert_int_equal(write(pipes[i][1], said[i], strlen(said[i])), (int)strlen(said[i]));
        assert_int_equal(close(pipes[i][1]), 0);
        snprintf(at[i], sizeof at[i], "%s/dev/fd/%d", i == 0 ? "" : "@", pipes[i][0]);
    }
    assert_wrong("is a pipe", "--write", "closed", "--allow", at[0]);
    assert_wrong("is a pipe", "--write", "closed", "--write-token", at[1]);
    for (int i = 0; i < 2; i++) assert_int_equal(close(pipes[i][0]), 0);
}

static void tokens_come_from_words_and_files(void **state)
{
    char path[64], at[80];
    options o;
    writers a;

    (void)state;
    write_file(path, "tokens", "first-token\n\n  second#token \r\n", 0600);
    snprintf(at, sizeof at, "@%s", path);
    SERVE(&o, &a, "--write-token", at);
    assert_int_equal(a.tokens.count, 2);
    assert_word(a.tokens.at[0], "first-token");
    assert_word(a.tokens.at[1], "second#token");
    assert_false(a.token_in_words);
    assert_false(a.token_readable);
    writers_free(&a);
    assert_int_equal(chmod(path, 0644), 0);
    SERVE(&o, &a, "--write-token", at, "--write-token", "12345678");
    assert_int_equal(a.tokens.count, 3);
    assert_word(a.tokens.at[2], "12345678");
    assert_true(a.token_in_words);
    assert_true(a.token_readable);
    writers_free(&a);
}

static void what_is_no_token_is_refused_and_not_repeated(void **state)
{
    static char *const none[] = { "1234567",
                                  "12345678 ",
                                  "1234;5678",
                                  "1234,5678",
                                  "\"12345678\"",
                                  "1234\\5678",
                                  "12345\x7F"
                                  "678",
                                  "gr\xC3\xBC\xC3\x9F"
                                  "e-euch" };
    char path[64], at[80], longest[258], why[OPTIONS_WHY_MAX];
    options o;
    writers a;

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        assert_int_equal(READ(&o, why, "--write-token", none[i]), OPTIONS_WRONG);
        assert_non_null(strstr(why, "a token has 8 to 256 visible characters"));
        assert_null(strstr(why, none[i]));
    }
    memset(longest, 'x', sizeof longest);
    longest[257] = 0;
    assert_wrong("8 to 256", "--write-token", longest);
    longest[256] = 0;
    SERVE(&o, &a, "--write-token", longest);
    writers_free(&a);

    assert_wrong("No such file", "--write-token", "@/nowhere/at/all");
    write_file(path, "empty", "\n \n", 0600);
    snprintf(at, sizeof at, "@%s", path);
    assert_wrong("holds no token", "--write-token", at);
    write_file(path, "short", "long-enough\nshort\n", 0600);
    snprintf(at, sizeof at, "@%s", path);
    assert_int_equal(READ(&o, why, "--write-token", at), OPTIONS_WRONG);
    assert_null(strstr(why, "long-enough"));
}

static void more_than_fit_are_refused(void **state)
{
    char *words[2 + 2 * (OPTIONS_LIST_MAX + 1)] = { "brasa", "serve" };
    char why[OPTIONS_WHY_MAX];
    options o;
    int count = 2;

    (void)state;
    for (int i = 0; i <= OPTIONS_LIST_MAX; i++) {
        words[count++] = "--allow";
        words[count++] = ANN;
    }
    assert_int_equal(options_read(&o, count - 2, words, NULL, why), OPTIONS_SERVE);
    assert_int_equal(options_read(&o, count, words, NULL, why), OPTIONS_WRONG);
    assert_non_null(strstr(why, "a file holds any number"));
    for (int i = 2; i < count; i += 2) {
        words[i] = "--write-token";
        words[i + 1] = "12345678";
    }
    assert_int_equal(options_read(&o, count - 2, words, NULL, why), OPTIONS_SERVE);
    assert_int_equal(options_read(&o, count, words, NULL, why), OPTIONS_WRONG);
    assert_non_null(strstr(why, "a file holds any number"));
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int drop_folder(void **state)
{
    static const char *const names[] = { "keys",   "many",   "wrong", "soul",
                                         "nobody", "tokens", "empty", "short" };
    char path[64];

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_mode_everything_is_open),
        cmocka_unit_test(a_mode_is_one_of_three),
        cmocka_unit_test(hash_souls_are_bounded_in_signed_mode_unless_somebody_says_otherwise),
        cmocka_unit_test(keys_come_from_words_and_files),
        cmocka_unit_test(a_long_list_of_keys_is_read),
        cmocka_unit_test(what_is_no_key_is_refused_with_a_sentence),
        cmocka_unit_test(closed_mode_wants_somebody_who_may_write),
        cmocka_unit_test(a_pipe_is_no_file_of_keys_or_tokens),
        cmocka_unit_test(tokens_come_from_words_and_files),
        cmocka_unit_test(what_is_no_token_is_refused_and_not_repeated),
        cmocka_unit_test(more_than_fit_are_refused),
    };

    return cmocka_run_group_tests_name("writers", tests, make_folder, drop_folder);
}
