// One step of one candidate.

// Runs a stage; gives the words behind it.
INLINE const u32 *run_stage(const Block *block, const u32 *stage) {
    const u32 *at = stage + STAGE;
    for (u32 index = 0; index < stage[0]; ++index, at += SMALL_INSTRUCTION) small_instruction(block, at);
    BARRIER;
    for (u32 index = 0; index < stage[1]; ++index, at += ORTHOGONALIZATION) orthogonalize(block, at[0], at[1], at[2]);
    pass(block, at, stage[2]);
    at += stage[2] * INSTRUCTION;
    BARRIER;
    sum_leaves(block, at, stage[3]);
    at += stage[3];
    for (u32 index = 0; index < stage[4]; ++index, at += MEAN) take_mean(block, at);
    BARRIER;
    return at;
}

// `values` holds, for the cohort, where each leaf's weights and then its gradient lie, and the
// small values of this step. `first_non_finite` holds for each lane the step after which a weight
// was not finite, 0 for none.
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

// All lanes, one after the other; `near` has the registers in shared memory of one block. The order
// may be turned, as a device may run blocks in any.
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
