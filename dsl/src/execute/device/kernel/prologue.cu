// Before a pass: instructions on small values.

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
