// The update of a whole cohort in one launch: one block of threads for each candidate, interpreting its
// program. CUDA C, and C99 just as well: so a host's compiler runs the same text, and tests compare it with
// the executor on a machine without a device. Codes and sizes are macros written in front of this text.
//
// Work within a block goes in phases, with a barrier behind each. A pass over the parameters is cut into
// units of UNIT elements of one leaf, a warp for each; a thread works on PER_THREAD elements, WARP apart, for
// every instruction it decodes, and meets no other thread until the pass ends. Registers of the program
// are in shared memory, where neighbouring threads use neighbouring words.
//
// Bound: memory. A pass reads and writes weights, gradients and states once, neighbouring threads at
// neighbouring numbers: AdamW moves 28 bytes for each parameter (reads w, g, m, v, writes w, m, v), Lion 20,
// SGD 12. Each further pass (behind a norm or a mean) reads its trees again.
//
// Results do not depend on timing: sums are taken unit by unit in a fixed tree, and units added up in
// a fixed order. They do not depend on the neighbours either, nor on a candidate's place: the order follows
// from layout and program alone. All functions of float32 are those of math.rs, operation by operation,
// so they must be compiled without contraction to fused multiply-adds.

typedef unsigned int u32;
typedef unsigned long long u64;

#ifdef __CUDACC__

#define INLINE static __device__ __forceinline__
#define OUTLINE static __device__ __noinline__
#define UNROLL _Pragma("unroll")
#define THREAD_INDEX threadIdx.x
#define BARRIER __syncthreads()
#define WARP_BARRIER __syncwarp()
#define MARK(flag) (flag) = 1

INLINE u64 bits_of(double x) { return (u64)__double_as_longlong(x); }
INLINE double of_bits(u64 bits) { return __longlong_as_double((long long)bits); }
INLINE u32 bits_of_float(float x) { return __float_as_uint(x); }
INLINE float float_of_bits(u32 bits) { return __uint_as_float(bits); }

#else

#include <math.h>
#include <stddef.h>

#define INLINE static inline
#define OUTLINE static
#define UNROLL

typedef union { double number; u64 bits; } DoubleBits;
typedef union { float number; u32 bits; } FloatBits;
INLINE u64 bits_of(double x) { DoubleBits both; both.number = x; return both.bits; }
INLINE double of_bits(u64 bits) { DoubleBits both; both.bits = bits; return both.number; }
INLINE u32 bits_of_float(float x) { FloatBits both; both.number = x; return both.bits; }
INLINE float float_of_bits(u32 bits) { FloatBits both; both.bits = bits; return both.number; }

#ifdef HOST_THREADS
// A thread of the host for each of a block's: so a race detector sees a barrier that is missing.
#include <pthread.h>
static __thread u32 thread_index;
static pthread_barrier_t block_barrier, warp_barriers[THREADS / WARP];
#define THREAD_INDEX thread_index
#define BARRIER pthread_barrier_wait(&block_barrier)
#define WARP_BARRIER pthread_barrier_wait(&warp_barriers[thread_index / WARP])
#define MARK(flag) __atomic_store_n(&(flag), 1, __ATOMIC_RELAXED)
#endif

#endif

