/** A format under one scale as intervals of the real line, for drawing and explaining; codec.ts decides codes. */
import { decodeCode, encodeBlock } from './codec'
import { decodeElement } from './codec-element'
import { type RoundingInterval, roundingBoundaries } from './codec-grid'
import { type BlockScale, scaleValue } from './codec-scale'
import type { Quantizer, SixteenBitFormat } from './number-format'

/** Cells in rising order of their values; cell i holds the numbers between edges[i] and edges[i + 1]. */
export interface ScaledGrid {
  /** What each cell is decoded to, f32. */
  readonly values: Float64Array
  readonly codes: Uint16Array
  /** One more than there are cells, from −Infinity to Infinity: what lies beyond the outermost values saturates. */
  readonly edges: Float64Array
  /** Of the number on the edge below a cell: 1 where it belongs to the cell, 0 where it belongs to the one before. */
  readonly ownsEdge: Uint8Array
}

/** Intervals at scale 1, which sliders ask for again and again. */
const unitIntervals = new Map<string, readonly RoundingInterval[]>()

function intervalsOf(quantizer: Quantizer, zeroPoint: number): readonly RoundingInterval[] {
  // A pre-scale comes in a hundred factors and belongs to formats of sixteen codes: those are made anew.
  if (quantizer.family === 'mx' && quantizer.preScale) return roundingBoundaries(quantizer)
  const rounding = quantizer.family === 'mx' ? quantizer.rounding : ''
  const scheme = quantizer.family === 'integer' ? quantizer.scheme : ''
  const key = [quantizer.format.id, rounding, scheme, zeroPoint].join()
  const intervals = unitIntervals.get(key) ?? roundingBoundaries(quantizer, zeroPoint)
  unitIntervals.set(key, intervals)
  return intervals
}

/** Grids without a scale. */
const plainGrids = new Map<string, ScaledGrid>()

/** The grid of a 16-bit float: as codec-grid.ts has it, but without an object for each of its 65,000 intervals. */
function sixteenBitGrid({ id, element }: SixteenBitFormat): ScaledGrid {
  const known = plainGrids.get(id)
  if (known) return known
  const zero = element.maxCode
  const count = 2 * zero + 1
  const signBit = 2 ** (element.bits - 1)
  const codes = Uint16Array.from({ length: count }, (_, i) => (i < zero ? signBit + zero - i : i - zero))
  const values = Float64Array.from(codes, (code) => decodeElement(element, code))
  const edges = new Float64Array(count + 1)
  for (let i = 1; i < count; i++) edges[i] = (values[i - 1] + values[i]) / 2
  edges[0] = Number.NEGATIVE_INFINITY
  edges[count] = Number.POSITIVE_INFINITY
  const ownsEdge = Uint8Array.from(codes, (code, i) => (i > 0 && code % 2 === 0 ? 1 : 0))
  const made = { values, codes, edges, ownsEdge }
  plainGrids.set(id, made)
  return made
}

/**
 * The grid of `quantizer` under `scale`, which is neither NaN nor 0. Values are those of the codec; edges are float64,
 * exact unless a pre-scale or an fp32 scale makes them longer than that.
 */
export function scaledGrid(quantizer: Quantizer, scale: BlockScale): ScaledGrid {
  if (quantizer.family === 'sixteen-bit') return sixteenBitGrid(quantizer.format)
  const zeroPoint = scale.kind === 'fp32' ? (scale.zeroPoint ?? 0) : 0
  const cells = intervalsOf(quantizer, zeroPoint)
  const multiplier = scaleValue(scale)
  const edges = new Float64Array(cells.length + 1)
  cells.forEach(({ from }, i) => {
    edges[i] = from * multiplier
  })
  edges[cells.length] = Number.POSITIVE_INFINITY
  return {
    values: Float64Array.from(cells, ({ code }) => decodeCode(code, scale, quantizer)),
    codes: Uint16Array.from(cells, ({ code }) => code),
    edges,
    ownsEdge: Uint8Array.from(cells, ({ fromIncluded }) => (fromIncluded ? 1 : 0)),
  }
}

/** The cell that `x`, not NaN, is rounded to; off by one at most where an edge is not exact. */
export function findCell({ edges, ownsEdge }: ScaledGrid, x: number): number {
  let low = 0
  let high = ownsEdge.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const reached = edges[middle] < x || (edges[middle] === x && ownsEdge[middle] === 1)
    if (reached) low = middle
    else high = middle - 1
  }
  return low
}

/**
 * The scale a format gives to a block whose magnitudes reach `maximum`, on both sides, in a row and a tensor that go no
 * higher. The scale rule 'best' is decided on that magnitude alone.
 */
export function scaleForMaximum(quantizer: Quantizer, maximum: number): BlockScale {
  const ends = [-maximum, maximum]
  return encodeBlock(ends, quantizer, { tensorMax: maximum, row: ends }).scale
}
