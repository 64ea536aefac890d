/* Loops that the compiler turns into vector instructions, chosen at load time for the processor at hand.

   Where it sees none, they are written in lanes: as many as a processor with AVX2 has, two on any other, as wider ones go
   through memory. */
#ifndef SKREG_SIMD_H
#define SKREG_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__)
#define SKREG_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#define SKREG_LANES 4
#else
#define SKREG_CLONES
#define SKREG_LANES 2
#endif

/* Asks for memory that is read soon: the next columns, which processors do not foresee where columns are short. */
#if defined(__GNUC__)
#define SKREG_SOON(place) __builtin_prefetch(place, 0, 2);
#else
#define SKREG_SOON(place) (void)(place);
#endif

static inline void skreg_soon(const void *place) { SKREG_SOON(place) }

/* Partial sums of fixed number and order: wide enough for the processor, and the same on every run. */
#define SKREG_PARTS 16
#define SKREG_FOLD(part)                                \
    for (int k = 0; k < 8; k++) part[k] += part[k + 8]; \
    for (int k = 0; k < 4; k++) part[k] += part[k + 4]; \
    part[0] = (part[0] + part[2]) + (part[1] + part[3]);

/* (x, y) <- (c x + s y, c y - s x) */
SKREG_CLONES static void skreg_rotate(long n, double c, double s, double *restrict x, double *restrict y) {
    for (long i = 0; i < n; i++) {
        double a = x[i], b = y[i];
        x[i] = c * a + s * b;
        y[i] = c * b - s * a;
    }
}

/* Positions of coefficients that are not zero, or are pulled away from it: whose gradient is farther from zero than ``share``
   of their strength, on the side that counts if they must be ``positive``. Strengths are one for all, or one for each (own).
   Returns how many there are; what is no number is among them. There must be room for one more than there are coefficients. */
#define SKREG_MARK(many, limit)                              \
    for (long j = i, end = i + (many); j < end; j++)         \
        marks[j - i] = (coef[j] != 0.0) | !(grad[j] <= (limit) + more) | !(grad[j] >= -(limit));
#define SKREG_MARK_BLOCK(many)                               \
    if (own) {                                               \
        SKREG_MARK(many, share * strength[j])                \
    } else {                                                 \
        SKREG_MARK(many, most)                               \
    }
SKREG_CLONES static long skreg_pulled(long n, const double *restrict coef, const double *restrict grad,
                                      const double *restrict strength, int own, double share, int positive,
                                      intptr_t *restrict out) {
    enum { BLOCK = 64 };
    unsigned char marks[BLOCK];
    long k = 0;
    double most = share * strength[0], more = positive ? HUGE_VAL : 0.0;
    for (long i = 0; i < n; i += BLOCK) {
        /* Of a number that is known beforehand vectors mark many at once. */
        if (n - i >= BLOCK) {
            SKREG_MARK_BLOCK(BLOCK)
        } else {
            memset(marks, 0, BLOCK);
            SKREG_MARK_BLOCK(n - i)
        }
        /* Most have no mark: eight are looked at together. */
        for (long j = 0; j < BLOCK; j += 8) {
            uint64_t some;
            memcpy(&some, marks + j, 8);
            for (long l = j; some && l < j + 8; l++) {
                out[k] = i + l;
                k += marks[l];
            }
        }
    }
    return k;
}

/* The rest is for x in float and in double; sums are double either way.
   axpy          y += a * x
   dot           x . y
   add_squares   out += a * (x - shift)^2, element by element
   squares       sum of w * (x - shift)^2 */
