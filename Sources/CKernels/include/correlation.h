// Correlations of images with small windows: the innermost loops of convolutions, forward, backward and for their weights.
//
// A convolution reads, for each of its outputs, one number of the image for each of its taps (a tap is a channel and a place in
// the window). Copied into planes with zeros around them, an image has every tap at a constant distance from the output's
// position, so that neighbouring outputs are lanes of a vector and no patches are ever written to memory: per tap and vector one
// load, used for as many output channels as there are registers. Strides need one plane for each remainder of a place by the
// stride (Dukhan 2019, "The indirect convolution algorithm", does the same with pointers instead of distances).
#ifndef INFLUENCED_CORRELATION_H
#define INFLUENCED_CORRELATION_H

#include <stdbool.h>
#include <stddef.h>

// Positions that are computed at once, and how many vectors of them a segment has at most.
enum { influenced_positions = 16, influenced_segment_vectors = 64 };

// Some rows of an example's results: those of `rows` × `columns` positions, of which the first reads the planes from `start` on
// and has its result at `place`. They are computed as one line of (rows − 1) · pitch + columns positions, of which what lies
// between the rows is thrown away.
struct influenced_segment {
    ptrdiff_t start, place;
    ptrdiff_t rows, columns;
};

// What is read from where: distances are in numbers.
struct influenced_correlation {
    // The taps: from a position to what is read, and from an output's first weight to the tap's.
    size_t taps;
    const ptrdiff_t *offsets, *weight_offsets;
    // Outputs (channels of the result), from one's weights to the next's, and from one's results to the next's.
    size_t outputs;
    ptrdiff_t weight_stride, output_stride;
    // From a row of positions to the next in the planes; from a result to the one below and to the one beside it.
    ptrdiff_t pitch, row_step, column_step;
    // The segments of one example, and from an example's planes and results to the next one's.
    const struct influenced_segment *segments;
    size_t segment_count;
    ptrdiff_t planes_stride, results_stride;
};

// results[o, position] = (adding ? results[o, position] : 0) + bias[o] + Σ_t weights[o, t] · planes[position + offset of t], for
// some examples; a null bias is zero. Up to 15 numbers behind the last one that a position needs are read, and have no effect.
void influenced_correlate_f32(const struct influenced_correlation *shape, size_t examples, const float *planes,
                              const float *weights, const float *bias, bool adding, float *results);
void influenced_correlate_f64(const struct influenced_correlation *shape, size_t examples, const double *planes,
                              const double *weights, const double *bias, bool adding, double *results);

// weights[o, t] += Σ_positions results[o, position] · planes[position + offset of t], and bias[o] += Σ_positions results[o,
// position], over all examples; either may be null. What is read behind the last number that a position needs must be finite.
void influenced_correlate_weights_f32(const struct influenced_correlation *shape, size_t examples, const float *planes,
                                      const float *results, float *weights, float *bias);
void influenced_correlate_weights_f64(const struct influenced_correlation *shape, size_t examples, const double *planes,
                                      const double *results, double *weights, double *bias);

// destination[r · destination_pitch + c] = source[r · source_pitch + c · source_step]: an image into a plane.
void influenced_copy_plane_f32(const float *source, ptrdiff_t source_pitch, ptrdiff_t source_step, float *destination,
                               ptrdiff_t destination_pitch, size_t rows, size_t columns);
void influenced_copy_plane_f64(const double *source, ptrdiff_t source_pitch, ptrdiff_t source_step, double *destination,
                               ptrdiff_t destination_pitch, size_t rows, size_t columns);

#endif
