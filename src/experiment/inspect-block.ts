/**
 * One block, element by element, as a format stores it: by the scalar codec, which the kernels are tested equal to, bit
 * for bit.
 */
import { decodeBlock, encodeBlock } from '../formats/codec'
import { codeBits } from '../formats/codec-grid'
import { type BlockScale, scaleValue } from '../formats/codec-scale'
import { type Quantizer, SCALE_RULES, type ScaleRule } from '../formats/number-format'
import type { ColumnSpan } from './block-span'
import type { TensorRow } from './tensor-blocks'

export interface InspectedElement {
  readonly column: number
  readonly value: number
  /** Raw code, and the same as bits, fields of a float separated by "|". */
  readonly code: number
  readonly bits: string
  readonly reconstruction: number
  /** reconstruction − value, rounded as float64. */
  readonly error: number
  /** Not zero before, zero after. */
  readonly zeroed: boolean
  /** Beyond the largest value the scale allows; what an fp32 scale is off by its own rounding does not count. */
  readonly clipped: boolean
}

/** A scale and the columns of the span it holds for; several where blocks are shorter than the span. */
export interface InspectedScale extends ColumnSpan {
  readonly scale: BlockScale
}

export interface Inspection {
  readonly scales: readonly InspectedScale[]
  readonly elements: readonly InspectedElement[]
  /** 10 log10(Σ value² / Σ error²) over the span: Infinity for no error, NaN for a block that is NaN or all zero. */
  readonly sqnrDb: number
  readonly zeroed: number
  readonly clipped: number
}

/** Elements that share a scale: Infinity for a whole row, 1 without a scale. */
export function scaleSpan(quantizer: Quantizer): number {
  switch (quantizer.family) {
    case 'mx':
      return quantizer.blockSize
    case 'nvfp':
      return quantizer.format.blockSize
    case 'integer':
      return quantizer.group === 'row' ? Number.POSITIVE_INFINITY : quantizer.group
    case 'sixteen-bit':
      return 1
    default:
      return quantizer satisfies never
  }
}

/** An fp32 scale is rounded itself: the largest element may lie that much beyond the largest value. */
const SCALE_ROUNDING = 1 + 2 ** -23

/** The largest magnitude a code of this sign can stand for, before rounding and in the unit of the values. */
function limitOf(quantizer: Quantizer, scale: BlockScale, negative: boolean): number {
  const { element } = quantizer.format
  const multiplier = scaleValue(scale)
  if (element.kind === 'integer') {
    const zeroPoint = scale.kind === 'fp32' ? scale.zeroPoint : null
    const steps = 2 ** element.bits - 1
    const codes = zeroPoint === null ? (steps + 1) / 2 - (negative ? 0 : 1) : negative ? zeroPoint : steps - zeroPoint
    return codes * multiplier * SCALE_ROUNDING
  }
  const factor = quantizer.family === 'mx' ? (quantizer.preScale?.factor ?? 1) : 1
  return ((element.maxFinite * multiplier) / factor) * (scale.kind === 'fp32' ? SCALE_ROUNDING : 1)
}

function sqnrOf(elements: readonly InspectedElement[]): number {
  const signal = elements.reduce((sum, { value }) => sum + value * value, 0)
  const noise = elements.reduce((sum, { error }) => sum + error * error, 0)
  return signal === 0 ? Number.NaN : 10 * Math.log10(signal / noise)
}

interface Piece extends InspectedScale {
  readonly codes: Uint16Array
  readonly decoded: Float32Array
}

/** The blocks of the format that overlap the span, each encoded as a whole and then cut to it. */
function encodePieces({ values, tensorMax }: TensorRow, span: ColumnSpan, quantizer: Quantizer): Piece[] {
  const size = scaleSpan(quantizer)
  // The codec takes part of a row, and elements without a scale, as they come.
  const isFree = size === 1 || size === Number.POSITIVE_INFINITY
  const step = isFree ? span.end - span.start : size
  const first = isFree ? span.start : Math.floor(span.start / size) * size
  const pieces: Piece[] = []
  for (let start = first; start < span.end; start += step) {
    const block = values.subarray(start, Math.min(start + step, values.length))
    const encoded = encodeBlock(block, quantizer, { tensorMax, row: values })
    const from = Math.max(start, span.start)
    const to = Math.min(start + block.length, span.end)
    pieces.push({
      start: from,
      end: to,
      scale: encoded.scale,
      codes: encoded.codes.subarray(from - start, to - start),
      decoded: decodeBlock(encoded, quantizer).subarray(from - start, to - start),
    })
  }
  return pieces
}

/** What `quantizer` makes of the columns `span` of a row, which need not be blocks of its own. */
export function inspectBlock(row: TensorRow, span: ColumnSpan, quantizer: Quantizer): Inspection {
  const pieces = encodePieces(row, span, quantizer)
  const elements = pieces.flatMap(({ start, codes, decoded, scale }) =>
    Array.from(codes, (code, i): InspectedElement => {
      const value = row.values[start + i]
      const reconstruction = decoded[i]
      return {
        column: start + i,
        value,
        code,
        bits: codeBits(code, quantizer),
        reconstruction,
        error: reconstruction - value,
        zeroed: value !== 0 && reconstruction === 0,
        clipped: Math.abs(value) > limitOf(quantizer, scale, value < 0),
      }
    }),
  )
  return {
    scales: pieces.map(({ start, end, scale }) => ({ start, end, scale })),
    elements,
    sqnrDb: sqnrOf(elements),
    zeroed: elements.filter(({ zeroed }) => zeroed).length,
    clipped: elements.filter(({ clipped }) => clipped).length,
  }
}

/** A scale rule tried on a block. */
export interface RuleOutcome {
  readonly rule: ScaleRule
  readonly scale: BlockScale
  readonly sqnrDb: number
}

/** What each scale rule would do with a block; empty for formats that have no scale rule. */
export function compareRules(row: TensorRow, span: ColumnSpan, quantizer: Quantizer): readonly RuleOutcome[] {
  if (quantizer.family !== 'mx') return []
  return SCALE_RULES.map((rule) => {
    const { scales, sqnrDb } = inspectBlock(row, span, {
      ...quantizer,
      scaleRule: rule,
      preScale: rule === 'fp32' ? null : quantizer.preScale,
    })
    return { rule, scale: scales[0].scale, sqnrDb }
  })
}
