import { type DenseMatrix, identityMatrix, inverse, multiply, transpose } from './linear-algebra'

/**
 * N = (I − K/2)⁻¹ with K = L − Lᵀ, L the part of `theta` strictly below its diagonal. Shapes: [n, n] -> same.
 * K is skew, so the inverse always exists and ‖N‖ ≤ 1. Its Cayley map is Q = N (I + K/2) = 2 N − I.
 */
export function cayleyInverse(theta: DenseMatrix): DenseMatrix {
  const n = theta.rows
  const operand = identityMatrix(n)
  for (let r = 0; r < n; r++) {
    for (let c = 0; c < r; c++) {
      operand.data[r * n + c] = -theta.data[r * n + c] / 2
      operand.data[c * n + r] = theta.data[r * n + c] / 2
    }
  }
  return inverse(operand)
}

/** The rotation Q = (I − K/2)⁻¹ (I + K/2) of `theta`, K as in cayleyInverse: orthogonal, determinant 1. */
export function cayleyRotation(theta: DenseMatrix): DenseMatrix {
  const n = cayleyInverse(theta)
  const data = n.data.map((value, i) => 2 * value - Number(i % (n.cols + 1) === 0))
  return { ...n, data }
}

/** u diag(σ) vᵀ. Shapes: u, v [n, n], sigma [n] -> [n, n]. */
export function singularProduct(u: DenseMatrix, sigma: ArrayLike<number>, v: DenseMatrix): DenseMatrix {
  const scaled = { ...u, data: u.data.map((value, i) => value * sigma[i % u.cols]) }
  return multiply(scaled, transpose(v))
}
