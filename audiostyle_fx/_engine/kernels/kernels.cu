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
// last_weight: weights of the first and last term.
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
// rows) floats per thread. last: the weight of a patch's last frame, in s and in grad. diagonal: whether both sides
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
            const int oldest = (i + 1 + width) % width;  // slot of the patch whose last frame is this one
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

// ---------------------------------------------------------------- a whole evaluation of the closed form
//
// The kernels from here on belong to one evaluation of the losses with their gradient, which fused_closed_form.py and
// fused_waveform.py launch. Between every two calls of cuBLAS or cuFFT there is one kernel. Their
// twins are infinite_width.InfiniteWidth, waveform.WaveformObjective and level_following.LevelFollower as a whole.

// Returns the sum over a patch: x[p + k] over 0 <= k < width, the last term times `last`.
__device__ float patch_sum(const float *x, int p, int width, float last) {
    float sum = 0;
    for (int k = 0; k < width - 1; ++k) sum += x[p + k];
    return sum + last * x[p + width - 1];
}

// Returns sqrt(u v - s^2) without cancellation: exactly zero where u = v = s.
__device__ float patch_root(float s, float u, float v) {
    return sqrtf(fmaxf((u - s) * v + s * (v - s), 0.0f));
}

// Writes joined frames into the first rows of `stacked`, whose other rows are the targets' frames, and computes their
// squared norms and their products with the frames of content and song at the same place.
// x: (batch, n_frames, ...), or its complex64 spectrum, whose log-magnitude is computed; n joined frames of
// `columns` elements each, `item_stride` elements from one item to the next; content, song: (batch, n, columns);
// stacked: (batch, height, leading); energies, products, song_products: (batch, n). One block per joined frame.
extern "C" __global__ void joined_rows(
    const float *x, const float2 *spectrum, const float *content, const float *song, float *stacked, float *energies,
    float *products, float *song_products, int rows, int n, int columns, long long item_stride, int height,
    int leading, float scale, int is_spectrum, int with_song) {
    for (int row = blockIdx.x; row < rows; row += gridDim.x) {
        const int item = row / n, t = row % n;
        const long long source = item * item_stride + static_cast<long long>(t) * columns;
        const long long other = static_cast<long long>(row) * columns;
        const long long target = (static_cast<long long>(item) * height + t) * leading;
        float energy = 0, product = 0, song_product = 0;
        for (int c = threadIdx.x; c < columns; c += blockDim.x) {
            float value;
            if (is_spectrum) {
                const float2 z = spectrum[source + c];
                value = logf(1.0f + scale * hypotf(z.x, z.y));
            } else {
                value = x[source + c];
            }
            stacked[target + c] = value;
            energy += value * value;
            product += value * content[other + c];
            if (with_song) song_product += value * song[other + c];
        }
        const double all_energy = block_sum(energy), all_product = block_sum(product);
        const double all_song_product = block_sum(song_product);
        if (threadIdx.x == 0) {
            energies[row] = static_cast<float>(all_energy);
            products[row] = static_cast<float>(all_product);
            if (with_song) song_products[row] = static_cast<float>(all_song_product);
        }
    }
}

// The share of the content's own Gram matrix in the target, see balance.Balance.share.
__device__ float own_share(float alpha, float content_share, float half_share_alpha) {
    return content_share * alpha / (alpha + half_share_alpha);
}

