/* Columns in twelve bits: how far they reach, what they become, and their products with rows in twelve bits. */
#ifndef SKREG_COARSE_H
#define SKREG_COARSE_H

#include <math.h>
#include <stdint.h>

#include "_simd.h"

/* So many products of numbers up to 2047 add up in 32 bits. */
#define SKREG_SHORT_SUM 512

/* Added to a small number and taken away again, it leaves the nearest integer. */
#define SKREG_ROUND 6755399441055744.0

#if defined(__GNUC__)
typedef int64_t skreg_integers __attribute__((vector_size(64)));
typedef int32_t skreg_integers_32 __attribute__((vector_size(32)));

#define SKREG_REACH_IN_LANES(suffix)                                    \
    skreg_eight value, factor, sum = {0};                               \
    skreg_integers size, farther, far = {0};                            \
    for (; i + 8 <= n; i += 8) {                                        \
        SKREG_LOAD##suffix(value, x + i)                                \
        SKREG_LOAD_d(factor, r + i)                                     \
        sum += value * factor;                                          \
        value -= shift;                                                 \
        /* Without their signs, numbers are ordered as their bits are. */ \
        size = (skreg_integers)value & INT64_MAX;                       \
        farther = size > far;                                           \
        far = (size & farther) | (far & ~farther);                      \
    }                                                                   \
    total = SKREG_TOTAL_OF_EIGHT(sum);                                  \
    value = (skreg_eight)far;                                           \
    for (int k = 0; k < 8; k++) reach = reach > value[k] ? reach : value[k];
#define SKREG_COARSEN_IN_LANES(suffix)                                  \
    skreg_eight value, rounded, sum = {0};                              \
    skreg_integers_32 integers;                                         \
    int32_t wide[16];                                                   \
    for (; i + 16 <= n; i += 16) {                                      \
        for (int k = 0; k < 16; k += 8) {                               \
            SKREG_LOAD##suffix(value, x + i + k)                        \
            value -= shift;                                             \
            rounded = value * scale + SKREG_ROUND - SKREG_ROUND;        \
            integers = __builtin_convertvector(rounded, skreg_integers_32); \
            __builtin_memcpy(wide + k, &integers, sizeof integers);     \
            value -= step * rounded;                                    \
            sum += value * value;                                       \
        }                                                               \
        for (int k = 0; k < 16; k++) codes[i + k] = (int16_t)wide[k];   \
    }                                                                   \
    total = SKREG_TOTAL_OF_EIGHT(sum);
#else
#define SKREG_REACH_IN_LANES(suffix)
#define SKREG_COARSEN_IN_LANES(suffix)
#endif

#define SKREG_COARSE(real, suffix)                                                                                  \
    /* The largest distance from the shift; ``product`` is x . r. */                                                \
    SKREG_CLONES static double skreg_reach##suffix(long n, const real *restrict x, double shift,                    \
                                                   const double *restrict r, double *restrict product) {            \
        double total = 0.0, reach = 0.0;                                                                            \
        long i = 0;                                                                                                 \
        SKREG_REACH_IN_LANES(suffix)                                                                                \
        for (; i < n; i++) {                                                                                        \
            double distance = fabs(x[i] - shift);                                                                   \
            total += x[i] * r[i];                                                                                   \
            reach = reach > distance ? reach : distance;                                                            \
        }                                                                                                           \
        *product = total;                                                                                           \
        return reach;                                                                                               \
    }                                                                                                               \
    /* The nearest multiples of the step; returns the sum of squares that is lost. */                               \
    SKREG_CLONES static double skreg_coarsen##suffix(long n, const real *restrict x, double shift, double step,     \
                                                     int16_t *restrict codes) {                                     \
        double total = 0.0, scale = step > 0.0 ? 1.0 / step : 0.0;                                                  \
        long i = 0;                                                                                                 \
        SKREG_COARSEN_IN_LANES(suffix)                                                                              \
        for (; i < n; i++) {                                                                                        \
            double distance = x[i] - shift;                                                                         \
            codes[i] = (int16_t)rint(distance * scale);                                                             \
            distance -= step * codes[i];                                                                            \
            total += distance * distance;                                                                           \
        }                                                                                                           \
        return total;                                                                                               \
    }

SKREG_COARSE(double, _d)
SKREG_COARSE(float, _f)

/* A product that is exact, as integers are. */
SKREG_CLONES static double skreg_coarse_dot(long n, const int16_t *restrict codes, const int16_t *restrict rows) {
    double total = 0.0;
    for (long start = 0; start < n; start += SKREG_SHORT_SUM) {
        long end = start + SKREG_SHORT_SUM < n ? start + SKREG_SHORT_SUM : n;
        int32_t sum = 0;
        for (long i = start; i < end; i++) sum += (int32_t)codes[i] * (int32_t)rows[i];
        total += sum;
    }
    return total;
}

#endif
