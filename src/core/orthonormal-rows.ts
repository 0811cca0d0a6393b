/** What is left of a row outside the span of the rows before it, below which only rounding error is left. */
const DEPENDENT = 2 ** -40

/** A row that keeps this share of its norm while earlier rows are subtracted is orthogonal to them; otherwise once more. */
const ORTHOGONAL = 0.7

/**
 * Makes the rows of `rows` [count, length] orthonormal in place, in order (Gram-Schmidt, twice where it is needed): the
 * first k rows span what they spanned. A row that depends on those before it becomes zero.
 *
 * Accuracy: |Q Qᵀ − I| ≤ length · 2^-50 per element. Work: 2 to 4 · count² · length operations. Finite rows only.
 */
export function orthonormaliseRows(rows: Float64Array, count: number, length: number): void {
  for (let i = 0; i < count; i++) {
    const row = rows.subarray(i * length, (i + 1) * length)
    const start = norm(row)
    let before = start
    let after = start
    for (let pass = 0; pass < 2 && (pass === 0 || after < ORTHOGONAL * before); pass++) {
      before = after
      for (let j = 0; j < i; j++) subtractProjection(row, rows.subarray(j * length, (j + 1) * length))
      after = norm(row)
    }
    const factor = after > DEPENDENT * start ? 1 / after : 0
    for (let k = 0; k < length; k++) row[k] *= factor
  }
}

function norm(row: Float64Array): number {
  let sum = 0
  for (let k = 0; k < row.length; k++) sum += row[k] * row[k]
  return Math.sqrt(sum)
}

/** row ← row − (row · unit) unit. */
function subtractProjection(row: Float64Array, unit: Float64Array): void {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  const whole = row.length - (row.length % 4)
  for (let k = 0; k < whole; k += 4) {
    s0 += row[k] * unit[k]
    s1 += row[k + 1] * unit[k + 1]
    s2 += row[k + 2] * unit[k + 2]
    s3 += row[k + 3] * unit[k + 3]
  }
  for (let k = whole; k < row.length; k++) s0 += row[k] * unit[k]
  const projection = s0 + s1 + (s2 + s3)
  for (let k = 0; k < row.length; k++) row[k] -= projection * unit[k]
}