// Like gram_tile, but in one launch for the products of x with itself and with all targets, side by side. A block
// processes `rows` rows of neighbouring diagonals, one for each thread, within one group of columns.
//
// products, grad: (batch, n, columns); energies: (batch, n), the squared norms of x's frames; norms: of the targets'
// patches, norm_stride elements from one item to the next, 0 if all share them. groups: six numbers for each group of
// columns: its first block, its first column, its frames, its patches, where its norms begin, and its kind: 0 x itself,
// 1 a style, 2 the content. weights: one for each group. Items whose styles differ have tables of their own, which
// differ in patches and weights: table_stride groups from one item to the next, 0 if all share one. losses: (batch, grid
// y, grid x), weighted energies; root_sums: (batch, grid x, n_u), gradients at the norms times the norms. add: whether
// to add to grad, as for further widths. WIDTH: the width if it is known at compile time, so that everything stays in registers; otherwise 0, and
// shared memory also holds `width` floats per thread.
template <int WIDTH>
__device__ void gram_groups_of(
    const float *products, const float *energies, const float *norms, const int *groups, const double *weights,
    const float *alpha, float *used_alpha, float *grad, double *losses, float *root_sums, int n_groups, int n,
    int columns, int n_u, int norm_stride, int table_stride, int any_width, int rows, float last, float content_share,
    float half_share_alpha, int add) {
    extern __shared__ float of_block[];
    const int width = WIDTH ? WIDTH : any_width, halo = width - 1;
    const int lanes = blockDim.x, lane = threadIdx.x, item = blockIdx.z;
    int index = 0;
    while (index + 1 < n_groups && static_cast<int>(blockIdx.x) >= groups[6 * (index + 1)]) ++index;
    const int row_of_table = item * table_stride + index;
    const int *group = groups + 6 * row_of_table;
    const int m = group[2], n_v = group[3], kind = group[5];
    const int left = (static_cast<int>(blockIdx.x) - group[0]) * lanes;  // the first diagonal, counted from the corner
    const int first = blockIdx.y * rows, stop = min(first + rows, n);
    const int offset = left + lane - (first + rows - 1);  // column minus row
    const int first_v = left - (rows - 1) - halo;
    float *roots = of_block, *us = roots + rows * lanes, *vs = us + rows + halo;
    float *slopes = vs + rows + halo + lanes;  // used if WIDTH is 0

    double weight = weights[row_of_table];  // the energies of x and targets cancel to a thousandth of their size
    if (content_share > 0 && kind > 0) {
        const double share = own_share(alpha[item], content_share, half_share_alpha);
        weight *= kind == 2 ? share : 1.0 - share;
    }
    const float sides = static_cast<float>(kind == 0 ? 2 * weight : weight), scale = 2 * sides;  // x is both sides of its own products
    if (lane == 0 && blockIdx.x == 0 && blockIdx.y == 0) used_alpha[item] = alpha[item];

    const float *own = energies + static_cast<long long>(item) * n;
    const float *others = norms + static_cast<long long>(item) * norm_stride + group[4];
    for (int r = lane; r < rows + halo; r += lanes) {
        const int i = first - halo + r;
        us[r] = i >= 0 && i < n_u ? patch_sum(own, i, width, last) : 0.0f;
    }
    for (int r = lane; r < rows + halo + lanes; r += lanes) {
        const int j = first_v + r;
        vs[r] = j >= 0 && j < n_v ? (kind == 0 ? patch_sum(own, j, width, last) : others[j]) : 0.0f;
    }
    for (int k = 0; k < rows; ++k) roots[k * lanes + lane] = 0;
    __syncthreads();

    const long long matrix = static_cast<long long>(item) * n * columns + group[1];
    const auto element = [&](int i, int j) {
        return i >= 0 && i < n && j >= 0 && j < m ? products[matrix + static_cast<long long>(i) * columns + j] : 0.0f;
    };
    constexpr int KEPT = WIDTH ? WIDTH : 1;
    float latest[KEPT], kept[KEPT];  // products of frames along the diagonal, and gradients at products of patches
    if (WIDTH) {
#pragma unroll
        for (int k = 0; k < KEPT; ++k) {
            latest[k] = element(first - halo - 1 + k, first - halo - 1 + k + offset);
            kept[k] = 0;
        }
    } else {
        for (int k = 0; k < width; ++k) slopes[k * lanes + lane] = 0;
    }
    float energy = 0;
    for (int i = first - halo; i < stop; ++i) {
        const int j = i + offset;
        float s = 0, slope = 0;
        if (WIDTH) {
#pragma unroll
            for (int k = 0; k + 1 < KEPT; ++k) {
                latest[k] = latest[k + 1];
                s += latest[k];
            }
            latest[KEPT - 1] = element(i + halo, j + halo);
            s += last * latest[KEPT - 1];
        }
        if (i >= 0 && i < n_u && j >= 0 && j < n_v) {
            if (!WIDTH) {
                for (int k = 0; k < halo; ++k) s += element(i + k, j + k);
                s += last * element(i + halo, j + halo);
            }
            const float u = us[i - first + halo], v = vs[j - first_v];
            if (kind == 0 && i == j) s = u;
            const float root = patch_root(s, u, v);
            slope = PI - atan2f(root, s);
            const float kernel = slope * s + root;
            slope *= scale * kernel;
            if (i >= first) {
                energy += kernel * kernel;
                roots[(i - first) * lanes + lane] = root * kernel;
            }
        }
        float sum = 0;
        if (WIDTH) {
#pragma unroll
            for (int k = 0; k + 1 < KEPT; ++k) {
                kept[k] = kept[k + 1];
                sum += k ? kept[k] : last * kept[k];
            }
            kept[KEPT - 1] = slope;
            sum += KEPT > 1 ? slope : last * slope;
        } else {
            slopes[(i + width) % width * lanes + lane] = slope;
            const int oldest = (i + 1 + width) % width;  // slot of the patch whose last frame is this one
            sum = last * slopes[oldest * lanes + lane];
            for (int k = 0; k < width; ++k)
                if (k != oldest) sum += slopes[k * lanes + lane];
        }
        if (i >= first && j >= 0 && j < m) {
            const long long at = matrix + static_cast<long long>(i) * columns + j;
            grad[at] = add ? grad[at] + sum : sum;
        }
    }

    const double total = block_sum(energy);  // its barriers also make all roots visible to every thread
    if (lane == 0)
        losses[(static_cast<long long>(item) * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x] = weight * total;
    for (int row = lane; row < rows && first + row < n_u; row += lanes) {
        float sum = 0;
        for (int k = 0; k < lanes; ++k) sum += roots[row * lanes + (row + k) % lanes];  // rotated: no bank conflicts
        root_sums[(static_cast<long long>(item) * gridDim.x + blockIdx.x) * n_u + first + row] = sides * sum;
    }
}

// The default width of 11 frames is 6 joined frames.
extern "C" __global__ void gram_groups_6(
    const float *products, const float *energies, const float *norms, const int *groups, const double *weights,
    const float *alpha, float *used_alpha, float *grad, double *losses, float *root_sums, int n_groups, int n,
    int columns, int n_u, int norm_stride, int table_stride, int width, int rows, float last, float content_share,
    float half_share_alpha, int add) {
    gram_groups_of<6>(
        products, energies, norms, groups, weights, alpha, used_alpha, grad, losses, root_sums, n_groups, n, columns,
        n_u, norm_stride, table_stride, width, rows, last, content_share, half_share_alpha, add);
}

extern "C" __global__ void gram_groups(
    const float *products, const float *energies, const float *norms, const int *groups, const double *weights,
    const float *alpha, float *used_alpha, float *grad, double *losses, float *root_sums, int n_groups, int n,
    int columns, int n_u, int norm_stride, int table_stride, int width, int rows, float last, float content_share,
    float half_share_alpha, int add) {
    gram_groups_of<0>(
        products, energies, norms, groups, weights, alpha, used_alpha, grad, losses, root_sums, n_groups, n, columns,
        n_u, norm_stride, table_stride, width, rows, last, content_share, half_share_alpha, add);
}

// The squared norm of the patch of x at frame p, and its product, r and theta with another patch at the same place.
struct PatchPair {
    float norm, product, root, angle;
};

__device__ PatchPair patch_pair(const float *energies, const float *products, float other, int p, int width, float last) {
    const float u = patch_sum(energies, p, width, last), s = patch_sum(products, p, width, last);
    const float root = patch_root(s, u, other);
    return {u, s, root, atan2f(root, s)};
}

__device__ float squared_distance(const PatchPair &pair, float other) {
    return (pair.norm + other) / 2 - pair.product + (pair.angle * pair.product - pair.root) / PI;
}

// The last step of an evaluation: the gradient at the joined frames, or at the spectrum if they are its log-magnitudes,
// the losses, and the steering of the balance.
//
//     grad[t] = by_style[t] + 2 (sum of the gradients at norms of patches with t) x[t] + (those at products) content[t]
//
// One block for each joined frame, then one for each item, which adds up the losses and clears the gradient of the
// other frames. stacked: (batch, height, leading), whose first n rows are x; by_style: (batch, n, leading); content:
// (batch, n, columns); energies, products, song_products: (batch, n); content_norms, song_norms: (batch, n_norms).
// spans: seven numbers for each kernel width: width, number of patches, begin of its norms, root sums and style losses,
// the grid's blocks along x, and all blocks; span_values: the weights of the last frame and of the content.
// energies_of_targets: (3, batch): styles, styles with content, content. used_alpha: alpha of this evaluation, while
// `alpha` is updated in place. steering: constants of balance.py; target, latest: (batch,), the content loss to reach,
// and the previous one, negative before the first. grad: (batch, n_frames, bins of all channels), or complex64.
// halved: whether all bins but the first and last of each channel get half of their gradient, as the adjoint of a real
// FFT needs. tiny: the smallest divisor for a magnitude. losses: (2 or more, batch); add: whether to add to the losses
// of other windows.
extern "C" __global__ void joined_gradient(
    const float *stacked, const float *by_style, const float *content, const float2 *spectrum, const float *energies,
    const float *products, const float *song_products, const float *content_norms, const float *song_norms,
    const float *root_sums, const double *style_losses, const double *energies_of_targets, const int *spans,
    const float *span_values, const float *used_alpha, float *alpha, const double *steering, const double *target,
    double *latest, float *grad, float2 *spectrum_grad, double *losses, int batch, int n, int columns,
    long long item_stride, int height, int leading, int n_norms, int n_spans, int bins, float magnitude_scale,
    float tiny, float weight, float content_share, float half_share_alpha, int is_spectrum, int halved, int with_style, int with_balance,
    int with_song, int steered, int add) {
    for (int row = blockIdx.x; row < batch * (n + 1); row += gridDim.x) {
        const bool is_frame = row < batch * n;
        const int item = is_frame ? row / n : row - batch * n, t = row % n;
        const float *own_energies = energies + static_cast<long long>(item) * n;
        const float *own_products = products + static_cast<long long>(item) * n;
        const float *own_norms = content_norms + static_cast<long long>(item) * n_norms;
        const float balance = with_balance ? used_alpha[item] : 1.0f;
        if (is_frame) {
            float energy_grad = 0, product_grad = 0;
            for (int span = 0, begin = 0; span < n_spans; ++span) {
                const int *numbers = spans + 7 * span;
                const int width = numbers[0], n_patches = numbers[1];
                const float last = span_values[2 * span], content_weight = balance * span_values[2 * span + 1];
                for (int k = threadIdx.x - begin; k < width; k += blockDim.x) {
                    const int p = t - k;
                    if (k < 0 || p < 0 || p >= n_patches) continue;
                    const PatchPair pair =
                        patch_pair(own_energies, own_products, own_norms[numbers[2] + p], p, width, last);
                    const float divisor = fmaxf(pair.norm, 1.17549435e-38f);
                    float by_norm = content_weight * (0.5f - pair.root / (2 * PI * divisor));
                    if (with_style) {
                        const float *sums = root_sums + numbers[3] + static_cast<long long>(item) * numbers[5] * n_patches;
                        float sum = 0;
                        for (int b = 0; b < numbers[5]; ++b) sum += sums[static_cast<long long>(b) * n_patches + p];
                        by_norm += sum / divisor;
                    }
                    const float in_patch = k == width - 1 ? last : 1.0f;
                    energy_grad += in_patch * by_norm;
                    product_grad += in_patch * content_weight * (pair.angle / PI - 1.0f);
                }
                begin = (begin + width) % blockDim.x;
            }
            const float by_energy = 2 * static_cast<float>(block_sum(energy_grad));
            const float by_content = static_cast<float>(block_sum(product_grad));
            const float *x = stacked + (static_cast<long long>(item) * height + t) * leading;
            const float *style = by_style + static_cast<long long>(row) * leading;
            const float *other = content + static_cast<long long>(row) * columns;
            const long long at = item * item_stride + static_cast<long long>(t) * columns;
            for (int c = threadIdx.x; c < columns; c += blockDim.x) {
                float value = by_energy * x[c] + by_content * other[c];
                if (with_style) value += style[c];
                value *= weight;
                if (!is_spectrum) {
                    grad[at + c] = value;
                    continue;
                }
                const float2 z = spectrum[at + c];
                const float magnitude = hypotf(z.x, z.y);
                const int bin = c % bins;
                value *= magnitude_scale / ((1.0f + magnitude_scale * magnitude) * fmaxf(magnitude, tiny));
                if (halved && bin > 0 && bin < bins - 1) value *= 0.5f;
                spectrum_grad[at + c] = make_float2(z.x * value, z.y * value);
            }
            continue;
        }
        const long long end = (item + 1) * item_stride;
        for (long long i = item * item_stride + static_cast<long long>(n) * columns + threadIdx.x; i < end;
             i += blockDim.x) {
            if (is_spectrum)
                spectrum_grad[i] = make_float2(0.0f, 0.0f);
            else
                grad[i] = 0;
        }
        double distance = 0, song_distance = 0, style = 0;
        for (int span = 0; span < n_spans; ++span) {
            const int *numbers = spans + 7 * span;
            const float last = span_values[2 * span], content_weight = span_values[2 * span + 1];
            for (int p = threadIdx.x; p < numbers[1]; p += blockDim.x) {
                const float norm = own_norms[numbers[2] + p];
                distance += content_weight *
                            squared_distance(patch_pair(own_energies, own_products, norm, p, numbers[0], last), norm);
                if (!with_song) continue;
                const float song_norm = song_norms[static_cast<long long>(item) * n_norms + numbers[2] + p];
                const float *of_song = song_products + static_cast<long long>(item) * n;
                song_distance +=
                    content_weight *
                    squared_distance(patch_pair(own_energies, of_song, song_norm, p, numbers[0], last), song_norm);
            }
            const double *parts = style_losses + numbers[4] + static_cast<long long>(item) * numbers[6];
            if (with_style)
                for (int b = threadIdx.x; b < numbers[6]; b += blockDim.x) style += parts[b];
        }
        distance = block_sum(distance), song_distance = block_sum(song_distance), style = block_sum(style);
        if (threadIdx.x != 0) continue;
        if (with_style) {
            const double share =
                content_share > 0 ? own_share(balance, content_share, half_share_alpha) : 0.0f;
            style += (1 - share) * (1 - share) * energies_of_targets[item] + share * share * energies_of_targets[2 * batch + item];
            style += 2 * share * (1 - share) * energies_of_targets[batch + item];
        }
        const double content_loss = with_song ? song_distance : distance * balance;
        losses[item] = (add ? losses[item] : 0.0) + weight * style;
        losses[batch + item] = (add ? losses[batch + item] : 0.0) + weight * content_loss;
        if (steered) {
            const double loss = fmax(content_loss, 1e-30);
            const double before = latest[item] < 0 ? loss : fmax(latest[item], 1e-30);
            const double ahead = fmin(fmax(pow(loss / before, steering[1]), steering[2]), steering[3]);
            const double factor = pow(loss * ahead / fmax(target[item], 1e-30), steering[0]);
            const double next = alpha[item] * fmin(fmax(factor, steering[4]), steering[5]);
            alpha[item] = static_cast<float>(fmin(fmax(next, steering[6]), steering[7]));
            latest[item] = content_loss;
        }
    }
}

// Input and output of the complex FFT of half size that computes the DCT of type IV, see mdct.dct4. `half`: that size.
__device__ float2 dct4_input(float even, float odd, float2 twiddle) {
    return make_float2(even * twiddle.x - odd * twiddle.y, even * twiddle.y + odd * twiddle.x);
}

__device__ float dct4_output(const float2 *z, const float2 *twiddle, int q, int half) {
    const int k = q % 2 ? (2 * half - 1 - q) / 2 : q / 2;
    const float2 a = z[k], b = twiddle[k];
    return q % 2 ? -(a.x * b.y + a.y * b.x) : a.x * b.x - a.y * b.y;
}

// Scaled coefficients as the input of the FFT of dct4. u, scale: (rows, 2 half), size = rows half; z: (rows, half).
extern "C" __global__ void scaled_dct4_input(
    const float *u, const float *scale, const float2 *twiddle, float2 *z, long long size, int half) {
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        const int k = static_cast<int>(i % half);
        const long long even = i / half * 2 * half + 2 * k, odd = i / half * 2 * half + 2 * half - 1 - 2 * k;
        z[i] = dct4_input(u[even] * scale[even], u[odd] * scale[odd], twiddle[k]);
    }
}

