/** Rounding to MX formats: fused, packed, and back. Bit for bit against the scalar definition. */
import type { Matrix } from '../../core/matrix'
import { decodeBlock, encodeBlock } from '../../formats/codec'
import { mxfp4 } from '../../formats/mxfp4'
import { mxfp8E4m3 } from '../../formats/mxfp8-e4m3'
import { bitsPerElement, type NumberFormat, type Quantizer } from '../../formats/number-format'
import type { Arena } from '../../gpu/arena'
import type { Gpu } from '../../gpu/device'
import type { GpuMatrix } from '../../gpu/gpu-matrix'
import { dequantize } from '../../gpu/kernels/dequantize-mx'
import { fakeQuantize } from '../../gpu/kernels/fake-quantize'
import { quantize } from '../../gpu/kernels/quantize-mx'
import { Recorder } from '../../gpu/recorder'
import { readMatrix } from '../../gpu/transfer'
import { checkSamples } from './checks'
import type { KernelCase } from './kernel-subject'

const plain = (format: NumberFormat): Quantizer => ({
  format,
  scaleRule: 'floor',
  rounding: 'half-even',
  preScale: null,
})

/** Cases over the tensor `x`, uploaded as `matrix`; packed inputs live in `arena`. */
export function quantizeCases(gpu: Gpu, arena: Arena, x: Matrix, matrix: GpuMatrix): KernelCase[] {
  const elements = x.rows * x.cols
  const packedBytes = (quantizer: Quantizer) => (elements * bitsPerElement(quantizer.format)) / 8
  const expect = (quantizer: Quantizer) => (row: number, col: number) => {
    const { blockSize } = quantizer.format
    const start = row * x.cols + col - (col % blockSize)
    const length = Math.min(blockSize, x.cols - (col - (col % blockSize)))
    const block = x.data.subarray(start, start + length)
    return { value: decodeBlock(encodeBlock(block, quantizer), quantizer)[col % blockSize], bound: 0 }
  }
  const fake = (name: string, quantizer: Quantizer): KernelCase => ({
    name,
    work: { kind: 'bytes', bytes: 8 * elements },
    record(recorder, scratch) {
      const values = fakeQuantize(recorder, scratch, matrix, quantizer)
      return async () => checkSamples(await readMatrix(gpu, values), expect(quantizer))
    },
  })
  const pack = (quantizer: Quantizer): KernelCase => ({
    name: `quantize ${quantizer.format.id}`,
    work: { kind: 'bytes', bytes: 4 * elements + packedBytes(quantizer) },
    record(recorder, scratch) {
      const packed = quantize(recorder, scratch, matrix, quantizer)
      return async () => {
        const decode = new Recorder(gpu)
        const values = dequantize(decode, scratch, packed)
        decode.submit()
        return checkSamples(await readMatrix(gpu, values), expect(quantizer))
      }
    },
  })
  const unpack = (quantizer: Quantizer): KernelCase => {
    const setup = new Recorder(gpu)
    const packed = quantize(setup, arena, matrix, quantizer)
    setup.submit()
    return {
      name: `dequantize ${quantizer.format.id}`,
      work: { kind: 'bytes', bytes: 4 * elements + packedBytes(quantizer) },
      record(recorder, scratch) {
        const values = dequantize(recorder, scratch, packed)
        return async () => checkSamples(await readMatrix(gpu, values), expect(quantizer))
      },
    }
  }
  const [fp4, fp8] = [plain(mxfp4), plain(mxfp8E4m3)]
  return [
    fake('fake-quantize mxfp4', fp4),
    fake('fake-quantize mxfp4 3/4', { ...fp4, preScale: 0.75 }),
    fake('fake-quantize mxfp8_e4m3', fp8),
    pack(fp4),
    pack(fp8),
    unpack(fp4),
    unpack(fp8),
  ]
}
