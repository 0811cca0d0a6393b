import { FileError } from '../core/errors'
import { type JsonText, jsonElements, jsonKind, jsonMembers, jsonString, jsonToken } from './json-scan'
import { byteAside, grouped, quoted, shapeText, shortened } from './number-text'
import { checkOnce, foundKind, type HeaderEntry } from './parse-header-json'
import { DTYPE_BITS, type Dtype } from './tensor-view'

/** One tensor as the header states it. `begin` and `end` count from the first byte behind the header. */
export interface TensorEntry {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: readonly number[]
  readonly begin: number
  readonly end: number
}

/** Most dimensions accepted. Real tensors have at most six; a shape of megabytes is an attack on memory. */
const MAX_RANK = 64

const WHOLE_NUMBER = /^(0|[1-9]\d*)$/

/**
 * Checks one entry of the header and decodes it. Throws FileError ST-08 (field repeated), ST-10 (field missing or of
 * the wrong type), ST-11 (dtype), ST-12 (shape), ST-13 (data_offsets) and ST-14 (bytes do not match shape x dtype).
 */
export function parseTensorEntry(text: JsonText, { name, valueAt }: HeaderEntry): TensorEntry {
  const what = `${text.fileName}: tensor ${quoted(name)}`
  if (jsonKind(text, valueAt) !== 'object') {
    const expected = 'expected an object with dtype, shape and data_offsets'
    throw new FileError('ST-10', `${what}: ${expected}, found ${foundAt(text, valueAt)}.`)
  }
  const fields = readFields(text, valueAt, what)
  const dtype = parseDtype(text, field(fields, 'dtype', what), what)
  const shape = parseShape(text, field(fields, 'shape', what), what)
  const [begin, end] = parseOffsets(text, field(fields, 'data_offsets', what), what)
  checkSpan({ dtype, shape, span: end - begin, what })
  return { name, dtype, shape, begin, end }
}

function readFields(text: JsonText, valueAt: number, what: string): Map<string, number> {
  const fields = new Map<string, number>()
  const firstAt = new Map<string, number>()
  for (const { key, keyAt, valueAt: at } of jsonMembers(text, valueAt)) {
    checkOnce(text, firstAt, { key, keyAt }, () => `${what}: ${shortened(key)}`.slice(text.fileName.length + 2))
    fields.set(key, at)
  }
  return fields
}

function field(fields: ReadonlyMap<string, number>, key: string, what: string): number {
  const at = fields.get(key)
  if (at === undefined) throw new FileError('ST-10', `${what}: ${key} is missing.`)
  return at
}

function foundAt(text: JsonText, at: number): string {
  return `${foundKind(text, at)} ${byteAside(text.fileOffset + at)}`
}

function parseDtype(text: JsonText, at: number, what: string): Dtype {
  if (jsonKind(text, at) !== 'text') {
    throw new FileError('ST-10', `${what}: dtype: expected text, found ${foundAt(text, at)}.`)
  }
  const dtype = jsonString(text, at)
  if (isDtype(dtype)) return dtype
  const known = Object.keys(DTYPE_BITS).join(', ')
  throw new FileError('ST-11', `${what}: dtype ${quoted(dtype)} is not known. The format has ${known}.`)
}

function isDtype(text: string): text is Dtype {
  return Object.hasOwn(DTYPE_BITS, text)
}

function parseShape(text: JsonText, at: number, what: string): number[] {
  if (jsonKind(text, at) !== 'list') {
    throw new FileError('ST-10', `${what}: shape: expected a list of whole numbers, found ${foundAt(text, at)}.`)
  }
  const shape: number[] = []
  let elements = 1
  for (const elementAt of jsonElements(text, at)) {
    const token = jsonToken(text, elementAt)
    const dimension = `${what}: dimension ${shape.length}`
    if (!WHOLE_NUMBER.test(token)) {
      const found = shortened(token.replace(/^-/, '−'))
      throw new FileError('ST-12', `${dimension} is ${found}; expected a whole number, 0 or more.`)
    }
    if (!Number.isSafeInteger(Number(token))) {
      throw new FileError('ST-12', `${dimension} is ${grouped(shortened(token))}; expected a whole number below 2^53.`)
    }
    shape.push(Number(token))
    if (shape.length > MAX_RANK) {
      throw new FileError('ST-12', `${what}: shape: expected at most ${MAX_RANK} dimensions, found more.`)
    }
    elements *= Number(token)
    // A zero later on does not excuse a product that no reader can hold.
    if (!Number.isSafeInteger(elements)) {
      const found = `${shapeText(shape)} multiplies to ${elements.toPrecision(4)}`
      throw new FileError('ST-12', `${what}: shape: expected fewer than 2^53 elements, ${found}.`)
    }
  }
  return shape
}

function parseOffsets(text: JsonText, at: number, what: string): [number, number] {
  if (jsonKind(text, at) !== 'list') {
    throw new FileError('ST-10', `${what}: data_offsets: expected [begin, end], found ${foundAt(text, at)}.`)
  }
  const wrong = (why: string) => {
    const token = jsonToken(text, at)
      .replaceAll(/\s*,\s*/g, ', ')
      .replaceAll('-', '−')
    return new FileError('ST-13', `${what}: data_offsets ${shortened(token)}: ${why}.`)
  }
  const numbers: number[] = []
  for (const elementAt of jsonElements(text, at)) {
    const token = jsonToken(text, elementAt)
    if (!WHOLE_NUMBER.test(token) || numbers.length === 2) {
      throw wrong('expected two whole numbers, 0 or more')
    }
    if (!Number.isSafeInteger(Number(token))) throw wrong('expected offsets below 2^53')
    numbers.push(Number(token))
  }
  if (numbers.length < 2) throw wrong('expected two whole numbers, 0 or more')
  if (numbers[1] < numbers[0]) throw wrong('end before begin')
  return [numbers[0], numbers[1]]
}

function checkSpan(entry: { dtype: Dtype; shape: readonly number[]; span: number; what: string }): void {
  const { dtype, shape, span, what } = entry
  const plain = shape.reduce((product, dimension) => product * dimension, 1) * DTYPE_BITS[dtype]
  if (plain === span * 8 && plain <= Number.MAX_SAFE_INTEGER) return
  // Elements stay below 2^53, bits may not: whole-number arithmetic without a limit.
  const elements = shape.reduce((product, dimension) => product * BigInt(dimension), 1n)
  const bits = elements * BigInt(DTYPE_BITS[dtype])
  const found = `${what}: ${shapeText(shape)} ${dtype} needs`
  if (bits % 8n !== 0n)
    throw new FileError('ST-14', `${found} ${grouped(bits)} bits, which is no whole number of bytes.`)
  if (bits === BigInt(span) * 8n) return
  const sizes = `${grouped(bits / 8n)} bytes, data_offsets span ${grouped(span)}`
  throw new FileError('ST-14', `${found} ${sizes}.${dtypeHint(elements, span)}`)
}

/** "Is the dtype F8?" when another width of element would make the span fit. */
function dtypeHint(elements: bigint, span: number): string {
  const names = new Map([
    [4n, 'F4'],
    [6n, 'F6_E2M3 or F6_E3M2'],
    [8n, 'F8'],
    [16n, 'BF16 or F16'],
    [32n, 'F32'],
    [64n, 'F64'],
  ])
  if (elements === 0n || (BigInt(span) * 8n) % elements !== 0n) return ''
  const name = names.get((BigInt(span) * 8n) / elements)
  return name ? ` Is the dtype ${name}?` : ''
}