// The output of the FFT of dct4 as scaled coefficients; the arrays are those of scaled_dct4_input.
extern "C" __global__ void scaled_dct4_output(
    const float2 *z, const float *scale, const float2 *twiddle, float *u, long long size, int half) {
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        const int q = static_cast<int>(i % (2 * half));
        u[i] = scale[i] * dct4_output(z + i / (2 * half) * half, twiddle, q, half);
    }
}

// The samples of an inverse MDCT, after its FFT: overlapping frames times the window, times the mask, plus the fixed
// samples; and the power of each block of samples. If the level follows another one, `samples` lacks the fixed samples,
// while the power counts both. z: (batch, channels, n_frames, half); window: (2 half,); mask, fixed, samples:
// (batch, channels, n_samples); power: float64 (batch, n_blocks). One block of the grid for each block of samples.
extern "C" __global__ void mdct_samples(
    const float2 *z, const float2 *twiddle, const float *window, const float *mask, const float *fixed, float *samples,
    double *power, int rows, int n_frames, int half, int channels, int n_samples, int block, int n_blocks,
    int with_fixed, int follows) {
    for (int row = blockIdx.x; row < rows; row += gridDim.x) {
        const int item = row / n_blocks, begin = row % n_blocks * block;
        double sum = 0;
        for (int i = threadIdx.x; i < block * channels; i += blockDim.x) {
            const int plane = item * channels + i / block, sample = begin + i % block;
            if (sample >= n_samples) continue;
            const int frame = sample / (2 * half), place = sample % (2 * half);
            const float2 *late = z + (static_cast<long long>(plane) * n_frames + frame) * half, *early = late + half;
            float value;
            if (place < half) {
                value = dct4_output(early, twiddle, half + place, half) * window[place];
                value -= dct4_output(late, twiddle, half - 1 - place, half) * window[2 * half - 1 - place];
            } else {
                value = -dct4_output(early, twiddle, 3 * half - 1 - place, half) * window[place];
                value -= dct4_output(late, twiddle, place - half, half) * window[2 * half - 1 - place];
            }
            const long long at = static_cast<long long>(plane) * n_samples + sample;
            value *= mask[at];
            const float whole = with_fixed ? value + fixed[at] : value;
            samples[at] = follows ? value : whole;
            if (follows) sum += static_cast<double>(whole) * whole;
        }
        sum = block_sum(sum);
        if (threadIdx.x == 0) power[row] = sum;
    }
}

