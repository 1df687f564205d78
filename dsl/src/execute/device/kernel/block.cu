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
