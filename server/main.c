/* main.c - the command line, and nothing else. */
#include "server/loop.h"
#include "server/server.h"
#include "server/tools.h"

#include <sodium.h>
#include <stdlib.h>

int main(int count, char **words)
{
    char why[OPTIONS_WHY_MAX] = "";
    options o;

    if (sodium_init() < 0) {
        fputs("brasa: no source of random numbers\n", stderr);
        return 1;
    }
    if (count > 1 && tools_know(words[1])) return tools_run(count - 1, words + 1);
    switch (options_read(&o, count, words, getenv("PORT"), why)) {
    case OPTIONS_SERVE:
        return server_run(&o);
    case OPTIONS_HELP:
        options_help(stdout);
        return 0;
    case OPTIONS_VERSION:
        puts("brasa " BRASA_VERSION);
        return 0;
    case OPTIONS_WRONG:
        break;
    }
    fprintf(stderr, "brasa: %s\n", why);
    return 2;
}
