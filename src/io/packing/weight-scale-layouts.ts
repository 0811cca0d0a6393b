/** X or X_packed with X_scale, one byte per block: MXFP4, MXFP6, MXFP8 and NVFP4 of compressed-tensors, ModelOpt, plain files. */
import { mxfp4 } from '../../formats/mxfp4'
import { nvfp4 } from '../../formats/nvfp4'
import type { ByteScale, Dtype, TensorView } from '../tensor-view'
import { readPreScale, readTensorScale } from './own-metadata'
import {
  checkDtype,
  checkMatrix,
  checkShape,
  type Layout,
  needPart,
  packedView,
  type Recognition,
  wrongShape,
} from './parts'

/** Dtypes of codes and what they become under a power-of-two scale; U8 holds two FP4 codes. */
const MX_TYPES: Partial<Record<Dtype, 'MXFP4' | 'MXFP6' | 'MXFP8'>> = {
  U8: 'MXFP4',
  F4: 'MXFP4',
  F6_E2M3: 'MXFP6',
  F6_E3M2: 'MXFP6',
  F8_E4M3: 'MXFP8',
  F8_E5M2: 'MXFP8',
}

const BITS = { MXFP4: 4, MXFP6: 6, MXFP8: 8, NVFP4: 4 } as const

/** Codes and block scales that belong together by their names. */
interface Pair {
  readonly name: string
  readonly codes: TensorView
  readonly scales: TensorView
  /** Elements: two per byte of a U8 tensor. */
  readonly shape: readonly number[]
}

/**
 * Codes in U8 (two FP4 a byte), F4, F6 or F8 with byte scales: E8M0 (in a U8 tensor or a dtype of its own) for every 32
 * elements, or E4M3 for every 16 with a number for the tensor. X_packed must have its X_scale; an X without one, or with
 * scales of another kind, is something else.
 */
export const recogniseByteScaled: Layout = (codes, recognition) => {
  if (!Object.hasOwn(MX_TYPES, codes.dtype)) return null
  const packedName = /^(.+)_packed$/.exec(codes.name)?.[1]
  const isPacked = packedName !== undefined && codes.dtype === 'U8'
  const name = isPacked ? packedName : codes.name
  const scales = isPacked ? needPart(codes, `${name}_scale`, recognition) : recognition.byName.get(`${name}_scale`)
  if (!scales) return null
  const isByte = scales.dtype === 'U8' || scales.dtype === 'F8_E8M0' || scales.dtype === 'F8_E4M3'
  if (!isByte && (isPacked || codes.dtype === 'U8')) checkDtype(scales, ['U8', 'F8_E8M0', 'F8_E4M3'])
  if (!isByte) return null
  checkMatrix(codes)
  const perByte = codes.dtype === 'U8' ? 2 : 1
  const shape = [...codes.shape.slice(0, -1), (codes.shape.at(-1) ?? 0) * perByte]
  const pair = { name, codes, scales, shape }
  return scales.dtype === 'F8_E4M3' ? nvfpView(pair, recognition) : mxView(pair, recognition)
}

function blocksOf(shape: readonly number[], blockSize: number): readonly number[] {
  return [...shape.slice(0, -1), Math.ceil((shape.at(-1) ?? 0) / blockSize)]
}

function mxView(pair: Pair, { metadata }: Recognition): TensorView {
  const { name, codes, scales, shape } = pair
  const dtype = MX_TYPES[codes.dtype as Dtype] ?? 'MXFP4'
  checkShape(scales, [blocksOf(shape, mxfp4.blockSize)], codes)
  const preScale = dtype === 'MXFP4' ? readPreScale(metadata, name) : null
  const notes = [
    dtype === 'MXFP6' ? 'FP6 has no settled layout; read as a little-endian bit stream' : '',
    preScale ? `divided by the pre-scale ${preScale.factor} (${preScale.variant}) as the metadata says` : '',
  ]
  const scale = { byte: 'F8_E8M0', blockSize: mxfp4.blockSize, factor: null, tensorScale: null, preScale } as const
  const layout = codes.name === name ? 'codes with E8M0 scales' : 'compressed-tensors'
  return viewOf(pair, { dtype, layout, note: notes.filter(Boolean).join('; '), scale })
}

/** The number for the tensor: divides in compressed-tensors, multiplies in ModelOpt; F4 may do without. */
function nvfpView(pair: Pair, recognition: Recognition): TensorView {
  const { name, codes, scales, shape } = pair
  checkDtype(codes, ['U8', 'F4'])
  checkShape(scales, [blocksOf(shape, nvfp4.blockSize)], codes)
  const { byName, metadata } = recognition
  const divisor = byName.get(`${name}_global_scale`)
  const wanted = codes.name === name ? `${name}_scale_2` : `${name}_global_scale`
  const factor = divisor ?? (codes.dtype === 'F4' ? (byName.get(wanted) ?? null) : needPart(codes, wanted, recognition))
  if (factor) {
    checkDtype(factor, ['F32'])
    checkShape(factor, [[1], []], codes)
  }
  const tensorScale = readTensorScale(metadata, name)
  const scale: Facts['scale'] = {
    byte: 'F8_E4M3',
    blockSize: nvfp4.blockSize,
    factor: factor ? { tensor: factor, use: factor === divisor ? 'divide' : 'multiply' } : null,
    tensorScale,
    preScale: null,
  }
  const layout = divisor ? 'compressed-tensors' : factor ? 'ModelOpt' : 'codes with E4M3 scales'
  const note = tensorScale === null ? '' : 'scale of the tensor as the metadata says'
  return viewOf(pair, { dtype: 'NVFP4', layout, note, scale })
}

interface Facts {
  readonly dtype: keyof typeof BITS
  readonly layout: string
  readonly note: string
  readonly scale: Omit<ByteScale, 'kind' | 'tensor'>
}

function viewOf({ name, codes, scales, shape }: Pair, { dtype, layout, note, scale }: Facts): TensorView {
  const codeBits = BITS[dtype]
  const rowBits = (shape.at(-1) ?? 0) * codeBits
  // A row of codes that ends inside a byte is no whole number of blocks either.
  if (rowBits % 8 !== 0)
    throw wrongShape(codes, [[...shape.slice(0, -1), Math.ceil((shape.at(-1) ?? 0) / 4) * 4]], codes)
  return packedView(
    { name, dtype, shape },
    {
      layout: `${dtype} as ${layout}`,
      note,
      codes,
      codeBits,
      rowBytes: rowBits / 8,
      element: codes.dtype === 'U8' ? 'F4' : (codes.dtype as Dtype),
      scale: { kind: 'byte', tensor: scales, ...scale },
    },
    [
      { role: 'scale', tensor: scales },
      scale.factor
        ? { role: scale.factor.use === 'divide' ? 'global_scale' : 'scale_2', tensor: scale.factor.tensor }
        : null,
    ],
  )
}
