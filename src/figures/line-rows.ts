/** The rows of the format explorer: each format under a scale that makes it comparable with the others. */
import { decodeCode, encodeWithScale } from '../formats/codec'
import { codeBits } from '../formats/codec-grid'
import { type BlockScale, scaleCandidates, scaleValue } from '../formats/codec-scale'
import { formatLabel, parseFormat } from '../formats/format-text'
import type { FormatChoice, Quantizer } from '../formats/number-format'
import { type MxChoices, makeQuantizer } from '../formats/quantizer'
import { findCell, type ScaledGrid, scaledGrid, scaleForMaximum } from '../formats/scaled-grid'
import { formatF32 } from './format-f32'
import type { LineRange } from './line-axis'
import { valueText } from './value-text'

/**
 * `maximum`: every format takes the scale it gives a block whose largest magnitude is `maximum`. `exponent`: MX formats
 * take the scale 2^exponent, the others the one they give a block that reaches the largest value of E2M1 at that scale.
 */
export interface LineScaling {
  readonly kind: 'maximum' | 'exponent'
  readonly maximum: number
  readonly exponent: number
}

export interface LineRow {
  /** The format with its options, as links write it. */
  readonly text: string
  /** Told apart from earlier rows of the same format: "MXFP4 (2)". */
  readonly label: string
  readonly choice: FormatChoice
  readonly quantizer: Quantizer
  readonly scale: BlockScale
  /** What is not as in a block of many elements; null when nothing is. */
  readonly remark: string | null
  /** null when the scale rounded to 0: every element becomes 0. */
  readonly grid: ScaledGrid | null
}

const E8M0_BIAS = 127
const E2M1_LARGEST = 6

/** The largest magnitude that formats without an exponent of their own are scaled to. */
export function lineMaximum({ kind, maximum, exponent }: LineScaling): number {
  return kind === 'maximum' ? maximum : E2M1_LARGEST * 2 ** exponent
}

function scaleOf(quantizer: Quantizer, scaling: LineScaling): BlockScale {
  if (quantizer.family !== 'mx' || scaling.kind === 'maximum') return scaleForMaximum(quantizer, lineMaximum(scaling))
  if (quantizer.scaleRule === 'fp32') return { kind: 'fp32', value: 2 ** scaling.exponent, zeroPoint: null }
  return { kind: 'e8m0', byte: scaling.exponent + E8M0_BIAS }
}

export interface LineInput {
  /** Formats with their options. */
  readonly texts: readonly string[]
  readonly scaling: LineScaling
  readonly choices: MxChoices
}

const keyOf = ({ label, quantizer, scale }: Pick<LineRow, 'label' | 'quantizer' | 'scale'>) =>
  JSON.stringify([label, quantizer, scale])

/** Formats that try two scales decide here on the largest magnitude alone; in a block all elements have a say. */
function remarkOf(quantizer: Quantizer, scaling: LineScaling, scale: BlockScale): string | null {
  if (quantizer.family === 'mx') {
    const decided = quantizer.scaleRule === 'best' && scaling.kind === 'maximum'
    return decided ? 'rule best: decided on the maximum alone; the other elements of a block may change it' : null
  }
  if (quantizer.family !== 'nvfp' || quantizer.fourOverSix === null || scale.kind !== 'e4m3') return null
  const maximum = lineMaximum(scaling)
  const [toSix] = scaleCandidates([maximum], quantizer, { tensorMax: maximum })
  const six = toSix.kind === 'e4m3' && toSix.byte === scale.byte
  return `four over six: the maximum alone is scaled to ${six ? 6 : 4}; the other elements of a block may make it ${six ? 4 : 6}`
}

/**
 * The rows of the number line. One that is as in `known` is that object, so that a slider redraws only what it changes.
 * Throws InputError FM-01 to FM-04 for what does not exist.
 */
export function lineRows({ texts, scaling, choices }: LineInput, known: readonly LineRow[] = []): readonly LineRow[] {
  const made = new Map(known.map((row) => [keyOf(row), row]))
  const seen = new Map<string, number>()
  return texts.map((text) => {
    const choice = parseFormat(text)
    const quantizer = makeQuantizer(choice, choices)
    const scale = scaleOf(quantizer, scaling)
    const count = (seen.get(text) ?? 0) + 1
    seen.set(text, count)
    const label = count > 1 ? `${formatLabel(choice)} (${count})` : formatLabel(choice)
    const same = made.get(keyOf({ label, quantizer, scale }))
    if (same) return same
    const grid = scaleValue(scale) > 0 ? scaledGrid(quantizer, scale) : null
    return { text, label, choice, quantizer, scale, remark: remarkOf(quantizer, scaling, scale), grid }
  })
}

const AUTO_MARGIN = 1.08
/** Without a zoom, a log axis shows magnitudes down to this share of the largest. */
const LOG_DEPTH = 2 ** -12

/** The range that shows every row up to its largest value; 16-bit floats, which have no scale, do not count. */
export function automaticRange(rows: readonly LineRow[], scaling: LineScaling, kind: LineRange['kind']): LineRange {
  const ends = rows.flatMap(({ grid, quantizer }) =>
    grid && quantizer.family !== 'sixteen-bit' ? [-grid.values[0], grid.values[grid.values.length - 1]] : [],
  )
  const largest = Math.max(lineMaximum(scaling), ...ends) * AUTO_MARGIN
  return { kind, from: kind === 'linear' ? -largest : largest * LOG_DEPTH, to: largest }
}

/** What a row makes of one number. */
export interface RoundedValue {
  readonly code: number
  readonly bits: string
  readonly value: number
  /** How it comes about: "2 × 2⁰ ÷ 0.75 = 2.6666667". */
  readonly derivation: string
  /** value − x */
  readonly error: number
  /** The numbers rounded to the same value, as "[2.5, 3.5)"; a bracket where the end belongs to it. */
  readonly interval: string
  /** The largest |value − number| over that interval, Infinity where it saturates. */
  readonly largestError: number
}

/** The interval of one cell in brackets: "[2.5, 3.5]", "(5, ∞)". */
function intervalText(grid: ScaledGrid, cell: number): string {
  const { edges, ownsEdge } = grid
  const opens = cell > 0 && ownsEdge[cell] === 1 ? '[' : '('
  const closes = cell < ownsEdge.length - 1 && ownsEdge[cell + 1] === 0 ? ']' : ')'
  return `${opens}${formatF32(edges[cell])}, ${formatF32(edges[cell + 1])}${closes}`
}

/** Rounds `x` (finite, taken as f32) on a row; null where the scale is 0. The code is the codec's, decided exactly. */
export function roundOn({ quantizer, scale, grid }: LineRow, x: number): RoundedValue | null {
  if (!grid) return null
  const value = Math.fround(x)
  const [code] = encodeWithScale([value], scale, quantizer)
  const cell = findCell(grid, value)
  const decoded = decodeCode(code, scale, quantizer)
  return {
    code,
    bits: codeBits(code, quantizer),
    value: decoded,
    derivation: valueText(code, scale, quantizer),
    error: decoded - value,
    interval: intervalText(grid, cell),
    largestError: Math.max(decoded - grid.edges[cell], grid.edges[cell + 1] - decoded),
  }
}
