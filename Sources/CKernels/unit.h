// The vector units that the kernels are compiled for. One is chosen when the program loads, in unit.c.
#ifndef INFLUENCED_UNIT_H
#define INFLUENCED_UNIT_H

enum vector_unit { unit_baseline, unit_avx2, unit_avx512, unit_avx512_vnni, unit_count };

#define TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define TARGET_AVX512_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

// The files of kernels, each of which chooses its own for a unit.
#define EACH_FILE(F)                                                                                                 \
    F(products) F(comparison) F(quantized) F(substitution) F(elementary) F(matrix) F(correlation) F(pooling) \
        F(encoded) F(random) F(projection)

#define DECLARE_CHOICE(FILE) void choose_##FILE(enum vector_unit unit);
EACH_FILE(DECLARE_CHOICE)
#undef DECLARE_CHOICE

// Defines a file's choice: its CHOOSE(SUFFIX) takes the functions whose names end with baseline, avx2 or avx512.
#if defined(__x86_64__)
#define DEFINE_CHOICE(FILE)                      \
    void choose_##FILE(enum vector_unit unit) {  \
        if (unit >= unit_avx512) {               \
            CHOOSE(avx512);                      \
        } else if (unit == unit_avx2) {          \
            CHOOSE(avx2);                        \
        } else {                                 \
            CHOOSE(baseline);                    \
        }                                        \
    }
#else
#define DEFINE_CHOICE(FILE)                      \
    void choose_##FILE(enum vector_unit unit) {  \
        (void)unit;                              \
        CHOOSE(baseline);                        \
    }
#endif

#endif
