/** One matrix of a stack [n, out, in], as models with experts have them. */
import { InputError } from '../core/errors'
import { quoted } from './number-text'
import { isReal } from './tensor-bytes'
import { type PackedStorage, storedBits, type TensorView } from './tensor-view'

/** How many matrices a stack of real numbers holds; null for a tensor that is no stack. */
export function stackSize(view: TensorView): number | null {
  return isReal(view) && view.shape.length === 3 && !view.shape.includes(0) ? view.shape[0] : null
}

/**
 * Matrix `slice` of a stack: a tensor [out, in] called "name[slice]" that reads the same bytes. Throws InputError TS-02
 * when the tensor is no stack, there is no such slice, or its elements do not lie one behind the other.
 */
export function sliceOf(view: TensorView, slice: number): TensorView {
  const { name, shape, storage } = view
  const count = stackSize(view)
  const what = `tensor ${quoted(name)}`
  if (count === null) {
    throw new InputError(
      'TS-02',
      `${what}: expected a stack of 3 dimensions to choose a slice from, found (${shape.join(', ')}).`,
    )
  }
  if (!(Number.isInteger(slice) && slice >= 0 && slice < count)) {
    throw new InputError('TS-02', `${what}: slice: expected 0 to ${count - 1}, found ${slice}.`)
  }
  const facts = { name: `${name}[${slice}]`, shape: shape.slice(1), byteLength: view.byteLength / count }
  if (storage?.kind === 'packed') return { ...view, ...facts, ...slicePacked(storage, { slice, count }) }
  if (storage?.columnMajor) {
    throw new InputError('TS-02', `${what}: expected a stack in row-major order, found an array in Fortran order.`)
  }
  const sliceBits = shape[1] * shape[2] * storedBits(view.dtype)
  if (sliceBits % 8 !== 0) {
    throw new InputError('TS-02', `${what}: expected slices of whole bytes, found ${sliceBits} bits.`)
  }
  return { ...view, ...facts, byteOffset: view.byteOffset + (slice * sliceBits) / 8 }
}

/** Codes and scales of one slice; a factor for all of them stays what it is. */
function slicePacked(storage: PackedStorage, { slice, count }: { slice: number; count: number }) {
  const part = (tensor: TensorView): TensorView => {
    const byteLength = tensor.byteLength / count
    return { ...tensor, shape: tensor.shape.slice(1), byteOffset: tensor.byteOffset + slice * byteLength, byteLength }
  }
  const { codes, scale } = storage
  // Layouts with a number per tile of rows are recognised as matrices only (packing/real-scaled-layouts.ts).
  if (scale.kind !== 'byte') throw new Error(`sliceOf: a stack with scales per tile, ${storage.layout}`)
  const [codesPart, scalePart] = [part(codes), part(scale.tensor)]
  const parts = storage.parts.map(({ role, tensor }) => {
    return { role, tensor: tensor === codes ? codesPart : tensor === scale.tensor ? scalePart : tensor }
  })
  return {
    byteOffset: codesPart.byteOffset,
    byteLength: parts.reduce((sum, { tensor }) => sum + tensor.byteLength, 0),
    storage: { ...storage, parts, codes: codesPart, scale: { ...scale, tensor: scalePart } },
  }
}
