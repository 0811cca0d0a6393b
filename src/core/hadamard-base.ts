/**
 * Hadamard matrices of orders that are not powers of two, generated rather than stored. A matrix of order K is an
 * Int8Array of K·K entries ±1, row-major, with H · Hᵀ = K · I. Constructions: Paley (1933), Williamson (1944).
 */
export interface HadamardBase {
  readonly order: number
  readonly kind: 'paley1' | 'paley2' | 'williamson'
  readonly entries: Int8Array
}

/** First rows of the symmetric circulants A, B, C, D for the orders that Paley's constructions leave out. */
const WILLIAMSON_ROWS: Readonly<Record<number, readonly string[]>> = {
  52: ['+-+--++++--+-', '+---++++++---', '++-+--++--+-+', '+----+--+----'],
  92: ['+++-+++-+------+-+++-++', '+++---++-+-++-+-++---++', '+-++-++--++++++--++-++-', '++---+---+-++-+---+---+'],
  100: [
    '+-++++----++--++----++++-',
    '+++-+++---+-++-+---+++-++',
    '+-++-+++-++----++-+++-++-',
    '+--++-+-+--------+-+-++--',
  ],
  116: [
    '++--+--+-+++-++++-+++-+--+--+',
    '++++-++-+---++++++---+-++-+++',
    '+-+---++--+-++++++-+--++---+-',
    '+++---++--+-+----+-+--++---++',
  ],
  156: [
    '+++--+-+-----+--++----++--+-----+-+--++',
    '++++---+--++----+-+--+-+----++--+---+++',
    '+++--++-+---+-+--+----+--+-+---+-++--++',
    '+---++-+-+-----+++-++-+++-----+-+-++---',
  ],
  172: [
    '+---++--++++-+-+++-++--++-+++-+-++++--++---',
    '++-++++++----+-+--++-++-++--+-+----++++++-+',
    '+++-+-++--+-+-++++-+----+-++++-+-+--++-+-++',
    '++---++++-+--+--++--------++--+--+-++++---+',
  ],
}

/** A Hadamard matrix of the given order: Paley I, else Paley II, else Williamson's table, else null. */
export function hadamardBase(order: number): HadamardBase | null {
  const q = order - 1
  if (q % 4 === 3 && isPrime(q)) return { order, kind: 'paley1', entries: paleyOne(q) }
  const half = order / 2 - 1
  if (half % 4 === 1 && isPrime(half)) return { order, kind: 'paley2', entries: paleyTwo(half) }
  const rows = WILLIAMSON_ROWS[order]
  return rows ? { order, kind: 'williamson', entries: williamson(rows) } : null
}

function isPrime(n: number): boolean {
  if (!Number.isInteger(n) || n < 2) return false
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return false
  return true
}

/** χ(0) … χ(q−1): 1 for non-zero squares modulo the odd prime q, −1 for non-squares, 0 for 0. */
function legendreSymbols(q: number): Int8Array {
  const symbols = new Int8Array(q).fill(-1)
  symbols[0] = 0
  for (let i = 1; i < q; i++) symbols[(i * i) % q] = 1
  return symbols
}

/** Order q + 1, q ≡ 3 mod 4: H = I + S, S = [[0, 1…1], [−1…−1ᵀ, C]], C[i][j] = χ(j − i). */
function paleyOne(q: number): Int8Array {
  const order = q + 1
  const symbols = legendreSymbols(q)
  const h = new Int8Array(order * order)
  for (let r = 0; r < order; r++) {
    for (let c = 0; c < order; c++) {
      let s = r === 0 ? 1 : -1
      if (r > 0 && c > 0) s = symbols[(c - r + q) % q]
      h[r * order + c] = r === c ? 1 : s
    }
  }
  return h
}

/** Order 2(q + 1), q ≡ 1 mod 4: H = S ⊗ [[1, 1], [1, −1]] + I ⊗ [[1, −1], [−1, −1]], S = [[0, 1…1], [1…1ᵀ, C]]. */
function paleyTwo(q: number): Int8Array {
  const size = q + 1
  const order = 2 * size
  const symbols = legendreSymbols(q)
  const h = new Int8Array(order * order)
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) {
      const s = r > 0 && c > 0 ? symbols[(c - r + q) % q] : 1
      const block = r === c ? [1, -1, -1, -1] : [s, s, s, -s]
      const at = 2 * r * order + 2 * c
      h.set(block.slice(0, 2), at)
      h.set(block.slice(2), at + order)
    }
  }
  return h
}

/** Which circulant (0 … 3 for A … D) stands at block (r, c), with its sign: [[A,B,C,D],[−B,A,−D,C],…]. */
const WILLIAMSON_BLOCKS = [
  ['+0', '+1', '+2', '+3'],
  ['-1', '+0', '-3', '+2'],
  ['-2', '+3', '+0', '-1'],
  ['-3', '-2', '+1', '+0'],
]

/** Order 4w from four symmetric circulants of size w. */
function williamson(rows: readonly string[]): Int8Array {
  const width = rows[0].length
  const order = 4 * width
  const h = new Int8Array(order * order)
  for (let r = 0; r < order; r++) {
    for (let c = 0; c < order; c++) {
      const [sign, which] = WILLIAMSON_BLOCKS[Math.floor(r / width)][Math.floor(c / width)]
      const entry = rows[Number(which)][((c % width) - (r % width) + width) % width]
      h[r * order + c] = entry === sign ? 1 : -1
    }
  }
  return h
}
