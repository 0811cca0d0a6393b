import { createRandom } from '../../src/core/random'
import type { Quantizer } from '../../src/formats/number-format'
import type { BlockAffineParameters, OracleClip } from '../oracle/block-affine'
import { multiply, type OracleProblem, type Table, transposed } from '../oracle/flatquant'

/** What a random problem is made of: channels, channels per block, and the blocks each clip cuts. */
export interface Sizes {
  readonly channels: number
  readonly size: number
  readonly activationWidth: number
  readonly weightWidth: number
}

/** A random layer with a random state near its start, of f32 numbers; sides without a quantizer have no clip. */
export function randomProblem(
  { channels, size, activationWidth, weightWidth }: Sizes,
  quantizers: Pick<OracleProblem, 'weight' | 'activation'>,
): { problem: OracleProblem; parameters: BlockAffineParameters } {
  const random = createRandom(5)
  const [tokens, out] = [13, 9]
  const table = (rows: number, cols: number, gain: number): Table => ({
    rows,
    cols,
    data: Float64Array.from({ length: rows * cols }, () => Math.fround(gain * random.normal())),
  })
  const x = table(tokens, channels, 1)
  const w = table(out, channels, 1)
  const clip = (quantizer: Quantizer | null, width: number, rows: number): OracleClip | null => {
    const blocks = Math.ceil(channels / width)
    const logits = table(rows, blocks, 1).data.map((value) => Math.fround(1 + value))
    return quantizer && { width, shared: rows === 1, logits }
  }
  const parameters = {
    scale: table(1, channels, 0.3).data.map((value) => Math.fround(Math.exp(value))),
    blocks: Array.from({ length: channels / size }, () => {
      const noise = table(size, size, 0.5 / Math.sqrt(size))
      return { ...noise, data: noise.data.map((value, i) => Math.fround(value + Number(i % (size + 1) === 0))) }
    }),
    activationClip: clip(quantizers.activation, activationWidth, 1),
    weightClip: clip(quantizers.weight, weightWidth, out),
  }
  return { problem: { x, w, y: multiply(x, transposed(w)), ...quantizers }, parameters }
}
