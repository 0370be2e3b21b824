// The loops that must run on whatever vector unit the processor has. Swift compiles for one baseline (SSE2 on x86-64);
// these are compiled for several and chosen when the program loads. Measured: widening bytes took half of a LiSSA step before.
#ifndef INFLUENCED_KERNELS_H
#define INFLUENCED_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// destination[i] = source[i], for `count` bytes.
void influenced_widen(const uint8_t *source, float *destination, size_t count);

// The same for rows of `width` bytes named by index; the next rows are fetched while one is widened.
void influenced_gather(const uint8_t *rows, size_t width, const uint32_t *indices, size_t count, float *destination);

#endif
