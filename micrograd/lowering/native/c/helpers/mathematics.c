/* exp, log, log1p and tanh without branches, for loops that the compiler turns into vectors; wrong
   by less than 2 units in the last place. Arguments are reduced as Cody and Waite (1980) do. */
typedef union { double x; unsigned long long bits; } number;
#define LN2_HIGH 6.93147180369123816490e-01 /* its last 20 bits are 0 */
#define LN2_LOW 1.90821492927058770002e-10
#define SHIFT 6755399441055744.0 /* 1.5 · 2^52: n + SHIFT has n in its last bits */

static inline double two_to(double n) { /* -1022 <= n <= 1023, a whole number */
    number u;
    u.x = n + (SHIFT + 1023.0);
    u.bits <<= 52;
    return u.x;
}

/* e^r - 1 for |r| <= ln 2 / 2: Taylor's terms in pairs, so that few wait for one another (Estrin) */
static inline double small_expm1(double r) {
    double r2 = r * r, r4 = r2 * r2;
    double a = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
    double b = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
    double c = (1.0 / 3628800 + r * (1.0 / 39916800)) +
               r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
    return (a + r4 * (b + r4 * c)) * r2 + r;
}

static inline double fast_exp(double x) {
    double t = x > 710.0 ? 710.0 : x;
    t = t < -746.0 ? -746.0 : t;
    double n = rint(t * 1.4426950408889634);
    double r = t - n * LN2_HIGH - n * LN2_LOW;
    double half = rint(n * 0.5);
    return (1.0 + small_expm1(r)) * two_to(half) * two_to(n - half);
}

/* 1 - 2 e^-2x / (1 + e^-2x); below 0.625, where that loses digits, x plus x times the quotient of
   polynomials in x^2 that Moshier's Cephes library (1989) has. One division serves both. */
static inline double fast_tanh(double x) {
    double size = fabs(x), z = x * x;
    double p = ((-9.64399179425052238628e-1 * z - 9.92877231001918586564e1) * z -
                1.61468768441708447952e3) * z;
    double q = ((z + 1.12811678491632931402e2) * z + 2.23548839060100448583e3) * z +
               4.84406305325125486048e3;
    double t = size > 22.0 ? -44.0 : -2.0 * size;
    double n = rint(t * 1.4426950408889634);
    double r = t - n * LN2_HIGH - n * LN2_LOW, power = two_to(n);
    double e = power * small_expm1(r) + power;
    double w = size < 0.625 ? size : 1.0;
    double y = (size < 0.625 ? p : -2.0 * e) / (size < 0.625 ? q : 1.0 + e);
    return copysign(w + w * y, x);
}

/* After fdlibm's e_log.c (Sun Microsystems, 1993): x = 2^n m, log m by s = (m - 1) / (m + 1). */
static inline double fast_log1p_of(double x, double lost) {
    double tiny = x < 2.2250738585072014e-308 ? 18014398509481984.0 : 1.0;
    number u, m, n;
    u.x = x * tiny;
    /* the exponent that leaves m between sqrt(1/2) and sqrt(2), plus 2048 */
    unsigned long long power = (u.bits - 0x3fe6a09e667f3bcdULL + (1ULL << 63)) >> 52;
    n.bits = power | 0x4330000000000000ULL;
    m.bits = u.bits - (power << 52) + (1ULL << 63);
    double e = n.x - (4503599627370496.0 + 2048.0);
    double f = m.x - 1.0, s = f / (2.0 + f), z = s * s;
    double p = 1.479819860511658591e-01;
    p = p * z + 1.531383769920937332e-01;
    p = p * z + 1.818357216161805012e-01;
    p = p * z + 2.222219843214978396e-01;
    p = p * z + 2.857142874366239149e-01;
    p = p * z + 3.999999999940941908e-01;
    p = p * z + 6.666666666666735130e-01;
    double half = 0.5 * f * f;
    e = tiny > 1.0 ? e - 54.0 : e;
    double y = e * LN2_HIGH - ((half - (s * (half + p * z) + (e * LN2_LOW + lost))) - f);
    y = x > 1.7976931348623157e308 ? x : y;
    return x > 0.0 ? y : x == 0.0 ? -INFINITY : NAN;
}

static inline double fast_log(double x) { return fast_log1p_of(x, 0.0); }

static inline double fast_log1p(double x) {
    double u = 1.0 + x;
    double lost = (x - (u - 1.0)) / u;
    return fast_log1p_of(u, u > 1.7976931348623157e308 ? 0.0 : lost);
}
