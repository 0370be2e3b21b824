// Random projections whose matrix is a function of a seed: blocks of it made when they are needed, and products with them.
//
// The numbers come from Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"), a
// function of a key and a counter: any block can be made alone. Sums are never contracted where numbers are made, so that every
// vector unit, and every processor, makes the same.
//
// A dense matrix of d outputs and p inputs is in panels of influenced_panel outputs: number (k, j) is element
// [j][k % influenced_panel] of panel k / influenced_panel. Outputs beyond d in the last panel exist too, and mean nothing.
#ifndef INFLUENCED_PROJECTION_H
#define INFLUENCED_PROJECTION_H

#include <stddef.h>
#include <stdint.h>

enum { influenced_panel = 64 };

// Four words for the counter, and for each of the count − 1 that follow it; the first two words count, as one number of 64 bits.
void influenced_philox(uint64_t key, const uint32_t counter[4], size_t count, uint32_t (*out)[4]);

// Rows first … first + inputs − 1 of a panel of standard normal numbers (Box & Muller 1958), none beyond 5.8 in magnitude.
// `stream` names one of many matrices of a key.
void influenced_normal_panel(uint64_t key, uint32_t stream, uint32_t panel, uint64_t first, size_t inputs, float *out);

// The same of numbers that are 1 or −1.
void influenced_sign_panel(uint64_t key, uint32_t stream, uint32_t panel, uint64_t first, size_t inputs, float *out);

// out[r * out_stride + k] += Σ_j rows[r * stride + j] · panel[j * influenced_panel + k] for the panel's outputs k, one product
// after the other: a sum has the same bits whatever other rows there are, and however its inputs are split.
void influenced_panel_product(const float *rows, size_t stride, size_t count, const float *panel, size_t inputs, float *out,
                              size_t out_stride);

// The columns first … first + inputs − 1 of a sparse matrix with `nonzeros` of 1 or −1 in each, one in each of as many bands of
// nearly equal height: row << 1 | (it is −1), one column after the other. 1 ≤ nonzeros ≤ outputs < 2³¹.
void influenced_sparse_columns(uint64_t key, uint32_t stream, uint64_t first, size_t inputs, uint32_t outputs, uint32_t nonzeros,
                               uint32_t *out);

// out[lane + influenced_rows_together * row] += ± rows[lane * stride + j] for every entry of `inputs` columns, in order; count
// rows, at most influenced_rows_together of them, each of which feels no other.
enum { influenced_rows_together = 16 };
void influenced_sparse_product(const float *rows, size_t stride, size_t count, const uint32_t *columns, size_t inputs,
                               uint32_t nonzeros, float *out);

#endif
