"""The algorithm this package descends from, in PyTorch, to measure against: V. Lebedev and D. Ulyanov, 2016.

4,096 random filters of width 11 and a ReLU, Gram matrices plus 0.01 times the content, gradients by automatic
differentiation, SciPy's L-BFGS-B from small noise, then 500 plain Griffin-Lim iterations from random phases.
"""

from __future__ import annotations

import time

import numpy as np
import scipy.optimize
import scipy.signal
import torch

N_FFT, HOP, N_FILTERS, WIDTH, ALPHA = 2048, 512, 4096, 11, 0.01
ITERATIONS, GRIFFIN_LIM = 300, 500


def stft(y: np.ndarray) -> np.ndarray:
    """Complex (bins, frames) of (samples,), by the sums that the original's Hann windows gave."""
    return scipy.signal.stft(y, window="hann", nperseg=N_FFT, noverlap=N_FFT - HOP)[2] * (N_FFT / 2)


def istft(spectrum: np.ndarray) -> np.ndarray:
    """Inverse of `stft`."""
    return scipy.signal.istft(spectrum / (N_FFT / 2), window="hann", nperseg=N_FFT, noverlap=N_FFT - HOP)[1]


def allow_tf32(allowed: bool) -> None:
    """Let a GPU round the factors of matrix products and convolutions to 10 bits of mantissa, or not."""
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = allowed


class Original:
    """The loss of spectrograms for a content and a style, (samples,) at 22,050 Hz; computed on a device of PyTorch's.

    SciPy's part, the search's next point and the phases, stays on the CPU.
    """

    def __init__(self, content: np.ndarray, style: np.ndarray, seed: int = 0, device: str = "cpu") -> None:
        torch.backends.cudnn.benchmark = True  # the fastest of cuDNN's convolutions, found in the first evaluation
        self.rng, self.device = np.random.default_rng(seed), device
        target, source = (torch.from_numpy(np.log1p(np.abs(stft(y)))).float().to(device) for y in (content, style))
        self.shape = target.shape
        deviation = 2 / np.sqrt((len(target) + N_FILTERS) * WIDTH)
        filters = self.rng.standard_normal((N_FILTERS, len(target), WIDTH), np.float32) * np.float32(deviation)
        self.filters = torch.from_numpy(filters).to(device)
        with torch.no_grad():
            self.content, style_features = self.features(target), self.features(source[:, : self.shape[1]])
            self.gram = style_features @ style_features.T / self.shape[1]

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """(filters, patches) of (bins, frames)."""
        return torch.conv1d(x[None], self.filters)[0].relu()

    def loss(self, x: torch.Tensor) -> torch.Tensor:
        """Loss of (bins, frames)."""
        features = self.features(x)
        gram = features @ features.T / self.shape[1]
        return (gram - self.gram).square().sum() + ALPHA * (features - self.content).square().sum()

    def value_and_grad(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss and gradient, float64, as SciPy wants them."""
        x = torch.from_numpy(flat.astype(np.float32)).to(self.device).view(self.shape).requires_grad_()
        loss = self.loss(x)
        loss.backward()
        return loss.item(), x.grad.cpu().numpy().ravel().astype(np.float64)

    def seconds_per_evaluation(self, repeats: int = 3) -> float:
        """Median time of one loss and gradient: the unit of the benchmark."""
        x = self.rng.standard_normal(self.shape).ravel() * 1e-3
        self.value_and_grad(x)
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            self.value_and_grad(x)
            times.append(time.perf_counter() - start)
        return float(np.median(times))

    def seconds_per_step(self, steps: int) -> float:
        """Mean time of one loss and gradient with a step of PyTorch's own Adam, without a wait for the device."""
        x = torch.from_numpy(self.rng.random(self.shape, np.float32)).to(self.device).requires_grad_()
        adam = torch.optim.Adam([x], lr=0.01, fused=True)
        start = 0.0
        for step in range(-3, steps):  # the first ones warm up
            if step == 0:
                x[0, 0].item()  # waits for the device
                start = time.perf_counter()
            adam.zero_grad()
            self.loss(x).backward()
            adam.step()
        x[0, 0].item()
        return (time.perf_counter() - start) / steps

    def spectrogram(self, iterations: int = ITERATIONS) -> np.ndarray:
        """The log-magnitudes found, (bins, frames)."""
        x = self.rng.standard_normal(self.shape).ravel() * 1e-3
        options = {"maxiter": iterations}
        found = scipy.optimize.minimize(self.value_and_grad, x, jac=True, method="L-BFGS-B", options=options).x
        return found.reshape(self.shape)

    def samples(self, x: np.ndarray, griffin_lim: int = GRIFFIN_LIM) -> np.ndarray:
        """Samples with about these log-magnitudes."""
        magnitude = np.expm1(x)
        phases = np.exp(2j * np.pi * self.rng.random(self.shape))
        for _ in range(griffin_lim):
            rebuilt = stft(istft(magnitude * phases))[:, : self.shape[1]]
            phases = np.exp(1j * np.angle(rebuilt))
        return istft(magnitude * phases)

    def run(self, iterations: int = ITERATIONS) -> np.ndarray:
        """The styled samples."""
        return self.samples(self.spectrogram(iterations))
