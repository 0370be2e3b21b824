// The largest number of each window of an image.
#ifndef INFLUENCED_POOLING_H
#define INFLUENCED_POOLING_H

#include <stddef.h>
#include <stdint.h>

// How windows lie over an image of height × width numbers: each of the results' rows and columns begins `stride` behind the one
// before, the first one `padding` before the image, and takes every `dilation`-th number, `kernel` of them.
struct influenced_windows {
    ptrdiff_t height, width;
    ptrdiff_t result_height, result_width;
    ptrdiff_t kernel_height, kernel_width;
    ptrdiff_t stride_height, stride_width;
    ptrdiff_t padding_height, padding_width;
    ptrdiff_t dilation_height, dilation_width;
};

// For each of some images the windows' largest numbers, −∞ where a window is empty, and their places in the image, −1 where it
// is empty; no places where `places` is null. Of equal numbers the first counts, row by row; a NaN counts as larger than
// anything, and of several the last counts: as in PyTorch.
void influenced_max_pool_f32(const struct influenced_windows *windows, size_t images, const float *image, float *largest,
                             int32_t *places);
void influenced_max_pool_f64(const struct influenced_windows *windows, size_t images, const double *image, double *largest,
                             int32_t *places);

#endif