// Two sliding means of `width` blocks over values times weights (or their squares): out, (n,); middle: scratch (n,).
__device__ void smoothed(
    const double *values, const double *weights, int power, double *product, double *middle, double *out, int n,
    int width) {
    for (int i = threadIdx.x; i < n; i += blockDim.x)
        product[i] = values[i] * (power == 0 ? 1.0 : power == 1 ? weights[i] : weights[i] * weights[i]);
    __syncthreads();
    for (int pass = 0; pass < 2; ++pass) {
        const double *from = pass ? middle : product;
        double *to = pass ? out : middle;
        const int before = pass ? (width - 1) / 2 : width / 2;
        for (int i = threadIdx.x; i < n; i += blockDim.x) {
            double sum = 0;
            for (int k = max(0, i - before); k < min(n, i - before + width); ++k) sum += from[k];
            to[i] = sum / width;
        }
        __syncthreads();
    }
}

// The gain of each block by which a recording follows the level of another one. Twin: level_following.LevelFollower.
// power, slow_levels, fast_levels: float64 (batch, n); floors: float64 (batch,); scratch: float64 (batch, 5, n); gains:
// (batch, n). least, most: limits of the gain of the power. One block of the grid for each item.
extern "C" __global__ void __launch_bounds__(1024) level_gains(
    const double *power, const double *slow_levels, const double *fast_levels, const double *floors, double *scratch,
    float *gains, int n, int slow_width, int fast_width, double least, double most) {
    const long long begin = static_cast<long long>(blockIdx.x) * n;
    const double *own = power + begin, floor = floors[blockIdx.x];
    double *product = scratch + 5 * begin, *middle = product + n, *mean = middle + n, *slow = mean + n, *gain = slow + n;
    smoothed(own, own, 0, product, middle, mean, n, slow_width);
    for (int i = threadIdx.x; i < n; i += blockDim.x)
        slow[i] = fmin(fmax((slow_levels[begin + i] + floor) / (mean[i] + floor), least), most);
    __syncthreads();
    smoothed(own, slow, 1, product, middle, mean, n, fast_width);
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        const double fast = (fast_levels[begin + i] + floor) / (mean[i] + floor);
        gain[i] = sqrt(slow[i] * fmin(fmax(fast, least), 1.0));
    }
    __syncthreads();
    smoothed(own, gain, 2, product, middle, mean, n, slow_width);
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        const double slower = (slow_levels[begin + i] + floor) / (mean[i] + floor);
        gains[begin + i] = static_cast<float>(gain[i] * sqrt(fmin(fmax(slower, least), most)));
    }
}

