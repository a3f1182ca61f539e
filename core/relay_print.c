/* relay_print.c - see relay_print.h. */
#include "core/relay_print.h"

void print_state(text *states, slice key, double state)
{
    if (states->len > 0) text_add_char(states, ',');
    json_print_name(states, key);
    text_add_char(states, ':');
    text_add_number(states, state);
}

void print_value(text *values, slice key, slice value)
{
    json_print_name(values, key);
    text_add_char(values, ':');
    text_add(values, value);
}

allowance allowance_of(const relay *r, const ask *a)
{
    bool lexical = a->has_range || a->limit > 0;

    return (allowance){ a->limit, 0, lexical ? r->limits.lex_keys_max : UINT32_MAX };
}

bool allowance_spent(const allowance *left)
{
    return left->keys_left == 0 || (left->units_max > 0 && left->units >= left->units_max);
}

bool allowance_take(allowance *left, slice value)
{
    if (allowance_spent(left)) return false;
    /* Weighing counts units; it is done only where somebody limits them. */
    if (left->units_max > 0) left->units += (double)value_weight(value);
    --left->keys_left;
    return true;
}
