// Rows of floats kept in fewer bits: coding them, their products with a few vectors (the scan of a gradient cache), and their
// sums.
//
// A row of `width` elements is its elements one after the other, in the machine's byte order. A row of bytes has scales behind
// its elements, at the next multiple of four bytes: one float for each block of influenced_block elements, the last block perhaps
// shorter; an element's value is the stored number times its block's scale. No address need be aligned.
//
// A decoded row is what every other function here works with: a score is that of the decoded row, bit for bit.
#ifndef INFLUENCED_ENCODED_H
#define INFLUENCED_ENCODED_H

#include <stddef.h>
#include <stdint.h>

enum influenced_encoding {
    influenced_float32,
    influenced_float16,
    influenced_bfloat16,
    influenced_int8,
    influenced_encodings
};

// Elements that share a scale.
enum { influenced_block = 128 };

// The bits of the largest magnitude: more than 0x7f7fffff where an element is not finite.
uint32_t influenced_largest(const float *row, size_t width);

// Writes a row of finite elements that are within the encoding's range, rounded to nearest, ties to even. Bytes go from -127
// to 127.
void influenced_encode(enum influenced_encoding encoding, const float *row, size_t width, void *out);

// Writes a row's elements as floats.
void influenced_decode(enum influenced_encoding encoding, const void *row, size_t width, float *out);

// Rows that lie `stride` bytes apart, `count` of them, and `ahead` more behind them that will be read soon: a hint.
struct influenced_rows {
    const void *start;
    size_t stride, count, ahead, width;
    enum influenced_encoding encoding;
};

// out[v * stride + r] = row r · vector v, the vectors being one after the other. Any number of vectors; up to 64 of them read a
// row from memory once. Sums of up to 1,024 products are kept in single precision, sums of those in double.
// A row's product with a vector has the same bits whatever other rows and vectors there are.
void influenced_score_encoded(const struct influenced_rows *rows, const float *vectors, size_t vector_count, float *out,
                              size_t stride);

// out[v * width + j] += Σ_r coefficients[r * row_stride + v * vector_stride] · rows[r][j], row after row, in single precision:
// a sum has the same bits whatever other vectors there are, and in whatever runs its rows come.
void influenced_accumulate_encoded(const struct influenced_rows *rows, const float *coefficients, size_t row_stride,
                                   size_t vector_stride, size_t vector_count, float *out);

#endif
