// Asking for rows that will be multiplied soon: they may lie anywhere, which the processor can't foresee.
//
// Blocks ask for one line of each row at a step of their own: asked for all at once, the lines would keep each other and the
// block's own loads waiting (measured: a scan took 2.1 ms with the requests in a burst, 1.5 ms with them spread).
#ifndef INFLUENCED_PREFETCH_H
#define INFLUENCED_PREFETCH_H

#include <stddef.h>

// How many rows ahead: what a core multiplies in the time that memory takes to answer.
enum { rows_ahead = 12, cache_line = 64 };

// The rows that a block of `wanted` rows should ask for, where `there` can be read from `rows` on; its own, at no cost, near the end.
static inline const void *const *rows_to_fetch(const void *const *rows, size_t there, size_t wanted) {
    return rows_ahead + wanted <= there ? rows + rows_ahead : rows;
}

#endif
