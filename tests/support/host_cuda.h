// CUDA kernels on the host: host_cuda.py puts this file before their source to compile it as C++ on Linux.
//
// A kernel's blocks run one after another, so that a shared variable can be a static one. A block's threads are threads
// of this machine, which meet at barriers. With HOST_CUDA_FIBERS they take turns on one thread, in a random order that
// changes at each turn and is the same at every launch; this is about a hundred times faster.
#pragma once
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <atomic>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>
#ifdef HOST_CUDA_FIBERS
#include <setjmp.h>
#include <ucontext.h>
#else
#include <thread>
#endif

#define __global__
#define __host__
#define __device__ __attribute__((unused))  // a kernel need not call it
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)  // host_cuda.py reads them
#define __align__(bytes) __attribute__((aligned(bytes)))
#ifdef __SANITIZE_ADDRESS__
#define __shared__ static  // the sanitizer guards no variable of a named section
#else
#define __shared__ static __attribute__((section("host_shared")))  // in one section, to be filled with garbage
#endif
extern "C" __attribute__((weak, visibility("hidden"))) char __start_host_shared[], __stop_host_shared[];

namespace {  // like the source: these names hide those of the C library

struct dim3 {
    unsigned x, y, z;
};
struct alignas(8) float2 {
    float x, y;
};
__device__ float2 make_float2(float x, float y) { return {x, y}; }

template <class T> T min(T a, T b) { return b < a ? b : a; }
template <class T> T max(T a, T b) { return a < b ? b : a; }
template <class T> T __ldg(const T* p) { return *p; }
__device__ float rsqrtf(float x) { return 1 / sqrtf(x); }
__device__ double sinpi(double x) { return sin(M_PI * remainder(x, 2)); }
__device__ double cospi(double x) { return cos(M_PI * remainder(x, 2)); }
__device__ float sinpif(float x) { return sinpi(x); }
__device__ float cospif(float x) { return cospi(x); }

dim3 gridDim, blockDim, blockIdx;
#ifdef HOST_CUDA_FIBERS
dim3 threadIdx;
#else
thread_local dim3 threadIdx;
#endif

}  // namespace

namespace host {

constexpr unsigned max_shared = 48 << 10, guard = 64;
alignas(128) unsigned char dynamic_shared[max_shared + guard];  // where `extern __shared__ T name[]` points

void pause(const std::atomic<unsigned>& generation, unsigned before);

struct Barrier {
    std::atomic<unsigned> expected, missing, generation;

