/** MXFP4 under names of its own: gpt-oss blocks, and FP-Quant. */
import { mxfp4 } from '../../formats/mxfp4'
import type { TensorView } from '../tensor-view'
import { readPreScale } from './own-metadata'
import { checkDtype, checkMatrix, checkShape, type Layout, needPart, packedView, type Recognition } from './parts'

/** Bytes of one block of 32 codes. */
const BLOCK_BYTES = mxfp4.blockSize / 2

/**
 * gpt-oss: X_blocks U8 [..., out, in/32, 16] and X_scales [..., out, in/32], or X.blocks and X.scales as first released.
 * The Hugging Face loader turns each expert to [in, out] after decoding; here it stays [..., out, in].
 */
export const recogniseBlocks: Layout = (codes, recognition) => {
  const match = /^(.+)([_.])blocks$/.exec(codes.name)
  if (!match || codes.dtype !== 'U8') return null
  const [, name, joint] = match
  const isBlocks = codes.shape.length >= 3 && codes.shape.at(-1) === BLOCK_BYTES
  if (!isBlocks && !recognition.byName.has(`${name}${joint}scales`)) return null
  const scales = needPart(codes, `${name}${joint}scales`, recognition)
  checkDtype(scales, ['U8', 'F8_E8M0'])
  checkMatrix(scales)
  checkShape(codes, [[...scales.shape, BLOCK_BYTES]], scales)
  const shape = [...scales.shape.slice(0, -1), (scales.shape.at(-1) ?? 0) * mxfp4.blockSize]
  return mxfp4View({ name, shape }, { codes, scales, layout: 'MXFP4 as gpt-oss has it' }, recognition)
}

/** FP-Quant: qweight U8 [out, in/2], scales U8 [out, in/32], and weight_global_scale [1], by which values are divided. */
export const recogniseFpQuant: Layout = (codes, recognition) => {
  const prefix = /^(.*\.|)qweight$/.exec(codes.name)?.[1]
  if (prefix === undefined || codes.dtype !== 'U8') return null
  const scales = needPart(codes, `${prefix}scales`, recognition)
  const factor = needPart(codes, `${prefix}weight_global_scale`, recognition)
  checkMatrix(codes)
  checkDtype(scales, ['U8', 'F8_E8M0'])
  checkDtype(factor, ['F32', 'BF16', 'F16'])
  checkShape(factor, [[1], []], codes)
  const shape = [...codes.shape.slice(0, -1), (codes.shape.at(-1) ?? 0) * 2]
  checkShape(scales, [[...shape.slice(0, -1), Math.ceil((shape.at(-1) ?? 0) / mxfp4.blockSize)]], codes)
  const parts = { codes, scales, factor, layout: 'MXFP4 as FP-Quant has it' }
  return mxfp4View({ name: `${prefix}weight`, shape }, parts, recognition)
}

interface Mxfp4Parts {
  readonly codes: TensorView
  readonly scales: TensorView
  readonly factor?: TensorView
  readonly layout: string
}

function mxfp4View(
  { name, shape }: { name: string; shape: readonly number[] },
  { codes, scales, factor, layout }: Mxfp4Parts,
  { metadata }: Recognition,
): TensorView {
  const preScale = factor ? null : readPreScale(metadata, name)
  return packedView(
    { name, dtype: 'MXFP4', shape },
    {
      layout,
      note: preScale ? `divided by the pre-scale ${preScale.factor} (${preScale.variant}) as the metadata says` : '',
      codes,
      codeBits: 4,
      rowBytes: (shape.at(-1) ?? 0) / 2,
      element: 'F4',
      scale: {
        kind: 'byte',
        tensor: scales,
        byte: 'F8_E8M0',
        blockSize: mxfp4.blockSize,
        factor: factor ? { tensor: factor, use: 'divide' } : null,
        tensorScale: null,
        preScale,
      },
    },
    [{ role: 'scales', tensor: scales }, factor ? { role: 'global_scale', tensor: factor } : null],
  )
}
