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
    case COSINE: return sqrt(b) * sqrt(c) == 0.0 ? 0.0 : a / (sqrt(b) * sqrt(c));
    case CLIP_FACTOR: return a == 0.0 ? 1.0 : smaller_small(1.0, b / sqrt(a));
    case BIAS_CORRECTION: return 1.0 / (1.0 - small_function(OP_POWER, a, b));
    default: return small_function(op, a, b);
    }
}