    void start(unsigned threads) { expected = missing = threads; }
    template <class Last>
    bool arrive(Last last) {  // the last to arrive calls it before any goes on
        if (--missing) return false;
        last();
        missing = expected.load();
        ++generation;
        generation.notify_all();
        return true;
    }
    template <class Last>
    void wait(Last last) {
        const unsigned before = generation;
        if (!arrive(last))
            while (generation == before) pause(generation, before);
    }
    void leave() { --expected, arrive([] {}); }
} in_block, in_grid;

struct {
    void (*call)(void** args);
    void** args;
    unsigned threads, shared;
    bool done, overrun;
} now;

void start_block() {
    in_block.start(now.threads);
    if (__start_host_shared)
        memset(__start_host_shared, 0xff, __stop_host_shared - __start_host_shared);  // NaN; on a device anything
    memset(dynamic_shared, 0xff, sizeof dynamic_shared);
}

void next_block() {
    const unsigned char* rest = dynamic_shared + now.shared;
    now.overrun |= *rest != 0xff || memcmp(rest, rest + 1, sizeof dynamic_shared - now.shared - 1);
    if (++blockIdx.x == gridDim.x) blockIdx.x = 0, ++blockIdx.y;
    if (blockIdx.y == gridDim.y) blockIdx.y = 0, ++blockIdx.z;
    now.done = blockIdx.z == gridDim.z;
    start_block();
}

void walk() {  // a thread's way over the blocks, together with the others
    while (!now.done) {
        now.call(now.args);
        in_block.leave();  // as on a device, nobody waits for a thread that has returned
        in_grid.wait(next_block);
    }
}

dim3 place(unsigned thread) {
    return {thread % blockDim.x, thread / blockDim.x % blockDim.y, thread / blockDim.x / blockDim.y};
}

#ifdef HOST_CUDA_FIBERS

struct Fiber {
    char* stack;
    jmp_buf here;
};
std::vector<Fiber> fibers;  // kept, as making them takes longer than most launches
unsigned current;
jmp_buf turns;

void pause(const std::atomic<unsigned>&, unsigned) {
    if (!_setjmp(fibers[current].here)) _longjmp(turns, 1);
}

void fiber() {
    for (;;) {
        pause({}, 0);
        walk();
    }
}

void add_fiber() {
    constexpr size_t size = 64 << 10;
    static ucontext_t context;
    current = fibers.size();
    fibers.push_back({static_cast<char*>(malloc(size)), {}});
    getcontext(&context);
    context.uc_stack.ss_sp = fibers[current].stack;
    context.uc_stack.ss_size = size;
    makecontext(&context, fiber, 0);
    if (!_setjmp(turns)) setcontext(&context);
}

void take_turn(unsigned i) {
    current = i;
    threadIdx = place(i);
    if (!_setjmp(turns)) _longjmp(fibers[i].here, 1);
}

void run() {
    while (fibers.size() < now.threads) add_fiber();
    std::vector<unsigned> order;
    for (unsigned i = 0; i < now.threads; ++i) order.push_back(i);
    for (unsigned random = 1; !now.done;) {
        for (unsigned i = now.threads; i > 1; --i) {
            random = random * 1664525 + 1013904223;
            std::swap(order[i - 1], order[(random >> 16) % i]);
        }
        for (unsigned i : order) take_turn(i);
    }
    for (unsigned i : order) take_turn(i);  // back to where they begin
}

#else

void pause(const std::atomic<unsigned>& generation, unsigned before) { generation.wait(before); }

void run() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < now.threads; ++i)
        threads.emplace_back([i] {
            threadIdx = place(i);
            walk();
        });
    for (std::thread& thread : threads) thread.join();
}

#endif

bool launch(void (*call)(void** args), void** args, const unsigned* sizes, unsigned shared) noexcept {
    gridDim = {sizes[0], sizes[1], sizes[2]};
    blockDim = {sizes[3], sizes[4], sizes[5]};
    blockIdx = {};
    now = {call, args, blockDim.x * blockDim.y * blockDim.z, shared, false, false};
    in_grid.start(now.threads);
    start_block();
    run();
    return !now.overrun;
}

template <class... P, size_t... I>
void call(void (*kernel)(P...), [[maybe_unused]] void** args, std::index_sequence<I...>) {
    kernel(*static_cast<P*>(args[I])...);
}

template <class... P>
void call(void (*kernel)(P...), void** args) {  // which point to the arguments, as cudaLaunchKernel has it
    call(kernel, args, std::index_sequence_for<P...>());
}

template <class T>
char kind() {
    if (std::is_same_v<T, bool>) return 'b';
    if (std::is_same_v<T, float2>) return 'c';
    if (std::is_floating_point_v<T>) return 'f';
    return std::is_signed_v<T> ? 'i' : 'u';
}

void add_type(std::string& types, bool constant, char kind, size_t size, bool pointer) {
    types += types.empty() ? "" : ",";
    types += (constant ? "const " : "") + (kind + std::to_string(size)) + (pointer ? "*" : "");
}

template <class T>
void add_type(std::string& types) {
    using Pointed = std::remove_pointer_t<T>;
    using Plain = std::remove_const_t<Pointed>;
    add_type(types, !std::is_same_v<Pointed, Plain>, kind<Plain>(), sizeof(Plain), std::is_pointer_v<T>);
}

template <class... P>
std::string types(void (*)(P...)) {  // as host_cuda.py names those of arguments
    std::string all;
    (add_type<P>(all), ...);
    return all;
}

}  // namespace host

namespace {
__device__ void __syncthreads() { host::in_block.wait([] {}); }
}  // namespace

#define HOST_KERNEL(name, most_threads)                                                          \
    extern "C" bool host_launch_##name(const unsigned* sizes, unsigned shared, void** args) {    \
        return host::launch([](void** args) { host::call(::name, args); }, args, sizes, shared); \
    }                                                                                            \
    extern "C" unsigned host_threads_##name() { return most_threads; }                           \
    extern "C" const char* host_types_##name() {                                                 \
        static const std::string types = host::types(::name);                                    \
        return types.c_str();                                                                    \
    }
