// The vector units that the kernels are compiled for. One is chosen when the program loads, in unit.c.
#ifndef INFLUENCED_UNIT_H
#define INFLUENCED_UNIT_H

enum vector_unit { unit_baseline, unit_avx2, unit_avx512, unit_avx512_vnni, unit_count };

#define TARGET_AVX2 __attribute__((target("avx2,fma,f16c")))
#define TARGET_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define TARGET_AVX512_VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")))

// Each file of kernels chooses its own.
void choose_products(enum vector_unit unit);
void choose_quantized(enum vector_unit unit);
void choose_substitution(enum vector_unit unit);
void choose_elementary(enum vector_unit unit);
void choose_matrix(enum vector_unit unit);
void choose_correlation(enum vector_unit unit);
void choose_pooling(enum vector_unit unit);
void choose_encoded(enum vector_unit unit);
void choose_random(enum vector_unit unit);
void choose_projection(enum vector_unit unit);

#endif