// Returns the gain of a sample, interpolated between the blocks' centres.
__device__ float gain_at(const float *gains, int n_blocks, int block, int sample) {
    const int lead = block / 2, at = sample + block - lead, right = at / block;
    const float share = (at % block + (lead + 0.5f)) / block - 0.5f;
    const float from = gains[min(max(right - 1, 0), n_blocks - 1)], to = gains[min(right, n_blocks - 1)];
    return from + (to - from) * share;
}

// Like windowed_frames with reflected ends, for samples times their gains plus the fixed samples; also writes the
// resulting samples. samples, fixed, levelled: (batch, channels, n_samples); gains: (batch, n_blocks).
extern "C" __global__ void levelled_frames(
    const float *samples, const float *fixed, const float *gains, const float *window, float *levelled, float *frames,
    int rows, int n_frames, int channels, int n_samples, int n_fft, int hop_length, int block, int n_blocks,
    int with_fixed) {
    for (int row = blockIdx.x; row < rows; row += gridDim.x) {
        const int channel = row % channels, frame = row / channels % n_frames, item = row / channels / n_frames;
        const long long plane = (static_cast<long long>(item) * channels + channel) * n_samples;
        const float *own = gains + static_cast<long long>(item) * n_blocks;
        float *target = frames + static_cast<long long>(row) * n_fft;
        for (int k = threadIdx.x; k < n_fft; k += blockDim.x) {
            const int at = frame * hop_length - n_fft / 2 + k;
            int sample = at < 0 ? -at : at;
            sample = sample < n_samples ? sample : 2 * (n_samples - 1) - sample;
            float value = samples[plane + sample] * gain_at(own, n_blocks, block, sample);
            if (with_fixed) value += fixed[plane + sample];
            target[k] = value * window[k];
            if (at == sample && k >= n_fft / 2 && k < n_fft / 2 + hop_length) levelled[plane + sample] = value;
        }
    }
}

// Returns the gradient at a sample from the gradients at the windowed frames that hold it or its reflection.
__device__ float gradient_at(
    const float *frames, const float *window, int item, int channel, int sample, int n_frames, int channels,
    int n_samples, int n_fft, int hop_length) {
    const int before = n_fft / 2, after = (n_frames - 1) * hop_length + n_fft - before - n_samples;
    const int places[3] = {sample, -sample, 2 * (n_samples - 1) - sample};
    float sum = 0;
    for (int i = 0; i < 3; ++i) {
        const bool is_there = i == 0 || (i == 1 ? sample >= 1 && sample <= before
                                                : sample >= n_samples - 1 - after && sample < n_samples - 1);
        if (!is_there) continue;
        const int place = places[i] + before;
        const int first = place < n_fft ? 0 : (place - n_fft) / hop_length + 1;
        for (int t = first; t <= min(place / hop_length, n_frames - 1); ++t) {
            const int k = place - t * hop_length;
            const long long row = (static_cast<long long>(item) * n_frames + t) * channels + channel;
            sum += window[k] * frames[row * n_fft + k];
        }
    }
    return sum;
}

