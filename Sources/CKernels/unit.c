#include "unit.h"
#include "kernels.h"

#include <string.h>

static const char *const names[unit_count] = {"baseline", "AVX2", "AVX-512", "AVX-512 VNNI"};

static enum vector_unit current = unit_baseline;

static bool is_supported(enum vector_unit unit) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    switch (unit) {
        case unit_avx512_vnni:
            if (!__builtin_cpu_supports("avx512vnni")) return false;
            // Fall through: it is an extension of the next.
        case unit_avx512:
            return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
        case unit_avx2:
            return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
        default: break;
    }
#endif
    return unit == unit_baseline;
}

static void use(enum vector_unit unit) {
#define CHOOSE_FILE(FILE) choose_##FILE(unit);
    EACH_FILE(CHOOSE_FILE)
#undef CHOOSE_FILE
    current = unit;
}

// Before main, and so before any thread could look.
__attribute__((constructor)) static void choose_best(void) {
    int unit = unit_count - 1;
    while (!is_supported(unit)) unit--;
    use(unit);
}

const char *influenced_vector_unit(void) { return names[current]; }

bool influenced_use_vector_unit(const char *name) {
    for (int unit = 0; unit < unit_count; unit++)
        if (strcmp(names[unit], name) == 0 && is_supported(unit)) {
            use(unit);
            return true;
        }
    return false;
}