#define SKREG_LOOPS(real, suffix)                                                                                   \
    SKREG_CLONES static void skreg_axpy##suffix(long n, double a, const real *restrict x, double *restrict y) {     \
        for (long i = 0; i < n; i++) y[i] += a * x[i];                                                              \
    }                                                                                                               \
    SKREG_CLONES static double skreg_dot##suffix(long n, const real *restrict x, const double *restrict y) {        \
        double part[SKREG_PARTS] = {0};                                                                             \
        long i = 0;                                                                                                 \
        for (; i + SKREG_PARTS <= n; i += SKREG_PARTS)                                                              \
            for (int k = 0; k < SKREG_PARTS; k++) part[k] += x[i + k] * y[i + k];                                   \
        for (int k = 0; i < n; i++, k++) part[k] += x[i] * y[i];                                                    \
        SKREG_FOLD(part)                                                                                            \
        return part[0];                                                                                             \
    }                                                                                                               \
    SKREG_CLONES static void skreg_add_squares##suffix(long n, double a, const real *restrict x,                    \
                                                       const double *restrict shift, double *restrict out) {        \
        for (long i = 0; i < n; i++) out[i] += a * ((x[i] - shift[i]) * (x[i] - shift[i]));                         \
    }                                                                                                               \
    SKREG_CLONES static double skreg_squares##suffix(long n, const real *restrict x, const double *restrict w,      \
                                                     double shift) {                                                \
        double part[SKREG_PARTS] = {0};                                                                             \
        long i = 0;                                                                                                 \
        for (; i + SKREG_PARTS <= n; i += SKREG_PARTS)                                                              \
            for (int k = 0; k < SKREG_PARTS; k++)                                                                   \
                part[k] += w[i + k] * ((x[i + k] - shift) * (x[i + k] - shift));                                    \
        for (int k = 0; i < n; i++, k++) part[k] += w[i] * ((x[i] - shift) * (x[i] - shift));                       \
        SKREG_FOLD(part)                                                                                            \
        return part[0];                                                                                             \
    }

SKREG_LOOPS(double, _d)
SKREG_LOOPS(float, _f)

/* Of a column that is read from memory, while what is so far ``ahead`` is asked for. In parts, which compilers turn into vectors
   as wide as the processor's.
   product   r . x
   moments   sums of w * (x - c), of w * (x - c)^2 and of r * x */
#define SKREG_ASK_FOR(place) \
    for (unsigned byte = 0; byte < SKREG_PARTS * sizeof *(place); byte += 64) SKREG_SOON((const char *)(place) + byte)
#define SKREG_READING(real, suffix)                                                                                 \
    SKREG_CLONES static double skreg_product##suffix(long n, const real *restrict x, long ahead, const double *restrict r) { \
        double part[SKREG_PARTS] = {0}, value[SKREG_PARTS], rest = 0.0;                                             \
        long i = 0;                                                                                                 \
        for (; i + SKREG_PARTS <= n; i += SKREG_PARTS) {                                                            \
            SKREG_ASK_FOR(x + i + ahead)                                                                            \
            for (int k = 0; k < SKREG_PARTS; k++) value[k] = x[i + k];                                              \
            for (int k = 0; k < SKREG_PARTS; k++) part[k] += value[k] * r[i + k];                                   \
        }                                                                                                           \
        for (; i < n; i++) rest += x[i] * r[i];                                                                     \
        SKREG_FOLD(part)                                                                                            \
        return part[0] + rest;                                                                                      \
    }                                                                                                               \
    SKREG_CLONES static void skreg_moments##suffix(long n, const real *restrict x, long ahead, const double *restrict w, \
                                                   const double *restrict r, double c, double *restrict out) {      \
        double first[SKREG_PARTS] = {0}, second[SKREG_PARTS] = {0}, product[SKREG_PARTS] = {0};                     \
        double distance, weighted, rest[3] = {0};                                                                   \
        long i = 0;                                                                                                 \
        for (; i + SKREG_PARTS <= n; i += SKREG_PARTS) {                                                            \
            for (int k = 0; k < SKREG_PARTS; k++) {                                                                 \
                distance = x[i + k] - c;                                                                            \
                weighted = w[i + k] * distance;                                                                     \
                first[k] += weighted;                                                                               \
                second[k] += weighted * distance;                                                                   \
                product[k] += x[i + k] * r[i + k];                                                                  \
            }                                                                                                       \
            SKREG_ASK_FOR(x + i + ahead)                                                                            \
        }                                                                                                           \
        for (; i < n; i++) {                                                                                        \
            distance = x[i] - c;                                                                                    \
            weighted = w[i] * distance;                                                                             \
            rest[0] += weighted;                                                                                    \
            rest[1] += weighted * distance;                                                                         \
            rest[2] += x[i] * r[i];                                                                                 \
        }                                                                                                           \
        SKREG_FOLD(first)                                                                                           \
        SKREG_FOLD(second)                                                                                          \
        SKREG_FOLD(product)                                                                                         \
        out[0] = first[0] + rest[0];                                                                                \
        out[1] = second[0] + rest[1];                                                                               \
        out[2] = product[0] + rest[2];                                                                              \
    }

