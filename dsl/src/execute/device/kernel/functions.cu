// Elementary functions of float32: those of math.rs, operation by operation.

#define INFINITE of_bits(0x7ff0000000000000ull)
#define NOT_A_NUMBER of_bits(0x7ff8000000000000ull)
#define HALF_PI 1.5707963267948966
#define QUARTER_PI 0.7853981633974483
#define LN_2 0.6931471805599453
#define LN_10 2.302585092994046
#define LOG2_E 1.4426950408889634
#define LOG10_E 0.4342944819032518
#define ROUND 6755399441055744.0
#define LN_2_HIGH of_bits(0x3fe62e42fee00000ull)
#define LN_2_LOW 1.9082149292705877e-10
#define HALF_PI_HIGH of_bits(0x3ff921fb50000000ull)
#define HALF_PI_LOW 1.5893254773528197e-8
#define TRIG_LIMIT 1e8f

INLINE double magnitude_of(double x) { return of_bits(bits_of(x) & 0x7fffffffffffffffull); }

INLINE double with_sign(double x, double sign) {
    return of_bits((bits_of(x) & 0x7fffffffffffffffull) | (bits_of(sign) & 0x8000000000000000ull));
}

INLINE double limit(double x, double bound) {
    x = x > bound ? bound : x;
    return x < -bound ? -bound : x;
}

INLINE double polynomial(double x, const double *coefficients, u32 count) {
    double sum = coefficients[count - 1];
    UNROLL
    for (u32 index = count - 1; index > 0; --index) sum = sum * x + coefficients[index - 1];
    return sum;
}

// Gives e^r - 1 and, by `scale`, 2^k, for x = k ln 2 + r.
INLINE double exp_parts(double x, double *scale) {
    const double taylor[9] = {1.0 / 2.0,     1.0 / 6.0,      1.0 / 24.0,      1.0 / 120.0,    1.0 / 720.0,
                              1.0 / 5040.0,  1.0 / 40320.0,  1.0 / 362880.0,  1.0 / 3628800.0};
    double shifted = limit(x, 700.0) * LOG2_E + ROUND;
    double k = shifted - ROUND;
    double r = (limit(x, 700.0) - k * LN_2_HIGH) - k * LN_2_LOW;
    *scale = of_bits((bits_of(shifted) + 1023ull) << 52);
    return r + r * r * polynomial(r, taylor, 9);
}

INLINE double exp64(double x) {
    double scale;
    double fraction = exp_parts(x, &scale);
    return scale + scale * fraction;
}

INLINE double expm1_64(double x) {
    double scale;
    double fraction = exp_parts(x, &scale);
    return x == 0.0 ? x : scale * fraction + (scale - 1.0);
}

INLINE double ln64(double x) {
    const double atanh_terms[8] = {2.0,       2.0 / 3.0,  2.0 / 5.0,  2.0 / 7.0,
                                   2.0 / 9.0, 2.0 / 11.0, 2.0 / 13.0, 2.0 / 15.0};
    const u64 sqrt_half = 0x3fe6a09e667f3bcdull;
    u64 shifted = bits_of(x) - sqrt_half;
    u64 biased = ((shifted >> 52) + 2048ull) & 0xfffull;
    double exponent = of_bits(biased | 0x4330000000000000ull) - (4503599627370496.0 + 2048.0);
    double mantissa = of_bits((shifted & 0x000fffffffffffffull) + sqrt_half);
    double s = (mantissa - 1.0) / (mantissa + 1.0);
    double finite = exponent * LN_2_HIGH + (s * polynomial(s * s, atanh_terms, 8) + exponent * LN_2_LOW);
    double positive = x == INFINITE ? INFINITE : finite;
    double zero_or_positive = x == 0.0 ? -INFINITE : positive;
    return x >= 0.0 ? zero_or_positive : NOT_A_NUMBER;
}

INLINE double ln1p_64(double x) {
    double sum = 1.0 + x;
    double lost = x - (sum - 1.0);
    double correction = sum > 0.0 && sum < INFINITE ? lost / sum : 0.0;
    return x == 0.0 ? x : ln64(sum) + correction;
}

INLINE double exp2_64(double x) { return exp64(x * LN_2); }
INLINE double log2_64(double x) { return ln64(x) * LOG2_E; }

