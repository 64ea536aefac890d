/* Exponentials and logarithms that the compiler turns into vector instructions: no calls, no branches.

   Series in a reduced argument (J.-M. Muller, "Elementary Functions", 3rd ed. (2016), ch. 11), as far as they count in
   double; the results are within two units of the last place. */
#ifndef SKREG_EXP_H
#define SKREG_EXP_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "_simd.h"

#if defined(__GNUC__)
#define SKREG_INLINE static inline __attribute__((always_inline))
#else
#define SKREG_INLINE static inline
#endif

/* log(2) in two parts, of which the first times any exponent is exact. */
#define SKREG_LN2 0x1.62e42fefa39efp-1
#define SKREG_LN2_HIGH 0x1.62e42fefap-1
#define SKREG_LN2_LOW 0x1.cf79abc9e3b3ap-40

SKREG_INLINE double skreg_of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

SKREG_INLINE uint64_t skreg_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* exp(x) for x <= 0, gradual underflow included. */
SKREG_INLINE double skreg_exp(double x) {
    const double round = 0x1.8p52;
    x = x < -750.0 ? -750.0 : x;
    /* The last bits of this sum are the nearest integer to x / log(2). */
    double shifted = x * (1.0 / SKREG_LN2) + round, k = shifted - round;
    double r = (x - k * SKREG_LN2_HIGH) - k * SKREG_LN2_LOW, square = r * r;
    double fourth = square * square;
    /* In pairs, which do not wait for each other. */
    double first = (1.0 / 6.0 + r * (1.0 / 24.0)) + square * (1.0 / 120.0 + r * (1.0 / 720.0));
    double second = (1.0 / 5040.0 + r * (1.0 / 40320.0)) + square * (1.0 / 362880.0 + r * (1.0 / 3628800.0));
    double third = (1.0 / 39916800.0 + r * (1.0 / 479001600.0)) + square * (1.0 / 6227020800.0);
    double sum = first + fourth * (second + fourth * third);
    sum = 1.0 + (r + square * (0.5 + r * sum));
    /* Beyond the normal numbers in two steps. */
    int far = x < -690.0;
    uint64_t exponent = (skreg_bits(shifted) << 52) + skreg_bits(far ? 0x1p64 : 1.0);
    return sum * skreg_of_bits(exponent) * (far ? 0x1p-64 : 1.0);
}

/* 2 atanh(u) for |u| <= 3 - sqrt(8), where it is a logarithm. */
SKREG_INLINE double skreg_log_series(double u) {
    double square = u * u, fourth = square * square, eighth = fourth * fourth;
    double first = (2.0 / 3.0 + square * (2.0 / 5.0)) + fourth * (2.0 / 7.0 + square * (2.0 / 9.0));
    double second = (2.0 / 11.0 + square * (2.0 / 13.0)) + fourth * (2.0 / 15.0 + square * (2.0 / 17.0));
    double sum = first + eighth * (second + eighth * (2.0 / 19.0 + square * (2.0 / 21.0)));
    return 2.0 * u + u * square * sum;
}

/* log(1 + x) for x from 0 to 1. */
SKREG_INLINE double skreg_log1p(double x) {
    /* Above sqrt(2) as log(2) + log((1 + x) / 2). */
    int large = x > 0x1.a827999fcef32p-2;
    double u = (large ? x - 1.0 : x) / (large ? x + 3.0 : x + 2.0);
    return (large ? SKREG_LN2 : 0.0) + skreg_log_series(u);
}

/* log(x) for normal x > 0; any finite number for 0. */
SKREG_INLINE double skreg_log(double x) {
    /* From sqrt(1/2) to sqrt(2), and the power of two that is left. */
    const uint64_t root = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000, power = 0x4330000000000000;
    uint64_t moved = skreg_bits(x) + (one - root);
    double part = skreg_of_bits((moved & 0xfffffffffffff) + root);
    double k = skreg_of_bits((moved >> 52) | power) - (0x1p52 + 1023.0);
    return k * SKREG_LN2_HIGH + (skreg_log_series((part - 1.0) / (part + 1.0)) + k * SKREG_LN2_LOW);
}

/* Log(1 + exp(eta)) - y eta for y in {0, 1}, with its first and second derivatives; exact in both tails. */
SKREG_CLONES static void skreg_logistic(long n, const double *restrict y, const double *restrict eta,
                                        double *restrict value, double *restrict gradient, double *restrict curvature) {
    for (long i = 0; i < n; i++) {
        /* Positive where the prediction is on the wrong side. */
        double sign = 1.0 - 2.0 * y[i], margin = sign * eta[i];
        double tail = skreg_exp(margin > 0.0 ? -margin : margin), share = 1.0 / (1.0 + tail);
        curvature[i] = tail * share * share;
        value[i] = skreg_log1p(tail) + (margin > 0.0 ? margin : 0.0);
        gradient[i] = sign * (margin > 0.0 ? share : share * tail);
    }
}

/* p log(p) + (1 - p) log(1 - p) for p = dual + y, infinite outside [0, 1]. */
SKREG_CLONES static void skreg_logistic_conjugate(long n, const double *restrict y, const double *restrict dual,
                                                  double *restrict out) {
    for (long i = 0; i < n; i++) {
        double p = dual[i] + y[i], rest = 1.0 - p;
        double value = p * skreg_log(p) + rest * skreg_log(rest);
        out[i] = p < 0.0 || rest < 0.0 ? (double)INFINITY : value;
    }
}

/* x = exp(x) for numbers that are not positive. */
SKREG_CLONES static void skreg_exps(long n, double *restrict x) {
    for (long i = 0; i < n; i++) x[i] = skreg_exp(x[i]);
}

#endif
