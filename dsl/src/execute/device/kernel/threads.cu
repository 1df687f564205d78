// Threads of a block, on a device and on a host, and the bits of numbers.

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
// One thread of the host is all threads, one after the other; a barrier is then the end of a loop.
// In the executor's order there is one warp, and every sum is taken as the executor takes it.
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
