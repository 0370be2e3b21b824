#include "pooling.h"
#include "unit.h"

#include <math.h>

#define INLINE static inline __attribute__((always_inline))

struct range {
    ptrdiff_t first, end;
};

// ⌈a / b⌉ for a positive b; 0 for a negative a.
INLINE ptrdiff_t ceiling(ptrdiff_t a, ptrdiff_t b) { return a <= 0 ? 0 : (a + b - 1) / b; }

// The taps of `count` that reach into an image of `extent` numbers from a window that begins at `last` or at `first`, or between
// them.
INLINE struct range taps_inside(ptrdiff_t extent, ptrdiff_t count, ptrdiff_t dilation, ptrdiff_t last, ptrdiff_t first) {
    const ptrdiff_t end = ceiling(extent - first, dilation);
    return (struct range){ceiling(-last, dilation), end < count ? end : count};
}

// The results of `count` whose number, at first + c · stride, lies in an image of `extent` numbers.
INLINE struct range places_inside(ptrdiff_t extent, ptrdiff_t count, ptrdiff_t stride, ptrdiff_t first) {
    const ptrdiff_t end = ceiling(extent - first, stride);
    return (struct range){ceiling(-first, stride), end < count ? end : count};
}

#define TARGET
#define SUFFIX baseline_f32
#define NUMBER float
#include "pooling.inc"
#undef NUMBER
#define SUFFIX baseline_f64
#define NUMBER double
#include "pooling.inc"
#undef NUMBER
#undef TARGET

#if defined(__x86_64__)

#define NUMBER float
#define TARGET TARGET_AVX2
#define SUFFIX avx2_f32
#include "pooling.inc"
#undef TARGET
#define TARGET TARGET_AVX512
#define SUFFIX avx512_f32
#include "pooling.inc"
#undef TARGET
#undef NUMBER

#endif

static void (*max_pool)(const struct influenced_windows *, size_t, const float *, float *, int32_t *);

#define CHOOSE(UNIT) max_pool = max_pool_##UNIT##_f32

DEFINE_CHOICE(pooling)

void influenced_max_pool_f32(const struct influenced_windows *windows, size_t images, const float *image, float *largest,
                             int32_t *places) {
    max_pool(windows, images, image, largest, places);
}

void influenced_max_pool_f64(const struct influenced_windows *windows, size_t images, const double *image, double *largest,
                             int32_t *places) {
    max_pool_baseline_f64(windows, images, image, largest, places);
}