INLINE double sine_and_cosine(double r, double *cosine) {
    const double sine_terms[6] = {-1.0 / 6.0,    1.0 / 120.0,       -1.0 / 5040.0,
                                  1.0 / 362880.0, -1.0 / 39916800.0, 1.0 / 6227020800.0};
    const double cosine_terms[6] = {-1.0 / 2.0,    1.0 / 24.0,       -1.0 / 720.0,
                                    1.0 / 40320.0, -1.0 / 3628800.0, 1.0 / 479001600.0};
    double square = r * r;
    *cosine = 1.0 + square * polynomial(square, cosine_terms, 6);
    return r * (1.0 + square * polynomial(square, sine_terms, 6));
}

// For |x| below the limit: the sine of what is left of x beyond `quarter` quarter turns.
INLINE double trig_parts(double x, double *cosine, u64 *quarter) {
    double shifted = x * (1.0 / HALF_PI) + ROUND;
    double quotient = shifted - ROUND;
    *quarter = bits_of(shifted);
    return sine_and_cosine((x - quotient * HALF_PI_HIGH) - quotient * HALF_PI_LOW, cosine);
}

// The same for finite |x| of 2^26 and more, with 128 bits in two halves.
INLINE double large_trig_parts(float x, double *cosine, u64 *quarter) {
    const u64 two_over_pi[4] = {0xa2f9836e4e441529ull, 0xfc2757d1f534ddc0ull, 0xdb6295993c439041ull,
                                0xfe5163abdebbc561ull};
    const double unit = 1.0 / 18446744073709551616.0;
    u64 mantissa = (bits_of_float(x) & 0x007fffffu) | 0x00800000u;
    u32 first = ((bits_of_float(x) >> 23) & 0xffu) - 152u;
    u32 word = first / 64u, shift = first % 64u;
    u64 high = two_over_pi[word], low = two_over_pi[word + 1], next = two_over_pi[word + 2];
    if (shift > 0) {
        high = high << shift | low >> (64u - shift);
        low = low << shift | next >> (64u - shift);
    }
    // mantissa * (high, low) modulo 2^128.
    u64 lowest = mantissa * (low & 0xffffffffull);
    u64 middle = mantissa * (low >> 32) + (lowest >> 32);
    u64 turns_low = middle << 32 | (lowest & 0xffffffffull);
    u64 turns_high = mantissa * high + (middle >> 32);
    u64 whole = (turns_high >> 62) + (turns_high >> 61 & 1ull);
    u64 rest_high = turns_high << 2 | turns_low >> 62, rest_low = turns_low << 2;
    u32 below = (u32)(rest_high >> 63);
    if (below) {
        rest_low = ~rest_low + 1ull;
        rest_high = ~rest_high + (rest_low == 0ull);
    }
    double r = ((double)rest_high * unit + (double)rest_low * unit * unit) * HALF_PI;
    *quarter = x < 0.0f ? 0ull - whole : whole;
    return sine_and_cosine((below != 0u) != (x < 0.0f) ? -r : r, cosine);
}

INLINE double rotated_sine(double sine, double cosine, u64 quarter) {
    double value = (quarter & 1ull) == 0ull ? sine : cosine;
    return of_bits(bits_of(value) ^ ((quarter & 2ull) << 62));
}

INLINE float trigonometric(u32 op, float x) {
    double sine, cosine;
    u64 quarter;
    if (float_of_bits(bits_of_float(x) & 0x7fffffffu) < TRIG_LIMIT) {
        sine = trig_parts((double)x, &cosine, &quarter);
    } else if ((bits_of_float(x) & 0x7f800000u) != 0x7f800000u) {
        sine = large_trig_parts(x, &cosine, &quarter);
    } else {
        return (float)NOT_A_NUMBER;
    }
    double here = rotated_sine(sine, cosine, quarter), ahead = rotated_sine(sine, cosine, quarter + 1ull);
    return (float)(op == OP_SIN ? here : op == OP_COS ? ahead : here / ahead);
}