SKREG_READING(double, _d)
SKREG_READING(float, _f)

/* out = scale * (x - shift), scale by row; out in float or in double. The next column begins at ``next``. */
#define SKREG_COPY(real, wanted, from, to)                                                                          \
    SKREG_CLONES static void skreg_copy##from##to(long n, const real *restrict x, const real *next, double shift,   \
                                                  const double *restrict scale, wanted *restrict out) {             \
        long i = 0;                                                                                                 \
        for (; i + SKREG_PARTS <= n; i += SKREG_PARTS) {                                                            \
            for (int k = 0; k < SKREG_PARTS; k++) out[i + k] = (wanted)(scale[i + k] * (x[i + k] - shift));         \
            SKREG_ASK_FOR(next + i)                                                                                 \
        }                                                                                                           \
        for (; i < n; i++) out[i] = (wanted)(scale[i] * (x[i] - shift));                                            \
    }

SKREG_COPY(double, double, _d, _d)
SKREG_COPY(double, float, _d, _f)
SKREG_COPY(float, double, _f, _d)
SKREG_COPY(float, float, _f, _f)

/* Of eight rows in one reading, column by column: the same sums, added to; the next eight are so far ``ahead``. */
#define SKREG_ROWS 8
#define SKREG_OF_ROWS(real, suffix)                                                                                 \
    SKREG_CLONES static void skreg_row_products##suffix(long n, const real *const *x, long ahead, const double *r,  \
                                                        double *restrict product) {                                 \
        double products[SKREG_PARTS];                                                                               \
        long i = 0;                                                                                                 \
        for (; i + SKREG_PARTS <= n; i += SKREG_PARTS) {                                                            \
            for (int k = 0; k < SKREG_PARTS; k++) products[k] = product[i + k];                                     \
            for (int row = 0; row < SKREG_ROWS; row++) {                                                            \
                for (int k = 0; k < SKREG_PARTS; k++) products[k] += r[row] * x[row][i + k];                        \
                SKREG_ASK_FOR(x[row] + i + ahead)                                                                   \
            }                                                                                                       \
            for (int k = 0; k < SKREG_PARTS; k++) product[i + k] = products[k];                                     \
        }                                                                                                           \
        for (; i < n; i++)                                                                                          \
            for (int row = 0; row < SKREG_ROWS; row++) product[i] += r[row] * x[row][i];                            \
    }                                                                                                               \
    SKREG_CLONES static void skreg_row_moments##suffix(long n, const real *const *x, long ahead, const double *w, const double *r, \
                                                       const double *restrict c, double *restrict first,            \
                                                       double *restrict second, double *restrict product) {         \
        double ones[SKREG_PARTS], squares[SKREG_PARTS], products[SKREG_PARTS];                                      \
        long i = 0;                                                                                                 \
        for (; i + SKREG_PARTS <= n; i += SKREG_PARTS) {                                                            \
            for (int k = 0; k < SKREG_PARTS; k++) {                                                                 \
                ones[k] = first[i + k];                                                                             \
                squares[k] = second[i + k];                                                                         \
                products[k] = product[i + k];                                                                       \
            }                                                                                                       \
            for (int row = 0; row < SKREG_ROWS; row++) {                                                            \
                for (int k = 0; k < SKREG_PARTS; k++) {                                                             \
                    double distance = x[row][i + k] - c[i + k], weighted = w[row] * distance;                       \
                    ones[k] += weighted;                                                                            \
                    squares[k] += weighted * distance;                                                              \
                    products[k] += r[row] * x[row][i + k];                                                          \
                }                                                                                                   \
                SKREG_ASK_FOR(x[row] + i + ahead)                                                                   \
            }                                                                                                       \
            for (int k = 0; k < SKREG_PARTS; k++) {                                                                 \
                first[i + k] = ones[k];                                                                             \
                second[i + k] = squares[k];                                                                         \
                product[i + k] = products[k];                                                                       \
            }                                                                                                       \
        }                                                                                                           \
        for (; i < n; i++)                                                                                          \
            for (int row = 0; row < SKREG_ROWS; row++) {                                                            \
                double distance = x[row][i] - c[i];                                                                 \
                first[i] += w[row] * distance;                                                                      \
                second[i] += w[row] * distance * distance;                                                          \
                product[i] += r[row] * x[row][i];                                                                   \
            }                                                                                                       \
    }

