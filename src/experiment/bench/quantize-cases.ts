/** Rounding to every number format: fused, packed, and back. Bit for bit against the scalar definition. */
import type { Matrix } from '../../core/matrix'
import type { OptionValues } from '../../core/options'
import { bitsPerElement } from '../../formats/bits-per-element'
import { decodeBlock, encodeBlock } from '../../formats/codec'
import { chooseFormat, formatText } from '../../formats/format-text'
import { int4 } from '../../formats/int4'
import { mxfp4 } from '../../formats/mxfp4'
import type { NumberFormat, Quantizer } from '../../formats/number-format'
import { nvfp4 } from '../../formats/nvfp4'
import { type MxChoices, makeQuantizer, STANDARD_MX } from '../../formats/quantizer'
import { FORMATS } from '../../formats/registry'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { dequantize } from '../../gpu/kernels/dequantize'
import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import type { PackedMatrix } from '../../gpu/kernels/packed-matrix'
import { quantize } from '../../gpu/kernels/quantize'
import { Recorder } from '../../gpu/recorder'
import { readMatrix } from '../../gpu/transfer'
import { checkSamples } from './checks'
import type { KernelCase } from './kernel-subject'

/** A quantizer under the name its rows carry. */
interface Subject {
  readonly name: string
  readonly quantizer: Quantizer
}

function subject(format: NumberFormat, options: OptionValues = {}, choices: Partial<MxChoices> = {}): Subject {
  const choice = chooseFormat(format, options)
  return { name: formatText(choice), quantizer: makeQuantizer(choice, { ...STANDARD_MX, ...choices }) }
}

/** Every format at its defaults, and the choices that take another path through the kernels. */
function subjects(): Subject[] {
  const variant = (name: string, choices: Partial<MxChoices>) => ({ ...subject(mxfp4, {}, choices), name })
  return [
    ...FORMATS.map((format) => subject(format)),
    variant('mxfp4 3/4', { preScale: { factor: 0.75, variant: 'exact' } }),
    variant('mxfp4 best', { scaleRule: 'best' }),
    variant('mxfp4 fp32', { scaleRule: 'fp32' }),
    subject(nvfp4, { 'four-over-six': 'mse' }),
    subject(int4, { group: '128', scheme: 'asym' }),
  ]
}

/** What the codec says element (row, col) of `x` becomes. */
function definition(x: Matrix, quantizer: Quantizer): (row: number, col: number) => number {
  const tensorMax = x.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  const size = blockLength(quantizer, x.cols)
  return (row, col) => {
    const values = x.data.subarray(row * x.cols, (row + 1) * x.cols)
    const start = col - (col % size)
    const block = values.subarray(start, start + size)
    return decodeBlock(encodeBlock(block, quantizer, { tensorMax, row: values }), quantizer)[col - start]
  }
}

function blockLength(quantizer: Quantizer, cols: number): number {
  switch (quantizer.family) {
    case 'mx':
      return quantizer.blockSize
    case 'nvfp':
      return quantizer.format.blockSize
    case 'integer':
      return quantizer.group === 'row' ? cols : quantizer.group
    case 'sixteen-bit':
      return 1
    default:
      return quantizer satisfies never
  }
}

/** Cases over the tensor `x`, uploaded as `matrix`; packed inputs live in `arena`. */
export function quantizeCases(gpu: Gpu, arena: Arena, x: Matrix, matrix: GpuMatrix): KernelCase[] {
  const elements = x.rows * x.cols
  const packedBytes = ({ quantizer }: Subject) => (elements * bitsPerElement(quantizer, x.cols)) / 8
  const expect = ({ quantizer }: Subject) => {
    const expected = definition(x, quantizer)
    return (row: number, col: number) => ({ value: expected(row, col), bound: 0 })
  }
  const fake = (each: Subject): KernelCase => ({
    name: `fake-quantize ${each.name}`,
    work: { kind: 'bytes', bytes: 8 * elements },
    record(recorder, scratch) {
      const values = fakeQuantize(recorder, scratch, matrix, each.quantizer)
      return async () => checkSamples(await readMatrix(gpu, values), expect(each))
    },
  })
  const pack = (each: Subject): KernelCase => ({
    name: `quantize ${each.name}`,
    work: { kind: 'bytes', bytes: 4 * elements + packedBytes(each) },
    record(recorder, scratch) {
      const packed = quantize(recorder, scratch, matrix, each.quantizer)
      return async () => {
        const decode = new Recorder(gpu)
        const values = dequantize(decode, scratch, packed)
        decode.submit()
        return checkSamples(await readMatrix(gpu, values), expect(each))
      }
    },
  })
  const packNow = ({ quantizer }: Subject) => {
    const setup = new Recorder(gpu)
    const packed = quantize(setup, arena, matrix, quantizer)
    setup.submit()
    return packed
  }
  const unpack = (each: Subject): KernelCase => {
    // Made when first used: a filter may leave the row out.
    let packed: PackedMatrix | null = null
    return {
      name: `dequantize ${each.name}`,
      work: { kind: 'bytes', bytes: 4 * elements + packedBytes(each) },
      record(recorder, scratch) {
        packed ??= packNow(each)
        const values = dequantize(recorder, scratch, packed)
        return async () => checkSamples(await readMatrix(gpu, values), expect(each))
      },
    }
  }
  const all = subjects()
  const packable = all.filter(({ quantizer }) => quantizer.family !== 'sixteen-bit')
  return [...all.map(fake), ...packable.map(pack), ...packable.map(unpack)]
}
