import type { QuantizedCodes } from '../io/packing/quantized-codes'
import type { Gpu } from './device'
import type { PackedMatrix } from './kernels/packed-matrix'
import { readBuffer, readFloats } from './transfer'

/** Codes and scales of `packed`, read back once its submit is on its way. */
export async function readPacked(gpu: Gpu, packed: PackedMatrix): Promise<QuantizedCodes> {
  const { rows, cols, quantizer, codeStride, scaleStride } = packed
  const codes = new Uint8Array(await readBuffer(gpu, packed.codes, rows * codeStride))
  const scales = new Uint8Array(await readBuffer(gpu, packed.scales, rows * scaleStride))
  const [tensorScale] = quantizer.family === 'nvfp' ? await readFloats(gpu, packed.context, 1) : [1]
  return { rows, cols, quantizer, codes, codeStride, scales, scaleStride, tensorScale }
}
