// Scores of rows of bytes with 16-bit weights. A vector unit multiplies and adds twice as many of these as floats in one
// instruction, and sums of integers are exact; they become floats only when a row's sums are weighted by its coefficients.
//
// A 32-bit lane takes two products of at most 255 · 32,767 at each step, so that 128 steps can't overflow it. Wider rows are
// multiplied a part at a time, of a length that no unit's lanes overflow in.

#include "kernels.h"
#include "prefetch.h"
#include "unit.h"

enum { part_length = 2016, rows_in_block = 4, vectors_in_block = 5 };

typedef void part_function(const void *const *rows, size_t count, size_t ahead, size_t offset, size_t length,
                           const int16_t *weights, size_t width, size_t vectors, const float *coefficients, float *out);

static void part_portable(const void *const *rows, size_t count, size_t ahead, size_t offset, size_t length,
                          const int16_t *weights, size_t width, size_t vectors, const float *coefficients, float *out) {
    (void)ahead;
    for (size_t r = 0; r < count; r++) {
        const uint8_t *row = (const uint8_t *)rows[r] + offset;
        for (size_t v = 0; v < vectors; v++) {
            int64_t sum = 0;
            for (size_t start = 0; start < length; start += 256) {
                size_t end = start + 256 < length ? start + 256 : length;
                int32_t part = 0;
                for (size_t j = start; j < end; j++) part += (int16_t)row[j] * weights[v * width + j];
                sum += part;
            }
            out[r] += coefficients[r * vectors + v] * (float)sum;
        }
    }
}

#if defined(__x86_64__)
#include <immintrin.h>

// The sums of a block stay in registers only if every loop over them is gone.
#define UNROLLED _Pragma("clang loop unroll(full)")

// Read at 32 − LANES + n, LANES of these keep the last n features of a step.
static const uint8_t last_step_mask[64] = {
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

// One block: up to 4 rows times up to 5 vectors, both known to the compiler. LANES features are read at a step. The last step ends
// where the row ends, and what it has in common with the one before is masked out; a row must be as long as a step.
#define QUANTIZED_BLOCK(NAME, TARGET, VEC, FLOATS, LANES, ZERO, BYTES, AND, FEATURES, WEIGHTS, MULTIPLY_ADD, WEIGHTED, TOTAL)  \
    TARGET static inline __attribute__((always_inline)) void NAME(                                                             \
        const void *const *rows, const void *const *next, int nr, size_t offset, size_t length, const int16_t *weights,        \
        size_t width, int nv, const float *coefficients, size_t vectors, float *out) {                                         \
        VEC sums[rows_in_block][vectors_in_block];                                                                             \
        UNROLLED for (int r = 0; r < nr; r++)                                                                                  \
            UNROLLED for (int v = 0; v < nv; v++) sums[r][v] = ZERO();                                                         \
        size_t j = 0;                                                                                                          \
        for (; j + LANES <= length; j += LANES) {                                                                              \
            VEC x[rows_in_block];                                                                                              \
            UNROLLED for (int r = 0; r < nr; r++) {                                                                            \
                if (next) __builtin_prefetch((const uint8_t *)next[r] + offset + j, 0, 3);                                     \
                x[r] = FEATURES(BYTES((const uint8_t *)rows[r] + offset + j));                                                 \
            }                                                                                                                  \
            UNROLLED for (int v = 0; v < nv; v++) {                                                                            \
                VEC w = WEIGHTS(weights + v * width + j);                                                                      \
                UNROLLED for (int r = 0; r < nr; r++) sums[r][v] = MULTIPLY_ADD(sums[r][v], x[r], w);                          \
            }                                                                                                                  \
        }                                                                                                                      \
        if (j < length) {                                                                                                      \
            const uint8_t *mask = last_step_mask + 32 - LANES + (length - j);                                                  \
            UNROLLED for (int r = 0; r < nr; r++) {                                                                            \
                VEC x = FEATURES(AND(BYTES((const uint8_t *)rows[r] + offset + length - LANES), BYTES(mask)));                 \
                UNROLLED for (int v = 0; v < nv; v++)                                                                          \
                    sums[r][v] = MULTIPLY_ADD(sums[r][v], x, WEIGHTS(weights + v * width + length - LANES));                   \
            }                                                                                                                  \
        }                                                                                                                      \
        UNROLLED for (int r = 0; r < nr; r++) {                                                                                \
            FLOATS score = {0};                                                                                                \
            UNROLLED for (int v = 0; v < nv; v++) score = WEIGHTED(score, sums[r][v], coefficients[r * vectors + v]);          \
            out[r] += TOTAL(score);                                                                                            \
        }                                                                                                                      \
    }

#define QUANTIZED_PART(NAME, BLOCK, TARGET, ROWS, STEP)                                                                        \
    TARGET static inline __attribute__((always_inline)) void NAME##_rows(                                                      \
        const void *const *rows, const void *const *next, int nr, size_t offset, size_t length,                                \
        const int16_t *weights, size_t width,                                                                                  \
        const float *coefficients, size_t vectors, float *out) {                                                               \
        size_t v = 0;                                                                                                          \
        if (next && vectors >= 5) {                                                                                            \
            BLOCK(rows, next, nr, offset, length, weights, width, 5, coefficients, vectors, out);                              \
            v = 5;                                                                                                             \
        }                                                                                                                      \
        for (; v + 5 <= vectors; v += 5)                                                                                       \
            BLOCK(rows, 0, nr, offset, length, weights + v * width, width, 5, coefficients + v, vectors, out);                 \
        weights += v * width;                                                                                                  \
        coefficients += v;                                                                                                     \
        switch (vectors - v) {                                                                                                 \
            case 4: BLOCK(rows, 0, nr, offset, length, weights, width, 4, coefficients, vectors, out); break;                  \
            case 3: BLOCK(rows, 0, nr, offset, length, weights, width, 3, coefficients, vectors, out); break;                  \
            case 2: BLOCK(rows, 0, nr, offset, length, weights, width, 2, coefficients, vectors, out); break;                  \
            case 1: BLOCK(rows, 0, nr, offset, length, weights, width, 1, coefficients, vectors, out); break;                  \
        }                                                                                                                      \
    }                                                                                                                          \
    TARGET static void NAME(const void *const *rows, size_t count, size_t ahead, size_t offset, size_t length,                 \
                            const int16_t *weights, size_t width, size_t vectors, const float *coefficients, float *out) {     \
        if (length < STEP) {                                                                                                   \
            part_portable(rows, count, ahead, offset, length, weights, width, vectors, coefficients, out);                     \
            return;                                                                                                            \
        }                                                                                                                      \
        size_t r = 0;                                                                                                          \
        for (; r + ROWS <= count; r += ROWS) {                                                                                 \
            const void *const *next = rows_to_fetch(rows + r, count + ahead - r, ROWS);                                        \
            NAME##_rows(rows + r, next, ROWS, offset, length, weights, width, coefficients + r * vectors, vectors, out + r);   \
        }                                                                                                                      \
        for (; r < count; r++)                                                                                                 \
            NAME##_rows(rows + r, 0, 1, offset, length, weights, width, coefficients + r * vectors, vectors, out + r);         \
    }