SKREG_OF_ROWS(double, _d)
SKREG_OF_ROWS(float, _f)

/* Four vectors a, b, c, d that meet another one, which is read once for all of them.
   dots     out = x . a, x . b, x . c, x . d
   gather   y += w0 a + w1 b + w2 c + w3 d
   spread   a += w0 x, b += w1 x, c += w2 x, d += w3 x */
#if defined(__GNUC__)
typedef double skreg_lanes __attribute__((vector_size(8 * SKREG_LANES)));
typedef float skreg_singles __attribute__((vector_size(4 * SKREG_LANES)));
#define SKREG_LOAD(lanes, from) __builtin_memcpy(&lanes, from, sizeof lanes);
#define SKREG_STORE(lanes, to) __builtin_memcpy(to, &lanes, sizeof lanes);
#define SKREG_CONVERT_d SKREG_LOAD
#define SKREG_CONVERT_f(lanes, from)                                \
    {                                                               \
        skreg_singles singles;                                      \
        SKREG_LOAD(singles, from)                                   \
        lanes = __builtin_convertvector(singles, skreg_lanes);      \
    }
#define SKREG_ADD_PRODUCT(sum, x, from) SKREG_LOAD(other, from) sum += x * other;
SKREG_CLONES static void skreg_dots(long n, const double *restrict x, const double *restrict a, const double *restrict b,
                                    const double *restrict c, const double *restrict d, double *restrict out) {
    skreg_lanes even[4] = {{0}}, odd[4] = {{0}}, one, other;
    long i = 0;
    for (; i + 2 * SKREG_LANES <= n; i += 2 * SKREG_LANES) {
        SKREG_LOAD(one, x + i)
        SKREG_ADD_PRODUCT(even[0], one, a + i)
        SKREG_ADD_PRODUCT(even[1], one, b + i)
        SKREG_ADD_PRODUCT(even[2], one, c + i)
        SKREG_ADD_PRODUCT(even[3], one, d + i)
        SKREG_LOAD(one, x + i + SKREG_LANES)
        SKREG_ADD_PRODUCT(odd[0], one, a + i + SKREG_LANES)
        SKREG_ADD_PRODUCT(odd[1], one, b + i + SKREG_LANES)
        SKREG_ADD_PRODUCT(odd[2], one, c + i + SKREG_LANES)
        SKREG_ADD_PRODUCT(odd[3], one, d + i + SKREG_LANES)
    }
    for (int k = 0; k < 4; k++) {
        even[k] += odd[k];
        out[k] = 0.0;
        for (int lane = 0; lane < SKREG_LANES; lane++) out[k] += even[k][lane];
    }
    for (; i < n; i++) {
        out[0] += x[i] * a[i];
        out[1] += x[i] * b[i];
        out[2] += x[i] * c[i];
        out[3] += x[i] * d[i];
    }
}
#else
static void skreg_dots(long n, const double *restrict x, const double *restrict a, const double *restrict b,
                       const double *restrict c, const double *restrict d, double *restrict out) {
    out[0] = skreg_dot_d(n, x, a);
    out[1] = skreg_dot_d(n, x, b);
    out[2] = skreg_dot_d(n, x, c);
    out[3] = skreg_dot_d(n, x, d);
}
#endif

SKREG_CLONES static void skreg_gather(long n, const double *restrict w, const double *restrict a, const double *restrict b,
                                      const double *restrict c, const double *restrict d, double *restrict y) {
    for (long i = 0; i < n; i++) y[i] += (w[0] * a[i] + w[1] * b[i]) + (w[2] * c[i] + w[3] * d[i]);
}

