/* Columns in twelve bits: how far they reach, what they become, and their products with rows in twelve bits. Plain loops,
   of which every compiler makes vectors as wide as the processor's. */
#ifndef SKREG_COARSE_H
#define SKREG_COARSE_H

#include <stdint.h>
#include <string.h>

#include "_simd.h"

/* So many products of numbers up to 2047 add up in 32 bits. */
#define SKREG_SHORT_SUM 512

/* Added to a small number, it makes the last bits the nearest integer. */
#define SKREG_ROUND 12582912.0f

#define SKREG_DISTANCES(real, suffix)                                                                               \
    /* Distances from the shift in single precision; returns the largest one. */                                    \
    SKREG_CLONES static float skreg_distances##suffix(long n, const real *restrict x, double shift, float *restrict out) { \
        int32_t bits, reach = 0;                                                                                    \
        for (long i = 0; i < n; i++) {                                                                              \
            out[i] = (float)(x[i] - shift);                                                                         \
            /* Without their signs, numbers are ordered as their bits are. */                                       \
            memcpy(&bits, out + i, sizeof bits);                                                                    \
            bits &= INT32_MAX;                                                                                      \
            reach = reach > bits ? reach : bits;                                                                    \
        }                                                                                                           \
        float largest;                                                                                              \
        memcpy(&largest, &reach, sizeof reach);                                                                     \
        return largest;                                                                                             \
    }

SKREG_DISTANCES(double, _d)
SKREG_DISTANCES(float, _f)

/* The nearest integers to distances times the scale; returns the sum of squares that is lost, by the same scale. */
SKREG_CLONES static double skreg_coarsen(long n, const float *restrict distances, float scale, int16_t *restrict codes) {
    float part[SKREG_PARTS] = {0}, value, rounded;
    int32_t bits;
    long i = 0;
    for (; i + SKREG_PARTS <= n; i += SKREG_PARTS)
        for (int k = 0; k < SKREG_PARTS; k++) {
            value = distances[i + k] * scale;
            rounded = value + SKREG_ROUND;
            memcpy(&bits, &rounded, sizeof bits);
            codes[i + k] = (int16_t)bits;
            value -= rounded - SKREG_ROUND;
            part[k] += value * value;
        }
    for (int k = 0; i < n; i++, k++) {
        value = distances[i] * scale;
        rounded = value + SKREG_ROUND;
        memcpy(&bits, &rounded, sizeof bits);
        codes[i] = (int16_t)bits;
        value -= rounded - SKREG_ROUND;
        part[k] += value * value;
    }
    double total = 0.0;
    for (int k = 0; k < SKREG_PARTS; k++) total += part[k];
    return total;
}

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
