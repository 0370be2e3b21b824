// Numbers of 16 bits, IEEE 754's binary16, as floats.
#ifndef INFLUENCED_HALF_H
#define INFLUENCED_HALF_H

#include <stdint.h>
#include <string.h>

#define INLINED static inline __attribute__((always_inline))

INLINED uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

INLINED float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

// The value of 16 bits of IEEE 754's binary16. Its exponent is rebiased by a product, which brings its subnormal numbers
// along.
INLINED float half_value(uint16_t half) {
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    uint32_t bits = bits_of(float_of(magnitude) * 0x1p112f);
    if (magnitude >= 0x7c00 << 13) bits |= 0x7f800000;
    return float_of(bits | (uint32_t)(half & 0x8000) << 16);
}

#endif
