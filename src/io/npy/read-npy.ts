import { FileError } from '../../core/errors'
import type { ByteSource } from '../byte-source'
import type { DecodableDtype } from '../element-values'
import { grouped, hexByte, quoted, shapeText } from '../number-text'
import { readBytes } from '../read-bytes'
import { DTYPE_BITS, type TensorView } from '../tensor-view'
import { type NpyHeader, parseNpyHeader } from './parse-header'

/** First bytes of a NumPy file: 0x93 "NUMPY". */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/** Magic, version and the longer of the two header lengths. */
const PREFIX_BYTES = 12

/** Longest header accepted: an array of numbers needs about a hundred bytes, records may need more and are refused. */
const MAX_HEADER_BYTES = 65_536

const DTYPES: Readonly<Record<string, DecodableDtype>> = {
  f2: 'F16',
  f4: 'F32',
  f8: 'F64',
  i1: 'I8',
  i2: 'I16',
  i4: 'I32',
  i8: 'I64',
  u1: 'U8',
  u2: 'U16',
  u4: 'U32',
  u8: 'U64',
  b1: 'BOOL',
}

/** True when `head`, the first bytes of a file, begin a NumPy array. */
export function isNpy(head: Uint8Array): boolean {
  return MAGIC.every((byte, i) => head[i] === byte)
}

/**
 * The array of a NumPy file (.npy) as a tensor named like the file without its ending: [n] as one row, [rows, cols], or
 * [a, b, cols]. Reads the header only. Versions 1 to 3; numbers of 1 to 8 bytes and booleans in either byte order and
 * either axis order.
 *
 * Throws FileError: NP-01 no NumPy file or another version, NP-02 header length, NP-03 header text, NP-04 dtype, NP-05
 * shape, NP-06 data shorter or longer than the shape says, IO-01 unreadable.
 * Source: NumPy, numpy.lib.format (NEP 1).
 */
export async function readNpy(source: ByteSource): Promise<TensorView> {
  const { text, dataStart } = await readHeaderText(source)
  const header = parseNpyHeader(text, source.name)
  const { dtype, bigEndian } = dtypeOf(header, source.name)
  const shape = shapeOf(header, source.name)
  const byteLength = (shape.reduce((product, axis) => product * axis, 1) * DTYPE_BITS[dtype]) / 8
  const found = source.byteLength - dataStart
  if (found !== byteLength) {
    const why = found < byteLength ? 'The download is incomplete' : 'Save one array per file'
    const expected = `expected ${grouped(byteLength)} bytes of data for ${shapeText(header.shape)} ${header.descr}`
    throw new FileError('NP-06', `${source.name}: ${expected}, found ${grouped(found)}. ${why}.`)
  }
  const columnMajor = header.fortranOrder && shape.filter((axis) => axis > 1).length > 1
  const name = source.name.replace(/\.npy$/i, '')
  const view = { name, dtype, shape, byteOffset: dataStart, byteLength }
  return bigEndian || columnMajor ? { ...view, storage: { kind: 'array', bigEndian, columnMajor } } : view
}

async function readHeaderText(source: ByteSource): Promise<{ text: Uint8Array; dataStart: number }> {
  const { name, byteLength } = source
  const head = new Uint8Array(await readBytes(source, 0, Math.min(PREFIX_BYTES, byteLength)))
  if (!isNpy(head)) {
    const found = [...head.subarray(0, MAGIC.length)].map(hexByte).join(' ') || 'an empty file'
    throw new FileError('NP-01', `${name}: expected a NumPy array (0x93 "NUMPY"), found ${found}.`)
  }
  const version = head[6] ?? 0
  if (head.length < 8 || version < 1 || version > 3 || head[7] !== 0) {
    const found = head.length < 8 ? 'the end of the file' : `${version}.${head[7]}`
    throw new FileError('NP-01', `${name}: expected version 1.0, 2.0 or 3.0 of the NumPy format, found ${found}.`)
  }
  const lengthBytes = version === 1 ? 2 : 4
  const dataView = new DataView(head.buffer)
  const complete = head.length >= 8 + lengthBytes
  const length = !complete ? 0 : version === 1 ? dataView.getUint16(8, true) : dataView.getUint32(8, true)
  const begin = 8 + lengthBytes
  if (!complete || begin + length > byteLength) {
    const declared = complete ? `${grouped(length)} bytes from byte ${begin}` : 'a header length'
    throw new FileError('NP-02', `${name}: header: expected ${declared}, the file ends at byte ${grouped(byteLength)}.`)
  }
  if (length > MAX_HEADER_BYTES) {
    const message = `header: expected at most ${grouped(MAX_HEADER_BYTES)} bytes, found ${grouped(length)}`
    throw new FileError('NP-02', `${name}: ${message}. Records and Python objects are not read.`)
  }
  return { text: new Uint8Array(await readBytes(source, begin, begin + length)), dataStart: begin + length }
}

function dtypeOf({ descr }: NpyHeader, fileName: string): { dtype: DecodableDtype; bigEndian: boolean } {
  const [order, code] = [descr.slice(0, 1), descr.slice(1)]
  const dtype = Object.hasOwn(DTYPES, code) ? DTYPES[code] : undefined
  const wide = dtype !== undefined && DTYPE_BITS[dtype] > 8
  if (dtype !== undefined && (order === '<' || order === '>' || (order === '|' && !wide))) {
    return { dtype, bigEndian: order === '>' && wide }
  }
  const expected = `expected "<" or ">" and one of ${Object.keys(DTYPES).join(', ')}`
  const hint = code === 'V2' ? ' bfloat16 has no dtype in NumPy; save it as float32.' : ''
  throw new FileError('NP-04', `${fileName}: dtype: ${expected}, found ${quoted(descr)}.${hint}`)
}

/** The array's shape with at least two axes; Throws FileError NP-05. */
function shapeOf({ shape }: NpyHeader, fileName: string): readonly number[] {
  const found = `found ${shapeText(shape)}`
  if (shape.length < 1 || shape.length > 3) {
    throw new FileError('NP-05', `${fileName}: shape: expected 1 to 3 axes, ${found}.`)
  }
  if (shape.includes(0)) throw new FileError('NP-05', `${fileName}: shape: expected at least one element, ${found}.`)
  const elements = shape.reduce((product, axis) => product * axis, 1)
  // Sizes in bits stay whole numbers below this.
  if (!(elements * 64 <= Number.MAX_SAFE_INTEGER)) {
    throw new FileError('NP-05', `${fileName}: shape: expected at most 2^47 elements, ${found}.`)
  }
  return shape.length === 1 ? [1, ...shape] : shape
}