// The gradient at the samples from the gradient at windowed frames. add: whether to add it to out. out: (batch,
// channels, n_samples), size elements.
extern "C" __global__ void sample_gradient(
    const float *frames, const float *window, float *out, long long size, int n_frames, int channels, int n_samples,
    int n_fft, int hop_length, int add) {
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        const int sample = static_cast<int>(i % n_samples), plane = static_cast<int>(i / n_samples);
        const float value = gradient_at(
            frames, window, plane / channels, plane % channels, sample, n_frames, channels, n_samples, n_fft,
            hop_length);
        out[i] = add ? out[i] + value : value;
    }
}

// The gradient at windowed frames as the input of the FFT of an MDCT: overlap-add, the gradient `extra` of other
// windows, mask and gain, and the MDCT's folding. frames: (batch, n_frames, channels, n_fft); extra, mask: (batch,
// channels, n_samples); gains: (batch, n_blocks); z: (batch, channels, mdct_frames, half), size elements; twiddle:
// (half,); mdct_window: (2 half,).
extern "C" __global__ void folded_gradient(
    const float *frames, const float *window, const float *extra, const float *mask, const float *gains,
    const float *mdct_window, const float2 *twiddle, float2 *z, long long size, int n_frames, int channels,
    int n_samples, int n_fft, int hop_length, int mdct_frames, int half, int block, int n_blocks, int with_extra,
    int follows) {
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        const int k = static_cast<int>(i % half), frame = static_cast<int>(i / half % mdct_frames);
        const int plane = static_cast<int>(i / half / mdct_frames), item = plane / channels;
        const auto sample_grad = [&](int sample) {
            if (sample < 0 || sample >= n_samples) return 0.0f;
            const long long at = static_cast<long long>(plane) * n_samples + sample;
            float value = gradient_at(
                frames, window, item, plane % channels, sample, n_frames, channels, n_samples, n_fft, hop_length);
            if (with_extra) value += extra[at];
            value *= mask[at];
            if (follows) value *= gain_at(gains + static_cast<long long>(item) * n_blocks, n_blocks, block, sample);
            return value;
        };
        const int hop = 2 * half;
        const auto folded = [&](int q) {
            if (q < half)  // from the late half of the frame, where the window falls
                return -sample_grad(frame * hop + half - 1 - q) * mdct_window[half + q] -
                       sample_grad(frame * hop + half + q) * mdct_window[half - 1 - q];
            const int j = q - half, begin = (frame - 1) * hop;
            return sample_grad(begin + j) * mdct_window[j] - sample_grad(begin + hop - 1 - j) * mdct_window[hop - 1 - j];
        };
        z[i] = dct4_input(folded(2 * k), folded(hop - 1 - 2 * k), twiddle[k]);
    }
}

// The cost of samples beyond full scale, and its gradient. add: whether to add it to grad. Twin: peaks.PeakCost.
// samples, grad: (batch, size); weights: float64 (batch,); ceilings: (batch,); costs: float64 (batch, grid x), parts of
// the cost. Grid: blocks, items.
extern "C" __global__ void peak_cost(
    const float *samples, const double *weights, const float *ceilings, float *grad, double *costs, long long size,
    int add) {
    const int item = blockIdx.y;
    const float ceiling = ceilings[item], slope = static_cast<float>(2 * weights[item]);
    double sum = 0;
    for (long long i = item * size + first_element(); i < (item + 1) * size; i += elements_at_once()) {
        const float over = samples[i] - fminf(fmaxf(samples[i], -ceiling), ceiling);
        sum += static_cast<double>(over) * over;
        grad[i] = (add ? grad[i] : 0.0f) + slope * over;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) costs[item * gridDim.x + blockIdx.x] = weights[item] * sum;
}

// ---------------------------------------------------------------- L-BFGS, without decisions of the host
//
// Twin of all: lbfgs.LBFGS. `vectors`: (batch, 2 slots + 1, size), the steps, the differences of gradients, and the
// gradient at the accepted point; base: (batch, size), that point; losses, base_losses: float64 (parts, batch) at the
// new point and at the accepted one; states: float64 (batch, 4): rate, slope, guess, and one unused; products: float64
// (batch, 2 slots + 1, 2 slots + 1), the inner products of the vectors; steps: the number of steps so far, which chooses
// the slot, and which the last kernel counts up, so that all steps have the same arguments.

// Whether the new point lowers the loss enough; false if its loss is NaN.
__device__ bool is_accepted(
    const double *losses, const double *base_losses, const double *state, int parts, int batch, int item,
    double sufficient, bool is_first, double *loss, double *base_loss) {
    *loss = *base_loss = 0;
    for (int part = 0; part < parts; ++part) {
        *loss += losses[part * batch + item];
        *base_loss += base_losses[part * batch + item];
    }
    return is_first || *loss <= *base_loss + sufficient * state[0] * state[1];
}

// Moves to an accepted point and keeps the step to it; the slot of a point that is not accepted becomes zero.
extern "C" __global__ void lbfgs_keep(
    const float *x, const float *grad, const double *losses, const double *base_losses, const double *states,
    float *vectors, float *base, const int *steps, int batch, long long size, int parts, int slots, double sufficient) {
    const int slot = steps[0] % slots;
    const bool is_first = steps[0] == 0;
    for (long long i = first_element(); i < batch * size; i += elements_at_once()) {
        const int item = static_cast<int>(i / size);
        double loss, base_loss;
        const bool accepted = is_accepted(
            losses, base_losses, states + 4 * item, parts, batch, item, sufficient, is_first, &loss, &base_loss);
        float *own = vectors + item * (2 * slots + 1) * size + i % size;
        const float step = x[i] - base[i], change = grad[i] - own[2 * slots * size];
        own[slot * size] = accepted && !is_first ? step : 0.0f;
        own[(slots + slot) * size] = accepted && !is_first ? change : 0.0f;
        if (accepted) {
            own[2 * slots * size] = grad[i];
            base[i] = x[i];
        }
    }
}

