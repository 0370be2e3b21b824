#include "kernels.h"

#if defined(__x86_64__)
#define EVERY_VECTOR_UNIT __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EVERY_VECTOR_UNIT
#endif

enum { cache_line = 64, rows_ahead = 6 };

EVERY_VECTOR_UNIT
void influenced_widen(const uint8_t *restrict source, float *restrict destination, size_t count) {
    for (size_t i = 0; i < count; i++) destination[i] = (float)source[i];
}

EVERY_VECTOR_UNIT
void influenced_gather(const uint8_t *restrict rows, size_t width, const uint32_t *restrict indices, size_t count,
                       float *restrict destination) {
    for (size_t row = 0; row < count; row++) {
        if (row + rows_ahead < count) {
            const uint8_t *next = rows + (size_t)indices[row + rows_ahead] * width;
            for (size_t i = 0; i < width; i += cache_line) __builtin_prefetch(next + i, 0, 1);
        }
        const uint8_t *source = rows + (size_t)indices[row] * width;
        float *target = destination + row * width;
        for (size_t i = 0; i < width; i++) target[i] = (float)source[i];
    }
}
