import type { Gpu } from '../../src/gpu/device'
import { gridFor } from '../../src/gpu/kernels/grid'
import type { PackedMatrix } from '../../src/gpu/kernels/packed-matrix'
import { readBuffer, readFloats } from '../../src/gpu/transfer'
import type { RealScaleCodes } from './golden-formats'

/** Codes and scales of a packed matrix under real-valued scales, without row padding; `values` are handed through. */
export async function unpackRealScale(gpu: Gpu, packed: PackedMatrix, values: Float32Array): Promise<RealScaleCodes> {
  const { rows, cols, quantizer, codeStride, scaleStride } = packed
  const { codeBits, scaleBytes, block } = gridFor(quantizer)
  const codeBytes = new Uint8Array(await readBuffer(gpu, packed.codes, rows * codeStride))
  const scaleView = new DataView(await readBuffer(gpu, packed.scales, rows * scaleStride))
  const isSigned = quantizer.family === 'integer' && quantizer.scheme !== 'asym'
  const codes = Int16Array.from({ length: rows * cols }, (_, i) => {
    const at = Math.floor(i / cols) * codeStride
    const col = i % cols
    const code = codeBits === 4 ? (codeBytes[at + (col >> 1)] >> (4 * (col & 1))) & 15 : codeBytes[at + col]
    return isSigned && code >= 2 ** (codeBits - 1) ? code - 2 ** codeBits : code
  })
  const blocks = block === 'row' ? 1 : Math.ceil(cols / block)
  const entries = Array.from({ length: rows * blocks }, (_, i) => {
    const at = Math.floor(i / blocks) * scaleStride + (i % blocks) * scaleBytes
    return {
      scale: scaleBytes === 1 ? scaleView.getUint8(at) : scaleView.getFloat32(at, true),
      zero: scaleBytes === 8 ? scaleView.getInt32(at + 4, true) : 0,
    }
  })
  return {
    codes,
    scales: Float32Array.from(entries, ({ scale }) => scale),
    zeros: Int16Array.from(entries, ({ zero }) => zero),
    values,
  }
}

/** The fp32 scale of a packed NVFP4 tensor. */
export async function packedTensorScale(gpu: Gpu, packed: PackedMatrix): Promise<number> {
  return (await readFloats(gpu, packed.context, 1))[0]
}
