/** Rows of a packed tensor as the f32 values its codes and scales stand for. */
import { InputError } from '../../core/errors'
import { decodeCode } from '../../formats/codec'
import { mxfp4 } from '../../formats/mxfp4'
import type { MxQuantizer, PreScale } from '../../formats/number-format'
import { codeValues, decodeElements, unpackCodes } from '../element-values'
import { grouped, quoted, shapeText } from '../number-text'
import { readBytes } from '../read-bytes'
import type { ByteScale, PackedStorage, RealScale, RowRange, SourceOf, TensorView } from '../tensor-view'

export type PackedView = TensorView & { readonly storage: PackedStorage }

/** Scales that are a byte have this many values, the tables of products as many columns. */
const BYTES = 256

/**
 * Rows [start, end) of a packed tensor, f32 [rows, cols]: code value x scale, in exact arithmetic rounded once, half to
 * even. Where the file has a number that divides, scales are divided by it and rounded first, as compressed-tensors
 * does; a pre-scaled value that is subnormal is rounded twice (docs/formats.md). NaN scales and codes decode to NaN.
 * Throws InputError PK-04 for a shape, zero point or group index that contradicts the rest, FileError IO-01.
 */
export async function readPackedRows(
  sourceOf: SourceOf,
  view: PackedView,
  { start, end }: RowRange,
): Promise<Float32Array<ArrayBuffer>> {
  const { codes, codeBits, rowBytes, scale } = view.storage
  const cols = view.shape.at(-1) ?? 1
  const bytes = new Uint8Array(await readPart(sourceOf, codes, start * rowBytes, end * rowBytes))
  const rows = Array.from({ length: end - start }, (_, row) =>
    unpackCodes(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), codeBits, cols),
  )
  return scale.kind === 'byte'
    ? decodeByteScaled(sourceOf, { view, scale, rows, start })
    : decodeRealScaled(sourceOf, { view, scale, rows, start })
}

/** Codes of neighbouring rows, the first one being row `start` of the tensor. */
interface CodeRows<Scale> {
  readonly view: PackedView
  readonly scale: Scale
  readonly rows: readonly Uint8Array[]
  readonly start: number
}

function readPart(sourceOf: SourceOf, part: TensorView, begin: number, end: number): Promise<ArrayBuffer> {
  return readBytes(sourceOf(part), part.byteOffset + begin, part.byteOffset + end)
}

async function decodeByteScaled(
  sourceOf: SourceOf,
  { view, scale, rows, start }: CodeRows<ByteScale>,
): Promise<Float32Array<ArrayBuffer>> {
  const cols = view.shape.at(-1) ?? 1
  const blocks = Math.ceil(cols / scale.blockSize)
  const scaleBytes = await readPart(sourceOf, scale.tensor, start * blocks, (start + rows.length) * blocks)
  const scales = new Uint8Array(scaleBytes)
  const table = await productTable(sourceOf, view.storage, scale)
  const values = new Float32Array(rows.length * cols)
  rows.forEach((codes, row) => {
    for (let block = 0; block < blocks; block++) {
      const byte = scales[row * blocks + block]
      const last = Math.min((block + 1) * scale.blockSize, cols)
      for (let col = block * scale.blockSize; col < last; col++) {
        values[row * cols + col] = table[codes[col] * BYTES + byte]
      }
    }
  })
  return values
}

/** MXFP4 as our own files say it was rounded: what a code stands for under a pre-scale is the codec's business. */
const preScaled = (preScale: PreScale): MxQuantizer => ({
  family: 'mx',
  format: mxfp4,
  blockSize: mxfp4.blockSize,
  scaleRule: 'floor',
  rounding: 'half-even',
  preScale,
  flushSubnormalBlocks: false,
})

const tablesWithoutFactor = new Map<string, Float32Array>()

/** The value of every code under every scale byte: entry code · 256 + byte. */
async function productTable(sourceOf: SourceOf, storage: PackedStorage, scale: ByteScale): Promise<Float32Array> {
  const { preScale } = scale
  if (preScale) {
    const quantizer = preScaled(preScale)
    return fillTable(codeValues('F4'), (_, code, byte) => decodeCode(code, { kind: 'e8m0', byte }, quantizer))
  }
  if (storage.element === 'offset') throw new Error('productTable: integers have no byte scales')
  const elements = codeValues(storage.element as Parameters<typeof codeValues>[0])
  const scales = codeValues(scale.byte)
  const factor = scale.tensorScale ?? (await readFactor(sourceOf, scale))
  const divides = scale.tensorScale === null && scale.factor?.use === 'divide'
  const key = `${storage.element} ${scale.byte}`
  const known = factor === 1 ? tablesWithoutFactor.get(key) : undefined
  if (known) return known
  // A scale has at most 4 significant bits, the factor 24: a quotient that is not half-way between two f32 is at least
  // 2^-49 away from it, so float64 in between rounds nothing twice. Element x scale x factor fits float64 as it is.
  const table = fillTable(elements, (element, _, byte) =>
    divides ? element * Math.fround(scales[byte] / factor) : element * scales[byte] * factor,
  )
  if (factor === 1) tablesWithoutFactor.set(key, table)
  return table
}

function fillTable(
  elements: Float64Array,
  value: (element: number, code: number, byte: number) => number,
): Float32Array {
  const table = new Float32Array(elements.length * BYTES)
  elements.forEach((element, code) => {
    for (let byte = 0; byte < BYTES; byte++) table[code * BYTES + byte] = value(element, code, byte)
  })
  return table
}

