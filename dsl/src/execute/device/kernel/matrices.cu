// Before a pass: orthogonal matrices.

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
INLINE void orthogonalize_leaf(const Block *block, const float *x, float *out, u32 rows,
                               u32 columns, u32 schedule) {
    const u32 steps[SCHEDULES] = SCHEDULE_STEPS;
    const double margins[SCHEDULES] = SCHEDULE_MARGINS;
    const double quintics[SCHEDULES][MOST_STEPS][3] = SCHEDULE_QUINTICS;
    u32 count = rows * columns, shorter = rows < columns ? rows : columns, longer = rows < columns ? columns : rows;
    float *wide = block->matrices, *tall = wide + count, *gram = tall + count, *squared = gram + shorter * shorter;
    double norm = sqrt(square_of(block, x, count)) * margins[schedule];
    float divisor = (float)(norm < 1e-7 ? 1e-7 : norm);
    int turned = rows > columns;
    FOR_ALL(index, count) {
        u32 place = turned ? index % columns * rows + index / columns : index;
        wide[place] = x[index] / divisor;
    }
    BARRIER;
    for (u32 step = 0; step < steps[schedule]; ++step) {
        const double *quintic = quintics[schedule][step];
        float for_x = (float)quintic[0], for_cube = (float)quintic[1];
        float for_fifth = (float)quintic[2];
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

INLINE void orthogonalize(const Block *block, u32 tree, u32 operand, u32 schedule) {
    for (u32 leaf = 0; leaf < block->leaf_count; ++leaf) {
        if (length_of(block, leaf) == 0u) continue;
        u32 target = TREE | tree << NUMBER_SHIFT;
        orthogonalize_leaf(block, leaf_elements(block, operand, leaf), leaf_elements(block, target, leaf),
                           of_leaf(block, leaf, ROW_COUNT), of_leaf(block, leaf, COLUMN_COUNT),
                           schedule);
    }
}
