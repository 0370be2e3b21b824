#include "projection.h"
#include "unit.h"

// Numbers are the same on every vector unit: nothing is contracted, and of the operations here all are rounded as IEEE 754 says.
#pragma STDC FP_CONTRACT OFF

#define INLINED static inline __attribute__((always_inline))

// Sixteen lanes, in as many registers as the unit needs; words of Philox in the lower halves of 64 bits, where they are
// multiplied.
typedef float floats __attribute__((vector_size(64)));
typedef float loose_floats __attribute__((vector_size(64), aligned(4)));
typedef uint32_t words __attribute__((vector_size(64)));
typedef int32_t integers __attribute__((vector_size(64)));
typedef uint64_t wide __attribute__((vector_size(64)));

static const wide eight = {0, 1, 2, 3, 4, 5, 6, 7};

#define SUFFIX baseline
#define TARGET
#include "random.inc"

#if defined(__x86_64__)
#define SUFFIX avx2
#define TARGET TARGET_AVX2
#include "random.inc"

#define SUFFIX avx512
#define TARGET TARGET_AVX512
#include "random.inc"
#endif

static struct {
    void (*philox)(uint64_t, const uint32_t *, size_t, uint32_t (*)[4]);
    void (*normal_panel)(uint64_t, uint32_t, uint32_t, uint64_t, size_t, float *);
    void (*sign_panel)(uint64_t, uint32_t, uint32_t, uint64_t, size_t, float *);
    void (*sparse_columns)(uint64_t, uint32_t, uint64_t, size_t, uint32_t, uint32_t, uint32_t *);
} chosen;

#define CHOOSE(UNIT)                              \
    chosen.philox = philox_##UNIT;                \
    chosen.normal_panel = normal_panel_##UNIT;    \
    chosen.sign_panel = sign_panel_##UNIT;        \
    chosen.sparse_columns = sparse_columns_##UNIT

DEFINE_CHOICE(random)

void influenced_philox(uint64_t key, const uint32_t counter[4], size_t count, uint32_t (*out)[4]) {
    chosen.philox(key, counter, count, out);
}

void influenced_normal_panel(uint64_t key, uint32_t stream, uint32_t panel, uint64_t first, size_t inputs, float *out) {
    chosen.normal_panel(key, stream, panel, first, inputs, out);
}

void influenced_sign_panel(uint64_t key, uint32_t stream, uint32_t panel, uint64_t first, size_t inputs, float *out) {
    chosen.sign_panel(key, stream, panel, first, inputs, out);
}

void influenced_sparse_columns(uint64_t key, uint32_t stream, uint64_t first, size_t inputs, uint32_t outputs, uint32_t nonzeros,
                               uint32_t *out) {
    chosen.sparse_columns(key, stream, first, inputs, outputs, nonzeros, out);
}
