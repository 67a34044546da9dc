// The operations that cuBLAS and cuFFT don't cover: each kernel replaces about a dozen array operations.
//
// Each kernel is launched by a Python function of this folder that also contains its NumPy twin; the tests compare the
// two. "Twin: adam.adam_step" names the module and the function. All arrays are float32 in C order unless another type
// is given. A kernel covers its array with a grid of any size. The order of its sums depends on sizes only, so that
// equal input gives equal output.

constexpr float PI = 3.14159265358979323846f;

// Returns the sum of a value over the 32 threads of a warp, in its first thread. All threads of the block must call it.
__device__ double warp_sum(double value) {
#ifdef __CUDA_ARCH__
    for (int step = 16; step > 0; step /= 2) value += __shfl_down_sync(0xffffffffu, value, step);
    return value;
#else
    __shared__ double values[1024];
    values[threadIdx.x] = value;
    __syncthreads();
    if (threadIdx.x % 32 == 0)
        for (unsigned int i = threadIdx.x + 1; i < threadIdx.x + 32 && i < blockDim.x; ++i) value += values[i];
    __syncthreads();
    return value;
#endif
}

// Returns the sum of a value over a block of whole warps, in every thread.
__device__ double block_sum(double value) {
    __shared__ double warps[32];
    value = warp_sum(value);
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
    __syncthreads();
    double total = 0;
    for (unsigned int i = 0; i < blockDim.x / 32; ++i) total += warps[i];
    __syncthreads();
    return total;
}

__device__ long long first_element() { return static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; }

__device__ long long elements_at_once() { return static_cast<long long>(gridDim.x) * blockDim.x; }

// Adam with bias correction, a cosine schedule and an optional projection. Twin: adam.adam_step.
//
//     mean = beta1 mean + (1 - beta1) grad,  square = beta2 square + (1 - beta2) grad^2
//     x -= rate mean / (sqrt(square / (1 - beta2^(t+1))) + epsilon)
//     rate = learning_rate (1 + cos(pi t / n_iter)) / 2 / (1 - beta1^(t+1))
//
// x, grad, mean, square: (size,); step_count: (1,), the number t of steps taken before; the caller counts it up.
extern "C" __global__ void adam_step(
    float *x, const float *grad, float *mean, float *square, const int *step_count, long long size,
    double learning_rate, int n_iter, double beta1, double beta2, double epsilon, int nonnegative) {
    __shared__ float rate, correction;
    if (threadIdx.x == 0) {  // once per block, in double: 1 - beta2^(t+1) cancels at the first steps
        const double t = *step_count;
        rate = static_cast<float>(learning_rate * 0.5 * (1 + cospi(t / n_iter)) / (1 - pow(beta1, t + 1)));
        correction = static_cast<float>(1 / (1 - pow(beta2, t + 1)));
    }
    __syncthreads();
    const float keep1 = static_cast<float>(beta1), take1 = static_cast<float>(1 - beta1);
    const float keep2 = static_cast<float>(beta2), take2 = static_cast<float>(1 - beta2);
    const float floor = static_cast<float>(epsilon);
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        const float g = grad[i];
        const float m = keep1 * mean[i] + take1 * g;
        const float s = keep2 * square[i] + take2 * (g * g);
        const float next = x[i] - rate * m / (sqrtf(s * correction) + floor);
        mean[i] = m;
        square[i] = s;
        x[i] = nonnegative ? fmaxf(next, 0.0f) : next;
    }
}

// x = log(1 + scale |z|). Twin: spectra.log_magnitude. spectrum: complex64 (size,); x: (size,).
extern "C" __global__ void log_magnitude(const float2 *spectrum, float *x, long long size, float scale) {
    for (long long i = first_element(); i < size; i += elements_at_once())
        x[i] = logf(1.0f + scale * hypotf(spectrum[i].x, spectrum[i].y));
}

