// Products of a few rows with a few vectors: the innermost loops of every curvature product and every scan.
//
// They are here, in C, for two reasons. Swift compiles for one baseline (SSE2 on x86-64), and these are compiled for AVX-512,
// AVX2 and the baseline and chosen when the program loads. And a general matrix product is the wrong tool: with ten columns
// OpenBLAS packs more than it multiplies, needs bytes widened to floats in memory first, and is slow on
// processors that it does not know.
// Benchmarks/ shows both ways beside each other.
//
// Rows are given by their addresses, `count` of them, each of `width` features, uint8 or float32. Where `ahead` is asked for, that
// many further addresses follow: rows that are not multiplied now, but soon, and whose memory is asked for meanwhile.
#ifndef INFLUENCED_KERNELS_H
#define INFLUENCED_KERNELS_H

#include <stddef.h>
#include <stdint.h>

// out[r * vectors + v] = Σ_j rows[r][j] · weights[v * width + j].
void influenced_project_u8(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, float *out);
void influenced_project_f32(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, float *out);

// out[v * width + j] = beta · out[v * width + j] + addend[v * width + j] + Σ_r coefficients[r * vectors + v] · rows[r][j];
// beta = 0 overwrites, and a null addend is zero.
void influenced_accumulate_u8(const void *const *rows, size_t count, size_t width, const float *coefficients, size_t vectors,
                              float beta, const float *addend, float *out);
void influenced_accumulate_f32(const void *const *rows, size_t count, size_t width, const float *coefficients, size_t vectors,
                               float beta, const float *addend, float *out);

// out[r] = Σ_v coefficients[r * vectors + v] · Σ_j rows[r][j] · weights[v * width + j]: what a projection followed by a dot product
// with the row's coefficients gives, with one sum across a vector register instead of one for each v.
void influenced_score_u8(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, const float *coefficients, float *out);
void influenced_score_f32(const void *const *rows, size_t count, size_t ahead, size_t width, const float *weights,
                          size_t vectors, const float *coefficients, float *out);

// The same for rows of bytes and weights of 16 bits.
void influenced_score_quantized(const void *const *rows, size_t count, size_t ahead, size_t width, const int16_t *weights,
                                size_t vectors, const float *coefficients, float *out);

// destination[i] = source[i].
void influenced_widen(const uint8_t *source, float *destination, size_t count);

// Asks for the memory of `count` rows of `bytes` bytes, which will be read soon.
void influenced_prefetch(const void *const *rows, size_t count, size_t bytes);

// The vector unit that was chosen: "AVX-512", "AVX2" or "baseline".
const char *influenced_vector_unit(void);

#endif
