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
    if (modifier == SCALE || modifier == ROOT_OF_SCALED) {
        float factor = (float)even_value(block, part, operand);
        UNROLL
        for (u32 j = 0; j < PER_THREAD; ++j) x[j] *= factor;
        if (modifier == SCALE) return;
    }
    UNROLL
    for (u32 j = 0; j < PER_THREAD; ++j) {
        x[j] = modifier == SQUARE ? x[j] * x[j] : sqrtf(float_of_bits(bits_of_float(x[j]) & 0x7fffffffu));
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
