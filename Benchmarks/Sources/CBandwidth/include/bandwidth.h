#ifndef INFLUENCED_BANDWIDTH_H
#define INFLUENCED_BANDWIDTH_H

#include <stddef.h>
#include <stdint.h>

// The sum of `count` words: reads every byte once and does next to nothing else.
uint64_t influenced_sum(const uint64_t *words, size_t count);

#endif