TARGET_AVX2 static inline float total_avx2(__m256 v) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}
#define BYTES_AVX2(p) _mm_loadu_si128((const __m128i *)(p))
#define WEIGHTS_AVX2(p) _mm256_loadu_si256((const __m256i *)(p))
#define MULTIPLY_ADD_AVX2(sum, x, w) _mm256_add_epi32(sum, _mm256_madd_epi16(x, w))
#define WEIGHTED_AVX2(score, sum, c) _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), _mm256_set1_ps(c), score)
QUANTIZED_BLOCK(block_avx2, TARGET_AVX2, __m256i, __m256, 16, _mm256_setzero_si256, BYTES_AVX2, _mm_and_si128,
                _mm256_cvtepu8_epi16, WEIGHTS_AVX2, MULTIPLY_ADD_AVX2, WEIGHTED_AVX2, total_avx2)
QUANTIZED_PART(part_avx2, block_avx2, TARGET_AVX2, 2, 16)

#define BYTES_AVX512(p) _mm256_loadu_si256((const __m256i *)(p))
#define MULTIPLY_ADD_AVX512(sum, x, w) _mm512_add_epi32(sum, _mm512_madd_epi16(x, w))
#define WEIGHTED_AVX512(score, sum, c) _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(c), score)
QUANTIZED_BLOCK(block_avx512, TARGET_AVX512, __m512i, __m512, 32, _mm512_setzero_si512, BYTES_AVX512, _mm256_and_si256,
                _mm512_cvtepu8_epi16, _mm512_loadu_si512, MULTIPLY_ADD_AVX512, WEIGHTED_AVX512, _mm512_reduce_add_ps)
QUANTIZED_PART(part_avx512, block_avx512, TARGET_AVX512, 4, 32)
QUANTIZED_BLOCK(block_vnni, TARGET_AVX512_VNNI, __m512i, __m512, 32, _mm512_setzero_si512, BYTES_AVX512, _mm256_and_si256,
                _mm512_cvtepu8_epi16, _mm512_loadu_si512, _mm512_dpwssd_epi32, WEIGHTED_AVX512, _mm512_reduce_add_ps)
QUANTIZED_PART(part_vnni, block_vnni, TARGET_AVX512_VNNI, 4, 32)

#endif

static part_function *part = part_portable;

void choose_quantized(enum vector_unit unit) {
    part = part_portable;
#if defined(__x86_64__)
    if (unit == unit_avx512_vnni) {
        part = part_vnni;
    } else if (unit == unit_avx512) {
        part = part_avx512;
    } else if (unit == unit_avx2) {
        part = part_avx2;
    }
#else
    (void)unit;
#endif
}

void influenced_score_quantized(const void *const *rows, size_t count, size_t ahead, size_t width, const int16_t *weights,
                                size_t vectors, const float *coefficients, float *out) {
    for (size_t r = 0; r < count; r++) out[r] = 0;
    for (size_t offset = 0; offset < width; offset += part_length) {
        size_t length = width - offset < part_length ? width - offset : part_length;
        part(rows, count, ahead, offset, length, weights + offset, width, vectors, coefficients, out);
    }
}