// The inner products of the three vectors that have changed with all others, in parts: float64 (batch, grid x, 3,
// 2 slots + 1). Grid: blocks, items. A block takes its share of all vectors, so that each is read from memory once.
// Shared memory: 3 (2 slots + 1) doubles for each warp, which are added up after a single barrier.
extern "C" __global__ void lbfgs_products(
    const float *vectors, double *parts, const int *steps, long long size, int slots) {
    extern __shared__ double of_warps[];
    const int slot = steps[0] % slots;
    const int count = 2 * slots + 1, item = blockIdx.y, warps = blockDim.x / 32;
    const float *own = vectors + static_cast<long long>(item) * count * size;
    const float *rows[3] = {own + slot * size, own + (slots + slot) * size, own + 2 * slots * size};
    const long long share = (size + gridDim.x - 1) / gridDim.x, begin = blockIdx.x * share;
    const long long end = min(begin + share, size);
    for (int column = 0; column < count; ++column) {
        double sums[3] = {0, 0, 0};
        for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) {
            const float value = own[column * size + i];
            for (int row = 0; row < 3; ++row) sums[row] += static_cast<double>(rows[row][i] * value);
        }
        for (int row = 0; row < 3; ++row) {
            const double sum = warp_sum(sums[row]);
            if (threadIdx.x % 32 == 0) of_warps[(row * count + column) * warps + threadIdx.x / 32] = sum;
        }
    }
    __syncthreads();
    for (int i = threadIdx.x; i < 3 * count; i += blockDim.x) {
        double sum = 0;
        for (int warp = 0; warp < warps; ++warp) sum += of_warps[i * warps + warp];
        parts[(static_cast<long long>(item) * gridDim.x + blockIdx.x) * 3 * count + i] = sum;
    }
}

// The next direction as factors of the vectors, (batch, 2 slots + 1), and the step along it. curvatures: float64
// (batch, slots), 1 / (s . y), zero where there is no pair; accepted: (batch,); products_in_parts: from lbfgs_products,
// with n_parts blocks. One block for each item, whose first thread decides.
extern "C" __global__ void lbfgs_plan(
    const double *losses, double *base_losses, const double *products_in_parts, double *products, double *states,
    double *curvatures, double *factors, int *accepted, const int *steps, int batch, int parts, int slots, int n_parts,
    double sufficient, double first) {
    const int slot = steps[0] % slots;
    const bool is_first = steps[0] == 0;
    for (int item = blockIdx.x; item < batch; item += gridDim.x) {
        const int count = 2 * slots + 1;
        double *own = products + static_cast<long long>(item) * count * count;
        for (int i = threadIdx.x; i < 3 * count; i += blockDim.x) {
            double sum = 0;
            for (int part = 0; part < n_parts; ++part)
                sum += products_in_parts[(static_cast<long long>(item) * n_parts + part) * 3 * count + i];
            const int row = i / count == 0 ? slot : i / count == 1 ? slots + slot : 2 * slots, column = i % count;
            own[row * count + column] = own[column * count + row] = sum;
        }
        __syncthreads();
        if (threadIdx.x != 0) continue;
        double *state = states + 4 * item, *curvature = curvatures + item * slots, *factor = factors + item * count;
        double loss, base_loss;
        const bool is_better = is_accepted(
            losses, base_losses, state, parts, batch, item, sufficient, is_first, &loss, &base_loss);
        accepted[item] = is_better;
        if (!is_better) {
            curvature[slot] = 0;
            const double rate = state[0], rise = loss - base_loss - state[1] * rate;
            const double parabola = rise > 0 ? -state[1] * rate * rate / (2 * rise) : 0.0;  // 0 for NaN
            state[0] = fmin(fmax(parabola, 0.1 * rate), 0.5 * rate);
            continue;
        }
        for (int part = 0; part < parts; ++part) base_losses[part * batch + item] = losses[part * batch + item];
        const double slope_product = own[slot * count + slots + slot];
        const double change = own[(slots + slot) * count + slots + slot];
        if (is_first) {
            state[2] = first * loss / fmax(own[2 * slots * count + 2 * slots], 1e-30);
        } else if (slope_product > 1e-10 * change) {
            curvature[slot] = 1 / slope_product;
            state[2] = slope_product / change;
        } else {
            curvature[slot] = 0;
        }
        const auto dot = [&](int row) {
            double sum = 0;
            for (int k = 0; k < count; ++k) sum += own[row * count + k] * factor[k];
            return sum;
        };
        for (int k = 0; k < count; ++k) factor[k] = 0;
        factor[2 * slots] = -1;
        // The shares of the first loop stay in the factors of the gradients' differences, for the second loop.
        for (int age = 0; age < slots; ++age) {
            const int s = (slot - age + slots) % slots;
            factor[slots + s] -= curvature[s] * dot(s);
        }
        for (int k = 0; k < count; ++k) factor[k] *= state[2];
        for (int age = slots - 1; age >= 0; --age) {
            const int s = (slot - age + slots) % slots;
            const double share = state[2] > 0 ? -factor[slots + s] / state[2] : 0.0;
            factor[s] += share - curvature[s] * dot(slots + s);
        }
        double slope = dot(2 * slots);
        if (!(slope < 0)) {
            for (int k = 0; k < count; ++k) factor[k] = 0;
            factor[2 * slots] = -state[2];
            slope = dot(2 * slots);
        }
        state[0] = 1;
        state[1] = slope;
    }
}