// Code of one warp, of one thread of it, of every THREADS-th of `count`, of a single thread.
#ifdef THREAD_INDEX
#define WARPS (THREADS / WARP)
#define FOR_WARPS(warp) for (u32 warp = THREAD_INDEX / WARP, warp##_once = 1; warp##_once; warp##_once = 0)
#define FOR_THREADS(thread) \
    for (u32 thread = THREAD_INDEX % WARP, thread##_once = 1; thread##_once; thread##_once = 0)
#define FOR_ALL(index, count) for (u32 index = THREAD_INDEX; index < (count); index += THREADS)
#define FIRST_THREAD if (THREAD_INDEX == 0)
#else
// One thread of the host is all threads, one after the other; a barrier is then the end of a loop. In
// the executor's order there is one warp, and every sum is taken as the executor takes it.
#ifdef EXECUTOR_ORDER
#define WARPS 1u
#else
#define WARPS (THREADS / WARP)
#endif
#define FOR_WARPS(warp) for (u32 warp = 0; warp < WARPS; ++warp)
#define FOR_THREADS(thread) for (u32 thread = 0; thread < WARP; ++thread)
#define FOR_ALL(index, count) for (u32 index = 0; index < (count); ++index)
#define FIRST_THREAD
#define BARRIER
#define WARP_BARRIER
#define MARK(flag) (flag) = 1
#endif

// ---------------------------------------------------------------------------------------------------------
// Elementary functions of float32, as in math.rs.

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

// ---------------------------------------------------------------------------------------------------------
// Functions of small values. Those that depend on the step alone were computed by the host.

#ifdef EXECUTOR_ORDER
// The functions of the executor, handed in by the test.
static double (*small_function)(u32 op, double a, double b);
#else
static
#ifdef __CUDACC__
    __device__ __noinline__
#endif
    double small_function(u32 op, double a, double b) {
    switch (op) {
    case OP_COS: return cos(a);
    case OP_SIN: return sin(a);
    case OP_TAN: return tan(a);
    case OP_ARCSIN: return asin(a);
    case OP_ARCCOS: return acos(a);
    case OP_ARCTAN: return atan(a);
    case OP_SINH: return sinh(a);
    case OP_COSH: return cosh(a);
    case OP_TANH: return tanh(a);
    case OP_ARCSINH: return asinh(a);
    case OP_ARCCOSH: return a < 1.0 ? NOT_A_NUMBER : acosh(a);
    case OP_ARCTANH: return atanh(a);
    case OP_EXP: return exp(a);
    case OP_EXP2: return exp2(a);
    case OP_EXP10: return pow(10.0, a);
    case OP_EXPM1: return expm1(a);
    case OP_LOG: return log(magnitude_of(a));
    case OP_LOG2: return log2(magnitude_of(a));
    case OP_LOG10: return log10(magnitude_of(a));
    case OP_LOG1P: return log1p(a < -1.0 ? -2.0 - a : a);
    case OP_CBRT: return cbrt(a);
    case OP_POWER: return pow(a, b);
    default: return NOT_A_NUMBER;
    }
}
#endif

INLINE double smaller_small(double a, double b) {
    return a < b ? a : b < a ? b : of_bits(bits_of(a) | bits_of(b));
}

INLINE double small_value(u32 op, double a, double b, double c) {
    switch (op) {
    case OP_ADD: return a + b;
    case OP_SUB: return a - b;
    case OP_MUL: return a * b;
    case OP_DIV: return a / (b + GUARD);
    case OP_MAX: return -smaller_small(-a, -b);
    case OP_MIN: return smaller_small(a, b);
    case OP_ABS: return magnitude_of(a);
    case OP_NEGATIVE: return -a;
    case OP_SQUARE: return a * a;
    case OP_SQRT: return sqrt(magnitude_of(a));
    case OP_CUBE: return a * a * a;
    case OP_RECIPROCAL: return 1.0 / a;
    case OP_SIGN: return a > 0.0 ? 1.0 : a < 0.0 ? -1.0 : a;
    case OP_HEAVISIDE: return a > 0.0 ? 1.0 : a <= 0.0 ? 0.0 : a;
    case OP_INTERP: return (1.0 - c) * a + c * b;
    case OP_WHERE: return a > 0.0 ? b : c;
    case SPREAD: return a;
    case COSINE: return a / (sqrt(b) * sqrt(c));
    case CLIP_FACTOR: return smaller_small(1.0, b / sqrt(a));
    case BIAS_CORRECTION: return 1.0 / (1.0 - small_function(OP_POWER, a, b));
    default: return small_function(op, a, b);
    }
}

// ---------------------------------------------------------------------------------------------------------
// What a block knows.

typedef struct {
    // Sums of a warp in the making, a row for each warp, and one finished sum of each.
    double sums[THREADS / WARP][WARP];
    double totals[THREADS / WARP];
    u32 broken;
#ifdef EXECUTOR_ORDER
    // The sixteen sums of each reduction.
    double of_executor[1024][SUM_LANES];
#endif
} Shared;

typedef struct {
    u32 lane;
    u32 leaf_count, unit_count;
    size_t elements;
    const u32 *leaves, *units;
    double *small;
    float *trees;
    double *partials;
    float *matrices;
    // Registers up to the number in shared memory, and the others.
    u32 shared_registers;
    float *near, *far;
    // Where each leaf's weights lie, then its gradient.
    const u64 *pointers;
    Shared *shared;
} Block;

#define START 0
#define ROW_COUNT 1
#define COLUMN_COUNT 2
#define ROWS_BEFORE 3
#define COLUMNS_BEFORE 4
#define FIRST_UNIT 5

INLINE u32 of_leaf(const Block *block, u32 leaf, u32 what) { return block->leaves[leaf * LEAF + what]; }

INLINE u32 length_of(const Block *block, u32 leaf) {
    return of_leaf(block, leaf, ROW_COUNT) * of_leaf(block, leaf, COLUMN_COUNT);
}

// Where the values of a small type begin for a leaf, and how many there are for it.
INLINE u32 place_of(const Block *block, u32 type, u32 leaf) {
    return type == TYPE_SCALAR ? 0
         : type == TYPE_LEAF   ? leaf
                               : of_leaf(block, leaf, type == TYPE_ROW ? ROWS_BEFORE : COLUMNS_BEFORE);
}

INLINE u32 count_of(const Block *block, u32 type, u32 leaf) {
    return type == TYPE_SCALAR || type == TYPE_LEAF
               ? 1u
               : of_leaf(block, leaf, type == TYPE_ROW ? ROW_COUNT : COLUMN_COUNT);
}

INLINE u32 count_of_all(const Block *block, u32 type) {
    u32 last = block->leaf_count - 1;
    return type == TYPE_SCALAR ? 1u
         : block->leaf_count == 0u ? 0u
                                   : place_of(block, type, last) + count_of(block, type, last);
}

INLINE float *register_of(const Block *block, u32 number) {
    u32 size = THREADS * PER_THREAD;
    return number < block->shared_registers ? block->near + number * size
                                            : block->far + (size_t)(number - block->shared_registers) * size;
}

// The elements of a leaf in memory, for an operand that is not a register.
INLINE float *leaf_elements(const Block *block, u32 operand, u32 leaf) {
    u32 kind = operand & KIND_MASK;
    if (kind == TREE) {
        size_t tree = operand >> NUMBER_SHIFT;
        return block->trees + tree * block->elements + of_leaf(block, leaf, START);
    }
    u64 pointer = block->pointers[kind == WEIGHT ? leaf : block->leaf_count + leaf];
    return (float *)pointer + (size_t)block->lane * length_of(block, leaf);
}

// ---------------------------------------------------------------------------------------------------------
// Sums of a warp. The result is the first number of `sums`, WARP numbers of shared memory.

INLINE void fold(double *sums) {
    for (u32 width = WARP / 2; width > 0; width /= 2) {
        WARP_BARRIER;
        FOR_THREADS(thread) {
            if (thread < width) sums[thread] += sums[thread + width];
        }
    }
    WARP_BARRIER;
}

// Small values. -0 is what adding changes nothing, for zeros of either sign.
INLINE void sum_small(const double *x, u32 count, double *sums) {
#ifdef EXECUTOR_ORDER
    double sum = -0.0;
    for (u32 index = 0; index < count; ++index) sum += x[index];
    sums[0] = sum;
#else
    FOR_THREADS(thread) {
        double sum = -0.0;
        for (u32 index = thread; index < count; index += WARP) sum += x[index];
        sums[thread] = sum;
    }
    fold(sums);
#endif
}

// Elements `stride` apart.
INLINE void sum_elements(const float *x, u32 count, size_t stride, double *sums) {
#ifdef EXECUTOR_ORDER
    double sum = 0.0;
    for (u32 index = 0; index < count; ++index) sum += (double)x[index * stride];
    sums[0] = sum;
#else
    FOR_THREADS(thread) {
        double sum = 0.0;
        for (u32 index = thread; index < count; index += WARP) sum += (double)x[index * stride];
        sums[thread] = sum;
    }
    fold(sums);
#endif
}

#ifdef EXECUTOR_ORDER
// The executor's sums over a leaf: element i goes to sum i mod 16, and those are added up in a tree.
static double executor_total(const double *of_lanes) {
    double lanes[SUM_LANES];
    for (u32 lane = 0; lane < SUM_LANES; ++lane) lanes[lane] = of_lanes[lane];
    for (u32 width = SUM_LANES / 2; width > 0; width /= 2) {
        for (u32 lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
    }
    return lanes[0];
}
#endif

// ---------------------------------------------------------------------------------------------------------
// Passes over the parameters.

// A unit as a warp works on it.
typedef struct {
    u32 warp, unit, leaf, first, count, leaf_count;
    float *weights;
    const float *gradients;
    size_t place;
} Part;

INLINE double even_value(const Block *block, const Part *part, const u32 *operand) {
    return block->small[operand[1] + (operand[0] & LEAFWISE ? part->leaf : 0u)];
}

// The elements of an operand that belong to a thread; 0 beyond the unit.
INLINE void read_operand(const Block *block, const Part *part, const u32 *operand, u32 thread, float *x) {
    u32 head = operand[0], kind = head & KIND_MASK, number = head >> NUMBER_SHIFT;
    const float *from;
    switch (kind) {
    case REGISTER: from = register_of(block, number) + part->warp * UNIT; break;
    case TREE: from = block->trees + number * block->elements + part->place; break;
    case WEIGHT: from = part->weights; break;
    case GRADIENT: from = part->gradients; break;
    case ROWS:
    case COLUMNS: {
        u32 columns = of_leaf(block, part->leaf, COLUMN_COUNT);
        u32 before = of_leaf(block, part->leaf, kind == ROWS ? ROWS_BEFORE : COLUMNS_BEFORE);
        const double *numbers = block->small + operand[1] + before;
        UNROLL
        for (u32 j = 0; j < PER_THREAD; ++j) {
            u32 element = thread + j * WARP, place = part->first + element;
            u32 index = kind == ROWS ? place / columns : place % columns;
            x[j] = element < part->count ? (float)numbers[index] : 0.0f;
        }
        return;
    }
    default: {
        float value = kind == ONE ? 1.0f : (float)even_value(block, part, operand);
        UNROLL
        for (u32 j = 0; j < PER_THREAD; ++j) x[j] = value;
        return;
    }
    }
    UNROLL
    for (u32 j = 0; j < PER_THREAD; ++j) {
        u32 element = thread + j * WARP;
        x[j] = element < part->count ? from[element] : 0.0f;
    }
    u32 modifier = head >> MODIFIER_SHIFT & MODIFIER_MASK;
    if (modifier == PLAIN) return;
    float factor = modifier == SCALE ? (float)even_value(block, part, operand) : 0.0f;
    UNROLL
    for (u32 j = 0; j < PER_THREAD; ++j) {
        x[j] = modifier == SQUARE ? x[j] * x[j]
             : modifier == ROOT   ? sqrtf(float_of_bits(bits_of_float(x[j]) & 0x7fffffffu))
                                  : x[j] * factor;
    }
}

#define EACH(value) \
    UNROLL for (u32 j = 0; j < PER_THREAD; ++j) x[j] = (value); \
    break

// x = op(x, y, z), elementwise.
INLINE void apply(u32 op, float *x, const float *y, const float *z) {
    switch (op) {
    case COPY: break;
    case OP_ADD: EACH(x[j] + y[j]);
    case OP_SUB: EACH(x[j] - y[j]);
    case OP_MUL: EACH(x[j] * y[j]);
    case OP_DIV: EACH(x[j] / (y[j] + (float)GUARD));
    case OP_MAX: EACH(larger(x[j], y[j]));
    case OP_MIN: EACH(smaller(x[j], y[j]));
    case OP_ABS: EACH(float_of_bits(bits_of_float(x[j]) & 0x7fffffffu));
    case OP_NEGATIVE: EACH(-x[j]);
    case OP_SQUARE: EACH(x[j] * x[j]);
    case OP_SQRT: EACH(sqrtf(float_of_bits(bits_of_float(x[j]) & 0x7fffffffu)));
    case OP_CUBE: EACH(x[j] * x[j] * x[j]);
    case OP_RECIPROCAL: EACH(1.0f / x[j]);
    case OP_SIGN: EACH(x[j] > 0.0f ? 1.0f : x[j] < 0.0f ? -1.0f : x[j]);
    case OP_HEAVISIDE: EACH(x[j] > 0.0f ? 1.0f : x[j] <= 0.0f ? 0.0f : x[j]);
    case OP_WHERE: EACH(x[j] > 0.0f ? y[j] : z[j]);
    case OP_POWER: EACH(power(x[j], y[j]));
    default: EACH(function(op, x[j]));
    }
}

// Moves the weights of a thread: w -= (x + w * weight) * scale, or w -= x.
INLINE void move_weights(const Block *block, const Part *part, u32 thread, const float *x, const float *weight,
                         const float *scale, int decayed) {
    u32 broken = 0;
    UNROLL
    for (u32 j = 0; j < PER_THREAD; ++j) {
        u32 element = thread + j * WARP;
        if (element >= part->count) continue;
        float w = part->weights[element];
        w -= decayed ? (x[j] + w * weight[j]) * scale[j] : x[j];
        part->weights[element] = w;
        broken |= (bits_of_float(w) & 0x7f800000u) == 0x7f800000u;
    }
    // Whichever threads write it write the same.
    if (broken) MARK(block->shared->broken);
}

// Adds the products of a unit up.
INLINE void reduce(const Block *block, const Part *part, const u32 *code, u32 sum) {
    double *sums = block->shared->sums[part->warp];
    double *partial = block->partials + (size_t)sum * block->unit_count + part->unit;
#ifdef EXECUTOR_ORDER
    double *lanes = block->shared->of_executor[sum];
    if (part->first == 0) {
        for (u32 lane = 0; lane < SUM_LANES; ++lane) lanes[lane] = 0.0;
    }
    for (u32 element = 0; element < part->count; ++element) {
        float x[PER_THREAD], y[PER_THREAD];
        read_operand(block, part, code + 2, element % WARP, x);
        read_operand(block, part, code + 4, element % WARP, y);
        lanes[element % SUM_LANES] += (double)x[element / WARP] * (double)y[element / WARP];
    }
    sums[0] = part->first + part->count == part->leaf_count ? executor_total(lanes) : 0.0;
#else
    FOR_THREADS(thread) {
        float x[PER_THREAD], y[PER_THREAD];
        read_operand(block, part, code + 2, thread, x);
        read_operand(block, part, code + 4, thread, y);
        double total = 0.0;
        UNROLL
        for (u32 j = 0; j < PER_THREAD; ++j) total += (double)x[j] * (double)y[j];
        sums[thread] = total;
    }
    fold(sums);
#endif
    FOR_THREADS(thread) {
        if (thread == 0) *partial = sums[0];
    }
    WARP_BARRIER;
}

INLINE void instruction(const Block *block, const Part *part, const u32 *code) {
    u32 op = code[0] & CODE_MASK, number = code[0] >> NUMBER_SHIFT, operands = code[1];
    if (op == REDUCE) {
        reduce(block, part, code, number);
        return;
    }
    FOR_THREADS(thread) {
        float x[PER_THREAD], y[PER_THREAD], z[PER_THREAD];
        UNROLL
        for (u32 j = 0; j < PER_THREAD; ++j) y[j] = z[j] = 1.0f;
        read_operand(block, part, code + 2, thread, x);
        if (operands > 1) read_operand(block, part, code + 4, thread, y);
        if (op == OP_INTERP) {
            double a = even_value(block, part, code + 6);
            float for_x = (float)(1.0 - a), for_y = (float)a;
            UNROLL
            for (u32 j = 0; j < PER_THREAD; ++j) x[j] = for_x * x[j] + for_y * y[j];
        } else {
            if (operands > 2) read_operand(block, part, code + 6, thread, z);
            if (op == SUBTRACT || op == SUBTRACT_DECAYED) {
                move_weights(block, part, thread, x, y, z, op == SUBTRACT_DECAYED);
                continue;
            }
            apply(op, x, y, z);
        }
        float *to = code[0] & TARGET_TREE ? block->trees + number * block->elements + part->place
                                          : register_of(block, number) + part->warp * UNIT;
        UNROLL
        for (u32 j = 0; j < PER_THREAD; ++j) {
            u32 element = thread + j * WARP;
            if (element < part->count) to[element] = x[j];
        }
    }
}

INLINE void pass(const Block *block, const u32 *code, u32 instructions) {
    FOR_WARPS(warp) {
        for (u32 unit = warp; unit < block->unit_count; unit += WARPS) {
            Part part;
            part.warp = warp;
            part.unit = unit;
            part.leaf = block->units[unit * PART];
            part.first = block->units[unit * PART + 1];
            part.count = block->units[unit * PART + 2];
            part.leaf_count = length_of(block, part.leaf);
            part.place = (size_t)of_leaf(block, part.leaf, START) + part.first;
            part.weights = leaf_elements(block, WEIGHT, part.leaf) + part.first;
            part.gradients = leaf_elements(block, GRADIENT, part.leaf) + part.first;
            for (u32 index = 0; index < instructions; ++index) {
                instruction(block, &part, code + index * INSTRUCTION);
            }
        }
    }
}

// ---------------------------------------------------------------------------------------------------------
// Between passes: sums, means, small values, matrices.

// Adds up the units of every leaf.
INLINE void sum_leaves(const Block *block, const u32 *slots, u32 count) {
    FOR_WARPS(warp) {
        double *sums = block->shared->sums[warp];
        for (u32 pair = warp; pair < count * block->leaf_count; pair += WARPS) {
            u32 sum = pair / block->leaf_count, leaf = pair % block->leaf_count;
            u32 first = of_leaf(block, leaf, FIRST_UNIT);
            u32 units = (length_of(block, leaf) + UNIT - 1) / UNIT;
            sum_small(block->partials + (size_t)sum * block->unit_count + first, units, sums);
            FOR_THREADS(thread) {
                // An empty leaf has 0.
                if (thread == 0) block->small[slots[sum] + leaf] = 0.0 + sums[0];
            }
            WARP_BARRIER;
        }
    }
}

INLINE void mean_of_rows(const Block *block, u32 operand, u32 leaf, double *means) {
    u32 rows = of_leaf(block, leaf, ROW_COUNT), columns = of_leaf(block, leaf, COLUMN_COUNT);
    const float *x = leaf_elements(block, operand, leaf);
    FOR_WARPS(warp) {
        double *sums = block->shared->sums[warp];
        for (u32 row = warp; row < rows; row += WARPS) {
            sum_elements(x + (size_t)row * columns, columns, 1, sums);
            FOR_THREADS(thread) {
                if (thread == 0) means[row] = sums[0] / (double)columns;
            }
            WARP_BARRIER;
        }
    }
}

INLINE void mean_of_columns(const Block *block, u32 operand, u32 leaf, double *means) {
    u32 rows = of_leaf(block, leaf, ROW_COUNT), columns = of_leaf(block, leaf, COLUMN_COUNT);
    const float *x = leaf_elements(block, operand, leaf);
    if (columns >= WARP) {
        // Neighbouring threads read neighbouring columns.
        FOR_ALL(column, columns) {
            double sum = 0.0;
            for (u32 row = 0; row < rows; ++row) sum += (double)x[(size_t)row * columns + column];
            means[column] = sum / (double)rows;
        }
        return;
    }
    FOR_WARPS(warp) {
        double *sums = block->shared->sums[warp];
        for (u32 column = warp; column < columns; column += WARPS) {
            sum_elements(x + column, rows, columns, sums);
            FOR_THREADS(thread) {
                if (thread == 0) means[column] = sums[0] / (double)rows;
            }
            WARP_BARRIER;
        }
    }
}

INLINE void take_mean(const Block *block, const u32 *mean) {
    for (u32 leaf = 0; leaf < block->leaf_count; ++leaf) {
        double *means = block->small + mean[1] + place_of(block, mean[0], leaf);
        if (mean[0] == TYPE_ROW) {
            mean_of_rows(block, mean[2], leaf, means);
        } else {
            mean_of_columns(block, mean[2], leaf, means);
        }
    }
}

// The argument of a small instruction for element `index` of a type, in a leaf.
INLINE double argument(const Block *block, const u32 *slot, u32 type, u32 index, u32 leaf) {
    return block->small[slot[1] + (slot[0] == TYPE_SCALAR ? 0u : slot[0] == type ? index : leaf)];
}

INLINE void small_instruction(const Block *block, const u32 *code) {
    u32 op = code[0], type = code[2];
    double *out = block->small + code[3];
    const double *a = block->small + code[5];
    if (code[1]) {
        BARRIER;
    }
    if (op == TOTAL || op == LEAF_TOTAL || op == LEAF_MEAN) {
        u32 count = op == TOTAL ? 1u : block->leaf_count;
        FOR_WARPS(warp) {
            double *sums = block->shared->sums[warp];
            for (u32 index = warp; index < count; index += WARPS) {
                u32 numbers = op == TOTAL ? count_of_all(block, code[4]) : count_of(block, code[4], index);
                sum_small(a + (op == TOTAL ? 0u : place_of(block, code[4], index)), numbers, sums);
                FOR_THREADS(thread) {
                    if (thread == 0) out[index] = op == LEAF_MEAN ? sums[0] / (double)numbers : sums[0];
                }
                WARP_BARRIER;
            }
        }
        return;
    }
    u32 leaf = 0;
    FOR_ALL(index, count_of_all(block, type)) {
        if (type != TYPE_SCALAR) {
            while (index >= place_of(block, type, leaf) + count_of(block, type, leaf)) ++leaf;
        }
        double x = argument(block, code + 4, type, index, leaf);
        double y = argument(block, code + 6, type, index, leaf);
        double z = argument(block, code + 8, type, index, leaf);
        out[index] = small_value(op, x, y, z);
    }
}

// Four rows of a column of a product, each summed over the inner index in order.
#define STRIP 4u
INLINE void strip(const float *a, const float *b, u32 row, u32 rows, u32 inner, u32 column, u32 columns,
                  float *sums) {
    const float *of_row[STRIP];
    UNROLL
    for (u32 r = 0; r < STRIP; ++r) {
        u32 existing = row + r < rows ? row + r : rows - 1;
        of_row[r] = a + (size_t)existing * inner;
        sums[r] = 0.0f;
    }
    for (u32 k = 0; k < inner; ++k) {
        float factor = b[(size_t)k * columns + column];
        UNROLL
        for (u32 r = 0; r < STRIP; ++r) sums[r] = sums[r] + of_row[r][k] * factor;
    }
}

// out = a b; with a gram matrix out = 'for_gram' gram + 'for_product' a b.
INLINE void multiply(const float *a, const float *b, float *out, u32 rows, u32 inner, u32 columns,
                     const float *gram, float for_gram, float for_product) {
    FOR_ALL(item, (rows + STRIP - 1) / STRIP * columns) {
        u32 row = item / columns * STRIP, column = item % columns;
        float sums[STRIP];
        strip(a, b, row, rows, inner, column, columns, sums);
        UNROLL
        for (u32 r = 0; r < STRIP; ++r) {
            if (row + r >= rows) continue;
            size_t place = (size_t)(row + r) * columns + column;
            out[place] = gram ? for_gram * gram[place] + for_product * sums[r] : sums[r];
        }
    }
}

// The sum of the squares of a leaf, for every thread.
INLINE double square_of(const Block *block, const float *x, u32 count) {
#ifdef EXECUTOR_ORDER
    double lanes[SUM_LANES] = {0.0};
    for (u32 index = 0; index < count; ++index) lanes[index % SUM_LANES] += (double)x[index] * (double)x[index];
    (void)block;
    return executor_total(lanes);
#else
    FOR_WARPS(warp) {
        double *sums = block->shared->sums[warp];
        FOR_THREADS(thread) {
            double sum = 0.0;
            for (u32 index = warp * WARP + thread; index < count; index += THREADS) {
                sum += (double)x[index] * (double)x[index];
            }
            sums[thread] = sum;
        }
        fold(sums);
        FOR_THREADS(thread) {
            if (thread == 0) block->shared->totals[warp] = sums[0];
        }
    }
    BARRIER;
    double square = 0.0;
    for (u32 warp = 0; warp < WARPS; ++warp) square += block->shared->totals[warp];
    return square;
#endif
}

// Newton-Schulz iterations on one leaf, as in matrix.rs.
INLINE void orthogonalize_leaf(const Block *block, const float *x, float *out, u32 rows, u32 columns) {
    const float for_x = (float)3.4445, for_cube = (float)-4.7750, for_fifth = (float)2.0315;
    u32 count = rows * columns, shorter = rows < columns ? rows : columns, longer = rows < columns ? columns : rows;
    float *wide = block->matrices, *tall = wide + count, *gram = tall + count, *squared = gram + shorter * shorter;
    double norm = sqrt(square_of(block, x, count));
    float divisor = (float)(norm < 1e-7 ? 1e-7 : norm);
    int turned = rows > columns;
    FOR_ALL(index, count) {
        u32 place = turned ? index % columns * rows + index / columns : index;
        wide[place] = x[index] / divisor;
    }
    BARRIER;
    for (u32 iteration = 0; iteration < 5u; ++iteration) {
        FOR_ALL(index, count) tall[index % longer * shorter + index / longer] = wide[index];
        BARRIER;
        multiply(wide, tall, gram, shorter, longer, shorter, 0, 0.0f, 0.0f);
        BARRIER;
        multiply(gram, gram, squared, shorter, shorter, shorter, gram, for_cube, for_fifth);
        BARRIER;
        multiply(squared, wide, tall, shorter, shorter, longer, 0, 0.0f, 0.0f);
        BARRIER;
        FOR_ALL(index, count) wide[index] = for_x * wide[index] + tall[index];
        BARRIER;
    }
    FOR_ALL(index, count) {
        u32 place = turned ? index % columns * rows + index / columns : index;
        out[index] = wide[place];
    }
    BARRIER;
}

INLINE void orthogonalize(const Block *block, u32 tree, u32 operand) {
    for (u32 leaf = 0; leaf < block->leaf_count; ++leaf) {
        if (length_of(block, leaf) == 0u) continue;
        u32 target = TREE | tree << NUMBER_SHIFT;
        orthogonalize_leaf(block, leaf_elements(block, operand, leaf), leaf_elements(block, target, leaf),
                           of_leaf(block, leaf, ROW_COUNT), of_leaf(block, leaf, COLUMN_COUNT));
    }
}

// ---------------------------------------------------------------------------------------------------------
// One step of one candidate.

// Runs a stage; gives the words behind it.
INLINE const u32 *run_stage(const Block *block, const u32 *stage) {
    const u32 *at = stage + STAGE;
    for (u32 index = 0; index < stage[0]; ++index, at += SMALL_INSTRUCTION) small_instruction(block, at);
    BARRIER;
    for (u32 index = 0; index < stage[1]; ++index, at += ORTHOGONALIZATION) orthogonalize(block, at[0], at[1]);
    pass(block, at, stage[2]);
    at += stage[2] * INSTRUCTION;
    BARRIER;
    sum_leaves(block, at, stage[3]);
    at += stage[3];
    for (u32 index = 0; index < stage[4]; ++index, at += MEAN) take_mean(block, at);
    BARRIER;
    return at;
}

// `values` holds, for the cohort, where each leaf's weights and then its gradient lie, and the small values of
// this step. `first_non_finite` holds for each lane the step after which a weight was not finite, 0 for none.
#define PARAMETERS                                                                                       \
    const u32 *words, double *small, float *trees, double *partials, float *scratch, const u64 *values, \
        u32 *first_non_finite, u32 step, u32 shared_registers

INLINE void update_lane(u32 lane, float *near, Shared *shared, PARAMETERS) {
    Block block;
    block.lane = lane;
    block.leaf_count = words[0];
    block.unit_count = words[1];
    block.elements = words[2];
    block.leaves = words + HEADER;
    block.units = block.leaves + block.leaf_count * LEAF;
    const u32 *program = words + (block.units + block.unit_count * PART)[lane];
    block.small = small + program[1];
    block.trees = trees + program[2];
    block.partials = partials + program[3];
    block.matrices = scratch + program[4];
    block.far = scratch + program[5];
    block.near = near;
    block.shared_registers = shared_registers;
    block.pointers = values;
    block.shared = shared;
    const u64 *of_step = values + 2u * block.leaf_count + program[6];
    const u32 *at = program + PROGRAM;
    FOR_ALL(index, program[7]) block.small[at[index]] = of_bits(of_step[index]);
    FIRST_THREAD { shared->broken = 0; }
    BARRIER;
    at += program[7];
    for (u32 stage = 0; stage < program[0]; ++stage) at = run_stage(&block, at);
    FIRST_THREAD {
        if (shared->broken && first_non_finite[lane] == 0u) first_non_finite[lane] = step;
    }
}

#ifdef __CUDACC__

extern "C" __global__ void __launch_bounds__(THREADS) evo_update(PARAMETERS) {
    extern __shared__ float near[];
    __shared__ Shared shared;
    update_lane(blockIdx.x, near, &shared, words, small, trees, partials, scratch, values, first_non_finite, step,
                shared_registers);
}

#else

// All lanes, one after the other; `near` has the registers in shared memory of one block. The order may
// be turned, as a device may run blocks in any.
#ifndef HOST_THREADS
void evo_update(u32 lanes, u32 turned, float *near, PARAMETERS) {
    Shared shared;
    for (u32 lane = 0; lane < lanes; ++lane) {
        update_lane(turned ? lanes - 1 - lane : lane, near, &shared, words, small, trees, partials, scratch, values,
                    first_non_finite, step, shared_registers);
    }
}
#endif

#ifdef EXECUTOR_ORDER
void use_small_function(double (*function_of_test)(u32, double, double)) { small_function = function_of_test; }
#endif

#endif
