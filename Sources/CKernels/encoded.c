#include "encoded.h"
#include "half.h"
#include "prefetch.h"
#include "unit.h"

#include <float.h>
#include <stdbool.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Sums may be contracted to fused multiply-adds, but never reordered.
#pragma STDC FP_CONTRACT ON

// The sums of a block stay in registers only if every loop over them is gone.
#define UNROLLED _Pragma("clang loop unroll(full)")

enum {
    // Columns that are multiplied before the sums leave the registers: eight rows of them, decoded, fit the first-level cache.
    part_length = 1024,
    // Vectors whose sums are held while a row is read once.
    most_vectors = 64,
    // Bytes that are asked for before they are multiplied.
    lead_bytes = 16384,
};

typedef float quad __attribute__((vector_size(16)));
typedef double loose_doubles __attribute__((vector_size(32), aligned(8)));
typedef float loose_float __attribute__((aligned(1)));
typedef uint16_t loose_half __attribute__((aligned(1)));

INLINED size_t element_size(enum influenced_encoding encoding) {
    return encoding == influenced_float32 ? 4 : encoding == influenced_int8 ? 1 : 2;
}

INLINED const loose_float *scales_of(enum influenced_encoding encoding, const void *row, size_t width) {
    return (const loose_float *)((const uint8_t *)row + (encoding == influenced_int8 ? (width + 3) / 4 * 4 : 0));
}

INLINED uint16_t half_bits(float x) {
    uint32_t bits = bits_of(x), sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    // From 1/2 to 1 floats are as far apart as the subnormal numbers of 16 bits: the sum rounds to those.
    uint32_t subnormal = bits_of(float_of(bits) + 0.5f) - 0x3f000000;
    uint32_t normal = (bits - (112u << 23) + 0xfff + (bits >> 13 & 1)) >> 13;
    return (uint16_t)(sign | (bits < 0x38800000 ? subnormal : normal));
}

INLINED uint16_t brain_bits(float x) {
    uint32_t bits = bits_of(x);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// One element: for the ends of rows.
static __attribute__((noinline)) float element(
    enum influenced_encoding encoding, const uint8_t *row, const loose_float *scales, size_t j) {
    switch (encoding) {
        case influenced_float32: return ((const loose_float *)row)[j];
        case influenced_float16: return half_value(((const loose_half *)row)[j]);
        case influenced_bfloat16: return float_of((uint32_t)((const loose_half *)row)[j] << 16);
        default: return (float)((const int8_t *)row)[j] * scales[j / influenced_block];
    }
}

#define SUFFIX baseline
#define TARGET
#define LANES 4
#define ROWS 4
#define VECTORS 2
#include "encoded.inc"
#include "encoding.inc"

#if defined(__x86_64__)

// Read at 8 − n, the next 8 of these take the first n floats.
static const int32_t first_mask[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

#define SUFFIX avx2
#define TARGET TARGET_AVX2
#define LANES 8
#define ROWS 4
#define VECTORS 2
#define FIRST(p, count) _mm256_maskload_ps((const float *)(p), _mm256_loadu_si256((const __m256i *)(first_mask + 8 - (count))))
#define HALVES(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p)))
#include "encoded.inc"
#include "encoding.inc"

#define SUFFIX avx512
#define TARGET TARGET_AVX512
#define LANES 16
#define ROWS 8
#define VECTORS 3
#define FIRST(p, count) _mm512_maskz_loadu_ps((__mmask16)((1u << (count)) - 1), p)
#define HALVES(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p)))
#include "encoded.inc"
#include "encoding.inc"

#endif

typedef void score_function(const struct influenced_rows *, const float *, size_t, float *, size_t);
typedef void accumulate_function(const struct influenced_rows *, const float *, size_t, size_t, size_t, float *);
typedef void encode_function(const float *, size_t, void *);
typedef void decode_function(const void *, size_t, float *);

static struct {
    score_function *score[influenced_encodings];
    accumulate_function *accumulate[influenced_encodings];
    encode_function *encode[influenced_encodings];
    decode_function *decode[influenced_encodings];
    uint32_t (*largest)(const float *, size_t);
} chosen;

#define CHOOSE_ENCODING(UNIT, ENCODING)                                             \
    chosen.score[influenced_##ENCODING] = score_##ENCODING##_##UNIT;                \
    chosen.accumulate[influenced_##ENCODING] = accumulate_##ENCODING##_##UNIT;      \
    chosen.encode[influenced_##ENCODING] = encode_##ENCODING##_##UNIT;              \
    chosen.decode[influenced_##ENCODING] = decode_##ENCODING##_##UNIT

#define CHOOSE(UNIT)                   \
    CHOOSE_ENCODING(UNIT, float32);    \
    CHOOSE_ENCODING(UNIT, float16);    \
    CHOOSE_ENCODING(UNIT, bfloat16);   \
    CHOOSE_ENCODING(UNIT, int8);       \
    chosen.largest = largest_##UNIT

DEFINE_CHOICE(encoded)

uint32_t influenced_largest(const float *row, size_t width) { return chosen.largest(row, width); }

void influenced_encode(enum influenced_encoding encoding, const float *row, size_t width, void *out) {
    chosen.encode[encoding](row, width, out);
}

void influenced_decode(enum influenced_encoding encoding, const void *row, size_t width, float *out) {
    chosen.decode[encoding](row, width, out);
}

void influenced_score_encoded(const struct influenced_rows *rows, const float *vectors, size_t vector_count, float *out,
                              size_t stride) {
    chosen.score[rows->encoding](rows, vectors, vector_count, out, stride);
}

void influenced_accumulate_encoded(const struct influenced_rows *rows, const float *coefficients, size_t row_stride,
                                   size_t vector_stride, size_t vector_count, float *out) {
    chosen.accumulate[rows->encoding](rows, coefficients, row_stride, vector_stride, vector_count, out);
}
