/** Codes under floating-point scales: FP8 and INT8 weights, and integers packed into 32-bit words. */
import { InputError } from '../../core/errors'
import { quoted, shapeText } from '../number-text'
import type { Dtype, RealScale, TensorView } from '../tensor-view'
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

const SCALE_DTYPES: readonly Dtype[] = ['F32', 'BF16', 'F16']
const FP8_DTYPES: readonly string[] = ['F8_E4M3', 'F8_E5M2', 'F8_E4M3FNUZ', 'F8_E5M2FNUZ']

/** Edge of the blocks of block-scaled FP8; the last block of an axis may be shorter. */
const FP8_BLOCK = 128

const isScale = (tensor: TensorView | undefined): tensor is TensorView =>
  tensor !== undefined && SCALE_DTYPES.some((dtype) => dtype === tensor.dtype)

/**
 * X in F8 or I8 [out, in] with X_scale: one number, one per row, or one per tile ([out/128, in/128], [out, in/group]).
 * X_scale_inv is DeepSeek's name for the same multiplier. I8 may have X_zero_point. Throws InputError PK-02, PK-03.
 */
export const recogniseRealScaled: Layout = (codes, { byName }) => {
  const isFp8 = FP8_DTYPES.includes(codes.dtype)
  if (!isFp8 && codes.dtype !== 'I8') return null
  const { name } = codes
  const scales = byName.get(`${name}_scale`) ?? byName.get(`${name}_scale_inv`)
  if (!isScale(scales)) return null
  if (codes.shape.length !== 2 || codes.shape.includes(0)) {
    const message = `shape: expected 2 axes and at least one element, found ${shapeText(codes.shape)}`
    throw new InputError('PK-03', `tensor ${quoted(name)}: ${message}.`)
  }
  const tile = tileOf(codes, scales)
  const zeroPoint = isFp8 ? undefined : byName.get(`${name}_zero_point`)
  if (zeroPoint) {
    checkDtype(zeroPoint, ['I8'])
    checkShape(zeroPoint, [scales.shape], codes)
  }
  const [rows, cols] = codes.shape
  const per = tile.rowsPerScale === rows && tile.colsPerScale === cols ? 'tensor' : tileText(tile, cols)
  return packedView(
    { name, dtype: isFp8 ? 'FP8' : 'INT8', shape: codes.shape },
    {
      layout: `${isFp8 ? 'FP8' : 'INT8'} with a scale per ${per}`,
      note: '',
      codes,
      codeBits: 8,
      rowBytes: cols,
      element: codes.dtype as Dtype,
      scale: {
        kind: 'real',
        tensor: scales,
        ...tile,
        zeroPoint: zeroPoint ? { tensor: zeroPoint, packed: false } : null,
        groupIndex: null,
        shapeCheck: null,
      },
    },
    [{ role: 'scale', tensor: scales }, zeroPoint ? { role: 'zero_point', tensor: zeroPoint } : null],
  )
}

type Tile = Pick<RealScale, 'rowsPerScale' | 'colsPerScale'>

function tileText({ rowsPerScale, colsPerScale }: Tile, cols: number): string {
  if (rowsPerScale === 1) return colsPerScale === cols ? 'row' : `group of ${colsPerScale}`
  return `tile of ${rowsPerScale} x ${colsPerScale}`
}

/** The elements that share a scale. Throws InputError PK-03 when the shape of the scales says nothing. */
function tileOf(codes: TensorView, scales: TensorView): Tile {
  const [rows, cols] = codes.shape
  const { shape } = scales
  const count = shape.reduce((product, axis) => product * axis, 1)
  if (count === 1) return { rowsPerScale: rows, colsPerScale: cols }
  if (shape.length === 1 && count === rows) return { rowsPerScale: 1, colsPerScale: cols }
  if (shape.length === 2 && count > 0) {
    const [down, across] = shape
    if (down === Math.ceil(rows / FP8_BLOCK) && across === Math.ceil(cols / FP8_BLOCK)) {
      return { rowsPerScale: FP8_BLOCK, colsPerScale: FP8_BLOCK }
    }
    if (rows % down === 0 && cols % across === 0) return { rowsPerScale: rows / down, colsPerScale: cols / across }
  }
  const blocks = [Math.ceil(rows / FP8_BLOCK), Math.ceil(cols / FP8_BLOCK)]
  throw wrongShape(scales, [[1], [rows, 1], blocks], codes)
}

