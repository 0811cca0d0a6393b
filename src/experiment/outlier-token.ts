/** The second cause: a token ruled by one channel becomes two-valued when it is rotated. */
import type { Quantizer } from '../formats/number-format'
import { Arena } from '../gpu/arena'
import type { Gpu } from '../gpu/device'
import type { GpuMatrix } from '../gpu/gpu-matrix'
import { blockCrests } from '../gpu/kernels/block-crest'
import { fakeQuantize } from '../gpu/kernels/fake-quantize'
import { Recorder } from '../gpu/recorder'
import { readFloats, uploadMatrix } from '../gpu/transfer'
import type { FittedTransform } from '../methods/method'

/** One token, as it is or rotated. */
export interface TokenState {
  /** [in] */
  readonly values: Float32Array
  /** Fourth standardised moment over its channels. */
  readonly kurtosis: number
  /** Share of its energy in its largest channel, 0 … 1. */
  readonly largestShare: number
  /**
   * ‖error on the channels other than `channel`‖ / ‖their values‖ after rounding, the error of the rotated token brought
   * back by the inverse rotation. 0 where activations are not quantized; NaN where the other channels are zero.
   */
  readonly otherChannelsError: number
}

/** The evaluation token most ruled by one channel. */
export interface OutlierToken {
  /** Row of the evaluation rows. */
  readonly token: number
  /** The channel of its largest magnitude, before rotation. */
  readonly channel: number
  readonly before: TokenState
  readonly after: TokenState
}

/** Evaluation rows as they are and rotated, and what rotates a row. */
export interface RotatedRows {
  readonly plain: GpuMatrix
  readonly rotated: GpuMatrix
  /** An orthogonal change of basis. */
  readonly fitted: Pick<FittedTransform, 'apply'>
}

/** The row in which the largest magnitude has the greatest share of the energy: that of the greatest crest factor. */
async function mostRuledRow(gpu: Gpu, arena: Arena, matrix: GpuMatrix): Promise<number> {
  const recorder = new Recorder(gpu)
  const { pairs, words } = blockCrests(recorder, arena, matrix, 'row')
  recorder.submit()
  const crests = await readFloats(gpu, pairs, words)
  let best = 0
  for (let row = 1; row < matrix.rows; row++) if (crests[2 * row] > crests[2 * best]) best = row
  return best
}

/** Row `row` of each of `matrices`, in one read-back. */
async function readRows(gpu: Gpu, arena: Arena, matrices: readonly GpuMatrix[], row: number): Promise<Float32Array[]> {
  const { cols } = matrices[0]
  const packed = arena.buffer(4 * cols * matrices.length, 'rows of a token')
  const recorder = new Recorder(gpu)
  matrices.forEach(({ buffer, stride }, i) => {
    recorder.copy(buffer, packed, 4 * cols, { from: 4 * row * stride, to: 4 * i * cols })
  })
  recorder.submit()
  const values = await readFloats(gpu, packed, cols * matrices.length)
  return matrices.map((_, i) => values.slice(i * cols, (i + 1) * cols))
}

const energyOf = (values: Float32Array | Float64Array) => {
  let energy = 0
  for (const value of values) energy += value * value
  return energy
}

function channelOfLargest(values: Float32Array): number {
  let largest = 0
  values.forEach((value, c) => {
    if (Math.abs(value) > Math.abs(values[largest])) largest = c
  })
  return largest
}

function kurtosisOf(values: Float32Array): number {
  const mean = values.reduce((sum: number, value) => sum + value, 0) / values.length
  let second = 0
  let fourth = 0
  for (const value of values) {
    const square = (value - mean) ** 2
    second += square
    fourth += square * square
  }
  return (fourth * values.length) / second ** 2
}

function stateOf(values: Float32Array, otherChannelsError: number): TokenState {
  return {
    values,
    kurtosis: kurtosisOf(values),
    largestShare: values[channelOfLargest(values)] ** 2 / energyOf(values),
    otherChannelsError,
  }
}

/**
 * The token most ruled by one channel, before and after the rotation, and what rounding does to its other channels. The
 * rotation T is orthogonal, so the error e T^-1 brought back has the energy of e, and its part in channel c is e · T_c, with
 * T_c what becomes of the unit vector c: one more row to rotate, whatever the width. Reads five rows back.
 */
export async function readOutlierToken(
  gpu: Gpu,
  { plain, rotated, fitted }: RotatedRows,
  quantizer: Quantizer | null,
): Promise<OutlierToken> {
  const arena = new Arena(gpu)
  try {
    const token = await mostRuledRow(gpu, arena, plain)
    const recorder = new Recorder(gpu)
    const rounded = [plain, rotated].map((rows) => (quantizer ? fakeQuantize(recorder, arena, rows, quantizer) : rows))
    recorder.submit()
    const [x, xRotated, y, yRotated] = await readRows(gpu, arena, [plain, rotated, ...rounded], token)
    const channel = channelOfLargest(x)
    const unit = { rows: 1, cols: x.length, data: new Float32Array(x.length) }
    unit.data[channel] = 1
    const [direction] = await readRows(gpu, arena, [fitted.apply(uploadMatrix(gpu, arena, unit, 'unit row'))], 0)

    const others = energyOf(x) - x[channel] ** 2
    const errorOf = (energy: number, inChannel: number) => Math.sqrt(Math.max(energy - inChannel ** 2, 0) / others)
    const plainError = Float64Array.from(y, (value, c) => value - x[c])
    const rotatedError = Float64Array.from(yRotated, (value, c) => value - xRotated[c])
    const along = rotatedError.reduce((sum, value, c) => sum + value * direction[c], 0)
    return {
      token,
      channel,
      before: stateOf(x, errorOf(energyOf(plainError), plainError[channel])),
      after: stateOf(xRotated, errorOf(energyOf(rotatedError), along)),
    }
  } finally {
    arena.release()
  }
}
