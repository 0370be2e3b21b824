// Distances and products of rows and a few vectors in double precision, for where single precision can't tell which is larger.

#include "half.h"
#include "kernels.h"
#include "prefetch.h"
#include "unit.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Every unit, and every processor, rounds alike.
#pragma STDC FP_CONTRACT OFF

// The sums of a block stay in registers only if every loop over them is gone.
#define UNROLLED _Pragma("clang loop unroll(full)")

// A row's terms are summed in so many sums, in turn.
enum { SUMS = 8 };

#define KERNELS "comparison.inc"

#define TARGET
#define LANES 2
#define ROWS 1
#define VECTORS 2
#define UNIT baseline
#include "formats.inc"

#if defined(__x86_64__)

#define TARGET TARGET_AVX2
#define LANES 4
#define ROWS 2
#define VECTORS 2
#define HALVES(p) _mm_cvtph_ps(_mm_loadl_epi64((const __m128i *)(p)))
#define UNIT avx2
#include "formats.inc"

#define TARGET TARGET_AVX512
#define LANES 8
#define ROWS 4
#define VECTORS 4
#define HALVES(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p)))
#define UNIT avx512
#include "formats.inc"

#endif

typedef void compare_function(enum influenced_comparison, const void *const *, size_t, size_t, size_t, float, const double *,
                              size_t, double *);

static compare_function *chosen[influenced_formats];

#define CHOOSE(UNIT)                                        \
    chosen[influenced_u8] = compare_##UNIT##_u8;            \
    chosen[influenced_f16] = compare_##UNIT##_f16;          \
    chosen[influenced_f32] = compare_##UNIT##_f32

DEFINE_CHOICE(comparison)

void influenced_compare(enum influenced_format format, enum influenced_comparison comparison, const void *const *rows,
                        size_t count, size_t ahead, size_t width, float multiplier, const double *vectors,
                        size_t vector_count, double *out) {
    chosen[format](comparison, rows, count, ahead, width, multiplier, vectors, vector_count, out);
}
