// Bytes times 16-bit weights. A vector unit multiplies and adds twice as many of these as floats in one instruction, and sums
// of integers are exact: the result does not depend on the unit, nor on the order.
//
// A 32-bit lane takes two products of at most 255 · 32,767 at each step, so that 128 steps can't overflow it. Wider rows are
// multiplied a part at a time, of a length that no unit's lanes overflow in.

#include "kernels.h"

enum { part_length = 2016, rows_in_block = 4, vectors_in_block = 5 };

typedef void part_function(const void *const *rows, size_t count, size_t offset, size_t length, const int16_t *weights,
                           size_t padded, size_t vectors, float *out);

static void part_portable(const void *const *rows, size_t count, size_t offset, size_t length, const int16_t *weights,
                          size_t padded, size_t vectors, float *out) {
    for (size_t r = 0; r < count; r++) {
        const uint8_t *row = (const uint8_t *)rows[r] + offset;
        for (size_t v = 0; v < vectors; v++) {
            int64_t sum = 0;
            for (size_t start = 0; start < length; start += 256) {
                size_t end = start + 256 < length ? start + 256 : length;
                int32_t part = 0;
                for (size_t j = start; j < end; j++) part += (int16_t)row[j] * weights[v * padded + j];
                sum += part;
            }
            out[r * vectors + v] += (float)sum;
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
#define QUANTIZED_BLOCK(NAME, TARGET, VEC, LANES, ZERO, BYTES, AND, FEATURES, WEIGHTS, MULTIPLY_ADD, TOTAL)                    \
    TARGET static inline __attribute__((always_inline)) void NAME(                                                             \
        const void *const *rows, int nr, size_t offset, size_t length, const int16_t *weights, size_t padded, int nv,          \
        float *out, size_t vectors) {                                                                                          \
        VEC sums[rows_in_block][vectors_in_block];                                                                             \
        UNROLLED for (int r = 0; r < nr; r++)                                                                                  \
            UNROLLED for (int v = 0; v < nv; v++) sums[r][v] = ZERO();                                                         \
        size_t j = 0;                                                                                                          \
        for (; j + LANES <= length; j += LANES) {                                                                              \
            VEC x[rows_in_block];                                                                                              \
            UNROLLED for (int r = 0; r < nr; r++) x[r] = FEATURES(BYTES((const uint8_t *)rows[r] + offset + j));               \
            UNROLLED for (int v = 0; v < nv; v++) {                                                                            \
                VEC w = WEIGHTS(weights + v * padded + j);                                                                     \
                UNROLLED for (int r = 0; r < nr; r++) sums[r][v] = MULTIPLY_ADD(sums[r][v], x[r], w);                          \
            }                                                                                                                  \
        }                                                                                                                      \
        if (j < length) {                                                                                                      \
            const uint8_t *mask = last_step_mask + 32 - LANES + (length - j);                                                  \
            UNROLLED for (int r = 0; r < nr; r++) {                                                                            \
                VEC x = FEATURES(AND(BYTES((const uint8_t *)rows[r] + offset + length - LANES), BYTES(mask)));                 \
                UNROLLED for (int v = 0; v < nv; v++)                                                                          \
                    sums[r][v] = MULTIPLY_ADD(sums[r][v], x, WEIGHTS(weights + v * padded + length - LANES));                  \
            }                                                                                                                  \
        }                                                                                                                      \
        UNROLLED for (int r = 0; r < nr; r++)                                                                                  \
            UNROLLED for (int v = 0; v < nv; v++) out[r * vectors + v] += (float)TOTAL(sums[r][v]);                            \
    }

#define QUANTIZED_PART(NAME, BLOCK, TARGET, ROWS, STEP)                                                                        \
    TARGET static inline __attribute__((always_inline)) void NAME##_vectors(                                                   \
        const void *const *rows, size_t count, size_t offset, size_t length, const int16_t *weights, size_t padded, int nv,    \
        float *out, size_t vectors) {                                                                                          \
        size_t r = 0;                                                                                                          \
        for (; r + ROWS <= count; r += ROWS)                                                                                   \
            BLOCK(rows + r, ROWS, offset, length, weights, padded, nv, out + r * vectors, vectors);                            \
        for (; r < count; r++) BLOCK(rows + r, 1, offset, length, weights, padded, nv, out + r * vectors, vectors);            \
    }                                                                                                                          \
    TARGET static void NAME(const void *const *rows, size_t count, size_t offset, size_t length, const int16_t *weights,       \
                            size_t padded, size_t vectors, float *out) {                                                       \
        if (length < STEP) {                                                                                                   \
            part_portable(rows, count, offset, length, weights, padded, vectors, out);                                         \
            return;                                                                                                            \
        }                                                                                                                      \
        size_t v = 0;                                                                                                          \
        for (; v + 5 <= vectors; v += 5)                                                                                       \
            NAME##_vectors(rows, count, offset, length, weights + v * padded, padded, 5, out + v, vectors);                    \
        weights += v * padded;                                                                                                 \
        switch (vectors - v) {                                                                                                 \
            case 4: NAME##_vectors(rows, count, offset, length, weights, padded, 4, out + v, vectors); break;                  \
            case 3: NAME##_vectors(rows, count, offset, length, weights, padded, 3, out + v, vectors); break;                  \
            case 2: NAME##_vectors(rows, count, offset, length, weights, padded, 2, out + v, vectors); break;                  \
            case 1: NAME##_vectors(rows, count, offset, length, weights, padded, 1, out + v, vectors); break;                  \
        }                                                                                                                      \
    }

#define AVX2 __attribute__((target("avx2")))
AVX2 static inline int64_t total_avx2(__m256i v) {
    __m256i wide = _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(v)),
                                    _mm256_cvtepi32_epi64(_mm256_extracti128_si256(v, 1)));
    __m128i half = _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
}
#define FEATURES_AVX2(bytes) _mm256_cvtepu8_epi16(bytes)
#define BYTES_AVX2(p) _mm_loadu_si128((const __m128i *)(p))
#define WEIGHTS_AVX2(p) _mm256_loadu_si256((const __m256i *)(p))
#define MULTIPLY_ADD_AVX2(sum, x, w) _mm256_add_epi32(sum, _mm256_madd_epi16(x, w))
QUANTIZED_BLOCK(block_avx2, AVX2, __m256i, 16, _mm256_setzero_si256, BYTES_AVX2, _mm_and_si128, FEATURES_AVX2, WEIGHTS_AVX2, MULTIPLY_ADD_AVX2, total_avx2)
QUANTIZED_PART(part_avx2, block_avx2, AVX2, 2, 16)

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))
AVX512 static inline int64_t total_avx512(__m512i v) {
    __m512i wide = _mm512_add_epi64(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(v)),
                                    _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(v, 1)));
    return _mm512_reduce_add_epi64(wide);
}
#define FEATURES_AVX512(bytes) _mm512_cvtepu8_epi16(bytes)
#define BYTES_AVX512(p) _mm256_loadu_si256((const __m256i *)(p))
#define MULTIPLY_ADD_AVX512(sum, x, w) _mm512_add_epi32(sum, _mm512_madd_epi16(x, w))
QUANTIZED_BLOCK(block_avx512, AVX512, __m512i, 32, _mm512_setzero_si512, BYTES_AVX512, _mm256_and_si256, FEATURES_AVX512, _mm512_loadu_si512,
                MULTIPLY_ADD_AVX512, total_avx512)
QUANTIZED_PART(part_avx512, block_avx512, AVX512, 4, 32)
QUANTIZED_BLOCK(block_vnni, VNNI, __m512i, 32, _mm512_setzero_si512, BYTES_AVX512, _mm256_and_si256, FEATURES_AVX512, _mm512_loadu_si512, _mm512_dpwssd_epi32,
                total_avx512)
QUANTIZED_PART(part_vnni, block_vnni, VNNI, 4, 32)

#endif

static part_function *part = part_portable;

#if defined(__x86_64__)
// Before main, and so before any thread could look.
__attribute__((constructor)) static void choose_unit(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        part = __builtin_cpu_supports("avx512vnni") ? part_vnni : part_avx512;
    } else if (__builtin_cpu_supports("avx2")) {
        part = part_avx2;
    }
}
#endif

void influenced_project_quantized(const void *const *rows, size_t count, size_t width, const int16_t *weights, size_t padded,
                                  size_t vectors, float *out) {
    for (size_t i = 0; i < count * vectors; i++) out[i] = 0;
    for (size_t offset = 0; offset < width; offset += part_length) {
        size_t length = width - offset < part_length ? width - offset : part_length;
        part(rows, count, offset, length, weights + offset, padded, vectors, out);
    }
}