async function readFactor(sourceOf: SourceOf, { factor }: ByteScale): Promise<number> {
  return factor ? (await readReals(sourceOf, factor.tensor, 0, 1))[0] : 1
}

/** Elements [first, first + count) of a part that holds floats. */
async function readReals(sourceOf: SourceOf, part: TensorView, first: number, count: number) {
  const { dtype } = part
  if (dtype !== 'F32' && dtype !== 'BF16' && dtype !== 'F16') {
    throw new Error(`readReals: ${quoted(part.name)} has dtype ${dtype}`)
  }
  const size = dtype === 'F32' ? 4 : 2
  return decodeElements(dtype, await readPart(sourceOf, part, first * size, (first + count) * size), count)
}

async function decodeRealScaled(
  sourceOf: SourceOf,
  { view, scale, rows, start }: CodeRows<RealScale>,
): Promise<Float32Array<ArrayBuffer>> {
  const { storage } = view
  const cols = view.shape.at(-1) ?? 1
  await checkShape(sourceOf, view, scale)
  const perRow = Math.ceil(cols / scale.colsPerScale)
  const groupOf = await columnGroups(sourceOf, { view, scale, perRow })
  const firstRow = Math.floor(start / scale.rowsPerScale)
  const lastRow = Math.floor((start + rows.length - 1) / scale.rowsPerScale)
  const scales = await readReals(sourceOf, scale.tensor, firstRow * perRow, (lastRow - firstRow + 1) * perRow)
  const zeros = await readZeroPoints(sourceOf, storage, { first: firstRow, last: lastRow, perRow })
  const elements = elementsOf(storage)
  const values = new Float32Array(rows.length * cols)
  rows.forEach((codes, row) => {
    const at = (Math.floor((start + row) / scale.rowsPerScale) - firstRow) * perRow
    for (let col = 0; col < cols; col++) {
      const i = at + groupOf(col)
      // At most 9 bits times 24: exact in float64, rounded when stored.
      values[row * cols + col] = (elements[codes[col]] - (zeros ? zeros[i] : 0)) * scales[i]
    }
  })
  return values
}

/** The value of every code before zero point and scale. */
function elementsOf({ element, codeBits }: PackedStorage): Float64Array {
  if (element !== 'offset') return codeValues(element as Parameters<typeof codeValues>[0])
  return Float64Array.from({ length: 2 ** codeBits }, (_, code) => code - 2 ** (codeBits - 1))
}

async function checkShape(sourceOf: SourceOf, view: PackedView, { shapeCheck }: RealScale): Promise<void> {
  if (!shapeCheck) return
  const bytes = await readPart(sourceOf, shapeCheck, 0, shapeCheck.byteLength)
  const dtype = shapeCheck.dtype === 'I32' ? 'I32' : 'I64'
  const found = [...decodeElements(dtype, bytes, 2)]
  if (found.every((length, axis) => length === view.shape[axis])) return
  const expected = `expected ${shapeText(view.shape)} at ${view.storage.codeBits} bits per element`
  throw new InputError('PK-04', `tensor ${quoted(shapeCheck.name)}: ${expected}, found ${shapeText(found)}.`)
}

/** The scale of its row that a column belongs to. */
async function columnGroups(
  sourceOf: SourceOf,
  { view, scale, perRow }: { view: PackedView; scale: RealScale; perRow: number },
): Promise<(col: number) => number> {
  const usual = (col: number) => Math.floor(col / scale.colsPerScale)
  const { groupIndex } = scale
  if (!groupIndex) return usual
  const groups = new Int32Array(await readPart(sourceOf, groupIndex, 0, groupIndex.byteLength))
  if (groups.every((group) => group === -1)) return usual
  const wrong = groups.findIndex((group) => group < 0 || group >= perRow)
  if (wrong < 0) return (col) => groups[col]
  const expected = `expected groups from 0 to ${perRow - 1} for the ${grouped(view.shape.at(-1) ?? 1)} columns`
  const found = `found ${grouped(groups[wrong])} at column ${grouped(wrong)}`
  throw new InputError('PK-04', `tensor ${quoted(groupIndex.name)}: ${expected}, ${found}.`)
}

/** Zero points of scale rows first … last, as signed integers like the codes; null without any. */
async function readZeroPoints(
  sourceOf: SourceOf,
  { codeBits, scale }: PackedStorage,
  { first, last, perRow }: { first: number; last: number; perRow: number },
): Promise<Int32Array | null> {
  if (scale.kind !== 'real' || !scale.zeroPoint) return null
  const { tensor, packed } = scale.zeroPoint
  if (!packed) {
    return Int32Array.from(new Int8Array(await readPart(sourceOf, tensor, first * perRow, (last + 1) * perRow)))
  }
  // One word holds the zero points of neighbouring rows, the first one lowest, each as z + 2^(bits − 1).
  const rowsPerWord = 32 / codeBits
  const firstWord = Math.floor(first / rowsPerWord)
  const lastWord = Math.floor(last / rowsPerWord)
  const bytes = await readPart(sourceOf, tensor, 4 * firstWord * perRow, 4 * (lastWord + 1) * perRow)
  const words = new Uint32Array(bytes)
  return Int32Array.from({ length: (last - first + 1) * perRow }, (_, i) => {
    const row = first + Math.floor(i / perRow)
    const word = words[(Math.floor(row / rowsPerWord) - firstWord) * perRow + (i % perRow)]
    return ((word >>> (codeBits * (row % rowsPerWord))) & (2 ** codeBits - 1)) - 2 ** (codeBits - 1)
  })
}