/* The same of four columns x that are read from memory; the next four are known. */
#define SKREG_COMBINE(real, suffix)                                                                                 \
    SKREG_CLONES static void skreg_combine##suffix(long n, const double *restrict w, const real *const *x,          \
                                                   const real *const *next, double *restrict y) {                   \
        const real *a = x[0], *b = x[1], *c = x[2], *d = x[3];                                                      \
        long i = 0;                                                                                                 \
        for (; i + SKREG_PARTS <= n; i += SKREG_PARTS) {                                                            \
            for (long j = i; j < i + SKREG_PARTS; j++) y[j] += (w[0] * a[j] + w[1] * b[j]) + (w[2] * c[j] + w[3] * d[j]); \
            for (int k = 0; k < 4; k++) SKREG_ASK_FOR(next[k] + i)                                                  \
        }                                                                                                           \
        for (; i < n; i++) y[i] += (w[0] * a[i] + w[1] * b[i]) + (w[2] * c[i] + w[3] * d[i]);                       \
    }

SKREG_COMBINE(double, _d)
SKREG_COMBINE(float, _f)

SKREG_CLONES static void skreg_spread(long n, const double *restrict w, const double *restrict x, double *restrict a,
                                      double *restrict b, double *restrict c, double *restrict d) {
    for (long i = 0; i < n; i++) {
        a[i] += w[0] * x[i];
        b[i] += w[1] * x[i];
        c[i] += w[2] * x[i];
        d[i] += w[3] * x[i];
    }
}

/* Rows of SKREG_WIDE numbers: each stored number is read once for all of them.
   gather_rows    out = sum of data * rows[indices]
   scatter_rows   out[indices] += data * row */
#define SKREG_WIDE 8
#define SKREG_GATHER_ROWS(real, index, suffix)                                                                      \
    SKREG_CLONES static void skreg_gather_rows##suffix(long n, const real *restrict data, const index *restrict indices, \
                                                       const double *restrict rows, double *restrict out) {         \
        double sums[SKREG_WIDE] = {0};                                                                              \
        for (long i = 0; i < n; i++) {                                                                              \
            const double *row = rows + SKREG_WIDE * (long)indices[i];                                               \
            for (int k = 0; k < SKREG_WIDE; k++) sums[k] += data[i] * row[k];                                       \
        }                                                                                                           \
        for (int k = 0; k < SKREG_WIDE; k++) out[k] = sums[k];                                                      \
    }
#define SKREG_SCATTER_ROWS(real, index, suffix)                                                                     \
    SKREG_CLONES static void skreg_scatter_rows##suffix(long n, const real *restrict data, const index *restrict indices, \
                                                        const double *restrict row, double *restrict out) {         \
        for (long i = 0; i < n; i++) {                                                                              \
            double *to = out + SKREG_WIDE * (long)indices[i];                                                       \
            for (int k = 0; k < SKREG_WIDE; k++) to[k] += data[i] * row[k];                                         \
        }                                                                                                           \
    }

/* Dense X and SKREG_WIDE vectors that lie in rows; what is read next is so far ``ahead``.
   wide_products       of four columns: out = products with the vectors
   wide_row_products   of eight rows, column by column: out += the same, one vector in each of its rows, which are so far ``apart`` */
