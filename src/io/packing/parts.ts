/** What layouts share: finding the parts of a packed tensor and checking them, in one set of words. */
import { InputError } from '../../core/errors'
import { quoted, shapeText } from '../number-text'
import type { Dtype, PackedPart, PackedStorage, PackedType, TensorView } from '../tensor-view'

/** What a layout may look at besides the tensor in hand. */
export interface Recognition {
  readonly byName: ReadonlyMap<string, TensorView>
  readonly metadata: Readonly<Record<string, string>>
  /** Bits of pack-quantized integers; null: not known, 4 is assumed and checked. */
  readonly integerBits: 4 | 8 | null
}

/**
 * One way of storing packed tensors: the packed tensor whose codes are `tensor`, or null when the name, the dtype and
 * the tensors beside it do not say so. Throws InputError PK-01 … PK-03 when they do but something is missing or wrong.
 */
export type Layout = (tensor: TensorView, recognition: Recognition) => TensorView | null

/** The tensor called `name`. Throws InputError PK-01, with what `codes` is taken for. */
export function needPart(codes: TensorView, name: string, { byName }: Recognition): TensorView {
  const part = byName.get(name)
  if (part) return part
  throw new InputError('PK-01', `tensor ${quoted(codes.name)}: expected ${quoted(name)} beside it, found none.`)
}

/** Throws InputError PK-02 unless `part` has one of `dtypes`. */
export function checkDtype(part: TensorView, dtypes: readonly Dtype[]): void {
  if (dtypes.some((dtype) => dtype === part.dtype)) return
  const message = `expected ${dtypes.length > 1 ? 'one of ' : ''}${dtypes.join(', ')}, found ${part.dtype}`
  throw new InputError('PK-02', `tensor ${quoted(part.name)}: dtype: ${message}.`)
}

/** Throws InputError PK-03 unless `part` has one of the shapes `expected`; `codes` is what it goes with. */
export function checkShape(part: TensorView, expected: readonly (readonly number[])[], codes: TensorView): void {
  const fits = (shape: readonly number[]) =>
    shape.length === part.shape.length && shape.every((axis, i) => axis === part.shape[i])
  if (!expected.some(fits)) throw wrongShape(part, expected, codes)
}

/** InputError PK-03: `part` beside `codes` has none of the shapes `expected`. */
export function wrongShape(part: TensorView, expected: readonly (readonly number[])[], codes: TensorView): InputError {
  const shapes = expected.map(shapeText).join(' or ')
  const beside = part === codes ? '' : ` beside ${quoted(codes.name)} ${shapeText(codes.shape)}`
  const message = `shape: expected ${shapes}${beside}, found ${shapeText(part.shape)}`
  return new InputError('PK-03', `tensor ${quoted(part.name)}: ${message}.`)
}

/** Throws InputError PK-03 unless `codes` has at least two axes and an element. */
export function checkMatrix(codes: TensorView): void {
  if (codes.shape.length >= 2 && !codes.shape.includes(0)) return
  const message = `shape: expected 2 or more axes and at least one element, found ${shapeText(codes.shape)}`
  throw new InputError('PK-03', `tensor ${quoted(codes.name)}: ${message}.`)
}

/** The packed tensor itself: its shape is that of its elements. */
export function packedView(
  facts: { readonly name: string; readonly dtype: PackedType; readonly shape: readonly number[] },
  storage: Omit<PackedStorage, 'kind' | 'parts'>,
  others: readonly (PackedPart | null)[],
): TensorView {
  const { codes } = storage
  const parts = [{ role: 'codes', tensor: codes }, ...others.filter((part) => part !== null)]
  const byteLength = parts.reduce((sum, { tensor }) => sum + tensor.byteLength, 0)
  return { ...facts, byteOffset: codes.byteOffset, byteLength, storage: { kind: 'packed', parts, ...storage } }
}