// Adjoint of log_magnitude's derivative: grad scale / (1 + scale |z|) z / |z|, zero where z is zero. Twin:
// spectra.log_magnitude_vjp. spectrum, out: complex64 (size,); grad: (size,); tiny: the smallest divisor for z.
extern "C" __global__ void log_magnitude_vjp(
    const float2 *spectrum, const float *grad, float2 *out, long long size, float scale, float tiny) {
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        const float2 z = spectrum[i];
        const float magnitude = hypotf(z.x, z.y);
        const float slope = grad[i] / ((1.0f + scale * magnitude) * fmaxf(magnitude, tiny)) * scale;
        out[i] = make_float2(z.x * slope, z.y * slope);
    }
}

// Windowed frames of a recording, a hop apart; the first begins half a frame before the recording, whose ends are
// reflected or continued by silence. Twin: spectra.windowed_frames. samples: (batch, channels, n_samples); frames:
// (batch, n_frames, channels, n_fft); window: (n_fft,). A row is one frame of one channel of one item.
extern "C" __global__ void windowed_frames(
    const float *samples, const float *window, float *frames, int rows, int n_frames, int channels, int n_samples,
    int n_fft, int hop_length, int reflected) {
    for (int row = blockIdx.x; row < rows; row += gridDim.x) {
        const int channel = row % channels, frame = row / channels % n_frames, item = row / channels / n_frames;
        const float *source = samples + (static_cast<long long>(item) * channels + channel) * n_samples;
        float *target = frames + static_cast<long long>(row) * n_fft;
        const int first = frame * hop_length - n_fft / 2;
        for (int k = threadIdx.x; k < n_fft; k += blockDim.x) {
            int sample = first + k;
            float value = 0;
            if (reflected) {
                sample = sample < 0 ? -sample : sample;
                sample = sample < n_samples ? sample : 2 * (n_samples - 1) - sample;
            }
            if (sample >= 0 && sample < n_samples) value = source[sample];
            target[k] = value * window[k];
        }
    }
}

// Windowed frames, added where they overlap: out[p] = sum of window[p - t hop] frames[t, p - t hop] over t. Twin:
// spectra.overlap_add. frames: (batch, n_frames, channels, n_fft); window: (n_fft,); out: (batch, channels, length).
extern "C" __global__ void overlap_add(
    const float *frames, const float *window, float *out, long long size, int n_frames, int channels, int n_fft,
    int hop_length, int length) {
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        const int sample = static_cast<int>(i % length);
        const int channel = static_cast<int>(i / length % channels);
        const long long item = i / length / channels;
        const int first = sample < n_fft ? 0 : (sample - n_fft) / hop_length + 1;
        const int last = min(sample / hop_length, n_frames - 1);
        float sum = 0;
        for (int t = first; t <= last; ++t) {
            const int k = sample - t * hop_length;
            sum += window[k] * frames[((item * n_frames + t) * channels + channel) * n_fft + k];
        }
        out[i] = sum;
    }
}

// Inner products of rows: out[r] = sum of a[r, c] b[r, c] over c. Twin: patches.row_dots. One block per row.
extern "C" __global__ void row_dots(const float *a, const float *b, float *out, int rows, int columns) {
    for (int row = blockIdx.x; row < rows; row += gridDim.x) {
        const float *left = a + static_cast<long long>(row) * columns;
        const float *right = b + static_cast<long long>(row) * columns;
        float sum = 0;
        for (int c = threadIdx.x; c < columns; c += blockDim.x) sum += left[c] * right[c];
        const double total = block_sum(sum);
        if (threadIdx.x == 0) out[row] = static_cast<float>(total);
    }
}

// Patches of consecutive frames: patches[p, i] = x[p bins + i] over 0 <= i < size. Twin: patches.unfold.
// x: (batch, n_frames, bins); patches: (batch, n_patches, size) with size = width bins; rows = batch n_patches.
extern "C" __global__ void unfold(
    const float *x, float *patches, int rows, int n_patches, int n_frames, int bins, int size) {
    for (int row = blockIdx.x; row < rows; row += gridDim.x) {
        const int item = row / n_patches, patch = row % n_patches;
        const float *source = x + (static_cast<long long>(item) * n_frames + patch) * bins;
        float *target = patches + static_cast<long long>(row) * size;
        for (int i = threadIdx.x; i < size; i += blockDim.x) target[i] = source[i];
    }
}