/**
 * compressed-tensors pack-quantized: X_packed I32 [out, in · bits / 32], X_scale [out, groups], optional X_shape (checked
 * when it is read), X_zero_point (packed down the rows) and X_g_idx. Without a config 4 bits are assumed.
 */
export const recogniseIntegers: Layout = (codes, recognition) => {
  const name = /^(.+)_packed$/.exec(codes.name)?.[1]
  if (name === undefined || codes.dtype !== 'I32') return null
  const { byName, integerBits } = recognition
  const scales = needPart(codes, `${name}_scale`, recognition)
  checkDtype(scales, SCALE_DTYPES)
  checkMatrix(codes)
  if (codes.shape.length !== 2) throw wrongShape(codes, [codes.shape.slice(-2)], codes)
  const bits = integerBits ?? 4
  const [rows, words] = codes.shape
  const cols = (32 / bits) * words
  const groups = scales.shape.length === 2 ? scales.shape[1] : 0
  const fits = scales.shape[0] === rows && groups > 0 && cols % groups === 0
  if (!fits)
    throw wrongShape(
      scales,
      [
        [rows, 1],
        [rows, Math.ceil(cols / 32)],
        [rows, Math.ceil(cols / 128)],
      ],
      codes,
    )
  const colsPerScale = cols / groups
  const { shapeCheck, zeroPoint, groupIndex } = integerExtras(codes, name, {
    byName,
    rows: Math.ceil((rows * bits) / 32),
    groups,
    cols,
  })
  const optional = (role: string, tensor: TensorView | undefined) => (tensor ? { role, tensor } : null)
  const tile = { rowsPerScale: 1, colsPerScale }
  return packedView(
    { name, dtype: bits === 4 ? 'INT4' : 'INT8', shape: [rows, cols] },
    {
      layout: `INT${bits} as compressed-tensors, a scale per ${tileText(tile, cols)}`,
      note: integerBits === null && !shapeCheck ? '4 bits assumed: neither a config nor a shape says how many' : '',
      codes,
      codeBits: bits,
      rowBytes: 4 * words,
      element: 'offset',
      scale: {
        kind: 'real',
        tensor: scales,
        ...tile,
        zeroPoint: zeroPoint ? { tensor: zeroPoint, packed: true } : null,
        groupIndex: groupIndex ?? null,
        shapeCheck: shapeCheck ?? null,
      },
    },
    [
      { role: 'scale', tensor: scales },
      optional('zero_point', zeroPoint),
      optional('g_idx', groupIndex),
      optional('shape', shapeCheck),
    ],
  )
}

/** The parts packed integers may have besides. Throws InputError PK-02, PK-03. */
function integerExtras(
  codes: TensorView,
  name: string,
  { byName, rows, groups, cols }: Pick<Recognition, 'byName'> & { rows: number; groups: number; cols: number },
) {
  const shapeCheck = byName.get(`${name}_shape`)
  const zeroPoint = byName.get(`${name}_zero_point`)
  const groupIndex = byName.get(`${name}_g_idx`)
  if (shapeCheck) {
    checkDtype(shapeCheck, ['I64', 'I32'])
    checkShape(shapeCheck, [[2]], codes)
  }
  if (zeroPoint) {
    checkDtype(zeroPoint, ['I32'])
    checkShape(zeroPoint, [[rows, groups]], codes)
  }
  if (groupIndex) {
    checkDtype(groupIndex, ['I32'])
    checkShape(groupIndex, [[cols]], codes)
  }
  return { shapeCheck, zeroPoint, groupIndex }
}
