/** Products from packed codes, to stand beside the f32 product of the same shape. */
import { chooseFormat } from '../../formats/format-text'
import { mxfp4 } from '../../formats/mxfp4'
import { mxfp8E4m3 } from '../../formats/mxfp8-e4m3'
import type { NumberFormat } from '../../formats/number-format'
import { makeQuantizer, STANDARD_MX } from '../../formats/quantizer'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import { dequantize } from '../../gpu/kernels/dequantize'
import { canMultiply, type PackedOperand, type PackedVariant, packedProduct } from '../../gpu/kernels/packed-product'
import { quantize } from '../../gpu/kernels/quantize'
import { Recorder } from '../../gpu/recorder'
import { readMatrix, uploadMatrix } from '../../gpu/transfer'
import { checkSamples, expectedSum } from './checks'
import type { KernelCase } from './kernel-subject'
import { layerOperandsOf, type ProductShape } from './product-cases'

/** null: f32 activations. */
type Way = readonly [name: string, x: NumberFormat | null, w: NumberFormat, variant: PackedVariant]

const WAYS: readonly Way[] = [
  ['packed mxfp4 x mxfp4', mxfp4, mxfp4, 'decode-once'],
  ['packed a16 x mxfp4', null, mxfp4, 'decode-once'],
  ['packed mxfp8_e4m3 x mxfp8_e4m3', mxfp8E4m3, mxfp8E4m3, 'decode-once'],
  ['packed a16 x mxfp4 in the loop', null, mxfp4, 'decode-in-loop'],
  ['packed mxfp4 x mxfp4 integer dot', mxfp4, mxfp4, 'integer-dot'],
]

const quantizerOf = (format: NumberFormat) => makeQuantizer(chooseFormat(format), STANDARD_MX)

/** X·Wᵀ from codes made before the timing, which therefore has all decoding in it. Codes live in `arena`. */
export function packedCases(gpu: Gpu, arena: Arena, shape: ProductShape): KernelCase[] {
  const { tokens, inDim, outDim } = shape
  const { a, b } = layerOperandsOf(shape)
  const [x, w] = [uploadMatrix(gpu, arena, a, 'bench a'), uploadMatrix(gpu, arena, b, 'bench b')]
  const setup = new Recorder(gpu)
  const valuesOf = (operand: PackedOperand, recorder: Recorder, scratch: Arena) =>
    'codes' in operand ? dequantize(recorder, scratch, operand) : operand
  const cases = WAYS.flatMap(([name, left, right, variant]): KernelCase[] => {
    const packedX = left === null ? x : quantize(setup, arena, x, quantizerOf(left))
    const packedW = quantize(setup, arena, w, quantizerOf(right))
    if (!canMultiply(variant, gpu, packedX, packedW)) return []
    return [
      {
        name,
        work: { kind: 'operations', operations: 2 * tokens * inDim * outDim },
        record(recorder, scratch) {
          const y = packedProduct(recorder, scratch, packedX, packedW, variant)
          return async () => {
            const decode = new Recorder(gpu)
            const decoded = [packedX, packedW].map((operand) => valuesOf(operand, decode, scratch))
            decode.submit()
            const [p, q] = await Promise.all(decoded.map((each) => readMatrix(gpu, each)))
            const term = (row: number, col: number) => (k: number) => p.data[row * inDim + k] * q.data[col * inDim + k]
            return checkSamples(await readMatrix(gpu, y), (row, col) => expectedSum(inDim, term(row, col)))
          }
        },
      },
    ]
  })
  setup.submit()
  return cases
}