// Adjoint of unfold: out[t, j] = sum of grad[t - k, k bins + j] over 0 <= k < width with 0 <= t - k < n_patches. Twin:
// patches.fold. grad: (batch, n_patches, width bins); out: (batch, n_patches + width - 1, bins). A row is a frame.
extern "C" __global__ void fold(const float *grad, float *out, int rows, int n_patches, int width, int bins) {
    const int n_frames = n_patches + width - 1;
    for (int row = blockIdx.x; row < rows; row += gridDim.x) {
        const int item = row / n_frames, frame = row % n_frames;
        const int first = max(0, frame - n_patches + 1), last = min(width - 1, frame);
        for (int j = threadIdx.x; j < bins; j += blockDim.x) {
            float sum = 0;
            for (int k = first; k <= last; ++k)
                sum += grad[((static_cast<long long>(item) * n_patches + frame - k) * width + k) * bins + j];
            out[static_cast<long long>(row) * bins + j] = sum;
        }
    }
}

// Sums over the frames of each patch, or over the patches that contain each frame: out[i] = sum of x[i + k - before]
// over 0 <= k < width, where elements outside of x are zero. Twins: patches.patch_sums (before = 0) and
// patches.patch_sums_vjp (before = width - 1). x: (batch, length); out: (batch, n), size elements. first_weight and
// last_weight are those of the first and last term.
extern "C" __global__ void sliding_sum(
    const float *x, float *out, int size, int length, int n, int width, int before, float first_weight,
    float last_weight) {
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        const int item = static_cast<int>(i / n), first = static_cast<int>(i % n) - before;
        float sum = 0;
        const float *row = x + static_cast<long long>(item) * length;
        for (int k = max(0, -first); k < min(width, length - first); ++k) {
            const float weight = (k == 0 ? first_weight : 1.0f) * (k == width - 1 ? last_weight : 1.0f);
            sum += weight * row[first + k];
        }
        out[i] = sum;
    }
}

// Squared distances of the features of two recordings' patches under infinitely many filters, and their gradients at
// the products of frames and at norms. Twin: arc_cosine.content_distance.
//
//     s[t] = sum of products[t + k] over 0 <= k < width,  r = sqrt(u v - s^2),  theta = atan2(r, s)
//     distances[t] = (u + v) / 2 - s + (theta s - r) / pi      with u = norms[t], v = targets[t]
//     by_norm[t] = 1 / 2 - r / (2 pi u),   by_frame[a] = sum of theta[a - k] / pi - 1 over 0 <= k < width
//
// products, by_frame: (batch, n_frames), size elements; norms, targets, distances, by_norm: (batch, n_patches). One
// thread per frame computes all patches that contain the frame. Each patch is thus computed width times, but this is a
// small part of the whole work. last: the weight of the last frame of a patch, in s and in by_frame.
extern "C" __global__ void content_distance(
    const float *products, const float *norms, const float *targets, float *distances, float *by_norm,
    float *by_frame, int size, int n_frames, int n_patches, int width, float last) {
    const float tiny = 1.17549435e-38f;
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        const int item = static_cast<int>(i / n_frames), frame = static_cast<int>(i % n_frames);
        const float *row = products + static_cast<long long>(item) * n_frames;
        float sum = 0;
        for (int k = max(0, frame - n_patches + 1); k < min(width, frame + 1); ++k) {
            const long long patch = static_cast<long long>(item) * n_patches + frame - k;
            const float u = norms[patch], v = targets[patch];
            float s = 0;
            for (int d = 0; d < width; ++d) s += (d == width - 1 ? last : 1.0f) * row[frame - k + d];
            const float root = sqrtf(fmaxf((u - s) * v + s * (v - s), 0.0f)), angle = atan2f(root, s);
            sum += (k == width - 1 ? last : 1.0f) * (angle / PI - 1.0f);
            if (k == 0) {
                distances[patch] = (u + v) / 2 - s + (angle * s - root) / PI;
                by_norm[patch] = 0.5f - root / (2 * PI * fmaxf(u, tiny));
            }
        }
        by_frame[i] = sum;
    }
}

