/* Loops that the compiler turns into vector instructions, chosen at load time for the processor at hand. */
#ifndef SKREG_SIMD_H
#define SKREG_SIMD_H

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__)
#define SKREG_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define SKREG_CLONES
#endif

/* y += a * x */
SKREG_CLONES static void skreg_axpy(long n, double a, const double *restrict x, double *restrict y) {
    for (long i = 0; i < n; i++) y[i] += a * x[i];
}

/* x . y, in sixteen partial sums of fixed order: the same on every run */
SKREG_CLONES static double skreg_dot(long n, const double *restrict x, const double *restrict y) {
    double part[16] = {0};
    long i = 0;
    for (; i + 16 <= n; i += 16)
        for (int k = 0; k < 16; k++) part[k] += x[i + k] * y[i + k];
    for (int k = 0; i < n; i++, k++) part[k] += x[i] * y[i];
    for (int width = 8; width > 0; width /= 2)
        for (int k = 0; k < width; k++) part[k] += part[k + width];
    return part[0];
}

/* (x, y) <- (c x + s y, c y - s x) */
SKREG_CLONES static void skreg_rotate(long n, double c, double s, double *restrict x, double *restrict y) {
    for (long i = 0; i < n; i++) {
        double a = x[i], b = y[i];
        x[i] = c * a + s * b;
        y[i] = c * b - s * a;
    }
}

#endif
