#include "projection.h"
#include "unit.h"

#include <string.h>

// Sums may be contracted to fused multiply-adds, but never reordered.
#pragma STDC FP_CONTRACT ON

// The sums of a block stay in registers only if every loop over them is gone.
#define UNROLLED _Pragma("clang loop unroll(full)")
#define INLINED static inline __attribute__((always_inline))

#define SUFFIX baseline
#define TARGET
#define LANES 4
#define ROWS 4
#define COLUMNS 2
#include "projection.inc"

#if defined(__x86_64__)

#define SUFFIX avx2
#define TARGET TARGET_AVX2
#define LANES 8
#define ROWS 6
#define COLUMNS 2
#include "projection.inc"

#define SUFFIX avx512
#define TARGET TARGET_AVX512
#define LANES 16
#define ROWS 6
#define COLUMNS 4
#include "projection.inc"

#endif

static struct {
    void (*panel_product)(const float *, size_t, size_t, const float *, size_t, float *, size_t);
    void (*sparse_product)(const float *, size_t, size_t, const uint32_t *, size_t, uint32_t, float *);
} chosen;

#define CHOOSE(UNIT)                              \
    chosen.panel_product = panel_product_##UNIT;  \
    chosen.sparse_product = sparse_product_##UNIT

DEFINE_CHOICE(projection)

void influenced_panel_product(const float *rows, size_t stride, size_t count, const float *panel, size_t inputs, float *out,
                              size_t out_stride) {
    chosen.panel_product(rows, stride, count, panel, inputs, out, out_stride);
}

void influenced_sparse_product(const float *rows, size_t stride, size_t count, const uint32_t *columns, size_t inputs,
                               uint32_t nonzeros, float *out) {
    chosen.sparse_product(rows, stride, count, columns, inputs, nonzeros, out);
}
