// Elementary functions, many at a time.

#include "kernels.h"
#include "unit.h"

#include <math.h>
#include <string.h>

// Products may be contracted to fused multiply-adds, but never reordered.
#pragma STDC FP_CONTRACT ON

#define SUFFIX baseline
#define TARGET
#define LANES 2
#include "elementary.inc"

#if defined(__x86_64__)

#define SUFFIX avx2
#define TARGET TARGET_AVX2
#define LANES 4
#include "elementary.inc"

#define SUFFIX avx512
#define TARGET TARGET_AVX512
#define LANES 8
#include "elementary.inc"

#endif

typedef void elementwise_function(enum influenced_function, float, float, const float *, size_t, float *, float *, float *);
typedef void softmax_function(const float *, size_t, size_t, float *, double *);

static struct {
    elementwise_function *elementwise;
    softmax_function *softmax_rows;
} chosen;

#define CHOOSE(UNIT)                          \
    chosen.elementwise = elementwise_##UNIT;  \
    chosen.softmax_rows = softmax_rows_##UNIT

DEFINE_CHOICE(elementary)

void influenced_elementwise(enum influenced_function function, float a, float b, const float *x, size_t count, float *value,
                            float *first, float *second) {
    chosen.elementwise(function, a, b, x, count, value, first, second);
}

void influenced_softmax_rows(const float *x, size_t rows, size_t classes, float *probabilities, double *log_sums) {
    chosen.softmax_rows(x, rows, classes, probabilities, log_sums);
}
