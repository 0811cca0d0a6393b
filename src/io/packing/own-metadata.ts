/** What our own files say in their metadata because the layout has no place for it. */
import { InputError } from '../../core/errors'
import { PRE_SCALE_MAX, PRE_SCALE_MIN, PRE_SCALE_VARIANTS, type PreScale } from '../../formats/number-format'
import { quoted } from '../number-text'

/** Followed by the tensor's name; the value is "0.75 exact". */
const PRE_SCALE_KEY = 'mxscope.pre_scale.'
/** Followed by the tensor's name; the value is the f32 bits of the multiplier, "0x39A3D70A". */
const TENSOR_SCALE_KEY = 'mxscope.tensor_scale.'

export function preScaleEntry(name: string, { factor, variant }: PreScale): Record<string, string> {
  return { [`${PRE_SCALE_KEY}${name}`]: `${factor} ${variant}` }
}

export function tensorScaleEntry(name: string, tensorScale: number): Record<string, string> {
  const [bits] = new Uint32Array(new Float32Array([tensorScale]).buffer)
  return { [`${TENSOR_SCALE_KEY}${name}`]: `0x${bits.toString(16).toUpperCase().padStart(8, '0')}` }
}

type Metadata = Readonly<Record<string, string>>

function entryOf(metadata: Metadata, key: string): string | null {
  return Object.hasOwn(metadata, key) ? metadata[key] : null
}

/** The pre-scale the metadata names for the tensor, or null. Throws InputError PK-04 for text that names none. */
export function readPreScale(metadata: Metadata, name: string): PreScale | null {
  const key = `${PRE_SCALE_KEY}${name}`
  const text = entryOf(metadata, key)
  if (text === null) return null
  const [first, second, ...rest] = text.split(' ')
  const factor = Number(first)
  const variant = PRE_SCALE_VARIANTS.find((known) => known === second)
  if (variant && rest.length === 0 && factor >= PRE_SCALE_MIN && factor <= PRE_SCALE_MAX) return { factor, variant }
  const expected = `expected a factor from ${PRE_SCALE_MIN} to ${PRE_SCALE_MAX} and one of ${PRE_SCALE_VARIANTS.join(', ')}`
  throw new InputError('PK-04', `metadata ${quoted(key)}: ${expected}, found ${quoted(text)}.`)
}

/** The exact multiplier the metadata names for the tensor, or null. Throws InputError PK-04 for text that names none. */
export function readTensorScale(metadata: Metadata, name: string): number | null {
  const key = `${TENSOR_SCALE_KEY}${name}`
  const text = entryOf(metadata, key)
  if (text === null) return null
  const value = /^0x[0-9A-F]{8}$/.test(text) ? new Float32Array(new Uint32Array([Number(text)]).buffer)[0] : 0
  if (value > 0 && value < Infinity) return value
  const expected = 'expected the bits of a positive f32 as 0x and eight hexadecimal digits'
  throw new InputError('PK-04', `metadata ${quoted(key)}: ${expected}, found ${quoted(text)}.`)
}
