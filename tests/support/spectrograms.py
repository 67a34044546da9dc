"""Random spectrograms, their patches, and the arc-cosine kernel as it is defined."""

import numpy as np


def spectrogram(seed, shape, dtype="float64"):
    """Log-magnitudes: not negative, and of different levels over time."""
    rng = np.random.default_rng(seed)
    return (np.abs(rng.standard_normal(shape)) * rng.lognormal(size=(*shape[:2], 1))).astype(dtype)


def kappa(u, v):
    """The arc-cosine kernel of order 1 of two sets of patches (n, size) and (m, size), as Cho and Saul write it."""
    lengths = np.outer(np.linalg.norm(u, axis=1), np.linalg.norm(v, axis=1))
    cosine = np.clip(np.divide(u @ v.T, lengths, out=np.zeros_like(lengths), where=lengths > 0), -1, 1)
    theta = np.arccos(cosine)
    return lengths * (np.sin(theta) + (np.pi - theta) * cosine) / (2 * np.pi)


def patches(x, width):
    """Every run of ``width`` frames of x, (frames, bins), as one row."""
    return np.stack([x[t : t + width].ravel() for t in range(len(x) - width + 1)])


def patches_of(x, term):
    """The patches of a term, whose last frame may count less."""
    whole = patches(x, term.kernel_width)
    whole[:, -x.shape[1] :] *= np.sqrt(term.last)
    return whole


def losses_of_several(x, content, styles, shares, terms):
    """Style and content loss of one item against the styles' mean Gram matrix, by whole kernel matrices."""
    total = np.zeros(2)
    for term in terms:
        rows = [patches_of(a, term) for a in (x, *styles)]
        signed = [1.0, *(-share for share in shares)]
        for a, of_a in zip(rows, signed, strict=True):
            for b, of_b in zip(rows, signed, strict=True):
                mean = np.mean((term.gain * kappa(a, b)) ** 2)
                total[0] += term.style_weight * of_a * of_b * mean
        p, c = rows[0], patches_of(content, term)
        features = np.trace(kappa(p, p)) - 2 * np.trace(kappa(p, c)) + np.trace(kappa(c, c))
        total[1] += term.content_weight * term.gain * features
    return total


def check_gradient(objective, x, seed, rel=1e-6):
    """The gradient along some directions against central differences, and every item's own."""
    _, grad = objective.value_and_grad(x)
    assert grad.shape == x.shape
    rng = np.random.default_rng(seed)
    for _ in range(3):
        direction, step = rng.standard_normal(x.shape), 1e-5
        ahead, behind = (objective.value_and_grad(x + sign * step * direction)[0].sum(axis=0) for sign in (1, -1))
        expected = np.einsum("btk,btk->b", grad, direction)
        np.testing.assert_allclose((ahead - behind) / (2 * step), expected, rtol=rel, atol=rel * abs(expected).max())