// The next point: the accepted one plus `rate` times the direction, which changes only for accepted points.
extern "C" __global__ void lbfgs_move(
    const float *vectors, const float *base, const double *factors, const double *states, const int *accepted,
    float *direction, float *x, int *steps, int batch, long long size, int slots) {
    const int count = 2 * slots + 1;
    if (first_element() == 0) ++steps[0];
    for (long long i = first_element(); i < batch * size; i += elements_at_once()) {
        const int item = static_cast<int>(i / size);
        if (accepted[item]) {
            const float *own = vectors + item * count * size + i % size;
            float sum = 0;
            for (int k = 0; k < count; ++k) sum += static_cast<float>(factors[item * count + k]) * own[k * size];
            direction[i] = sum;
        }
        x[i] = base[i] + static_cast<float>(states[4 * item]) * direction[i];
    }
}

// Keeps the first `size` losses of an iteration, and counts it. history: float64 (iterations, size); count: their number
// so far. One block. Twin: history.record_losses.
extern "C" __global__ void record_losses(const double *losses, double *history, int *count, int size) {
    const long long begin = static_cast<long long>(count[0]) * size;
    for (int i = threadIdx.x; i < size; i += blockDim.x) history[begin + i] = losses[i];
    __syncthreads();
    if (threadIdx.x == 0) ++count[0];
}

// ---------------------------------------------------------------- Griffin-Lim

// Given magnitudes with the phases of z + momentum (z - previous); the phase of zero is zero. Twin:
// spectra.with_magnitude. spectrum, previous, out: complex64 (size,); magnitude: (size,); tiny: the smallest size of
// a number that has a phase.
extern "C" __global__ void with_magnitude(
    const float2 *spectrum, const float2 *previous, const float *magnitude, float2 *out, long long size, float momentum,
    float tiny) {
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        float2 z = spectrum[i];
        if (momentum != 0) {
            const float2 before = previous[i];
            z = make_float2(z.x + momentum * (z.x - before.x), z.y + momentum * (z.y - before.y));
        }
        const float found = hypotf(z.x, z.y), wanted = magnitude[i];
        out[i] = found < tiny ? make_float2(wanted, 0.0f) : make_float2(z.x * (wanted / found), z.y * (wanted / found));
    }
}

// The squared distance of a spectrum's magnitudes from given ones, in parts: float64 (batch, grid x). Twin:
// spectra.magnitude_distance. Grid: blocks, items of `size` numbers.
extern "C" __global__ void magnitude_distance(
    const float2 *spectrum, const float *magnitude, double *out, long long size) {
    const int item = blockIdx.y;
    double sum = 0;
    for (long long i = item * size + first_element(); i < (item + 1) * size; i += elements_at_once()) {
        const float difference = hypotf(spectrum[i].x, spectrum[i].y) - magnitude[i];
        sum += difference * difference;
    }
    sum = block_sum(sum);
    if (threadIdx.x == 0) out[item * gridDim.x + blockIdx.x] = sum;
}

// The samples in the middle of overlap-added frames, divided by the sum of the squared windows there. Twins:
// spectra.overlap_add and hann.divide_by_squared_window_sum. frames: (batch, n_frames, channels, n_fft), not yet
// divided by n_fft; window: (n_fft,); out: (batch, channels, n_samples), size elements.
extern "C" __global__ void inverse_samples(
    const float *frames, const float *window, float *out, long long size, int n_frames, int channels, int n_fft,
    int hop_length, int n_samples) {
    for (long long i = first_element(); i < size; i += elements_at_once()) {
        const int sample = static_cast<int>(i % n_samples), place = sample + n_fft / 2;
        const int channel = static_cast<int>(i / n_samples % channels);
        const long long item = i / n_samples / channels;
        const int first = place < n_fft ? 0 : (place - n_fft) / hop_length + 1;
        float sum = 0, squares = 0;
        for (int t = first; t <= min(place / hop_length, n_frames - 1); ++t) {
            const int k = place - t * hop_length;
            sum += window[k] * frames[((item * n_frames + t) * channels + channel) * n_fft + k];
            squares += window[k] * window[k];
        }
        out[i] = sum / (squares * n_fft);
    }
}

// ---------------------------------------------------------------- matching a spectrogram

// Half the squared distance of a spectrum's log-magnitudes from given ones, its gradient as input of the inverse of a
// real FFT, and the squared distance of the magnitudes; both distances in parts. Twin: spectrogram_match.
// spectrum, grad: complex64 (batch, size); target: (batch, size), log(1 + magnitude); parts: float64 (2, batch, grid
// x). bins: of one channel; tiny: the smallest divisor for a magnitude. Grid: blocks, items.
extern "C" __global__ void match_spectrum(
    const float2 *spectrum, const float *target, float2 *grad, double *parts, long long size, int bins, float scale,
    float tiny, float weight) {
    const int item = blockIdx.y;
    double of_logs = 0, of_magnitudes = 0;
    for (long long i = item * size + first_element(); i < (item + 1) * size; i += elements_at_once()) {
        const float2 z = spectrum[i];
        const float magnitude = hypotf(z.x, z.y), scaled = scale * magnitude;
        const float difference = logf(1.0f + scaled) - target[i], from = scaled - expm1f(target[i]);
        float slope = weight * difference * scale / ((1.0f + scaled) * fmaxf(magnitude, tiny));
        const int bin = static_cast<int>(i % bins);
        if (bin > 0 && bin < bins - 1) slope *= 0.5f;
        grad[i] = make_float2(z.x * slope, z.y * slope);
        of_logs += difference * difference;
        of_magnitudes += from * from;
    }
    of_logs = block_sum(of_logs), of_magnitudes = block_sum(of_magnitudes);
    if (threadIdx.x != 0) return;
    parts[item * gridDim.x + blockIdx.x] = weight * of_logs / 2;
    parts[(static_cast<long long>(gridDim.y) + item) * gridDim.x + blockIdx.x] = of_magnitudes;
}
