// Runs a cohort on the host, a thread for each of a block's, on what its one argument, a file,
// holds: sizes, then words, small values, weights and gradients. Prints the bits of the weights.
// Comes after the text of the kernel, which is compiled with HOST_THREADS.

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    u32 lanes, leaves, elements, steps, words, small, trees, partials, scratch, shared_registers, values;
} Sizes;

static Sizes sizes;
static Shared shared;
static u32 *words, *first_non_finite;
static double *small, *partials;
static float *trees, *scratch, *near, *weights, *gradients;
static u64 *values;
static u32 current_lane, current_step;

static void *memory(size_t count, size_t size) {
    void *memory = calloc(count + 1, size);
    if (!memory) exit(3);
    return memory;
}

static void *load(FILE *file, size_t count, size_t size) {
    void *numbers = memory(count, size);
    if (fread(numbers, size, count, file) != count) exit(4);
    return numbers;
}

static void *run_thread(void *index) {
    thread_index = (u32)(size_t)index;
    update_lane(current_lane, near, &shared, words, small, trees, partials, scratch, values, first_non_finite,
                current_step, sizes.shared_registers);
    return 0;
}

int main(int count, char **arguments) {
    // A barrier that not all threads reach would wait for ever.
    alarm(500);
    FILE *file = count == 2 ? fopen(arguments[1], "rb") : 0;
    if (!file || fread(&sizes, sizeof sizes, 1, file) != 1) return 2;
    words = load(file, sizes.words, sizeof *words);
    small = load(file, sizes.small, sizeof *small);
    size_t numbers = (size_t)sizes.lanes * sizes.elements;
    weights = load(file, numbers, sizeof *weights);
    trees = memory(sizes.trees, sizeof *trees);
    partials = memory(sizes.partials, sizeof *partials);
    scratch = memory(sizes.scratch, sizeof *scratch);
    near = memory((size_t)sizes.shared_registers * THREADS * PER_THREAD, sizeof *near);
    first_non_finite = memory(sizes.lanes, sizeof *first_non_finite);
    values = memory(2 * sizes.leaves + sizes.values, sizeof *values);
    pthread_barrier_init(&block_barrier, 0, THREADS);
    for (u32 warp = 0; warp < WARPS; ++warp) pthread_barrier_init(&warp_barriers[warp], 0, WARP);
    for (current_step = 1; current_step <= sizes.steps; ++current_step) {
        gradients = load(file, numbers, sizeof *gradients);
        u64 *of_step = load(file, sizes.values, sizeof *of_step);
        for (u32 index = 0; index < sizes.values; ++index) values[2 * sizes.leaves + index] = of_step[index];
        for (u32 leaf = 0; leaf < sizes.leaves; ++leaf) {
            size_t place = (size_t)sizes.lanes * words[HEADER + leaf * LEAF + START];
            values[leaf] = (u64)(size_t)(weights + place);
            values[sizes.leaves + leaf] = (u64)(size_t)(gradients + place);
        }
        for (current_lane = 0; current_lane < sizes.lanes; ++current_lane) {
            pthread_t threads[THREADS];
            for (size_t index = 0; index < THREADS; ++index) {
                if (pthread_create(&threads[index], 0, run_thread, (void *)index)) return 5;
            }
            for (size_t index = 0; index < THREADS; ++index) pthread_join(threads[index], 0);
        }
        free(of_step);
        free(gradients);
    }
    for (size_t index = 0; index < numbers; ++index) printf("%08x\n", bits_of_float(weights[index]));
    return 0;
}
