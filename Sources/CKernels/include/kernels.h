// Products of a few rows with a few vectors, the innermost loops of every curvature product and every scan; and substitution.
//
// They are here, in C, for two reasons. Swift compiles for one baseline (SSE2 on x86-64), and these are compiled for AVX-512,
// AVX2 and the baseline and chosen when the program loads. And a general matrix product is the wrong tool: with ten columns
// OpenBLAS packs more than it multiplies, needs bytes widened to floats in memory first, and is slow on
// processors that it does not know.
// Benchmarks/ shows both ways beside each other.
//
// Rows are given by their addresses, `count` of them, each of `width` features. Where `ahead` is asked for, that many further addresses
// follow: rows that are not multiplied now, but soon, and whose memory is asked for meanwhile.
#ifndef INFLUENCED_KERNELS_H
#define INFLUENCED_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// How a feature is stored: as a byte, or as a number of 16 or 32 bits (IEEE 754's binary16 and binary32).
enum influenced_format { influenced_u8, influenced_f16, influenced_f32, influenced_formats };

// out[r * vectors + v] = Σ_j rows[r][j] · weights[v * width + j].
void influenced_project(enum influenced_format format, const void *const *rows, size_t count, size_t ahead, size_t width,
                        const float *weights, size_t vectors, float *out);

// out[v * width + j] = beta · out[v * width + j] + addend[v * width + j] + Σ_r coefficients[r * vectors + v] · rows[r][j];
// beta = 0 overwrites, and a null addend is zero.
void influenced_accumulate(enum influenced_format format, const void *const *rows, size_t count, size_t width,
                           const float *coefficients, size_t vectors, float beta, const float *addend, float *out);

// out[r] = Σ_v coefficients[r * vectors + v] · Σ_j rows[r][j] · weights[v * width + j]: what a projection followed by a dot product
// with the row's coefficients gives, with one sum across a vector register instead of one for each v.
void influenced_score(enum influenced_format format, const void *const *rows, size_t count, size_t ahead, size_t width,
                      const float *weights, size_t vectors, const float *coefficients, float *out);

// The same for rows of bytes and weights of 16 bits.
void influenced_score_quantized(const void *const *rows, size_t count, size_t ahead, size_t width, const int16_t *weights,
                                size_t vectors, const float *coefficients, float *out);

// How a row's value x and a vector's q are compared: (x − q)², or x · q.
enum influenced_comparison { influenced_distance, influenced_product };

// out[r * vector_count + v] = Σ_j (x_rj − vectors[v * width + j])², or Σ_j x_rj · vectors[v * width + j], where x_rj is rows[r][j] ·
// multiplier, rounded to single precision; all else in double precision. Term j is added to sum j % 8 of a row, in order, and
// the eight sums are added pairwise, those four apart first: on every vector unit alike, whatever other rows and vectors there are.
void influenced_compare(enum influenced_format format, enum influenced_comparison comparison, const void *const *rows,
                        size_t count, size_t ahead, size_t width, float multiplier, const double *vectors,
                        size_t vector_count, double *out);

// Substitution through a triangular factor, for as many right-hand sides as there are lanes: element i of the one in lane k is
// x[i * influenced_lanes + k]. Lanes never meet. x and y are aligned to 64 bytes; columns are contiguous, `stride` apart.
enum { influenced_lanes = 16 };

// y[i] −= Σ_c panel[c * stride + i] · x[c]: takes known unknowns out of the rest, in order.
void influenced_lanes_eliminate(const float *panel, size_t stride, size_t columns, size_t length, const float *x, float *y);

// x[c] −= Σ_i panel[c * stride + i] · y[i]: takes all that is known out of some unknowns, in order.
void influenced_lanes_collect(const float *panel, size_t stride, size_t columns, size_t length, const float *y, float *x);

// x ← T⁻¹x, or T⁻ᵀx, for a small lower triangle T whose element (i, j) is triangle[i * row_stride + j * column_stride].
void influenced_lanes_solve(const float *triangle, size_t row_stride, size_t column_stride, size_t order, bool transposed,
                            float *x);

// C = alpha · op(A) · op(B) + beta · C, row-major, op(A) [m, k], op(B) [k, n], C [m, n], where op transposes what is `transposed`;
// beta = 0 overwrites. An element's bits depend on its row of op(A), its column of op(B) and itself alone: not on m, n or strides.
// Takes up to 64 KiB of stack, and C may overlap neither A nor B.
void influenced_multiply(bool transposed_a, bool transposed_b, size_t m, size_t n, size_t k, float alpha, const float *a,
                         size_t lda, const float *b, size_t ldb, float beta, float *c, size_t ldc);

// Functions of one number, as PyTorch defines them. leaky_relu's slope and softplus's β are `a`; softplus's threshold is `b`.
enum influenced_function {
    influenced_relu,
    influenced_leaky_relu,
    influenced_tanh,
    influenced_sigmoid,
    influenced_silu,
    influenced_gelu,
    influenced_gelu_tanh,
    influenced_softplus,
};

// value[i] = f(x[i]), first[i] = f′(x[i]), second[i] = f″(x[i]), each where not null; each may be x itself. A result has the same
// bits wherever its number stands. NaN gives NaN, and infinities give limits.
void influenced_elementwise(enum influenced_function function, float a, float b, const float *x, size_t count, float *value,
                            float *first, float *second);

// Of each row of x, [rows, classes]: the softmax into `probabilities`, which may be x, and log Σ_c exp(x[c]) into `log_sums`,
// each where not null. A row with NaN or +∞, or of −∞ alone, gives NaN.
void influenced_softmax_rows(const float *x, size_t rows, size_t classes, float *probabilities, double *log_sums);

// destination[i] = source[i].
void influenced_widen(enum influenced_format format, const void *source, float *destination, size_t count);

// Asks for the memory of `count` rows of `bytes` bytes, which will be read soon.
void influenced_prefetch(const void *const *rows, size_t count, size_t bytes);

// Tells the processor that its thread only looks out for something.
static inline void influenced_pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// The vector unit that was chosen when the program loaded, the best there is: "AVX-512 VNNI", "AVX-512", "AVX2" or "baseline".
const char *influenced_vector_unit(void);

// Chooses another one, by its name; false where the processor has no such unit. Nothing else may compute meanwhile.
bool influenced_use_vector_unit(const char *name);

#endif