// One tile of the Gram loss of infinitely many filters, with its gradient: the diagonal sums that turn products of
// frames into products of patches, the arc-cosine kernel, and the adjoint of the sums, without a matrix in between.
// Twin: arc_cosine.gram_tile; infinite_width.py has the formulas.
//
//     s[i, j] = sum of products[i + k, j + k] over 0 <= k < width                  for i < n_u, j < n_v
//     r = sqrt(u v - s^2),  slope = pi - atan2(r, s),  kernel = slope s + r        with u = norms_u[i], v = norms_v[j]
//     energy = sum of kernel^2,  root_sums[i] = sum of r kernel over j
//     grad[a, b] = scale sum of slope[a - k, b - k] kernel[a - k, b - k] over 0 <= k < width
//
// products, grad: (batch, n, m); norms_u: (batch, n_u); norms_v: (batch, n_v), or v_stride = 0 if all items share one.
// A thread processes `rows` rows of one diagonal. It begins width - 1 rows above, because their gradients reach its own
// rows. Neighbouring threads have neighbouring diagonals, so that they read neighbouring elements. Each block writes
// its part of the sums: energies, (batch, grid y, grid x), and root_sums, (batch, grid x, n_u). Shared memory: (width +
// rows) floats per thread. last: the weight of the last frame of a patch, in s and in grad. diagonal: whether both sides
// are the same patches; then s[i, i] = u[i].
extern "C" __global__ void gram_tile(
    const float *products, const float *norms_u, const float *norms_v, float *grad, float *energies,
    float *root_sums, int n, int m, int n_u, int n_v, int v_stride, int width, int rows, float scale,
    float last, int diagonal) {
    extern __shared__ float shared[];
    const int lanes = blockDim.x, lane = threadIdx.x, item = blockIdx.z;
    float *slopes = shared;                // (width, lanes): the latest gradients at s on this thread's diagonal
    float *roots = shared + width * lanes; // (rows, lanes): r kernel
    for (int k = 0; k < width; ++k) slopes[k * lanes + lane] = 0;
    for (int k = 0; k < rows; ++k) roots[k * lanes + lane] = 0;

    const int first = blockIdx.y * rows, stop = min(first + rows, n);
    const int offset = static_cast<int>(blockIdx.x) * lanes + lane - (first + rows - 1);  // column minus row
    const long long matrix = static_cast<long long>(item) * n * m;
    float energy = 0;
    for (int i = first - (width - 1); i < stop; ++i) {
        const int j = i + offset;
        float slope = 0;
        if (i >= 0 && i < n_u && j >= 0 && j < n_v) {
            const float u = norms_u[static_cast<long long>(item) * n_u + i];
            const float v = norms_v[static_cast<long long>(item) * v_stride + j];
            float s = 0;
            for (int k = 0; k < width - 1; ++k) s += products[matrix + static_cast<long long>(i + k) * m + j + k];
            s += last * products[matrix + static_cast<long long>(i + width - 1) * m + j + width - 1];
            if (diagonal && i == j) s = u;
            // u v - s^2 without cancellation: exactly zero where u = v = s.
            const float root = sqrtf(fmaxf((u - s) * v + s * (v - s), 0.0f));
            slope = PI - atan2f(root, s);
            const float kernel = slope * s + root;
            slope *= scale * kernel;
            if (i >= first) {
                energy += kernel * kernel;
                roots[(i - first) * lanes + lane] = root * kernel;
            }
        }
        slopes[(i + width) % width * lanes + lane] = slope;
        if (i >= first && j >= 0 && j < m) {
            const int oldest = (i + 1 + width) % width;  // of the patch whose last frame this is
            float sum = last * slopes[oldest * lanes + lane];
            for (int k = 0; k < width; ++k)
                if (k != oldest) sum += slopes[k * lanes + lane];
            grad[matrix + static_cast<long long>(i) * m + j] = sum;
        }
    }

    const double total = block_sum(energy);  // its barriers also make all roots visible to every thread
    const long long block = (static_cast<long long>(item) * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
    if (lane == 0) energies[block] = static_cast<float>(total);
    for (int row = lane; row < rows && first + row < n_u; row += lanes) {
        float sum = 0;
        for (int k = 0; k < lanes; ++k) sum += roots[row * lanes + (row + k) % lanes];  // rotated: no bank conflicts
        root_sums[(static_cast<long long>(item) * gridDim.x + blockIdx.x) * n_u + first + row] = sum;
    }
}
