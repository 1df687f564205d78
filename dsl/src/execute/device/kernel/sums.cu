// Sums of a warp. The result is the first number of `sums`, WARP numbers of shared memory. Only the
// first thread reads it, and no other thread writes it, so `sums` may be used again at once.

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
// The executor's sums over a leaf: element i goes to sum i mod 16, and those are added up in a
// tree.
static double executor_total(const double *of_lanes) {
    double lanes[SUM_LANES];
    for (u32 lane = 0; lane < SUM_LANES; ++lane) lanes[lane] = of_lanes[lane];
    for (u32 width = SUM_LANES / 2; width > 0; width /= 2) {
        for (u32 lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
    }
    return lanes[0];
}
#endif
