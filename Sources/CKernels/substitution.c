// Substitution through a triangular factor. A lane holds a right-hand side, and every lane goes through the same operations in the
// same order whatever the others hold: what BLAS does not promise, which blocks over right-hand sides.

#include "kernels.h"
#include "unit.h"

// Products may be contracted to fused multiply-adds, but never reordered.
#pragma STDC FP_CONTRACT ON

#define UNROLLED _Pragma("clang loop unroll(full)")

typedef float lanes __attribute__((vector_size(4 * influenced_lanes)));

#define SUFFIX baseline
#define TARGET
#define PANEL 2
#include "substitution.inc"

#if defined(__x86_64__)

#define SUFFIX avx2
#define TARGET TARGET_AVX2
#define PANEL 4
#include "substitution.inc"

#define SUFFIX avx512
#define TARGET TARGET_AVX512
#define PANEL 8
#include "substitution.inc"

#endif

typedef void panel_function(const float *, size_t, size_t, size_t, const float *, float *);
typedef void solve_function(const float *, size_t, size_t, size_t, bool, float *);

static struct {
    panel_function *eliminate, *collect;
    solve_function *solve;
} chosen;

#define CHOOSE(UNIT)                      \
    chosen.eliminate = eliminate_##UNIT;  \
    chosen.collect = collect_##UNIT;      \
    chosen.solve = solve_##UNIT

DEFINE_CHOICE(substitution)

void influenced_lanes_eliminate(const float *panel, size_t stride, size_t columns, size_t length, const float *x, float *y) {
    chosen.eliminate(panel, stride, columns, length, x, y);
}

void influenced_lanes_collect(const float *panel, size_t stride, size_t columns, size_t length, const float *y, float *x) {
    chosen.collect(panel, stride, columns, length, y, x);
}

void influenced_lanes_solve(const float *triangle, size_t row_stride, size_t column_stride, size_t order, bool transposed,
                            float *x) {
    chosen.solve(triangle, row_stride, column_stride, order, transposed, x);
}
