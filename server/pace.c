/* pace.c - see pace.h. */
#include "server/pace.h"

pace pace_new(const pace_rule *rule, int64_t now_ms)
{
    return (pace){ .level = rule->burst, .at_ms = now_ms };
}

static void fill(pace *b, const pace_rule *rule, int64_t now_ms)
{
    if (now_ms <= b->at_ms) return;
    b->level += rule->rate * (double)(now_ms - b->at_ms) / 1000;
    if (b->level > rule->burst) b->level = rule->burst;
    b->at_ms = now_ms;
}

void pace_take(pace *b, const pace_rule *rule, double amount, int64_t now_ms)
{
    if (rule->rate <= 0) return;
    fill(b, rule, now_ms);
    b->level -= amount;
}

bool pace_open(pace *b, const pace_rule *rule, int64_t now_ms)
{
    if (rule->rate <= 0) return true;
    fill(b, rule, now_ms);
    return b->level >= 0;
}

bool pace_full(pace *b, const pace_rule *rule, int64_t now_ms)
{
    if (rule->rate <= 0) return true;
    fill(b, rule, now_ms);
    return b->level >= rule->burst;
}