#if defined(__GNUC__)
#define SKREG_WIDE_PRODUCTS(real, suffix)                                                                           \
    SKREG_CLONES static void skreg_wide_products##suffix(long n, const real *const *x, long ahead,                  \
                                                         const double *restrict rows, double *restrict out) {       \
        enum { PARTS = SKREG_WIDE / SKREG_LANES };                                                                  \
        skreg_lanes row[PARTS], sums[4][PARTS] = {{{0}}};                                                           \
        for (long i = 0; i < n; i++) {                                                                              \
            for (int part = 0; part < PARTS; part++)                                                                \
                SKREG_LOAD(row[part], rows + SKREG_WIDE * i + SKREG_LANES * part)                                   \
            for (int k = 0; k < 4; k++) {                                                                           \
                if (i % 8 == 0) SKREG_SOON(x[k] + i + ahead)                                                        \
                for (int part = 0; part < PARTS; part++) sums[k][part] += (double)x[k][i] * row[part];              \
            }                                                                                                       \
        }                                                                                                           \
        for (int k = 0; k < 4; k++)                                                                                 \
            for (int part = 0; part < PARTS; part++) SKREG_STORE(sums[k][part], out + SKREG_WIDE * k + SKREG_LANES * part) \
    }                                                                                                               \
    SKREG_CLONES static void skreg_wide_row_products##suffix(long n, const real *const *x, long ahead,              \
                                                             const double *restrict rows, double *restrict out, long apart) { \
        skreg_lanes value, sums[SKREG_WIDE];                                                                        \
        long i = 0;                                                                                                 \
        for (; i + SKREG_LANES <= n; i += SKREG_LANES) {                                                            \
            for (int m = 0; m < SKREG_WIDE; m++) SKREG_LOAD(sums[m], out + m * apart + i)                           \
            for (int k = 0; k < SKREG_ROWS; k++) {                                                                  \
                if (i % 8 == 0) SKREG_SOON(x[k] + i + ahead)                                                        \
                SKREG_CONVERT##suffix(value, x[k] + i)                                                              \
                for (int m = 0; m < SKREG_WIDE; m++) sums[m] += rows[SKREG_WIDE * k + m] * value;                   \
            }                                                                                                       \
            for (int m = 0; m < SKREG_WIDE; m++) SKREG_STORE(sums[m], out + m * apart + i)                          \
        }                                                                                                           \
        for (; i < n; i++)                                                                                          \
            for (int k = 0; k < SKREG_ROWS; k++)                                                                    \
                for (int m = 0; m < SKREG_WIDE; m++) out[m * apart + i] += rows[SKREG_WIDE * k + m] * x[k][i];      \
    }
#else
#define SKREG_WIDE_PRODUCTS(real, suffix)                                                  \
    static void skreg_wide_products##suffix(long n, const real *const *x, long ahead, const double *rows, double *out) { \
        memset(out, 0, 4 * SKREG_WIDE * sizeof(double));                                                            \
        for (long i = 0; i < n; i++)                                                                                \
            for (int k = 0; k < 4; k++)                                                                             \
                for (int m = 0; m < SKREG_WIDE; m++) out[SKREG_WIDE * k + m] += x[k][i] * rows[SKREG_WIDE * i + m]; \
    }                                                                                                               \
    static void skreg_wide_row_products##suffix(long n, const real *const *x, long ahead, const double *rows, double *out, \
                                                long apart) {                                                       \
        for (int m = 0; m < SKREG_WIDE; m++)                                                                        \
            for (int k = 0; k < SKREG_ROWS; k++) skreg_axpy##suffix(n, rows[SKREG_WIDE * k + m], x[k], out + m * apart); \
    }
#endif

SKREG_WIDE_PRODUCTS(double, _d)
SKREG_WIDE_PRODUCTS(float, _f)

/* Whether |sum of shares * products| + lost * norms is not surely within the limit: one product in each of SKREG_WIDE rows, so far ``apart``. */
SKREG_CLONES static void skreg_exceeds(long n, const double *restrict shares, const double *restrict products, long apart, double lost,
                                       const double *restrict norms, const double *restrict limits, long step, unsigned char *restrict out) {
    for (long i = 0; i < n; i++) {
        double sum = 0.0;
        for (int m = 0; m < SKREG_WIDE; m++) sum += shares[m] * products[m * apart + i];
        out[i] |= !(fabs(sum) + lost * norms[i] <= limits[i * step]);
    }
}

SKREG_GATHER_ROWS(double, int32_t, _d32)
SKREG_GATHER_ROWS(double, int64_t, _d64)
SKREG_GATHER_ROWS(float, int32_t, _f32)
SKREG_GATHER_ROWS(float, int64_t, _f64)
SKREG_SCATTER_ROWS(double, int32_t, _d32)
SKREG_SCATTER_ROWS(double, int64_t, _d64)
SKREG_SCATTER_ROWS(float, int32_t, _f32)
SKREG_SCATTER_ROWS(float, int64_t, _f64)

#endif
