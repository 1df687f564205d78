// Behind a pass: sums over leaves, means of rows and columns.

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
