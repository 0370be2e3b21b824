// Asking for rows that will be multiplied soon: they may lie anywhere, which the processor can't foresee.
#ifndef INFLUENCED_PREFETCH_H
#define INFLUENCED_PREFETCH_H

#include <stddef.h>

// How many rows ahead: what a core multiplies in the time that memory takes to answer.
enum { rows_ahead = 8, cache_line = 64 };

// Asks for `wanted` rows that stand `rows_ahead` behind `rows`, of which `there` can be read.
static inline void prefetch_ahead(const void *const *rows, size_t there, size_t wanted, size_t offset, size_t bytes) {
    for (size_t r = rows_ahead; r < rows_ahead + wanted && r < there; r++)
        for (size_t i = 0; i < bytes; i += cache_line) __builtin_prefetch((const char *)rows[r] + offset + i, 0, 3);
}

#endif
