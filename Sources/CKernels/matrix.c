// Products of matrices of which one is small: a batch of examples, or a layer's weights.
//
// A general matrix product copies both factors into the order it reads them in, which pays where each is read often. A batch of
// 32 rows reads a layer's weights three times: here they are read where they lie, or copied a panel at a time where they must be
// transposed. And on processors that it does not know OpenBLAS takes narrower vectors than there are. Measured on a Zen 5, for a
// network 784-128-10 at batches of 32 to 1,024: about twice as fast as its Haswell kernels, 1 to 1.6 times as its SkylakeX ones.

#include "kernels.h"
#include "unit.h"

#include <string.h>

// Sums may be contracted to fused multiply-adds, but never reordered.
#pragma STDC FP_CONTRACT ON

// The sums of a tile stay in registers only if every loop over them is gone.
#define UNROLLED _Pragma("clang loop unroll(full)")

// Products that are summed in registers before they are added to C; rows that are multiplied with a panel while they are in the
// second-level cache; tiles of rows from which on a panel is worth copying.
enum { depth_limit = 400, rows_limit = 480, direct_limit = 4 };

// A factor of the product as `count` rows, or columns, of k numbers: element p of the i-th is start[i * step + p * k_step]. One
// of the steps is 1.
struct operand {
    const float *start;
    size_t count, step, k_step;
};

// C: the product of row r and lane l is at start[r * row_step + l * lane_step]. One of the steps is 1.
struct destination {
    float *start;
    size_t row_step, lane_step;
    float alpha, beta;
};

#define UP_TO_4(F) F(1) F(2) F(3) F(4)
#define UP_TO_6(F) UP_TO_4(F) F(5) F(6)
#define UP_TO_12(F) UP_TO_6(F) F(7) F(8) F(9) F(10) F(11) F(12)

#define SUFFIX baseline
#define TARGET
#define LANES 4
#define ROWS 4
#define EACH_TILE UP_TO_4
#define LOW 0, 4, 1, 5
#define HIGH 2, 6, 3, 7
#include "matrix.inc"

#if defined(__x86_64__)

#define SUFFIX avx2
#define TARGET TARGET_AVX2
#define LANES 8
#define ROWS 6
#define EACH_TILE UP_TO_6
#define LOW 0, 8, 1, 9, 2, 10, 3, 11
#define HIGH 4, 12, 5, 13, 6, 14, 7, 15
#include "matrix.inc"

#define SUFFIX avx512
#define TARGET TARGET_AVX512
#define LANES 16
#define ROWS 12
#define EACH_TILE UP_TO_12
#define LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#include "matrix.inc"

#endif

typedef void multiply_function(const struct operand *, const struct operand *, size_t, struct destination);

static multiply_function *chosen;

#define CHOOSE(UNIT) chosen = multiply_##UNIT

DEFINE_CHOICE(matrix)

void influenced_multiply(bool transposed_a, bool transposed_b, size_t m, size_t n, size_t k, float alpha, const float *a,
                         size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc) {
    if (k == 0 || alpha == 0) {
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++) c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
        return;
    }
    struct operand rows = {a, m, transposed_a ? 1 : lda, transposed_a ? lda : 1};
    struct operand columns = {b, n, transposed_b ? ldb : 1, transposed_b ? 1 : ldb};
    // Lanes lie along the columns of C, or along its rows where that transposes less.
    if (transposed_b && m < n)
        chosen(&columns, &rows, k, (struct destination){c, 1, ldc, alpha, beta});
    else
        chosen(&rows, &columns, k, (struct destination){c, ldc, 1, alpha, beta});
}