INLINE double atan64(double x) {
    const double taylor[13] = {1.0,         -1.0 / 3.0, 1.0 / 5.0,   -1.0 / 7.0, 1.0 / 9.0,   -1.0 / 11.0, 1.0 / 13.0,
                               -1.0 / 15.0, 1.0 / 17.0, -1.0 / 19.0, 1.0 / 21.0, -1.0 / 23.0, 1.0 / 25.0};
    double size = magnitude_of(x);
    int inverted = size > 1.0;
    double t = inverted ? 1.0 / size : size;
    int shifted = t > 0.41421356237309503;
    double u = shifted ? (t - 1.0) / (t + 1.0) : t;
    double angle = u * polynomial(u * u, taylor, 13) + (shifted ? QUARTER_PI : 0.0);
    return with_sign(inverted ? HALF_PI - angle : angle, x);
}

INLINE double sinh64(double x) {
    double grown = expm1_64(magnitude_of(x));
    return with_sign(0.5 * (grown + grown / (grown + 1.0)), x);
}

INLINE double cosh64(double x) {
    double grown = exp64(magnitude_of(x));
    return 0.5 * (grown + 1.0 / grown);
}

INLINE double tanh64(double x) {
    double grown = expm1_64(2.0 * limit(x, 20.0));
    return grown / (grown + 2.0);
}

INLINE double arcsinh64(double x) {
    double size = magnitude_of(x);
    double square = size * size;
    double grown = square == INFINITE ? square : size + square / (1.0 + sqrt(square + 1.0));
    return with_sign(ln1p_64(grown), x);
}

INLINE double arccosh64(double x) {
    double grown = (x - 1.0) + sqrt((x - 1.0) * (x + 1.0));
    return x < 1.0 ? NOT_A_NUMBER : ln1p_64(grown);
}

INLINE double cbrt64(double x) {
    return x == 0.0 ? x : with_sign(exp2_64(log2_64(magnitude_of(x)) * (1.0 / 3.0)), x);
}

INLINE float power(float a, float b) {
    double base = (double)a, exponent = (double)b;
    double size = magnitude_of(base);
    double grown = exp2_64(limit(exponent * log2_64(size), 1000.0));
    int whole = floor(exponent) == exponent;
    int odd = whole && floor(exponent * 0.5) != exponent * 0.5;
    int real = whole || base >= 0.0 || size == INFINITE || base != base;
    double value = of_bits(bits_of(grown) ^ ((u64)odd << 63 & bits_of(base)));
    int one = base == 1.0 || exponent == 0.0 || (size == 1.0 && magnitude_of(exponent) == INFINITE);
    value = real ? value : NOT_A_NUMBER;
    return (float)(one ? 1.0 : value);
}

INLINE float smaller(float a, float b) {
    float joined = float_of_bits(bits_of_float(a) | bits_of_float(b));
    float not_below = b < a ? b : joined;
    return a < b ? a : not_below;
}

INLINE float larger(float a, float b) { return -smaller(-a, -b); }

// A call and not a part of every instruction: these are long, and rare in programs.
OUTLINE float function(u32 op, float narrow) {
    double x = (double)narrow;
    switch (op) {
    case OP_COS:
    case OP_SIN:
    case OP_TAN: return trigonometric(op, narrow);
    case OP_ARCSIN: return (float)atan64(x / sqrt((1.0 - x) * (1.0 + x)));
    case OP_ARCCOS: return (float)(2.0 * atan64(sqrt((1.0 - x) / (1.0 + x))));
    case OP_ARCTAN: return (float)atan64(x);
    case OP_SINH: return (float)sinh64(x);
    case OP_COSH: return (float)cosh64(x);
    case OP_TANH: return (float)tanh64(x);
    case OP_ARCSINH: return (float)arcsinh64(x);
    case OP_ARCCOSH: return (float)arccosh64(x);
    case OP_ARCTANH: return (float)(0.5 * ln1p_64(2.0 * x / (1.0 - x)));
    case OP_EXP: return (float)exp64(x);
    case OP_EXP2: return (float)exp2_64(x);
    case OP_EXP10: return (float)exp64(limit(x, 400.0) * LN_10);
    case OP_EXPM1: return (float)expm1_64(x);
    case OP_LOG: return (float)ln64(magnitude_of(x));
    case OP_LOG2: return (float)log2_64(magnitude_of(x));
    case OP_LOG10: return (float)(ln64(magnitude_of(x)) * LOG10_E);
    case OP_LOG1P: return (float)ln1p_64(x < -1.0 ? -2.0 - x : x);
    case OP_CBRT: return (float)cbrt64(x);
    default: return (float)NOT_A_NUMBER;
    }
}
