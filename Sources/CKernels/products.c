#include "kernels.h"
#include "prefetch.h"

// Sums may be contracted to fused multiply-adds, but never reordered.
#pragma STDC FP_CONTRACT ON

// The sums of a block stay in registers only if every loop over them is gone.
#define UNROLLED _Pragma("clang loop unroll(full)")

#define TARGET
#define LANES 4
#define ROWS 2
#define COLUMNS 2
#define SUFFIX baseline_u8
#define ELEMENT uint8_t
#include "products.inc"
#define SUFFIX baseline_f32
#define ELEMENT float
#include "products.inc"
#undef TARGET
#undef LANES
#undef ROWS
#undef COLUMNS

#if defined(__x86_64__)

#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define ROWS 2
#define COLUMNS 2
#define SUFFIX avx2_u8
#define ELEMENT uint8_t
#include "products.inc"
#define SUFFIX avx2_f32
#define ELEMENT float
#include "products.inc"
#undef TARGET
#undef LANES
#undef ROWS
#undef COLUMNS

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define LANES 16
#define ROWS 4
#define COLUMNS 4
#define SUFFIX avx512_u8
#define ELEMENT uint8_t
#include "products.inc"
#define SUFFIX avx512_f32
#define ELEMENT float
#include "products.inc"
#undef TARGET
#undef LANES
#undef ROWS
#undef COLUMNS

#endif

typedef void project_function(const void *const *, size_t, size_t, size_t, const float *, size_t, float *);
typedef void score_function(const void *const *, size_t, size_t, size_t, const float *, size_t, const float *, float *);
typedef void accumulate_function(const void *const *, size_t, size_t, const float *, size_t, float, const float *, float *);

static struct {
    const char *name;
    project_function *project_u8, *project_f32;
    score_function *score_u8, *score_f32;
    accumulate_function *accumulate_u8, *accumulate_f32;
} unit = {"baseline",         project_baseline_u8,    project_baseline_f32,   score_baseline_u8,
          score_baseline_f32, accumulate_baseline_u8, accumulate_baseline_f32};

#if defined(__x86_64__)
// Before main, and so before any thread could look.
__attribute__((constructor)) static void choose_unit(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")) {
        unit.name = "AVX-512";
        unit.project_u8 = project_avx512_u8;
        unit.project_f32 = project_avx512_f32;
        unit.score_u8 = score_avx512_u8;
        unit.score_f32 = score_avx512_f32;
        unit.accumulate_u8 = accumulate_avx512_u8;
        unit.accumulate_f32 = accumulate_avx512_f32;
    } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        unit.name = "AVX2";
        unit.project_u8 = project_avx2_u8;
        unit.project_f32 = project_avx2_f32;
        unit.score_u8 = score_avx2_u8;
        unit.score_f32 = score_avx2_f32;
        unit.accumulate_u8 = accumulate_avx2_u8;
        unit.accumulate_f32 = accumulate_avx2_f32;
    }
}
#endif

void influenced_project_u8(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, float *out) {
    unit.project_u8(rows, count, ahead, width, weights, vectors, out);
}

void influenced_project_f32(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, float *out) {
    unit.project_f32(rows, count, ahead, width, weights, vectors, out);
}

void influenced_score_u8(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, const float *coefficients, float *out) {
    unit.score_u8(rows, count, ahead, width, weights, vectors, coefficients, out);
}

void influenced_score_f32(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, const float *coefficients, float *out) {
    unit.score_f32(rows, count, ahead, width, weights, vectors, coefficients, out);
}

void influenced_accumulate_u8(const void *const *rows, size_t count, size_t width, const float *coefficients, size_t vectors,
                              float beta, const float *addend, float *out) {
    unit.accumulate_u8(rows, count, width, coefficients, vectors, beta, addend, out);
}

void influenced_accumulate_f32(const void *const *rows, size_t count, size_t width, const float *coefficients, size_t vectors,
                               float beta, const float *addend, float *out) {
    unit.accumulate_f32(rows, count, width, coefficients, vectors, beta, addend, out);
}

void influenced_widen(const uint8_t *source, float *destination, size_t count) {
    for (size_t i = 0; i < count; i++) destination[i] = source[i];
}

void influenced_prefetch(const void *const *rows, size_t count, size_t bytes) {
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < bytes; i += cache_line) __builtin_prefetch((const char *)rows[r] + i, 0, 3);
}

const char *influenced_vector_unit(void) { return unit.name; }
