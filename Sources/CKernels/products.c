#include "kernels.h"
#include "prefetch.h"
#include "unit.h"

// Sums may be contracted to fused multiply-adds, but never reordered.
#pragma STDC FP_CONTRACT ON

// The sums of a block stay in registers only if every loop over them is gone.
#define UNROLLED _Pragma("clang loop unroll(full)")

#define TARGET
#define LANES 4
#define ROWS 2
#define COLUMNS 2
#define SUFFIX baseline_u8
#define ELEMENT uint8_t
#include "products.inc"
#define SUFFIX baseline_f32
#define ELEMENT float
#include "products.inc"
#undef TARGET
#undef LANES
#undef ROWS
#undef COLUMNS

#if defined(__x86_64__)

#define TARGET TARGET_AVX2
#define LANES 8
#define ROWS 2
#define COLUMNS 2
#define SUFFIX avx2_u8
#define ELEMENT uint8_t
#include "products.inc"
#define SUFFIX avx2_f32
#define ELEMENT float
#include "products.inc"
#undef TARGET
#undef LANES
#undef ROWS
#undef COLUMNS

#define TARGET TARGET_AVX512
#define LANES 16
#define ROWS 4
#define COLUMNS 4
#define SUFFIX avx512_u8
#define ELEMENT uint8_t
#include "products.inc"
#define SUFFIX avx512_f32
#define ELEMENT float
#include "products.inc"
#undef TARGET
#undef LANES
#undef ROWS
#undef COLUMNS

#endif

typedef void project_function(const void *const *, size_t, size_t, size_t, const float *, size_t, float *);
typedef void score_function(const void *const *, size_t, size_t, size_t, const float *, size_t, const float *, float *);
typedef void accumulate_function(const void *const *, size_t, size_t, const float *, size_t, float, const float *, float *);

static struct {
    project_function *project_u8, *project_f32;
    score_function *score_u8, *score_f32;
    accumulate_function *accumulate_u8, *accumulate_f32;
} chosen;

#define CHOOSE(UNIT)                                 \
    chosen.project_u8 = project_##UNIT##_u8;         \
    chosen.project_f32 = project_##UNIT##_f32;       \
    chosen.score_u8 = score_##UNIT##_u8;             \
    chosen.score_f32 = score_##UNIT##_f32;           \
    chosen.accumulate_u8 = accumulate_##UNIT##_u8;   \
    chosen.accumulate_f32 = accumulate_##UNIT##_f32

DEFINE_CHOICE(products)

void influenced_project_u8(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, float *out) {
    chosen.project_u8(rows, count, ahead, width, weights, vectors, out);
}

void influenced_project_f32(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, float *out) {
    chosen.project_f32(rows, count, ahead, width, weights, vectors, out);
}

void influenced_score_u8(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, const float *coefficients, float *out) {
    chosen.score_u8(rows, count, ahead, width, weights, vectors, coefficients, out);
}

void influenced_score_f32(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, const float *coefficients, float *out) {
    chosen.score_f32(rows, count, ahead, width, weights, vectors, coefficients, out);
}

void influenced_accumulate_u8(const void *const *rows, size_t count, size_t width, const float *coefficients, size_t vectors,
                              float beta, const float *addend, float *out) {
    chosen.accumulate_u8(rows, count, width, coefficients, vectors, beta, addend, out);
}

void influenced_accumulate_f32(const void *const *rows, size_t count, size_t width, const float *coefficients, size_t vectors,
                               float beta, const float *addend, float *out) {
    chosen.accumulate_f32(rows, count, width, coefficients, vectors, beta, addend, out);
}

void influenced_widen(const uint8_t *source, float *destination, size_t count) {
    for (size_t i = 0; i < count; i++) destination[i] = source[i];
}

void influenced_prefetch(const void *const *rows, size_t count, size_t bytes) {
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < bytes; i += cache_line) __builtin_prefetch((const char *)rows[r] + i, 0, 3);
}
