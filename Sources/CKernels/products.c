#include "half.h"
#include "kernels.h"
#include "prefetch.h"
#include "unit.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Sums may be contracted to fused multiply-adds, but never reordered.
#pragma STDC FP_CONTRACT ON

// The sums of a block stay in registers only if every loop over them is gone.
#define UNROLLED _Pragma("clang loop unroll(full)")

#define KERNELS "products.inc"

#define TARGET
#define LANES 4
#define ROWS 2
#define COLUMNS 2
#define UNIT baseline
#include "formats.inc"

#if defined(__x86_64__)

#define TARGET TARGET_AVX2
#define LANES 8
#define ROWS 2
#define COLUMNS 2
#define HALVES(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p)))
#define UNIT avx2
#include "formats.inc"

#define TARGET TARGET_AVX512
#define LANES 16
#define ROWS 4
#define COLUMNS 4
#define HALVES(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p)))
#define UNIT avx512
#include "formats.inc"

#endif

typedef void project_function(const void *const *, size_t, size_t, size_t, const float *, size_t, float *);
typedef void score_function(const void *const *, size_t, size_t, size_t, const float *, size_t, const float *, float *);
typedef void accumulate_function(const void *const *, size_t, size_t, const float *, size_t, float, const float *, float *);
typedef void widen_function(const void *, float *, size_t);

static struct {
    project_function *project[influenced_formats];
    score_function *score[influenced_formats];
    accumulate_function *accumulate[influenced_formats];
    widen_function *widen[influenced_formats];
} chosen;

#define CHOOSE_FORMAT(UNIT, FORMAT)                                             \
    chosen.project[influenced_##FORMAT] = project_##UNIT##_##FORMAT;            \
    chosen.score[influenced_##FORMAT] = score_##UNIT##_##FORMAT;                \
    chosen.accumulate[influenced_##FORMAT] = accumulate_##UNIT##_##FORMAT;      \
    chosen.widen[influenced_##FORMAT] = widen_##UNIT##_##FORMAT

#define CHOOSE(UNIT)           \
    CHOOSE_FORMAT(UNIT, u8);   \
    CHOOSE_FORMAT(UNIT, f16);  \
    CHOOSE_FORMAT(UNIT, f32)

DEFINE_CHOICE(products)

void influenced_project(enum influenced_format format, const void *const *rows, size_t count, size_t ahead, size_t width,
                        const float *weights, size_t vectors, float *out) {
    chosen.project[format](rows, count, ahead, width, weights, vectors, out);
}

void influenced_score(enum influenced_format format, const void *const *rows, size_t count, size_t ahead, size_t width,
                      const float *weights, size_t vectors, const float *coefficients, float *out) {
    chosen.score[format](rows, count, ahead, width, weights, vectors, coefficients, out);
}

void influenced_accumulate(enum influenced_format format, const void *const *rows, size_t count, size_t width,
                           const float *coefficients, size_t vectors, float beta, const float *addend, float *out) {
    chosen.accumulate[format](rows, count, width, coefficients, vectors, beta, addend, out);
}

void influenced_widen(enum influenced_format format, const void *source, float *destination, size_t count) {
    chosen.widen[format](source, destination, count);
}

void influenced_prefetch(const void *const *rows, size_t count, size_t bytes) {
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < bytes; i += cache_line) __builtin_prefetch((const char *)rows[r] + i, 0, 3);
}
