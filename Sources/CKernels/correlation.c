#include "correlation.h"
#include "unit.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Sums may be contracted to fused multiply-adds, but never reordered.
#pragma STDC FP_CONTRACT ON

// The sums of a tile stay in registers only if every loop over them is gone.
#define UNROLLED _Pragma("clang loop unroll(full)")
#define INLINE static inline __attribute__((always_inline))

// A vector's numbers, and those of a block of vectors.
enum { LANES = influenced_positions, BLOCK = influenced_segment_vectors * LANES };

// Segments that are computed together: of one example or of several, as small images fill few vectors.
struct block {
    // Which are next.
    size_t example, segment;
    // The vectors' places in the planes.
    size_t vectors;
    ptrdiff_t starts[influenced_segment_vectors];
    // Whose vectors they are.
    size_t count;
    struct part {
        const struct influenced_segment *segment;
        size_t example, vector;
    } parts[influenced_segment_vectors];
};

// Takes the next segments; false when none are left.
static bool next_block(const struct influenced_correlation *shape, size_t examples, struct block *block) {
    block->vectors = 0;
    block->count = 0;
    while (block->example < examples) {
        const struct influenced_segment *segment = &shape->segments[block->segment];
        size_t vectors = (size_t)((segment->rows - 1) * shape->pitch + segment->columns + LANES - 1) / LANES;
        if (block->vectors + vectors > influenced_segment_vectors) break;
        block->parts[block->count++] = (struct part){segment, block->example, block->vectors};
        ptrdiff_t start = segment->start + (ptrdiff_t)block->example * shape->planes_stride;
        for (size_t v = 0; v < vectors; v++) block->starts[block->vectors++] = start + (ptrdiff_t)(v * LANES);
        if (++block->segment == shape->segment_count) {
            block->segment = 0;
            block->example++;
        }
    }
    return block->count > 0;
}

#define COPY(destination, source, count) \
    for (size_t left = 0; left < (count); left++) (destination)[left] = (source)[left]

#define SETTLE(vector)

#define TARGET
#define OUTPUTS 2
#define VECTORS 1
#define FACTORS 2
#define TAPS 1
#define SUFFIX baseline_f32
#define NUMBER float
#include "correlation.inc"
#undef NUMBER
// Double precision is there to check single precision against: one unit is enough.
#define SUFFIX baseline_f64
#define NUMBER double
#include "correlation.inc"
#undef NUMBER
#undef TARGET
#undef OUTPUTS
#undef VECTORS
#undef FACTORS
#undef TAPS

#if defined(__x86_64__)

#define NUMBER float

#define TARGET TARGET_AVX2
#define OUTPUTS 4
#define VECTORS 1
#define FACTORS 2
#define TAPS 2
#define SUFFIX avx2_f32
#include "correlation.inc"
#undef TARGET
#undef OUTPUTS
#undef VECTORS
#undef FACTORS
#undef TAPS
#undef COPY
#undef SETTLE

// Left to itself the compiler loads a tap's weights all at once, for which there are not registers enough.
#define SETTLE(vector) __asm__ volatile("" : "+v"(vector)::"memory")
#define COPY(destination, source, count)                   \
    do {                                                   \
        __mmask16 some = (__mmask16)((1u << (count)) - 1); \
        _mm512_mask_storeu_ps(destination, some, _mm512_maskz_loadu_ps(some, source)); \
    } while (0)
#define TARGET TARGET_AVX512
#define OUTPUTS 8
#define VECTORS 3
#define FACTORS 4
#define TAPS 6
#define SUFFIX avx512_f32
#include "correlation.inc"
#undef TARGET
#undef OUTPUTS
#undef VECTORS
#undef FACTORS
#undef TAPS
#undef COPY

#undef NUMBER

#endif

static struct {
    void (*correlate)(const struct influenced_correlation *, size_t, const float *, const float *, const float *, bool, float *);
    void (*correlate_weights)(const struct influenced_correlation *, size_t, const float *, const float *, float *, float *);
    void (*copy_plane)(const float *, ptrdiff_t, ptrdiff_t, float *, ptrdiff_t, size_t, size_t);
} chosen;

#define CHOOSE(UNIT)                                           \
    chosen.correlate = correlate_##UNIT##_f32;                 \
    chosen.correlate_weights = correlate_weights_##UNIT##_f32; \
    chosen.copy_plane = copy_plane_##UNIT##_f32

DEFINE_CHOICE(correlation)

void influenced_correlate_f32(const struct influenced_correlation *shape, size_t examples, const float *planes,
                              const float *weights, const float *bias, bool adding, float *results) {
    chosen.correlate(shape, examples, planes, weights, bias, adding, results);
}

void influenced_correlate_f64(const struct influenced_correlation *shape, size_t examples, const double *planes,
                              const double *weights, const double *bias, bool adding, double *results) {
    correlate_baseline_f64(shape, examples, planes, weights, bias, adding, results);
}

void influenced_correlate_weights_f32(const struct influenced_correlation *shape, size_t examples, const float *planes,
                                      const float *results, float *weights, float *bias) {
    chosen.correlate_weights(shape, examples, planes, results, weights, bias);
}

void influenced_correlate_weights_f64(const struct influenced_correlation *shape, size_t examples, const double *planes,
                                      const double *results, double *weights, double *bias) {
    correlate_weights_baseline_f64(shape, examples, planes, results, weights, bias);
}

void influenced_copy_plane_f32(const float *source, ptrdiff_t source_pitch, ptrdiff_t source_step, float *destination,
                               ptrdiff_t destination_pitch, size_t rows, size_t columns) {
    chosen.copy_plane(source, source_pitch, source_step, destination, destination_pitch, rows, columns);
}

void influenced_copy_plane_f64(const double *source, ptrdiff_t source_pitch, ptrdiff_t source_step, double *destination,
                               ptrdiff_t destination_pitch, size_t rows, size_t columns) {
    copy_plane_baseline_f64(source, source_pitch, source_step, destination, destination_pitch, rows, columns);
}
